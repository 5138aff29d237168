//! Operational attributes that administrators write: each write is an act on the account (password-policy draft §5.3).
//!
//! | written | act |
//! |---|---|
//! | `pwdAccountLockedTime`: any value; no value | lock; unlock |
//! | `pwdReset`: `TRUE` | force a change, of the new password beside it if there is one |
//! | `rollbookState`: `LOCKED`, `ENABLED`, `DISABLED`, `DELETED` | lock; unlock or enable; disable; soft deletion |
//! | `rollbookPurgeMonths`, beside `DELETED` | months to the purge |
//!
//! Owns the reading of such a request, and knows no account: whether the state admits the act is the life cycle's to
//! say. Called by `request`.

use super::{ModificationKind, ValueOp};
use crate::error::{Reason, Refusal};
use crate::lifecycle::State;
use crate::schema::Schema;

/// The attributes whose modification is an act.
pub const ACTS: &[&str] = &["pwdReset", "pwdAccountLockedTime", "rollbookState"];

const PURGE_MONTHS: &str = "rollbookPurgeMonths";

/// What a request wants of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// A password that must be changed: the new one beside it, or the present one.
    Reset,
    /// No logins until it is unlocked.
    Lock,
    /// The end of a lock.
    Unlock,
    /// ENABLED, from whatever holds it: a lock, dormancy, an administrator.
    Enable,
    /// The end of logins and of everything granted.
    Disable,
    /// Soft deletion.
    Delete {
        /// None: the policy's default.
        months: Option<u16>,
    },
}

impl Wish {
    /// A new password may stand beside it and becomes part of the act.
    pub fn takes_password(self) -> bool {
        matches!(self, Wish::Reset | Wish::Unlock | Wish::Enable)
    }
}

/// Reads what the modifications of [`ACTS`] want. Months beside a deletion are taken out of `others`.
///
/// # Errors
/// `Unwilling` for more than one act, for a state that is not written, and for anything else beside a deletion;
/// `Constraint` and `ValueExists` for values that are none.
pub fn wish(schema: &Schema, facts: &[ValueOp], others: &mut Vec<ValueOp>) -> Result<Option<Wish>, Refusal> {
    let fact = match facts {
        [] => return Ok(None),
        [fact] => fact,
        _ => return Err(Refusal::new(Reason::Unwilling, "one act on the account at a time")),
    };
    let set = fact.kind != ModificationKind::Delete && !fact.values.is_empty();
    let wish = match (schema.attribute(fact.attribute).name(), set) {
        ("pwdReset", true) if fact.values.iter().all(|v| v == b"TRUE") => Wish::Reset,
        ("pwdReset", _) => {
            return Err(Refusal::new(Reason::Unwilling, "only the owner's new password ends a forced change"));
        }
        ("pwdAccountLockedTime", true) => Wish::Lock,
        ("pwdAccountLockedTime", false) => Wish::Unlock,
        ("rollbookState", _) => state(fact)?,
        _ => return Err(Refusal::new(Reason::Unwilling, "this is no act on the account")),
    };
    let Wish::Delete { .. } = wish else { return Ok(Some(wish)) };
    let months = months(schema, others)?;
    if !others.is_empty() {
        return Err(Refusal::new(Reason::Unwilling, "nothing else is changed together with a deletion"));
    }
    Ok(Some(Wish::Delete { months }))
}

fn state(fact: &ValueOp) -> Result<Wish, Refusal> {
    let value = match (fact.kind, fact.values.as_slice()) {
        (ModificationKind::Replace, [value]) => value,
        (ModificationKind::Add, [_]) => {
            return Err(Refusal::new(Reason::ValueExists, "rollbookState: an account has a state; it can be replaced"));
        }
        _ => return Err(Refusal::new(Reason::Constraint, "rollbookState: an account has one state, always")),
    };
    match std::str::from_utf8(value).ok().and_then(|text| State::from_name(text.trim())) {
        Some(State::Locked) => Ok(Wish::Lock),
        Some(State::Enabled) => Ok(Wish::Enable),
        Some(State::Disabled) => Ok(Wish::Disable),
        Some(State::Deleted) => Ok(Wish::Delete { months: None }),
        Some(earned @ (State::Unverified | State::Active | State::Dormant)) => Err(Refusal::new(
            Reason::Unwilling,
            format!("rollbookState: {} comes of what the account does, not of an act on it", earned.name()),
        )),
        None => {
            Err(Refusal::new(Reason::Constraint, "rollbookState: LOCKED, ENABLED, DISABLED or DELETED can be written"))
        }
    }
}

