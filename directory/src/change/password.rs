//! New passwords on their way into a write set: judged by the policy, hashed by the pool, bound to the facts that the
//! judgement was made from.

use super::known::Known;
use super::{ModificationKind, PasswordOp, Subject, ValueOp};
use crate::access::Rights;
use crate::authenticate::Proven;
use crate::context::{Actor, Context};
use crate::credential::history;
use crate::credential::import::{Imported, import};
use crate::credential::quality::{self, Names, Rules};
use crate::credential::{PasswordHash, Secret};
use crate::entry::record::{Attribute, Record};
use crate::error::{PasswordReason, Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::lifecycle::{Account, Event, Rejection, Verdict, decide};
use crate::schema::Schema;
use crate::store::codec::Credential;
use crate::store::view::View;

/// The words of an account that its password may not hold.
#[derive(Debug, Default, Clone)]
pub struct Words {
    username: String,
    given: String,
    family: String,
    mail: Vec<String>,
}

impl Words {
    /// From the attributes of a new entry.
    pub fn of_attributes(schema: &Schema, attributes: &[Attribute]) -> Words {
        let mut words = Words::default();
        for attribute in attributes {
            for value in &attribute.values {
                words.take(schema.attribute(attribute.id).name(), value);
            }
        }
        words
    }

    /// From a record.
    pub fn of_record(schema: &Schema, record: &Record<'_>) -> Words {
        let mut words = Words::default();
        for attribute in record.attributes() {
            for value in attribute.values() {
                words.take(schema.attribute(attribute.id).name(), value);
            }
        }
        words
    }

    fn take(&mut self, name: &str, value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match name {
            "uid" => self.username = text(),
            "givenName" => self.given = text(),
            "sn" => self.family = text(),
            "mail" => self.mail.push(text()),
            _ => {}
        }
    }
}

/// What a request says about `userPassword`.
#[derive(Debug)]
pub enum Said {
    /// Nothing.
    Nothing,
    /// A new one, with or without the old one.
    New {
        /// The old one, when the request takes it away by value.
        old: Option<Secret>,
        /// The new one.
        new: Secret,
    },
    /// It goes.
    Gone {
        /// The old one, when the request takes it away by value.
        old: Option<Secret>,
        /// It is an error when there is none (RFC 4511 §4.6: `delete`, not `replace`).
        must_be_there: bool,
    },
}

/// Reads the modifications of `userPassword`: `replace`, `add`, `delete` of the old value and `add` of the new one.
///
/// # Errors
/// `Constraint` for more than one new value.
pub fn said(ops: &[ValueOp]) -> Result<Said, Refusal> {
    let (mut old, mut new, mut any) = (None, None, false);
    for op in ops {
        any = true;
        match op.kind {
            ModificationKind::Delete => old = op.values.first().map(|v| Secret::new(v.clone())),
            ModificationKind::Increment => {
                return Err(Refusal::new(Reason::Constraint, "userPassword: only integers can be incremented"));
            }
            ModificationKind::Add | ModificationKind::Replace => match op.values.as_slice() {
                [] => {}
                [value] if new.is_none() => new = Some(Secret::new(value.clone())),
                _ => return Err(Refusal::new(Reason::Constraint, "userPassword: one value is all an account has")),
            },
        }
    }
    Ok(match (any, new) {
        (false, _) => Said::Nothing,
        (true, Some(new)) => Said::New { old, new },
        (true, None) => Said::Gone { old, must_be_there: ops.iter().any(|op| op.kind == ModificationKind::Delete) },
    })
}

/// An account as a snapshot shows it, for a change of its password.
pub struct Owner {
    /// Its id; none yet for one that the same request adds.
    pub id: EntryId,
    /// How the steps name it.
    pub subject: Subject,
    /// Its facts as they are stored.
    pub stored: Account,
    /// Its credential as it is stored.
    pub credential: Option<Credential>,
    /// Its words.
    pub words: Words,
    /// The actor may act on it.
    pub governed: bool,
}

impl Owner {
    /// A password is stored.
    pub(crate) fn has_password(&self) -> bool {
        self.credential.as_ref().is_some_and(|credential| credential.password.is_some())
    }

    /// Before an administrator's act is judged: the judgement tells the state, and a password is dear to hash. Asked
    /// again when the set is applied.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub(crate) fn check_governed(&self) -> Result<(), Refusal> {
        if self.governed { Ok(()) } else { Err(Refusal::not_allowed()) }
    }
}

