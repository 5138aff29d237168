//! Refresh families (RFC 9700 §4.14): a chain of refresh tokens, each good once; an old one shown again ends them all.

use super::apply::GrantOp;
use super::session::DRAWS;
use super::text;
use super::{Answer, CLAIMS, FamilyId, GRACE, SessionId, Why, as_millis, check_life, check_list, check_texts, draw_id};
use crate::change::Receipt;
use crate::clock::{Millis, Now, Span};
use crate::context::{Actor, Context};
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::lifecycle::State;
use crate::store::{codec, membership};
use crate::token::Secret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// What a family may do, by the application's and the server's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FamilyTerms {
    /// There are refresh tokens. Without them the family only carries its access tokens.
    pub refresh: bool,
    /// It outlives its session (`offline_access`).
    pub offline: bool,
    /// Ends after so long without a refresh.
    pub idle: Span,
    /// Ends after so long in any case.
    pub life: Span,
    /// So long the token before the present one is good yet, for a client that lost the answer. Zero: not at all.
    pub grace: Span,
}

impl FamilyTerms {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        check_life(self.idle)?;
        check_life(self.life)?;
        if self.grace > GRACE {
            return Err(Refusal::new(Reason::Constraint, "the grace of a refresh token is at most a minute"));
        }
        Ok(())
    }
}

/// A family to be issued.
#[derive(Debug, Clone)]
pub struct NewFamily {
    /// The application.
    pub client: EntryId,
    /// Whose.
    pub account: EntryId,
    /// The account's epoch.
    pub epoch: u64,
    /// The session that it comes from.
    pub session: Option<SessionId>,
    /// The scopes that are granted.
    pub scopes: Vec<String>,
    /// The `claims` parameter.
    pub claims: Option<String>,
    /// When the login was (`wall`).
    pub auth_time: Millis,
    /// Its level.
    pub acr: String,
    /// How it was proven.
    pub amr: Vec<String>,
    /// What it may do.
    pub terms: FamilyTerms,
}

/// A family, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Its id.
    pub id: FamilyId,
    /// The application.
    pub client: EntryId,
    /// Whose.
    pub account: EntryId,
    /// The account's epoch.
    pub epoch: u64,
    /// The session that it came from.
    pub session: Option<SessionId>,
    /// It outlives that session.
    pub offline: bool,
    /// There are refresh tokens.
    pub refresh: bool,
    /// The scopes that are granted.
    pub scopes: Vec<String>,
    /// The `claims` parameter.
    pub claims: Option<String>,
    /// When the login was (`wall`).
    pub auth_time: Millis,
    /// Its level.
    pub acr: String,
    /// How it was proven.
    pub amr: Vec<String>,
    /// Issued (`wall`).
    pub created: Millis,
    /// The last refresh (`wall`).
    pub used: Millis,
    /// Ends after so long without a refresh.
    #[serde(with = "as_millis")]
    pub idle: Span,
    /// Ends then in any case (`wall`).
    pub until: Millis,
    /// How often it was refreshed.
    pub generation: u32,
    /// How long the token before the present one is good.
    #[serde(with = "as_millis")]
    pub(crate) grace: Span,
    /// SHA-256 of the root, which all its tokens hold.
    pub(crate) root: [u8; 32],
    /// SHA-256 of the present token.
    pub(crate) current: [u8; 32],
    /// SHA-256 of the one before.
    pub(crate) former: [u8; 32],
}

impl Family {
    /// Whether its time has passed.
    pub fn is_expired(&self, wall: Millis) -> bool {
        self.until.min(self.used.saturating_add(self.idle)) <= wall
    }

    /// Whether this is the token before the present one, shown again by a client that lost the answer.
    pub(crate) fn is_forgiven(&self, shown: &[u8; 32], wall: Millis) -> bool {
        self.generation > 0 && *shown == self.former && wall.since(self.used) < self.grace
    }

    /// The session without which it is nothing.
    pub fn bound_to(&self) -> Option<SessionId> {
        self.session.filter(|_| !self.offline)
    }
}

