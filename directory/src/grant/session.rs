//! Browser sessions: begun by a sign-in, shown by a cookie, ended by sign-out, idleness, age or the account's epoch.

use super::apply::GrantOp;
use super::ended::Cause;
use super::{SessionId, as_millis, check_life, check_list, check_texts, draw_id, text};
use crate::change::{Op, Receipt, prepare};
use crate::clock::{Millis, Now, Span};
use crate::context::{Actor, Context};
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::lifecycle;
use crate::store::view::View;
use crate::store::{codec, membership};
use crate::token::Secret;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// How often an id that is taken is drawn anew.
pub(super) const DRAWS: usize = 3;

/// Where a session came from, when the login was at an upstream provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// The provider's entry.
    pub provider: EntryId,
    /// The key of the account there.
    pub subject: String,
    /// The provider's own session, for its front- and back-channel logout.
    pub sid: Option<String>,
}

/// A session to be begun.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Whose, as the gate admitted it.
    pub account: EntryId,
    /// The account's epoch, as the gate said.
    pub epoch: u64,
    /// When the login was (`wall`).
    pub auth_time: Millis,
    /// How the login was proven (RFC 8176 values).
    pub amr: Vec<String>,
    /// The level that this makes.
    pub acr: String,
    /// Where the login was, if it was not here.
    pub upstream: Option<Upstream>,
    /// The browser, in words.
    pub agent: String,
    /// Ends after so long without use.
    pub idle: Span,
    /// Ends after so long in any case.
    pub life: Span,
}

/// A session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id: the public handle, the `sid` of tokens.
    pub id: SessionId,
    /// Whose.
    pub account: EntryId,
    /// The account's epoch at the login.
    pub epoch: u64,
    /// Begun (`wall`).
    pub created: Millis,
    /// The last login in it (`wall`).
    pub auth_time: Millis,
    /// The last use that is known (`wall`), to within [`super::seen::GRAIN`].
    pub seen: Millis,
    /// Ends after so long without use.
    #[serde(with = "as_millis")]
    pub idle: Span,
    /// Ends then in any case (`wall`).
    pub until: Millis,
    /// How the login was proven.
    pub amr: Vec<String>,
    /// The level.
    pub acr: String,
    /// Where the login was, if it was not here.
    pub upstream: Option<Upstream>,
    /// The address that it was begun from.
    pub address: Option<IpAddr>,
    /// The browser, in words.
    pub agent: String,
    /// The applications that were entered with it, the first first.
    pub clients: Vec<EntryId>,
    /// SHA-256 of the secret.
    pub(crate) digest: [u8; 32],
}

impl Session {
    /// Whether its time has passed.
    pub fn is_expired(&self, wall: Millis) -> bool {
        self.ends_at() <= wall
    }

    /// When it ends unless it is used.
    pub fn ends_at(&self) -> Millis {
        self.until.min(self.seen.saturating_add(self.idle))
    }
}

/// A session that is good now.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// The session.
    pub session: Session,
    /// Its account, as the one who acts.
    pub actor: Actor,
    /// The account is LOCKED: the session goes on, new logins do not (requirement 2.4).
    pub locked: bool,
}

impl Directory {
    /// Begins a session after a login that the gate has admitted.
    ///
    /// # Errors
    /// `Constraint` for parts out of bounds, `Conflict` when the account's logins have been ended meanwhile.
    pub async fn start_session(&self, context: &Context, new: NewSession) -> Result<(Secret, Session), Refusal> {
        check(&new)?;
        let mut attempt = 0_usize;
        loop {
            attempt = attempt.saturating_add(1);
            let id = SessionId(draw_id(&self.inner().random, context.now.wall));
            let (secret, session) = self.draw_session(context, &new, id);
            let op = GrantOp::StartSession { session: Box::new(session.clone()) };
            match self.grant(context, op).await {
                Err(refusal) if refusal.reason == Reason::EntryExists && attempt < DRAWS => {}
                outcome => return outcome.map(|_| (secret, session)),
            }
        }
    }

    /// Gives a session another secret, with what the login or step-up that demanded it has proven. The former secret is
    /// good no more; id, applications and beginning stay.
    ///
    /// # Errors
    /// As [`Directory::start_session`]; `NoSuchEntry` when the session has ended.
    pub async fn renew_session(
        &self,
        context: &Context,
        live: &LiveSession,
        new: NewSession,
    ) -> Result<(Secret, Session), Refusal> {
        check(&new)?;
        let (secret, mut session) = self.draw_session(context, &new, live.session.id);
        session.created = live.session.created;
        session.until = session.until.min(live.session.created.saturating_add(super::LONGEST));
        session.clients.clone_from(&live.session.clients);
        let op = GrantOp::RenewSession { former: live.session.digest, session: Box::new(session.clone()) };
        self.grant(context, op).await?;
        Ok((secret, session))
    }

    /// The session that was presented, when it is good now: known, proven, not expired, its account's logins not ended.
    /// Counts as its use.
    ///
    /// # Errors
    /// `Store`.
    pub fn session(&self, presented: &str, now: &Now) -> Result<Option<LiveSession>, Refusal> {
        let Some((id, given)) = text::session(presented) else { return Ok(None) };
        let Some(live) = self.live_session(id, now)? else { return Ok(None) };
        let proven: bool = given.ct_eq(&live.session.digest).into();
        if !proven {
            return Ok(None);
        }
        self.inner().seen.note(&live.session, now.wall);
        Ok(Some(live))
    }