impl Directory {
    /// Reads an account, as the steps before this one in the same request leave it.
    ///
    /// # Errors
    /// `NoSuchEntry`; `Constraint` when the entry is no account.
    pub(crate) fn owner(&self, rights: &Rights, subject: &Subject, known: &Known) -> Result<Owner, Refusal> {
        let snapshot = self.snapshot()?;
        let missing = || Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "");
        let id = match subject {
            Subject::Id(id) => *id,
            Subject::Key(key) => match snapshot.id_of(key)? {
                Some(id) => id,
                None => return known.added(rights, subject).ok_or_else(missing),
            },
        };
        let guard = snapshot.record(id)?.ok_or_else(missing)?;
        let record = Record::parse(guard.value()).map_err(|_| missing())?;
        if rights.sight(id, &record) == crate::access::Sight::None {
            return Err(missing());
        }
        let stored = snapshot
            .account(id)?
            .ok_or_else(|| Refusal::new(Reason::Constraint, "the entry is not an account and has no password"))?;
        let words = Words::of_record(self.schema(), &record);
        let governed = rights.may_govern(snapshot.as_ref(), id, &record)?;
        let mut owner =
            Owner { id, subject: Subject::Id(id), stored, credential: snapshot.credential(id)?, words, governed };
        known.lay_over(&mut owner);
        Ok(owner)
    }

    /// The step that gives an account a new password.
    ///
    /// # Errors
    /// `Password`, `NotAllowed`, `Unwilling`, `Busy`.
    pub(crate) async fn new_password(
        &self,
        context: &Context,
        rights: &Rights,
        owner: &Owner,
        old: Option<Secret>,
        new: Secret,
    ) -> Result<PasswordOp, Refusal> {
        let own = self.is_own(context, owner.id);
        if own {
            self.prove_old(context, owner.id, old).await?;
        } else {
            owner.check_governed()?;
        }
        let event =
            if own { Event::ChangePassword { by_link: false } } else { Event::SetPassword { force_change: false } };
        let next_account = self.judge(owner, event, context)?;
        let hash = self.judged_hash(rights, owner, &new, own).await?;
        Ok(self.password_op(owner, Some(hash), Some(next_account), own))
    }

    /// The step that takes an account's password away.
    ///
    /// # Errors
    /// `Password` for one's own: an account does not lock itself out.
    pub(crate) fn no_password(&self, context: &Context, owner: &Owner) -> Result<PasswordOp, Refusal> {
        if self.is_own(context, owner.id) {
            let reason = Reason::Password(PasswordReason::ModificationNotAllowed);
            return Err(Refusal::new(reason, "the own password can be changed, not taken away"));
        }
        owner.check_governed()?;
        if !owner.has_password() {
            return Err(Refusal::new(Reason::NoSuchValue, "userPassword: there is no such attribute"));
        }
        let next = self.judge(owner, Event::RemovePassword, context)?;
        Ok(self.password_op(owner, None, Some(next), false))
    }

    pub(crate) fn password_op(
        &self,
        owner: &Owner,
        hash: Option<PasswordHash>,
        next_account: Option<Account>,
        own: bool,
    ) -> PasswordOp {
        let former = owner.credential.clone().unwrap_or_default();
        let stored = |text: &String| PasswordHash::from_stored(text.as_str());
        let remembered: Vec<PasswordHash> = former.history.iter().map(stored).collect();
        let keep = usize::from(self.policy().password_history);
        let history = history::remember(former.password.as_ref().map(stored), &remembered, keep);
        let next = Credential {
            password: hash.map(|h| h.as_str().to_owned()),
            history: history.iter().map(|h| h.as_str().to_owned()).collect(),
        };
        PasswordOp {
            expected: owner.credential.clone(),
            next: Some(next),
            expected_account: next_account.is_some().then(|| Box::new(owner.stored)),
            next_account: next_account.map(Box::new),
            own,
        }
    }

    /// Whether the actor acts on the own account.
    pub(crate) fn is_own(&self, context: &Context, id: EntryId) -> bool {
        matches!(context.actor, Actor::Account { id: actor, .. } if actor == id)
    }

    /// One's own password is changed with the old one, or right after a login that demands the change.
    async fn prove_old(&self, context: &Context, id: EntryId, old: Option<Secret>) -> Result<(), Refusal> {
        let fresh = matches!(context.actor, Actor::Account { must_change_password: true, .. });
        match old {
            None if fresh => Ok(()),
            None => {
                let reason = Reason::Password(PasswordReason::MustSupplyOld);
                Err(Refusal::new(reason, "the old password is needed"))
            }
            Some(old) => match self.prove(context, id, old).await {
                Proven::Yes => Ok(()),
                Proven::No => Err(Refusal::new(Reason::WrongPassword, "")),
                Proven::Busy => Err(Refusal::new(Reason::Busy, "too many logins are waiting")),
            },
        }
    }

    /// Asks the life cycle, with the counters that are still in memory.
    pub(crate) fn judge(&self, owner: &Owner, event: Event, context: &Context) -> Result<Account, Refusal> {
        let account = self.with_counters(owner.id, owner.stored);
        let outcome = decide(&account, self.policy(), &event, &context.now);
        match outcome.verdict {
            Verdict::Accepted | Verdict::Unchanged | Verdict::Admitted | Verdict::AdmittedMustChange(_) => {
                Ok(outcome.next)
            }
            Verdict::Rejected(rejection) => {
                let refusal = rejected(rejection);
                self.remember_refusal(context, owner.id, "password", &refusal);
                Err(refusal)
            }
            Verdict::Denied(_) => Err(Refusal::not_allowed()),
        }
    }

    /// Judges a new password and hashes it. Hashes of other servers are taken from system administrators alone.
    pub(crate) async fn judged_hash(
        &self,
        rights: &Rights,
        owner: &Owner,
        new: &Secret,
        own: bool,
    ) -> Result<PasswordHash, Refusal> {
        if let Some(hash) = given_hash(rights, new)? {
            return Ok(hash);
        }
        self.check_quality(&owner.words, new)?;
        if own && let Some(credential) = &owner.credential {
            let stored = |text: &String| PasswordHash::from_stored(text.as_str());
            let present = credential.password.as_ref().map(stored);
            let reused = self
                .inner()
                .pool
                .is_reused(new.clone(), present, credential.history.iter().map(stored).collect())
                .map_err(busy)?;
            if reused.await.unwrap_or(true) {
                let reason = Reason::Password(PasswordReason::InHistory);
                return Err(Refusal::new(reason, "the password has been used before"));
            }
        }
        self.hash(new.clone()).await
    }

    /// Judges a new password by its text.
    ///
    /// # Errors
    /// `Password`.
    pub(crate) fn check_quality(&self, words: &Words, new: &Secret) -> Result<(), Refusal> {
        let mail: Vec<&str> = words.mail.iter().map(String::as_str).collect();
        let names = Names { username: &words.username, given: &words.given, family: &words.family, mail: &mail };
        let rules = Rules {
            least_length: usize::from(self.policy().password_min_length),
            refuse_common: true,
            refuse_names: self.policy().password_not_name,
        };
        quality::check(new.expose(), &names, &rules)
            .map_err(|refused| Refusal::new(Reason::Password(refused.reason()), refused.to_string()))
    }

    /// Hashes a password on the pool.
    pub(crate) async fn hash(&self, password: Secret) -> Result<PasswordHash, Refusal> {
        let salt = self.inner().random.bytes();
        let made = self.inner().pool.hash(password, salt, self.inner().hashing).map_err(busy)?;
        match made.await {
            Ok(Ok(hash)) => Ok(hash),
            Ok(Err(error)) => {
                let reason = Reason::Password(PasswordReason::InsufficientQuality);
                Err(Refusal::new(reason, error.to_string()))
            }
            Err(_) => Err(Refusal::new(Reason::Busy, "the server is shutting down")),
        }
    }
}