/// A family that is good now.
#[derive(Debug, Clone)]
pub struct LiveFamily {
    /// The family.
    pub family: Family,
    /// Its account, as the one who acts.
    pub actor: Actor,
}

/// A refresh that was good.
#[derive(Debug, Clone)]
pub struct Rotated {
    /// The family.
    pub family: Family,
    /// The token that takes the place of the one shown.
    pub refresh: Secret,
    /// The scopes of the new access token.
    pub scopes: Vec<String>,
}

impl Directory {
    /// Issues a family by itself, where no code is redeemed.
    ///
    /// # Errors
    /// `Constraint` for parts out of bounds, `NotAllowed` when the account's logins or the session have ended.
    pub async fn issue_family(&self, context: &Context, new: NewFamily) -> Result<(Option<Secret>, Family), Refusal> {
        new.terms.check()?;
        check_list(&new.scopes)?;
        check_list(&new.amr)?;
        check_texts([new.acr.as_str()], 256)?;
        check_texts([new.claims.as_deref().unwrap_or_default()], CLAIMS)?;
        let mut attempt = 0_usize;
        loop {
            attempt = attempt.saturating_add(1);
            let (refresh, family) = self.draw_family(context, new.clone());
            match self.grant(context, GrantOp::IssueFamily { family: Box::new(family.clone()) }).await {
                Err(refusal) if refusal.reason == Reason::EntryExists && attempt < DRAWS => {}
                outcome => return outcome.map(|_| (refresh, family)),
            }
        }
    }

    /// Takes a refresh token and gives the next one. Counts as activity of the account (requirement 2.11), and as a use
    /// of the session that the family is bound to. A token that has been used before ends the family.
    ///
    /// # Errors
    /// `Busy`, `Store`. A token that is not good is no error.
    pub async fn rotate(
        &self,
        context: &Context,
        presented: &str,
        client: EntryId,
        scopes: Option<&[String]>,
    ) -> Result<Answer<Rotated>, Refusal> {
        let Some(shown) = text::refresh(presented) else { return Ok(Answer::Refused(Why::Unknown)) };
        let Some(family) = self.stored_family(shown.id)? else { return Ok(Answer::Refused(Why::Unknown)) };
        let proven: bool = shown.root.ct_eq(&family.root).into();
        if !proven || !family.refresh {
            return Ok(Answer::Refused(Why::Unknown));
        }
        if family.client != client {
            return Ok(Answer::Refused(Why::OtherClient));
        }
        let (refresh, next) = text::successor(&self.inner().random, &shown);
        // What is refused here is refused without a write; the rest is decided where the order is.
        if let Some(why) = self.unfit(&family, &context.now)? {
            return Ok(Answer::Refused(why));
        }
        let present = shown.digest == family.current;
        if present && !scopes.unwrap_or_default().iter().all(|scope| family.scopes.contains(scope)) {
            return Ok(Answer::Refused(Why::Scope));
        }
        if (present || family.is_forgiven(&shown.digest, context.now.wall))
            && !self.activity(family.account, family.epoch)?
        {
            return Ok(Answer::Refused(Why::Account));
        }
        let op = GrantOp::Rotate { id: family.id, shown: shown.digest, next: next.digest };
        let receipt = self.grant(context, op).await?;
        if let Some(why) = receipt.grants.denied {
            return Ok(Answer::Refused(why));
        }
        if let Some(session) = family.bound_to().map(|id| self.stored_session(id)).transpose()?.flatten() {
            self.inner().seen.note(&session, context.now.wall);
        }
        let scopes = scopes.map_or_else(|| family.scopes.clone(), <[String]>::to_vec);
        let family = self.stored_family(family.id)?.unwrap_or(family);
        Ok(Answer::Granted(Rotated { family, refresh, scopes }))
    }

    /// The family of this id, when it is good now: for introspection, user info and every other use of an access token.
    ///
    /// # Errors
    /// `Store`.
    pub fn family(&self, id: FamilyId, now: &Now) -> Result<Option<LiveFamily>, Refusal> {
        let Some(family) = self.stored_family(id)? else { return Ok(None) };
        if self.unfit(&family, now)?.is_some() {
            return Ok(None);
        }
        let actor = Actor::Account { id: family.account, epoch: family.epoch, must_change_password: false };
        Ok(Some(LiveFamily { family, actor }))
    }

