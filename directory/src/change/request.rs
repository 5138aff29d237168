//! From a [`Change`] to the steps that carry it out: passwords hashed, acts on accounts judged.
//!
//! Needs a snapshot, the policy and the hash pool; called by [`super::carry`], once for each change of a request.

use super::fact::{self, Wish};
use super::known::Known;
use super::password::{self, Owner, Said};
use super::{Act, AddOp, Change, Modification, Op, Subject, Target, ValueOp, claims, prepare};
use crate::access::Rights;
use crate::context::{Actor, Context, Door};
use crate::credential::Secret;
use crate::error::{PasswordReason, Reason, Refusal};
use crate::handle::Directory;
use crate::lifecycle::{Event, Remover, State, Verdict, decide};
use crate::schema::AttributeDescription;
use crate::schema::attribute::Storage;
use crate::store::codec::Credential;
use crate::store::view::View;

/// Letters and digits that are not taken for one another, for passwords made here.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// One change, prepared.
pub(super) struct Steps {
    /// In this order; none: there is nothing to do.
    pub ops: Vec<Op>,
    /// A password that was made for the caller.
    pub generated_password: Option<Secret>,
}

impl Directory {
    /// The steps of one change; `known` is what the steps before it in the same request make of the accounts.
    /// What few changes wait for, a password, is boxed: the others carry less about.
    pub(super) async fn steps_of(
        &self,
        context: &Context,
        rights: &Rights,
        change: &Change,
        known: &mut Known,
    ) -> Result<Steps, Refusal> {
        self.check_unrestricted(context, change)?;
        let mut generated_password = None;
        let mut further = None;
        let op = match change {
            Change::Add { dn, attributes } => {
                let random = &self.inner().random;
                let (op, passwords) = prepare::add(self.schema(), random, &context.now, dn, attributes)?;
                let op = self.with_first_password(context, rights, op, &passwords).await?;
                known.take_added(self.schema(), &op);
                Op::Add(Box::new(op))
            }
            Change::Delete { target, subtree: false } if self.names_account(target)? => {
                match self.act(context, rights, target, &Act::Remove, known).await? {
                    Some(op) => op,
                    None => return Ok(Steps { ops: Vec::new(), generated_password: None }),
                }
            }
            Change::Modify { target, .. } | Change::Rename { target, .. } | Change::Delete { target, .. } => {
                let mut prepared = prepare::resolve(self.schema(), change)?;
                further = self.act_of_facts(context, rights, target, &mut prepared, known).await?;
                known.take(further.as_ref());
                self.with_password(context, rights, target, prepared, known).await?
            }
            Change::Members { target, add, remove } => Op::Members {
                subject: prepare::subject(self.schema(), target)?,
                add: prepare::subjects(self.schema(), add)?,
                remove: prepare::subjects(self.schema(), remove)?,
            },
            Change::Password { target, old, new } => {
                let subject = prepare::subject(self.schema(), target)?;
                let owner = self.owner_or_grave(context, rights, target, &subject, "password", known)?;
                let new = new.clone().unwrap_or_else(|| {
                    let made = self.make_password();
                    generated_password = Some(made.clone());
                    made
                });
                let password = Some(Box::pin(self.new_password(context, rights, &owner, old.clone(), new)).await?);
                Op::Modify { subject: owner.subject, expected: None, modifications: Vec::new(), password }
            }
            Change::Account { target, act } => match self.act(context, rights, target, act, known).await? {
                Some(op) => op,
                None => return Ok(Steps { ops: Vec::new(), generated_password: None }),
            },
        };
        known.take(Some(&op));
        let ops = match further {
            // The entry is gone with its deletion; nothing follows that.
            Some(act @ Op::Account { bury: true, .. }) => vec![act],
            // The act says all; what is left of the modification is nothing.
            Some(act) if is_empty(&op) => vec![act],
            // An act judges the facts as they are; it goes first, and the modification's own version follows it.
            Some(act) => vec![act, op],
            None => vec![op],
        };
        Ok(Steps { ops, generated_password })
    }

    async fn with_first_password(
        &self,
        context: &Context,
        rights: &Rights,
        mut op: AddOp,
        passwords: &[ValueOp],
    ) -> Result<AddOp, Refusal> {
        let new = match password::said(passwords)? {
            Said::Nothing => return Ok(op),
            Said::New { new, .. } => new,
            Said::Gone { .. } => return Err(Refusal::new(Reason::InvalidValue, "userPassword: there is no value")),
        };
        // Hashing is dear: who may add nothing here gets nothing hashed.
        if rights.power(&op.key).is_none() {
            return Err(Refusal::not_allowed());
        }
        let hash = match password::given_hash(rights, &new)? {
            Some(hash) => hash,
            None => {
                self.check_quality(&password::Words::of_attributes(self.schema(), &op.attributes), &new)?;
                self.hash(new).await?
            }
        };
        op.credential = Some(Credential { password: Some(hash.as_str().to_owned()), history: Vec::new() });
        op.account.password_changed_at = Some(context.now.wall);
        Ok(op)
    }

