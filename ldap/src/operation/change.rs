//! What the writing operations have in common: a change is submitted, its receipt is answered.
//!
//! Owns no rule; `add`, `delete`, `modify`, `modify_dn` and `password` translate into a [`Change`], this file hands it
//! over and turns what comes back into the answer.

use super::{Asked, Operation, Step, admit};
use crate::{door::Door, result::Outcome, session::Session, wire::extended};
use bytes::BytesMut;
use directory::{
    change::{Change, Receipt},
    context::{Actor, Context},
    error::Refusal,
};

/// A change that waits for its place in the journal.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) context: Context,
    pub(crate) change: Change,
    pub(crate) answer: Asked,
}

/// Submits a change, if the connection may ask for one. `change` is made only then.
pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    change: impl FnOnce() -> Change,
    out: &mut BytesMut,
) -> Step {
    match admit(door, session, &asked, out) {
        Ok(_) => Step::Change(Box::new(Pending { context: asked.context, change: change(), answer: asked })),
        Err(step) => step,
    }
}

/// The write path has spoken.
pub(crate) fn finish(
    door: &Door,
    session: &mut Session,
    asked: &Asked,
    outcome: Result<Receipt, Refusal>,
    out: &mut BytesMut,
) {
    let receipt = match outcome {
        Ok(receipt) => receipt,
        Err(refusal) => return asked.answer(door, &Outcome::refused(&refusal, asked.operation), out),
    };
    if matches!(asked.operation, Operation::PasswordModify | Operation::Modify) {
        follow_own_password(session, &receipt);
    }
    match (asked.operation, &receipt.generated_password) {
        (Operation::PasswordModify, Some(password)) => {
            let value = extended::generated_password(password.expose());
            super::extended::answer(door, asked, &Outcome::success(), Some(&value), out);
        }
        _ => asked.answer(door, &Outcome::success(), out),
    }
}

/// A new password ends all logins of the account but the one that has changed it. Only the change itself says which
/// epoch that is: what the store says by now may be another one, by which an administrator has ended this login.
fn follow_own_password(session: &mut Session, receipt: &Receipt) {
    if let (Actor::Account { id, .. }, Some(epoch)) = (session.actor(), receipt.epoch)
        && receipt.entry == Some(id)
    {
        session.password_changed(epoch);
    }
}
