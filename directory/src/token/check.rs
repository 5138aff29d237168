//! A token presented to a door: whose it is, and whether it is good now.
//!
//! Every text costs the same until its secret is proven: one hash, one look into the table, one comparison in constant
//! time. What follows (the account's state) is for holders of a true secret only. The moment of the last use is kept in
//! memory and reaches the store with [`Directory::flush`], when the stored one is older than [`GRAIN`].

use super::apply::TokenOp;
use super::{GRAIN, Token, TokenId, text};
use crate::change::Op;
use crate::clock::{Millis, Now};
use crate::context::Actor;
use crate::error::Refusal;
use crate::handle::Directory;
use crate::lifecycle;
use crate::store::codec;
use crate::store::view::View;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// A token that is good now.
#[derive(Debug, Clone)]
pub struct Live {
    /// The token.
    pub token: Token,
    /// Its account, as the one who acts.
    pub actor: Actor,
}

/// Uses that the store does not know yet.
#[derive(Debug, Default)]
pub struct Uses(Mutex<HashMap<TokenId, Use>>);

#[derive(Debug, Clone, Copy)]
struct Use {
    latest: Millis,
    stored: Option<Millis>,
}

impl Uses {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TokenId, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token is used; bounded by the tokens that there are, since only a live one gets here.
    fn note(&self, token: &Token, wall: Millis) {
        let mut uses = self.lock();
        let known = uses.entry(token.id).or_insert(Use { latest: wall, stored: token.last_use });
        known.latest = known.latest.max(wall);
        known.stored = known.stored.max(token.last_use);
    }

    fn latest(&self, id: TokenId) -> Option<Millis> {
        self.lock().get(&id).map(|u| u.latest)
    }

    /// What the store has to know by now, or with `all` whatever it does not know. It is taken for stored.
    pub(crate) fn take_due(&self, all: bool) -> Vec<(TokenId, Millis)> {
        let mut due = Vec::new();
        for (id, known) in self.lock().iter_mut() {
            let late = known.stored.is_none_or(|stored| known.latest.since(stored) >= GRAIN);
            if late || (all && known.stored < Some(known.latest)) {
                due.push((*id, known.latest));
                known.stored = Some(known.latest);
            }
        }
        due.sort_unstable();
        due
    }

    /// They could not be stored: they are due again.
    pub(crate) fn give_back(&self, due: &[(TokenId, Millis)]) {
        let mut uses = self.lock();
        for (id, _) in due {
            if let Some(known) = uses.get_mut(id) {
                known.stored = None;
            }
        }
    }

    /// Tokens that are gone need no memory.
    fn keep(&self, is_there: impl Fn(TokenId) -> bool) {
        self.lock().retain(|id, _| is_there(*id));
    }
}

impl Directory {
    /// The token that was presented, when it is good now: known, proven, not expired, its account not disabled, dormant
    /// or deleted. Counts as no use yet.
    ///
    /// # Errors
    /// `Store`.
    pub fn token(&self, presented: &str, now: &Now) -> Result<Option<Live>, Refusal> {
        let snapshot = self.snapshot()?;
        let given = text::digest(presented);
        let id = text::id_of(presented).unwrap_or(TokenId(0));
        let guard = redb::ReadableTable::get(snapshot.tokens()?, id.0)?;
        let stored: Option<Token> = guard.map(|g| codec::decode(g.value())).transpose()?;
        let expected = stored.as_ref().map_or([0; 32], |token| token.digest);
        let proven: bool = given.ct_eq(&expected).into();
        let Some(token) = stored.filter(|_| proven) else { return Ok(None) };
        if token.is_expired(now.wall) {
            return Ok(None);
        }
        let Some(facts) = snapshot.account(token.account)? else { return Ok(None) };
        let account = self.with_counters(token.account, facts);
        if !lifecycle::state(&account, self.policy(), now).may_continue() {
            return Ok(None);
        }
        let actor = Actor::Account { id: token.account, epoch: facts.epoch, must_change_password: false };
        Ok(Some(Live { token, actor }))
    }

    /// A live token is used: counts as its last use, and as activity of its account (requirement 2.11). False: the
    /// account admits nothing any more.
    ///
    /// # Errors
    /// `Store`.
    pub fn use_token(&self, live: &Live, now: &Now) -> Result<bool, Refusal> {
        let Actor::Account { id, epoch, .. } = live.actor else { return Ok(false) };
        if !self.activity(id, epoch)? {
            return Ok(false);
        }
        self.inner().uses.note(&live.token, now.wall);
        Ok(true)
    }

    /// The last use of a token, the memory's or the store's.
    pub(crate) fn last_use(&self, token: &Token) -> Option<Millis> {
        token.last_use.max(self.inner().uses.latest(token.id))
    }

    /// The step for the uses that are due.
    pub(crate) fn due_uses(&self, all: bool) -> Vec<(TokenId, Millis)> {
        self.inner().uses.take_due(all)
    }

    /// The steps that end the tokens whose time has passed, at most `limit`.
    ///
    /// # Errors
    /// `Store`.
    pub(crate) fn expired_tokens(&self, now: &Now, limit: usize) -> Result<Vec<Op>, Refusal> {
        let snapshot = self.snapshot()?;
        let mut ops = Vec::new();
        let stored = snapshot.tokens()?;
        for item in redb::ReadableTable::range::<u64>(stored, ..)? {
            let token: Token = codec::decode(item?.1.value())?;
            if token.is_expired(now.wall) && ops.len() < limit {
                ops.push(Op::Token(Box::new(TokenOp::Expire { id: token.id })));
            }
        }
        let there = |id: TokenId| redb::ReadableTable::get(stored, id.0).is_ok_and(|g| g.is_some());
        self.inner().uses.keep(there);
        Ok(ops)
    }
}