    async fn with_password(
        &self,
        context: &Context,
        rights: &Rights,
        target: &Target,
        prepared: prepare::Prepared,
        known: &Known,
    ) -> Result<Op, Refusal> {
        let said = password::said(&prepared.passwords)?;
        let Op::Modify { subject, expected, modifications, .. } = prepared.op else { return Ok(prepared.op) };
        if matches!(said, Said::Nothing) {
            return Ok(Op::Modify { subject, expected, modifications, password: None });
        }
        let owner = self.owner_or_grave(context, rights, target, &subject, "password", known)?;
        let password = match said {
            Said::Nothing => None,
            Said::New { old, new } => Some(Box::pin(self.new_password(context, rights, &owner, old, new)).await?),
            Said::Gone { must_be_there: false, .. } if !owner.has_password() => None,
            Said::Gone { .. } => Some(self.no_password(context, &owner)?),
        };
        let subject = owner.subject;
        Ok(Op::Modify { subject, expected, modifications, password })
    }

    /// The act that a modification of operational attributes stands for. A new password beside it is part of the act.
    async fn act_of_facts(
        &self,
        context: &Context,
        rights: &Rights,
        target: &Target,
        prepared: &mut prepare::Prepared,
        known: &Known,
    ) -> Result<Option<Op>, Refusal> {
        let Op::Modify { subject, modifications, .. } = &mut prepared.op else { return Ok(None) };
        let Some(wish) = fact::wish(self.schema(), &prepared.facts, modifications)? else { return Ok(None) };
        let owner = self.owner_or_grave(context, rights, target, subject, "act", known)?;
        owner.check_governed().inspect_err(|refusal| known.refused(self, context, owner.id, "act", refusal))?;
        if wish == Wish::Reset && !prepared.passwords.is_empty() {
            return Box::pin(self.reset(context, rights, prepared, known)).await;
        }
        let password = match password::said(&std::mem::take(&mut prepared.passwords))? {
            Said::Nothing => None,
            Said::New { new, .. } if wish.takes_password() => Some(new),
            Said::New { .. } | Said::Gone { .. } => {
                return Err(Refusal::new(Reason::Unwilling, "the password is not changed together with this act"));
            }
        };
        let act = match wish {
            Wish::Reset => Act::ForceChange,
            Wish::Lock => Act::Lock,
            Wish::Unlock => Act::Unlock { password },
            // What holds a LOCKED account is lifted by unlocking it.
            Wish::Enable if owner.state(self, &context.now) == State::Locked => Act::Unlock { password },
            Wish::Enable => Act::Enable { password },
            Wish::Disable => Act::Disable,
            Wish::Delete { months } => Act::Delete { months },
        };
        self.act_on(context, rights, &owner, &act, known).await
    }

    /// A new password that its owner has to change.
    async fn reset(
        &self,
        context: &Context,
        rights: &Rights,
        prepared: &mut prepare::Prepared,
        known: &Known,
    ) -> Result<Option<Op>, Refusal> {
        let Said::New { new, .. } = password::said(&std::mem::take(&mut prepared.passwords))? else { return Ok(None) };
        let Op::Modify { subject, .. } = &prepared.op else { return Ok(None) };
        let owner = self.owner(rights, subject, known)?;
        self.not_ones_own(context, &owner)?;
        let next = self.judge(&owner, Event::SetPassword { force_change: true }, context)?;
        let hash = self.judged_hash(rights, &owner, &new, false).await?;
        let password = Some(self.password_op(&owner, Some(hash), Some(next), false));
        Ok(Some(Op::Modify { subject: owner.subject, expected: None, modifications: Vec::new(), password }))
    }

    /// An act on an account; none: there is nothing to do. A refusal is remembered for the journal.
    async fn act(
        &self,
        context: &Context,
        rights: &Rights,
        target: &Target,
        act: &Act,
        known: &Known,
    ) -> Result<Option<Op>, Refusal> {
        let subject = prepare::subject(self.schema(), target)?;
        let owner = self.owner_or_grave(context, rights, target, &subject, act.name(), known)?;
        self.act_on(context, rights, &owner, act, known).await
    }

    async fn act_on(
        &self,
        context: &Context,
        rights: &Rights,
        owner: &Owner,
        act: &Act,
        known: &Known,
    ) -> Result<Option<Op>, Refusal> {
        let judged = match owner.check_governed() {
            Ok(()) => self.judge_act(context, rights, owner, act).await,
            Err(refusal) => Err(refusal),
        };
        judged.inspect_err(|refusal| known.refused(self, context, owner.id, act.name(), refusal))
    }

    /// Whether a target is an account that the directory holds.
    fn names_account(&self, target: &Target) -> Result<bool, Refusal> {
        let snapshot = self.snapshot()?;
        let id = match prepare::subject(self.schema(), target)? {
            Subject::Id(id) => Some(id),
            Subject::Key(key) => snapshot.id_of(&key)?,
        };
        let Some(id) = id else { return Ok(false) };
        Ok(snapshot.record(id)?.is_some() && snapshot.account(id)?.is_some())
    }