/// A stored hash given in place of a password.
///
/// # Errors
/// `Password` when it looks like a hash and cannot be taken as one.
pub fn given_hash(rights: &Rights, new: &Secret) -> Result<Option<PasswordHash>, Refusal> {
    let unfit = |why: &str| Refusal::new(Reason::Password(PasswordReason::InsufficientQuality), why);
    match import(new.expose()) {
        Ok(Imported::Cleartext(_)) => Ok(None),
        Ok(Imported::Hash(hash)) if rights.is_system() => Ok(Some(hash)),
        Ok(Imported::Hash(_)) => Err(unfit("stored hashes are taken from system administrators alone")),
        Err(_) => Err(unfit("the value looks like a stored hash and is none that can be verified")),
    }
}

pub(crate) fn busy(_: crate::credential::Busy) -> Refusal {
    Refusal::new(Reason::Busy, "too many passwords wait to be hashed")
}

/// The life cycle's refusal in the words of the domain.
pub fn rejected(rejection: Rejection) -> Refusal {
    match rejection {
        Rejection::NotInState(state) => {
            Refusal::new(Reason::Unwilling, format!("the account is {} and this cannot be done to it", state.name()))
        }
        Rejection::BuiltIn => Refusal::new(Reason::Unwilling, "the system account cannot be changed"),
        Rejection::PasswordRequired => {
            let reason = Reason::Password(PasswordReason::ModificationNotAllowed);
            Refusal::new(reason, "the policy demands a new password with this act")
        }
        Rejection::PasswordElsewhere | Rejection::NotForApplications => {
            let reason = Reason::Password(PasswordReason::ModificationNotAllowed);
            Refusal::new(reason, "the password of this account cannot be changed here")
        }
        Rejection::PasswordTooYoung => {
            Refusal::new(Reason::Password(PasswordReason::TooYoung), "the password was changed too recently")
        }
        Rejection::TooManyMonths => Refusal::new(Reason::Constraint, "a deletion may not wait so many months"),
        Rejection::PurgeNotDue => Refusal::new(Reason::Unwilling, "the purge is not due yet"),
        Rejection::ClockInDoubt => Refusal::new(Reason::Unwilling, "the clock is in doubt; nothing is purged by it"),
    }
}
