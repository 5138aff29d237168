//! Grants in the write path: issued, used, ended. What may happen only once is decided here, by the journal's order.

mod code;
mod crowds;
pub(crate) mod factor;
mod family;
mod kept;
mod link;
mod notice;
mod session;

pub(crate) use crowds::Crowds;

use super::ended::{Cause, Ended, What};
use super::factor::Totp;
use super::family::Family;
use super::keys::StoredKey;
use super::link::NewLink;
use super::notice::{NoticeId, Of};
use super::revoked::Name;
use super::secret::Shown;
use super::session::Session;
use super::text::CodeKey;
use super::{FamilyId, SessionId, Why};
use crate::access::Rights;
use crate::change::Subject;
use crate::change::account::is_usable;
use crate::change::apply::Applying;
use crate::clock::Millis;
use crate::context::Actor;
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::Event;
use crate::store::view::View;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A step about grants.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum GrantOp {
    /// A new session. The system's alone, as every step that a door takes for somebody who has just proven something.
    StartSession {
        /// The session.
        session: Box<Session>,
    },
    /// A session's new secret, and what the login that demanded it has proven.
    RenewSession {
        /// The digest that it had.
        former: [u8; 32],
        /// The session.
        session: Box<Session>,
    },
    /// The end of a session, with the families that are bound to it.
    EndSession {
        /// Which.
        id: SessionId,
        /// Why.
        cause: Cause,
    },
    /// The end of all sessions and families of an account.
    EndSessions {
        /// Whose.
        account: EntryId,
        /// This one stays, with what it has granted.
        except: Option<SessionId>,
    },
    /// When sessions were last used.
    Seen {
        /// Which, and when (`wall`).
        uses: Vec<(SessionId, Millis)>,
    },
    /// A code becomes a family; a second time ends that family.
    Redeem {
        /// The code's name.
        #[serde(with = "serde_bytes")]
        key: CodeKey,
        /// It is good until then (`wall`).
        expires: Millis,
        /// The family, with the session that the code was issued in.
        family: Box<Family>,
    },
    /// Used codes that nobody needs to remember.
    PurgeCodes {
        /// They ended before then (`wall`).
        before: Millis,
    },
    /// A family without a code.
    IssueFamily {
        /// The family.
        family: Box<Family>,
    },
    /// A refresh token becomes the next one; an old one ends the family.
    Rotate {
        /// The family.
        id: FamilyId,
        /// SHA-256 of the token that was shown.
        shown: [u8; 32],
        /// SHA-256 of its successor.
        next: [u8; 32],
    },
    /// The end of a family.
    RevokeFamily {
        /// Which.
        id: FamilyId,
        /// The application that asks, if it is one: another one's family stays.
        client: Option<EntryId>,
    },
    /// A name that is good no more until then, or is used now and good once.
    Revoke {
        /// Which.
        name: Name,
        /// Until then (`wall`).
        until: Millis,
        /// Denied when it has been used.
        once: bool,
    },
    /// Applications that need not be told any more.
    Told {
        /// Of what.
        notices: Vec<NoticeId>,
    },
    /// Names that say nothing any more.
    PurgeRevoked {
        /// Which.
        names: Vec<Name>,
    },
    /// An owner consents.
    GiveConsent {
        /// Whose.
        account: EntryId,
        /// To what.
        client: EntryId,
        /// To which scopes, besides those before.
        scopes: Vec<String>,
    },
    /// An owner consents no more.
    WithdrawConsent {
        /// Whose.
        account: EntryId,
        /// To what.
        client: EntryId,
    },
    /// A new signing key.
    AddKey {
        /// The key.
        key: Box<StoredKey>,
        /// Those before it, of the same algorithm, are gone then (`wall`).
        retire: Millis,
    },
    /// Signing keys whose time has passed.
    RetireKeys,
    /// An application's new client secret.
    AddSecret {
        /// The application.
        entry: EntryId,
        /// The secret.
        shown: Shown,
        /// Those before it are good until then (`wall`).
        until: Millis,
    },
    /// The secret that we show to a provider.
    KeepSecret {
        /// The provider.
        entry: EntryId,
        /// Sealed.
        sealed: Vec<u8>,
    },
    /// An authenticator app whose seed is shown.
    BeginTotp {
        /// Whose.
        account: EntryId,
        /// The app.
        totp: Box<Totp>,
    },
    /// The app has been proven.
    ConfirmTotp {
        /// Whose.
        account: EntryId,
        /// The seed that was proven, sealed.
        sealed: Vec<u8>,
        /// By a code of this step.
        step: u64,
    },
    /// New recovery codes.
    SetCodes {
        /// Whose.
        account: EntryId,
        /// Their digests.
        codes: Vec<[u8; 32]>,
        /// Their salt.
        salt: [u8; 16],
    },
    /// A factor is used; denied when it has been.
    UseFactor {
        /// Whose.
        account: EntryId,
        /// Which.
        used: factor::Used,
    },
    /// A wrong factor was shown.
    FactorFailed {
        /// Whose.
        account: EntryId,
    },
    /// All factors go.
    RemoveFactors {
        /// Whose.
        account: EntryId,
    },
    /// Somebody whom a provider signs in is this account.
    Link {
        /// The account, which the same set may add.
        account: Subject,
        /// What the provider has said.
        new: Box<NewLink>,
    },
    /// And is it no more.
    Unlink {
        /// The account.
        account: EntryId,
        /// The provider.
        provider: EntryId,
    },
    /// What time has ended. The sweep's.
    Expire {
        /// Sessions that may have.
        sessions: Vec<SessionId>,
        /// Families that may have.
        families: Vec<FamilyId>,
    },
}

