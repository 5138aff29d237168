//! What administrators ask for: tokens made, listed, replaced, revoked.

use super::apply::{TokenOp, missing};
use super::text::{self, Secret};
use super::{DAYS, LABEL, NAME, OVERLAP_DAYS, Scope, TYPES, Token, TokenId};
use crate::change::{Change, Op, Receipt, Request, Target, prepare};
use crate::clock::Span;
use crate::context::{Actor, Context};
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::store::codec;
use crate::store::view::View;

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Whose.
    pub account: Target,
    /// What it is for, in words.
    pub label: String,
    /// What it may be used for.
    pub scope: Scope,
    /// How long it is good.
    pub life: Span,
}

/// A token that was made.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token with its secret: shown to the one who asked, once.
    pub secret: Secret,
    /// The token.
    pub token: Token,
    /// The change.
    pub receipt: Receipt,
}

impl Directory {
    /// Makes a token, after the changes (the account to be made, say) and in the same write set.
    ///
    /// # Errors
    /// `Constraint` for a label, life or scope out of bounds, `Unwilling` for an account that cannot log in, `NotAllowed`,
    /// `Limit`, and what the changes are refused for.
    pub async fn create_token(&self, context: &Context, before: Vec<Change>, new: NewToken) -> Result<Issued, Refusal> {
        check(&new)?;
        check_unrestricted(context)?;
        let (secret, token) = self.draw(context, new.label, new.scope, new.life, None);
        let owner = prepare::subject(self.schema(), &new.account)?;
        let op = Op::Token(Box::new(TokenOp::Issue { owner, token: Box::new(token.clone()) }));
        let request = Request { changes: before, expected: Vec::new() };
        let receipt = self.carry_with(context, &request, vec![op]).await?;
        let account = receipt.entry.unwrap_or(EntryId::NONE);
        Ok(Issued { secret, token: Token { account, ..token }, receipt })
    }

    /// Makes a token that takes another's place, with its label, scope and length of life. The other is good for
    /// `overlap` yet.
    ///
    /// # Errors
    /// `NoSuchEntry` when there is no such token, also when it is not the actor's to know of; `Constraint`.
    pub async fn rotate_token(&self, context: &Context, old: TokenId, overlap: Span) -> Result<Issued, Refusal> {
        check_unrestricted(context)?;
        if overlap > Span::from_days(OVERLAP_DAYS) {
            return Err(out_of_bounds(&format!("a token lives at most {OVERLAP_DAYS} days beside its successor")));
        }
        let former = self.stored_token(old)?.ok_or_else(missing)?;
        let life = Span::from_millis(former.expires.0.saturating_sub(former.created.0).max(1));
        let (secret, token) = self.draw(context, former.label, former.scope, life, Some(old));
        let until = context.now.wall.saturating_add(overlap);
        let op = Op::Token(Box::new(TokenOp::Rotate { old, until, token: Box::new(token.clone()) }));
        let receipt = self.carry_with(context, &Request::default(), vec![op]).await?;
        Ok(Issued { secret, token: Token { account: former.account, ..token }, receipt })
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// `NoSuchEntry` when there is no such token, also when it is not the actor's to know of.
    pub async fn revoke_token(&self, context: &Context, id: TokenId) -> Result<Receipt, Refusal> {
        check_unrestricted(context)?;
        let op = Op::Token(Box::new(TokenOp::Revoke { id }));
        self.carry_with(context, &Request::default(), vec![op]).await
    }

    /// The tokens that the actor may give and take, with the DNs of their accounts; those whose time has passed too,
    /// until the sweep removes them.
    ///
    /// # Errors
    /// `Store`.
    pub fn tokens(&self, context: &Context) -> Result<Vec<(Token, String)>, Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        let mut out = Vec::new();
        for item in redb::ReadableTable::range::<u64>(snapshot.tokens()?, ..)? {
            let mut token: Token = codec::decode(item?.1.value())?;
            let Some(guard) = snapshot.record(token.account)? else { continue };
            let Ok(record) = Record::parse(guard.value()) else { continue };
            if rights.may_issue(snapshot.as_ref(), token.account, &record)? {
                token.last_use = self.last_use(&token);
                out.push((token, record.dn().to_owned()));
            }
        }
        out.sort_by_key(|(token, _)| (token.created, token.id));
        Ok(out)
    }

    pub(crate) fn stored_token(&self, id: TokenId) -> Result<Option<Token>, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = redb::ReadableTable::get(snapshot.tokens()?, id.0)?;
        guard.map(|g| codec::decode(g.value())).transpose()
    }

    fn draw(
        &self,
        context: &Context,
        label: String,
        scope: Scope,
        life: Span,
        predecessor: Option<TokenId>,
    ) -> (Secret, Token) {
        let random = &self.inner().random;
        let id = TokenId::draw(random);
        let (secret, digest) = text::draw(random, id);
        let created = context.now.wall;
        let created_by = match context.actor {
            Actor::Account { id, .. } => Some(id),
            Actor::Anonymous | Actor::System => None,
        };
        let expires = created.saturating_add(life);
        let account = EntryId::NONE;
        let last_use = None;
        (secret, Token { id, account, label, scope, created, created_by, expires, last_use, predecessor, digest })
    }
}

fn check(new: &NewToken) -> Result<(), Refusal> {
    let is_name = |text: &str| text.len() <= NAME && text.bytes().all(|b| b.is_ascii_graphic());
    if new.label.is_empty() || new.label.len() > LABEL || new.label.chars().any(char::is_control) {
        return Err(out_of_bounds(&format!("the label of a token has 1 to {LABEL} bytes of text")));
    }
    if new.life < Span::from_secs(1) || new.life > Span::from_days(DAYS) {
        return Err(out_of_bounds(&format!("a token lives between a second and {DAYS} days")));
    }
    if !is_name(&new.scope.dialect) {
        return Err(out_of_bounds("this is not the name of a dialect"));
    }
    if new.scope.types.len() > TYPES || !new.scope.types.iter().all(|t| is_name(t) && !t.is_empty()) {
        return Err(out_of_bounds("these are not names of resource types"));
    }
    Ok(())
}

fn out_of_bounds(why: &str) -> Refusal {
    Refusal::new(Reason::Constraint, why)
}

/// A login that has to change its password first may do nothing else (requirement 2.10).
fn check_unrestricted(context: &Context) -> Result<(), Refusal> {
    if matches!(context.actor, Actor::Account { must_change_password: true, .. }) {
        let reason = Reason::Password(crate::error::PasswordReason::ChangeAfterReset);
        return Err(Refusal::new(reason, "the password must be changed first"));
    }
    Ok(())
}