    /// The account; one that is deleted is nobody to the peer, and DELETED in the journal.
    fn owner_or_grave(
        &self,
        context: &Context,
        rights: &Rights,
        target: &Target,
        subject: &Subject,
        act: &str,
        known: &Known,
    ) -> Result<Owner, Refusal> {
        let found = self.owner(rights, subject, known);
        let missing = matches!(&found, Err(Refusal { reason: Reason::NoSuchEntry { .. }, .. }));
        let snapshot = self.snapshot()?;
        let buried = match (target, subject) {
            _ if !missing => None,
            (Target::Dn(dn), Subject::Key(key)) => claims::buried(&snapshot, self.schema(), dn, key)?,
            (_, Subject::Id(id)) => snapshot.account(*id)?.filter(|a| a.deletion.is_some()).map(|_| *id),
            (Target::Id(_), Subject::Key(_)) => None,
        };
        if let Some(id) = buried {
            known.refused(self, context, id, act, &Refusal::new(Reason::Unwilling, "the account is DELETED"));
        }
        found
    }

    async fn judge_act(
        &self,
        context: &Context,
        rights: &Rights,
        owner: &Owner,
        act: &Act,
    ) -> Result<Option<Op>, Refusal> {
        let by = match context.actor {
            Actor::Account { id, .. } => Some(id),
            _ => None,
        };
        let (event, new) = match act {
            Act::Disable => (Event::Disable { by }, None),
            Act::Enable { password } => (Event::Enable { new_password: password.is_some() }, password.as_ref()),
            Act::Unlock { password } => (Event::Unlock { new_password: password.is_some() }, password.as_ref()),
            Act::Lock => (Event::Lock, None),
            Act::Delete { months } => {
                let scim = context.origin.door == Door::Scim;
                let remover = if scim { Remover::Provisioning } else { Remover::Administrator };
                (Event::Delete { months: *months, remover, by }, None)
            }
            Act::Remove => (Event::Delete { months: None, remover: Remover::Provisioning, by }, None),
            Act::ForceChange => (Event::ForceChange, None),
            Act::SignOut => (Event::SignOut, None),
            Act::Active(active) => (Event::ScimActive { active: *active, by }, None),
        };
        if new.is_some() {
            self.not_ones_own(context, owner)?;
        }
        let account = self.with_counters(owner.id, owner.stored);
        let outcome = decide(&account, self.policy(), &event, &context.now);
        match outcome.verdict {
            Verdict::Accepted => {}
            Verdict::Unchanged => return Ok(None),
            Verdict::Rejected(rejection) => return Err(password::rejected(rejection)),
            Verdict::Admitted | Verdict::AdmittedMustChange(_) | Verdict::Denied(_) => {
                return Err(Refusal::not_allowed());
            }
        }
        let password = match new {
            None => None,
            Some(new) => {
                let hash = self.judged_hash(rights, owner, new, false).await?;
                Some(self.password_op(owner, Some(hash), None, false))
            }
        };
        Ok(Some(Op::Account {
            subject: owner.subject.clone(),
            expected: Box::new(owner.stored),
            next: Box::new(outcome.next),
            act: act.name().into(),
            bury: outcome.after == State::Deleted,
            password,
        }))
    }

    /// An act does not stand in for the old password: the own one is changed by a change of it, and by nothing else.
    fn not_ones_own(&self, context: &Context, owner: &Owner) -> Result<(), Refusal> {
        if self.is_own(context, owner.id) {
            let reason = Reason::Password(PasswordReason::MustSupplyOld);
            return Err(Refusal::new(reason, "the own password is changed with the old one"));
        }
        Ok(())
    }

    /// A password of 20 characters, 100 bits (RFC 3062 §3: `genPasswd`).
    pub fn make_password(&self) -> Secret {
        let drawn = self.inner().random.bytes::<20>();
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'a');
        Secret::new(drawn.iter().map(letter).collect())
    }

    /// A login that has to change its password first may do that and nothing else (requirement 2.10), not even beside it.
    fn check_unrestricted(&self, context: &Context, change: &Change) -> Result<(), Refusal> {
        if !matches!(context.actor, Actor::Account { must_change_password: true, .. }) {
            return Ok(());
        }
        let is_password = |m: &Modification| {
            let kind = AttributeDescription::parse(self.schema(), &m.attribute).map(|d| self.schema().attribute(d.id));
            kind.is_ok_and(|kind| kind.storage == Storage::Credential)
        };
        match change {
            Change::Password { .. } => Ok(()),
            Change::Modify { modifications, .. }
                if !modifications.is_empty() && modifications.iter().all(is_password) =>
            {
                Ok(())
            }
            _ => {
                let reason = Reason::Password(PasswordReason::ChangeAfterReset);
                Err(Refusal::new(reason, "the password must be changed first"))
            }
        }
    }
}

/// Whether a modification changes nothing.
fn is_empty(op: &Op) -> bool {
    matches!(op, Op::Modify { modifications, password: None, .. } if modifications.is_empty())
}

impl Owner {
    /// The state in words, for refusals and lists.
    pub fn state(&self, directory: &Directory, now: &crate::clock::Now) -> State {
        crate::lifecycle::state(&directory.with_counters(self.id, self.stored), directory.policy(), now)
    }
}