    /// The session of this id, when it is good now: for the `sid` of tokens. Counts as no use.
    ///
    /// # Errors
    /// `Store`.
    pub fn live_session(&self, id: SessionId, now: &Now) -> Result<Option<LiveSession>, Refusal> {
        let Some(session) = self.stored_session(id)?.filter(|session| !session.is_expired(now.wall)) else {
            return Ok(None);
        };
        let Some(state) = self.grant_state(session.account, session.epoch, now)? else { return Ok(None) };
        let actor = Actor::Account { id: session.account, epoch: session.epoch, must_change_password: false };
        Ok(Some(LiveSession { session, actor, locked: state == lifecycle::State::Locked }))
    }

    /// The account's state, when grants of this epoch may go on.
    pub(crate) fn grant_state(
        &self,
        account: EntryId,
        epoch: u64,
        now: &Now,
    ) -> Result<Option<lifecycle::State>, Refusal> {
        let Some(facts) = self.snapshot()?.account(account)?.filter(|facts| facts.epoch == epoch) else {
            return Ok(None);
        };
        let state = lifecycle::state(&self.with_counters(account, facts), self.policy(), now);
        Ok(state.may_continue().then_some(state))
    }

    /// The session as it is known here, whether it is good or not.
    pub(crate) fn stored_session(&self, id: SessionId) -> Result<Option<Session>, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = redb::ReadableTable::get(snapshot.sessions()?, id.0)?;
        let stored: Option<Session> = guard.map(|g| codec::decode(g.value())).transpose()?;
        Ok(stored.map(|mut session| {
            session.seen = session.seen.max(self.inner().seen.latest(id));
            session
        }))
    }

    /// Ends a session: `SignedOut` by whoever holds it, `Revoked` from elsewhere. One that has ended already is no
    /// mistake.
    ///
    /// # Errors
    /// `NoSuchEntry` for a session that is neither the actor's own nor of an account that the actor writes.
    pub async fn end_session(&self, context: &Context, id: SessionId, cause: Cause) -> Result<Receipt, Refusal> {
        self.grant_as(context, GrantOp::EndSession { id, cause }).await
    }

    /// The sessions of an account that are good now, the latest first. For itself and for whoever writes it.
    ///
    /// # Errors
    /// `NotAllowed`, `Store`.
    pub fn sessions_of(&self, context: &Context, account: EntryId) -> Result<Vec<Session>, Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        super::apply::may_see(snapshot.as_ref(), &rights, account)?;
        let mut out = Vec::new();
        for item in redb::ReadableTable::range(snapshot.session_owners()?, membership::all_of(account))? {
            let id = SessionId(item?.0.value().1);
            out.extend(self.live_session(id, &context.now)?.map(|live| live.session));
        }
        out.sort_by_key(|session| std::cmp::Reverse((session.created, session.id)));
        Ok(out)
    }

    /// Ends all sessions and refresh families of an account, but the one session with what it has granted. Returns how
    /// many sessions there were.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn end_sessions(
        &self,
        context: &Context,
        account: EntryId,
        except: Option<SessionId>,
    ) -> Result<usize, Refusal> {
        let sessions = self.sessions_of(context, account)?;
        self.grant_as(context, GrantOp::EndSessions { account, except }).await?;
        Ok(sessions.iter().filter(|session| Some(session.id) != except).count())
    }

    /// Carries out a step of the doors: they act for whoever just proved to be somebody, and have checked it.
    pub(crate) async fn grant(&self, context: &Context, op: GrantOp) -> Result<Receipt, Refusal> {
        self.grant_as(&Context { actor: Actor::System, ..*context }, op).await
    }

    /// Carries out a step with the actor's own rights.
    pub(crate) async fn grant_as(&self, context: &Context, op: GrantOp) -> Result<Receipt, Refusal> {
        self.submit(prepare::write_set(&self.inner().random, context, vec![Op::Grant(Box::new(op))])).await
    }

    fn draw_session(&self, context: &Context, new: &NewSession, id: SessionId) -> (Secret, Session) {
        let (secret, digest) = text::draw_session(&self.inner().random, id);
        let created = context.now.wall;
        let session = Session {
            id,
            account: new.account,
            epoch: new.epoch,
            created,
            auth_time: new.auth_time,
            seen: created,
            idle: new.idle,
            until: created.saturating_add(new.life),
            amr: new.amr.clone(),
            acr: new.acr.clone(),
            upstream: new.upstream.clone(),
            address: context.origin.address,
            agent: new.agent.clone(),
            clients: Vec::new(),
            digest,
        };
        (secret, session)
    }
}

fn check(new: &NewSession) -> Result<(), Refusal> {
    check_life(new.idle)?;
    check_life(new.life)?;
    check_list(&new.amr)?;
    check_texts([new.acr.as_str(), new.agent.as_str()], 256)?;
    let upstream = new.upstream.iter().flat_map(|u| [Some(u.subject.as_str()), u.sid.as_deref()]).flatten();
    check_texts(upstream, super::TEXT)
}