/// What a write set did to grants beyond its changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A code or refresh token was not good. What that has ended is written all the same.
    pub denied: Option<Why>,
    /// The grants that have ended.
    pub ended: Vec<Ended>,
    /// Who is to be told of it, so that nobody is told twice of one sign-out.
    pub(crate) noticed: BTreeSet<Of>,
}

/// Applies the step.
pub fn apply(applying: &mut Applying<'_, '_>, op: &GrantOp) -> Result<(), Refusal> {
    match op {
        GrantOp::StartSession { session } => session::start(applying, session),
        GrantOp::RenewSession { former, session } => session::renew(applying, former, session),
        GrantOp::EndSession { id, cause } => session::end(applying, *id, *cause),
        GrantOp::EndSessions { account, except } => {
            authorize(applying, *account)?;
            end_grants(applying, *account, *except, Cause::Revoked)
        }
        GrantOp::Seen { uses } => session::seen(applying, uses),
        GrantOp::Redeem { key, expires, family } => code::redeem(applying, key, *expires, family),
        GrantOp::PurgeCodes { before } => code::purge(applying, *before),
        GrantOp::IssueFamily { family } => family::issue(applying, family),
        GrantOp::Rotate { id, shown, next } => family::rotate(applying, *id, shown, *next),
        GrantOp::RevokeFamily { id, client } => family::revoke(applying, *id, *client),
        GrantOp::Revoke { name, until, once } => kept::revoke(applying, name, *until, *once),
        GrantOp::Told { notices } => notice::told(applying, notices),
        GrantOp::PurgeRevoked { names } => kept::purge_revoked(applying, names),
        GrantOp::GiveConsent { account, client, scopes } => kept::give_consent(applying, *account, *client, scopes),
        GrantOp::WithdrawConsent { account, client } => kept::withdraw_consent(applying, *account, *client),
        GrantOp::AddKey { key, retire } => kept::add_key(applying, key, *retire),
        GrantOp::RetireKeys => kept::retire_keys(applying),
        GrantOp::AddSecret { entry, shown, until } => kept::add_secret(applying, *entry, shown, *until),
        GrantOp::KeepSecret { entry, sealed } => kept::keep_secret(applying, *entry, sealed),
        GrantOp::BeginTotp { account, totp } => factor::begin(applying, *account, totp),
        GrantOp::ConfirmTotp { account, sealed, step } => factor::confirm(applying, *account, sealed, *step),
        GrantOp::SetCodes { account, codes, salt } => factor::set_codes(applying, *account, codes, *salt),
        GrantOp::UseFactor { account, used } => factor::used(applying, *account, used),
        GrantOp::FactorFailed { account } => factor::failed(applying, *account),
        GrantOp::RemoveFactors { account } => factor::remove(applying, *account),
        GrantOp::Link { account, new } => link::link(applying, account, new),
        GrantOp::Unlink { account, provider } => link::unlink(applying, *account, *provider),
        GrantOp::Expire { sessions, families } => {
            only_the_system(applying)?;
            session::expire(applying, sessions)?;
            family::expire(applying, families)
        }
    }
}

