//! The fuse: how many accounts one token may deactivate or delete within a while.
//!
//! An identity provider whose scope was set wrongly takes away everybody at once, and does it by the book. Beyond the bound
//! the door refuses, says so in the log, and counts it; what the token does otherwise goes on. The window slides; who may
//! give the token closes its fuse before that with [`Directory::close_fuse`], or rotates the token. Counts end with the
//! process.

use super::{Token, TokenId};
use crate::clock::{Millis, Span};
use crate::context::Context;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Windows are counted in so many parts.
const PARTS: i64 = 60;
/// Tokens that are remembered at most.
const TOKENS: usize = 10_000;

/// The counts of all tokens.
#[derive(Debug, Default)]
pub struct Fuse(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    limit: u32,
    part: i64,
    /// By part of the window.
    of: HashMap<TokenId, VecDeque<(i64, u32)>>,
}

/// How far a token's fuse is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Accounts within the window.
    pub count: u32,
    /// The bound.
    pub limit: u32,
    /// It has blown: seconds until something of the window has passed.
    pub blown: Option<u32>,
}

impl Counts {
    fn part(&self, now: Millis) -> i64 {
        now.0.div_euclid(self.part.max(1))
    }

    /// What of a token's counts is within the window.
    fn standing(&mut self, token: TokenId, now: Millis) -> Standing {
        let (part, limit, width) = (self.part(now), self.limit, self.part.max(1));
        let Some(own) = self.of.get_mut(&token) else { return Standing { count: 0, limit, blown: None } };
        while own.front().is_some_and(|(first, _)| part.saturating_sub(*first) >= PARTS) {
            own.pop_front();
        }
        let count = own.iter().fold(0u32, |sum, (_, count)| sum.saturating_add(*count));
        let seconds = || {
            let first = own.front().map_or(part, |(first, _)| *first);
            let over = first.saturating_add(PARTS).saturating_mul(width);
            let wait = Millis(over).since(now).max(Span::ZERO).seconds_up();
            u32::try_from(wait).unwrap_or(u32::MAX).max(1)
        };
        Standing { count, limit, blown: (count >= limit).then(seconds) }
    }
}

impl Fuse {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on so many acts within a window; 0: as many as a token wants, which it is to begin with.
    pub fn set(&self, limit: u32, window: Duration) {
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        *self.counts() = Counts { limit, part: (window / PARTS).max(1), of: HashMap::new() };
    }

    /// One more act of a token, counted only when it may be.
    ///
    /// # Errors
    /// The bound is reached.
    pub fn take(&self, token: TokenId, now: Millis) -> Result<(), Standing> {
        let mut counts = self.counts();
        if counts.limit == 0 {
            return Ok(());
        }
        let part = counts.part(now);
        if counts.of.len() >= TOKENS && !counts.of.contains_key(&token) {
            counts.of.retain(|_, own| own.back().is_some_and(|(last, _)| part.saturating_sub(*last) < PARTS));
        }
        let standing = counts.standing(token, now);
        if standing.blown.is_some() {
            return Err(standing);
        }
        let own = counts.of.entry(token).or_default();
        match own.back_mut() {
            Some((last, count)) if *last == part => *count = count.saturating_add(1),
            _ => own.push_back((part, 1)),
        }
        Ok(())
    }

    /// An act that was counted has not come about.
    pub fn give_back(&self, token: TokenId) {
        if let Some((_, count)) = self.counts().of.get_mut(&token).and_then(VecDeque::back_mut) {
            *count = count.saturating_sub(1);
        }
    }

    /// How far a token is; none while nothing counts.
    pub fn standing(&self, token: TokenId, now: Millis) -> Option<Standing> {
        let mut counts = self.counts();
        if counts.limit == 0 { None } else { Some(counts.standing(token, now)) }
    }

    /// The token begins anew.
    fn close(&self, token: TokenId) {
        self.counts().of.remove(&token);
    }
}

impl Directory {
    /// The fuse of all tokens.
    pub fn fuse(&self) -> &Fuse {
        &self.inner().fuse
    }

    /// The tokens that the actor may give and take and that have taken accounts away of late, with the DNs of their
    /// accounts.
    ///
    /// # Errors
    /// `Store`.
    pub fn fuses(&self, context: &Context) -> Result<Vec<(Token, String, Standing)>, Refusal> {
        let mut out = Vec::new();
        for (token, account) in self.tokens(context)? {
            let standing = self.fuse().standing(token.id, context.now.wall);
            out.extend(standing.filter(|standing| standing.count > 0).map(|standing| (token, account, standing)));
        }
        Ok(out)
    }

    /// Lets a token go on whose fuse has blown: it begins anew. The journal says who did it.
    ///
    /// # Errors
    /// `NoSuchEntry` when there is no such token that the actor may give and take; `Store`.
    pub fn close_fuse(&self, context: &Context, id: TokenId) -> Result<(), Refusal> {
        let missing = || Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "there is no such token");
        let (token, _) = self.tokens(context)?.into_iter().find(|(token, _)| token.id == id).ok_or_else(missing)?;
        self.fuse().close(id);
        self.remember_act(context, token.account, "fuse-closed", token.label);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(limit: u32, window: Duration) -> Fuse {
        let fuse = Fuse::default();
        fuse.set(limit, window);
        fuse
    }

    #[test]
    fn the_window_slides_and_tokens_do_not_share_it() {
        // Goal: the bound holds within any window, is lifted as time passes, by closing, and by what did not come about.
        let fuse = of(2, Duration::from_mins(60));
        let at = |minutes: i64| Millis(1_790_000_000_000 + minutes * 60_000);
        assert_eq!(fuse.take(TokenId(1), at(0)), Ok(()));
        assert_eq!(fuse.standing(TokenId(1), at(0)), Some(Standing { count: 1, limit: 2, blown: None }));
        assert_eq!(fuse.take(TokenId(1), at(30)), Ok(()));
        let blown = fuse.take(TokenId(1), at(31)).unwrap_err();
        assert_eq!((blown.count, blown.limit), (2, 2));
        assert!((28 * 60..=30 * 60).contains(&blown.blown.unwrap()), "{blown:?}");
        assert_eq!(fuse.standing(TokenId(1), at(31)), Some(blown));
        assert_eq!(fuse.take(TokenId(2), at(31)), Ok(()));
        assert_eq!(fuse.take(TokenId(1), at(61)), Ok(()));
        assert!(fuse.take(TokenId(1), at(61)).is_err());
        fuse.give_back(TokenId(1));
        assert_eq!(fuse.take(TokenId(1), at(61)), Ok(()));
        fuse.close(TokenId(1));
        assert_eq!(fuse.take(TokenId(1), at(61)), Ok(()));
        assert_eq!(fuse.standing(TokenId(1), at(200)).unwrap().count, 0);
        let none = of(0, Duration::from_mins(1));
        assert_eq!((none.take(TokenId(1), at(0)), none.standing(TokenId(1), at(0))), (Ok(()), None));
    }
}