/// Takes the months of a deletion out of the other modifications.
fn months(schema: &Schema, others: &mut Vec<ValueOp>) -> Result<Option<u16>, Refusal> {
    let Some(at) = others.iter().position(|op| schema.attribute(op.attribute).name() == PURGE_MONTHS) else {
        return Ok(None);
    };
    let given = others.remove(at);
    let number = match (given.kind, given.values.as_slice()) {
        (ModificationKind::Replace | ModificationKind::Add, [value]) => std::str::from_utf8(value).ok(),
        _ => None,
    };
    let months = number.and_then(|text| text.parse().ok());
    let unfit = || Refusal::new(Reason::Constraint, format!("{PURGE_MONTHS}: it takes one number of months"));
    months.map(Some).ok_or_else(unfit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ModificationKind::{Add, Delete, Replace};

    fn op(kind: ModificationKind, name: &str, values: &[&str]) -> ValueOp {
        let attribute = Schema::standard().find_attribute(name.as_bytes()).unwrap().id;
        let values = values.iter().map(|v| v.as_bytes().to_vec()).collect();
        ValueOp { kind, attribute, options: Vec::new(), values }
    }

    fn read(facts: &[ValueOp], mut others: Vec<ValueOp>) -> Result<Option<Wish>, Reason> {
        wish(&Schema::standard(), facts, &mut others).map_err(|refusal| refusal.reason)
    }

    /// Goal: every way to write an act means what the table above says, and nothing else is an act.
    #[test]
    fn writes_are_wishes() {
        let rows = [
            (op(Replace, "pwdReset", &["TRUE"]), Ok(Wish::Reset)),
            (op(Replace, "pwdReset", &["FALSE"]), Err(Reason::Unwilling)),
            (op(Delete, "pwdReset", &[]), Err(Reason::Unwilling)),
            (op(Replace, "pwdAccountLockedTime", &["000001010000Z"]), Ok(Wish::Lock)),
            (op(Replace, "pwdAccountLockedTime", &[]), Ok(Wish::Unlock)),
            (op(Delete, "pwdAccountLockedTime", &[]), Ok(Wish::Unlock)),
            (op(Replace, "rollbookState", &["LOCKED"]), Ok(Wish::Lock)),
            (op(Replace, "rollbookState", &["enabled"]), Ok(Wish::Enable)),
            (op(Replace, "rollbookState", &["Disabled"]), Ok(Wish::Disable)),
            (op(Replace, "rollbookState", &["DELETED"]), Ok(Wish::Delete { months: None })),
            (op(Replace, "rollbookState", &["ACTIVE"]), Err(Reason::Unwilling)),
            (op(Replace, "rollbookState", &["UNVERIFIED"]), Err(Reason::Unwilling)),
            (op(Replace, "rollbookState", &["DORMANT"]), Err(Reason::Unwilling)),
            (op(Replace, "rollbookState", &["GONE"]), Err(Reason::Constraint)),
            (op(Replace, "rollbookState", &["LOCKED", "DISABLED"]), Err(Reason::Constraint)),
            (op(Replace, "rollbookState", &[]), Err(Reason::Constraint)),
            (op(Delete, "rollbookState", &["ACTIVE"]), Err(Reason::Constraint)),
            (op(Add, "rollbookState", &["DISABLED"]), Err(Reason::ValueExists)),
        ];
        for (fact, expected) in rows {
            let shown = format!("{fact:?}");
            assert_eq!(read(&[fact], Vec::new()), expected.map(Some), "{shown}");
        }
        assert_eq!(read(&[], vec![op(Replace, "title", &["x"])]), Ok(None));
        let two = [op(Replace, "pwdReset", &["TRUE"]), op(Replace, "rollbookState", &["ENABLED"])];
        assert_eq!(read(&two, Vec::new()), Err(Reason::Unwilling));
    }

    /// Goal: a deletion takes its months, and nothing else beside it.
    #[test]
    fn a_deletion_takes_its_months() {
        let deleted = [op(Replace, "rollbookState", &["DELETED"])];
        let rows = [
            (vec![op(Replace, "rollbookPurgeMonths", &["3"])], Ok(Some(3))),
            (vec![op(Add, "rollbookPurgeMonths", &["0"])], Ok(Some(0))),
            (vec![op(Replace, "rollbookPurgeMonths", &["-1"])], Err(Reason::Constraint)),
            (vec![op(Replace, "rollbookPurgeMonths", &["1", "2"])], Err(Reason::Constraint)),
            (vec![op(Delete, "rollbookPurgeMonths", &[])], Err(Reason::Constraint)),
            (vec![op(Replace, "title", &["x"])], Err(Reason::Unwilling)),
        ];
        for (others, expected) in rows {
            let shown = format!("{others:?}");
            assert_eq!(read(&deleted, others), expected.map(|months| Some(Wish::Delete { months })), "{shown}");
        }
    }
}