/// Ends all sessions and families of an account: its logins have been ended, or it goes.
///
/// # Errors
/// `Store`.
pub fn end_all(applying: &mut Applying<'_, '_>, account: EntryId) -> Result<(), Refusal> {
    end_grants(applying, account, None, Cause::Account)
}

/// Takes away what is kept for an entry that goes for good, after [`end_all`].
///
/// # Errors
/// `Store`.
pub fn forget(applying: &mut Applying<'_, '_>, id: EntryId) -> Result<(), Refusal> {
    end_all(applying, id)?;
    factor::forget(applying, id)?;
    link::forget(applying, id)?;
    kept::forget(applying, id)
}

fn end_grants(
    applying: &mut Applying<'_, '_>,
    account: EntryId,
    except: Option<SessionId>,
    cause: Cause,
) -> Result<(), Refusal> {
    for family in family::of_account(applying.tables, account)? {
        if except.is_none() || family.session != except {
            family::remove(applying, &family, cause)?;
        }
    }
    for session in session::of_account(applying.tables, account)? {
        if Some(session.id) != except {
            session::remove(applying, &session, cause)?;
        }
    }
    Ok(())
}

/// Whether the actor may see and end the grants of an account: its own, and those of an account that it writes.
///
/// # Errors
/// `NotAllowed`, `Store`.
pub fn may_see(view: &impl View, rights: &Rights, account: EntryId) -> Result<(), Refusal> {
    if rights.is_self(account) || rights.is_system() {
        return Ok(());
    }
    let guard = view.record(account)?;
    let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
    let allowed = record.map(|record| rights.may_issue(view, account, &record)).transpose()?;
    if allowed == Some(true) { Ok(()) } else { Err(Refusal::not_allowed()) }
}

fn authorize(applying: &Applying<'_, '_>, account: EntryId) -> Result<(), Refusal> {
    if matches!(applying.set.actor, Actor::Account { must_change_password: true, .. }) {
        return Err(Refusal::not_allowed());
    }
    may_see(applying.tables, &applying.rights, account)
}

fn only_the_system(applying: &Applying<'_, '_>) -> Result<(), Refusal> {
    if applying.set.actor == Actor::System { Ok(()) } else { Err(Refusal::not_allowed()) }
}

/// Whether logins of this epoch have not been ended.
fn is_current(view: &impl View, account: EntryId, epoch: u64) -> Result<bool, Refusal> {
    Ok(view.account(account)?.is_some_and(|facts| facts.epoch == epoch && is_usable(&facts)))
}

fn ended_meanwhile() -> Refusal {
    Refusal::new(Reason::NotAllowed, "this login has ended")
}

fn missing(what: &str) -> Refusal {
    Refusal::new(Reason::NoSuchEntry { matched: String::new() }, format!("there is no such {what}"))
}

/// The entryUUID of an account; none when its entry has gone before it.
fn uuid_of(applying: &Applying<'_, '_>, account: EntryId) -> Result<Uuid, Refusal> {
    if applying.tables.record(account)?.is_none() {
        return Ok(Uuid::nil());
    }
    applying.with_record(account, |record| Ok(record.header().uuid))
}

/// Remembers that something was granted or ended.
fn tell(applying: &mut Applying<'_, '_>, account: EntryId, grant: String, client: Option<EntryId>, act: &str) {
    applying.record.events.push(Event::Grant { account, grant, client, act: act.to_owned() });
}

fn tell_ended(applying: &mut Applying<'_, '_>, account: EntryId, what: What, cause: Cause) -> Result<(), Refusal> {
    let (grant, client) = match &what {
        What::Session { id, .. } => (format!("session {id}"), None),
        What::Family { id, client, .. } => (format!("family {id}"), Some(*client)),
    };
    let uuid = uuid_of(applying, account)?;
    let ended = Ended { account, uuid, what, cause };
    notice::keep(applying, &ended)?;
    applying.grants.ended.push(ended);
    tell(applying, account, grant, client, cause.name());
    Ok(())
}