    /// The family that a refresh token belongs to, when the token is its present one and good: for introspection and
    /// revocation. It is not used by this.
    ///
    /// # Errors
    /// `Store`.
    pub fn family_of(&self, presented: &str, now: &Now) -> Result<Option<LiveFamily>, Refusal> {
        let Some(shown) = text::refresh(presented) else { return Ok(None) };
        let live = self.family(shown.id, now)?;
        Ok(live.filter(|live| live.family.refresh && shown.digest.ct_eq(&live.family.current).into()))
    }

    /// The families of an account that are good now, the latest first. For itself and for whoever writes it.
    ///
    /// # Errors
    /// `NotAllowed`, `Store`.
    pub fn families_of(&self, context: &Context, account: EntryId) -> Result<Vec<Family>, Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        super::apply::may_see(snapshot.as_ref(), &rights, account)?;
        let mut out = Vec::new();
        for item in redb::ReadableTable::range(snapshot.family_owners()?, membership::all_of(account))? {
            out.extend(self.family(FamilyId(item?.0.value().1), &context.now)?.map(|live| live.family));
        }
        out.sort_by_key(|family| std::cmp::Reverse((family.created, family.id)));
        Ok(out)
    }

    /// Ends a family, with the access tokens that name it. One that has ended already is no mistake.
    ///
    /// # Errors
    /// `NoSuchEntry` for a family that is neither the actor's own nor of an account that the actor writes.
    pub async fn revoke_family(&self, context: &Context, id: FamilyId) -> Result<Receipt, Refusal> {
        self.grant_as(context, GrantOp::RevokeFamily { id, client: None }).await
    }

    /// The same by the application that holds it (RFC 7009); another one's stays as it is.
    ///
    /// # Errors
    /// `Busy`, `Store`.
    pub async fn revoke_own_family(
        &self,
        context: &Context,
        id: FamilyId,
        client: EntryId,
    ) -> Result<Receipt, Refusal> {
        self.grant(context, GrantOp::RevokeFamily { id, client: Some(client) }).await
    }

    /// Why a family is not good now.
    fn unfit(&self, family: &Family, now: &Now) -> Result<Option<Why>, Refusal> {
        if family.is_expired(now.wall) {
            return Ok(Some(Why::Expired));
        }
        let state: Option<State> = self.grant_state(family.account, family.epoch, now)?;
        if state.is_none() {
            return Ok(Some(Why::Account));
        }
        if let Some(id) = family.bound_to()
            && self.stored_session(id)?.is_none_or(|session| session.is_expired(now.wall))
        {
            return Ok(Some(Why::Session));
        }
        Ok(None)
    }

    pub(super) fn draw_family(&self, context: &Context, new: NewFamily) -> (Option<Secret>, Family) {
        let random = &self.inner().random;
        let created = context.now.wall;
        let id = FamilyId(draw_id(random, created));
        let (secret, refresh) = text::draw_refresh(random, id);
        let family = Family {
            id,
            client: new.client,
            account: new.account,
            epoch: new.epoch,
            session: new.session,
            offline: new.terms.offline,
            refresh: new.terms.refresh,
            scopes: new.scopes,
            claims: new.claims,
            auth_time: new.auth_time,
            acr: new.acr,
            amr: new.amr,
            created,
            used: created,
            idle: new.terms.idle,
            until: created.saturating_add(new.terms.life),
            generation: 0,
            grace: new.terms.grace,
            root: refresh.root,
            current: refresh.digest,
            former: [0; 32],
        };
        (new.terms.refresh.then_some(secret), family)
    }

    fn stored_family(&self, id: FamilyId) -> Result<Option<Family>, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = redb::ReadableTable::get(snapshot.families()?, id.0)?;
        guard.map(|g| codec::decode(g.value())).transpose()
    }
}
