//! Tokens in the write path: made, replaced, ended, their last use written.
//!
//! Two tables hold them: `tokens` by id, and `owners`, the edge from the account, so that the end of an account finds
//! its tokens without a look at the others.

use super::{PER_ACCOUNT, Token, TokenId};
use crate::change::Subject;
use crate::change::account::is_usable;
use crate::change::apply::Applying;
use crate::clock::Millis;
use crate::context::Actor;
use crate::error::{Limit, Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::Event;
use crate::store::codec;
use crate::store::membership;
use crate::store::view::View;
use redb::ReadableTable;

/// A step about tokens.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum TokenOp {
    /// A new one.
    Issue {
        /// Whose.
        owner: Subject,
        /// The token; its account is the owner's.
        token: Box<Token>,
    },
    /// One that takes another's place.
    Rotate {
        /// The other, which has so long.
        old: TokenId,
        /// Until then (`wall`), if it does not expire before.
        until: Millis,
        /// The token.
        token: Box<Token>,
    },
    /// The end of one.
    Revoke {
        /// Which.
        id: TokenId,
    },
    /// When tokens were last used. The system's alone.
    Used {
        /// Which, and when (`wall`).
        uses: Vec<(TokenId, Millis)>,
    },
    /// The end of one whose time has passed. The system's alone.
    Expire {
        /// Which.
        id: TokenId,
    },
}

/// Applies the step.
pub fn apply(applying: &mut Applying<'_, '_>, op: &TokenOp) -> Result<(), Refusal> {
    match op {
        TokenOp::Issue { owner, token } => {
            let (id, draft) = applying.find(owner)?;
            issue(applying, id, draft.dn, token, "create")
        }
        TokenOp::Rotate { old, until, token } => {
            let mut former = find(applying, *old)?;
            if former.is_expired(applying.set.now.wall) {
                return Err(missing());
            }
            let (account, draft) = applying.find(&Subject::Id(former.account))?;
            issue(applying, account, draft.dn, token, "rotate")?;
            former.expires = former.expires.min(*until);
            write(applying, &former)
        }
        TokenOp::Revoke { id } => {
            let token = find(applying, *id)?;
            let (account, draft) = applying.find(&Subject::Id(token.account))?;
            authorize(applying, account)?;
            remove(applying, &token, draft.dn, "revoke")?;
            applying.entry = Some(account);
            Ok(())
        }
        TokenOp::Used { uses } => {
            only_the_system(applying)?;
            for (id, at) in uses {
                let Some(mut token) = load(applying, *id)? else { continue };
                if token.last_use < Some(*at) {
                    token.last_use = Some(*at);
                    write(applying, &token)?;
                }
            }
            Ok(())
        }
        TokenOp::Expire { id } => {
            only_the_system(applying)?;
            match load(applying, *id)? {
                Some(token) if token.is_expired(applying.set.now.wall) => {
                    let dn = applying.with_record(token.account, |r| Ok(r.dn().to_owned()))?;
                    remove(applying, &token, dn, "expire")
                }
                _ => Ok(()),
            }
        }
    }
}

/// Ends all tokens of an account: with its logins, or with itself.
///
/// # Errors
/// `Store`.
pub fn end_all(applying: &mut Applying<'_, '_>, account: EntryId, dn: &str) -> Result<(), Refusal> {
    for id in of_account(applying.tables, account)? {
        let Some(token) = load(applying, id)? else { continue };
        remove(applying, &token, dn.to_owned(), "end")?;
    }
    Ok(())
}

/// The tokens of an account.
///
/// # Errors
/// `Store`.
pub fn of_account(view: &impl View, account: EntryId) -> Result<Vec<TokenId>, Refusal> {
    let mut out = Vec::new();
    for item in view.owners()?.range(membership::all_of(account))? {
        out.push(TokenId(item?.0.value().1));
    }
    Ok(out)
}

fn issue(
    applying: &mut Applying<'_, '_>,
    account: EntryId,
    dn: String,
    token: &Token,
    act: &str,
) -> Result<(), Refusal> {
    authorize(applying, account)?;
    let no_account = || Refusal::new(Reason::Constraint, "the entry is no account and has no tokens");
    let facts = applying.tables.account(account)?.ok_or_else(no_account)?;
    if facts.system {
        return Err(Refusal::new(Reason::Unwilling, "the system account cannot be changed"));
    }
    if !is_usable(&facts) {
        return Err(Refusal::new(Reason::Unwilling, "the account cannot log in and gets no token"));
    }
    if of_account(applying.tables, account)?.len() >= PER_ACCOUNT {
        let limit = Reason::Limit(Limit::Administrative);
        return Err(Refusal::new(limit, format!("the account has {PER_ACCOUNT} tokens already")));
    }
    if load(applying, token.id)?.is_some() {
        return Err(Refusal::new(Reason::Conflict, "the token's id is taken"));
    }
    if let Some(base) = token.scope.base
        && applying.tables.record(base)?.is_none()
    {
        return Err(Refusal::new(Reason::Constraint, "what the token is to reach does not exist"));
    }
    applying.dirty = true;
    write(applying, &Token { account, ..token.clone() })?;
    applying.tables.owners.write()?.insert((account.0, token.id.0), ())?;
    let event = Event::Token { account, dn, token: token.id.to_string(), act: act.to_owned() };
    applying.record.events.push(event);
    applying.entry = Some(account);
    Ok(())
}

/// Tokens are as good as a password: who may not set the account's password may not have one of them.
fn authorize(applying: &Applying<'_, '_>, account: EntryId) -> Result<(), Refusal> {
    let allowed = applying.with_record(account, |r| applying.rights.may_issue(applying.tables, account, r))?;
    if allowed { Ok(()) } else { Err(Refusal::not_allowed()) }
}

/// A token that the actor may know of.
fn find(applying: &Applying<'_, '_>, id: TokenId) -> Result<Token, Refusal> {
    let token = load(applying, id)?.ok_or_else(missing)?;
    let seen = applying.with_record(token.account, |r| applying.rights.may_issue(applying.tables, token.account, r));
    if seen? { Ok(token) } else { Err(missing()) }
}

fn load(applying: &Applying<'_, '_>, id: TokenId) -> Result<Option<Token>, Refusal> {
    let guard = applying.tables.tokens.read()?.get(id.0)?;
    guard.map(|g| codec::decode(g.value())).transpose()
}

fn write(applying: &mut Applying<'_, '_>, token: &Token) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.tokens.write()?.insert(token.id.0, codec::encode(token)?.as_slice())?;
    Ok(())
}

fn remove(applying: &mut Applying<'_, '_>, token: &Token, dn: String, act: &str) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.tokens.write()?.remove(token.id.0)?;
    applying.tables.owners.write()?.remove((token.account.0, token.id.0))?;
    let event = Event::Token { account: token.account, dn, token: token.id.to_string(), act: act.to_owned() };
    applying.record.events.push(event);
    Ok(())
}

/// The refusal for a token that is not there.
pub fn missing() -> Refusal {
    Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "there is no such token")
}

fn only_the_system(applying: &Applying<'_, '_>) -> Result<(), Refusal> {
    if applying.set.actor == Actor::System { Ok(()) } else { Err(Refusal::not_allowed()) }
}
