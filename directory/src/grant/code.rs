//! Authorization codes (RFC 6749 §4.1.2): a minute, one use, bound to client, redirect URI and PKCE challenge.
//!
//! A code holds what it grants, sealed with the store's key: to issue one writes nothing, so that nobody fills the store by
//! asking for codes, and any daemon that has the key can redeem it. That it is used once is decided where everything is that
//! may happen once, in the journal's order: redeeming leaves the code's name behind, for longer than the code lives.
//!
//! Every code is redeemed for a family, with a refresh token or without: the family is what access tokens name, and what
//! ends when the code is used again. The session remembers the application when its first code is redeemed.

use super::apply::GrantOp;
use super::family::{Family, FamilyTerms, NewFamily};
use super::session::{DRAWS, LiveSession};
use super::text::{self, CodeKey};
use super::{Answer, CLAIMS, CODE_LIFE, CODE_MEMORY, FamilyId, SessionId, TEXT, Why, check_list, check_texts};
use crate::change::{Op, prepare};
use crate::clock::{Millis, Now};
use crate::context::{Actor, Context};
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::store::codec;
use crate::token::Secret;
use serde::{Deserialize, Serialize};

/// What the seal of a code is bound to.
const PLACE: &str = "authorization code";

/// A code to be issued to an application, for the owner of a session.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// The application's entry.
    pub client: EntryId,
    /// `redirect_uri` of the request.
    pub redirect_uri: String,
    /// `code_challenge`, method S256.
    pub challenge: String,
    /// `nonce`.
    pub nonce: Option<String>,
    /// The scopes that are granted.
    pub scopes: Vec<String>,
    /// The `claims` parameter, as the provider wants it back.
    pub claims: Option<String>,
}

/// What a code holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The application.
    pub client: EntryId,
    /// Whose.
    pub account: EntryId,
    /// The account's epoch.
    pub epoch: u64,
    /// The session that it came from.
    pub session: SessionId,
    /// `redirect_uri` of the request.
    pub redirect_uri: String,
    /// `code_challenge`, method S256.
    pub challenge: String,
    /// `nonce`.
    pub nonce: Option<String>,
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
    /// Good until (`wall`).
    pub expires: Millis,
}

/// What is left of a code that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The family that it was redeemed for.
    pub by: FamilyId,
}

impl Code {
    /// Whether what it grants may outlive the session.
    fn is_offline(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "offline_access")
    }
}

/// What comes with a code at the token endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Redemption<'a> {
    /// The code.
    pub code: &'a str,
    /// The application that shows it, proven.
    pub client: EntryId,
    /// `redirect_uri`.
    pub redirect_uri: &'a str,
    /// `code_verifier`.
    pub verifier: &'a str,
}

/// A code that was good.
#[derive(Debug, Clone)]
pub struct Redeemed {
    /// The code.
    pub code: Code,
    /// What it was redeemed for.
    pub family: Family,
    /// The first refresh token, if the terms have one.
    pub refresh: Option<Secret>,
}

impl Directory {
    /// Issues a code for the owner of a session. Nothing is written.
    ///
    /// # Errors
    /// `Constraint` for parts out of bounds, or too much of them together; `Unwilling` without the seal key.
    pub fn issue_code(&self, now: &Now, live: &LiveSession, new: NewCode) -> Result<Secret, Refusal> {
        check(&new)?;
        let session = &live.session;
        let code = Code {
            client: new.client,
            account: session.account,
            epoch: session.epoch,
            session: session.id,
            redirect_uri: new.redirect_uri,
            challenge: new.challenge,
            nonce: new.nonce,
            scopes: new.scopes,
            claims: new.claims,
            auth_time: session.auth_time,
            acr: session.acr.clone(),
            amr: session.amr.clone(),
            expires: now.wall.saturating_add(CODE_LIFE),
        };
        let sealed = self.seal_key()?.seal(&self.inner().random, PLACE, &codec::encode(&code)?)?;
        text::code_of(&sealed).ok_or_else(|| Refusal::new(Reason::Constraint, "this is more than a code can hold"))
    }

    /// What a presented code holds, and its name; none: it is no code of this store. Whether it was used is not said.
    fn opened(&self, presented: &str) -> Result<Option<(CodeKey, Code)>, Refusal> {
        let Some(sealed) = text::code(presented) else { return Ok(None) };
        let Ok(opened) = self.seal_key()?.open(PLACE, &sealed) else { return Ok(None) };
        // One that an earlier program has sealed may have another form.
        let code: Option<Code> = codec::decode(&opened).ok();
        Ok(code.map(|code| (text::code_key(code.expires, &sealed), code)))
    }

    /// Redeems a code for a family: once. A second time ends what the first has granted.
    ///
    /// # Errors
    /// `Constraint` for terms out of bounds, `Busy`, `Store`. A code that is not good is no error.
    pub async fn redeem_code(
        &self,
        context: &Context,
        shown: Redemption<'_>,
        terms: FamilyTerms,
    ) -> Result<Answer<Redeemed>, Refusal> {
        terms.check()?;
        let Some((key, code)) = self.opened(shown.code)? else { return Ok(Answer::Refused(Why::Unknown)) };
        if code.expires.saturating_add(CODE_MEMORY) <= context.now.wall {
            // Whether it was used is not known any more.
            return Ok(Answer::Refused(Why::Unknown));
        }
        // Whoever shows a code that has been used ends what it granted, whatever comes with it (RFC 6749 §10.5).
        let spent = redb::ReadableTable::get(self.snapshot()?.codes()?, key.as_slice())?.is_some();
        if !spent && let Some(why) = unfit(&code, &shown) {
            return Ok(Answer::Refused(why));
        }
        let mut attempt = 0_usize;
        loop {
            attempt = attempt.saturating_add(1);
            let new = NewFamily {
                client: code.client,
                account: code.account,
                epoch: code.epoch,
                session: Some(code.session),
                scopes: code.scopes.clone(),
                claims: code.claims.clone(),
                auth_time: code.auth_time,
                acr: code.acr.clone(),
                amr: code.amr.clone(),
                terms: FamilyTerms { offline: terms.offline && code.is_offline(), ..terms },
            };
            let (refresh, family) = self.draw_family(context, new);
            let op = GrantOp::Redeem { key, expires: code.expires, family: Box::new(family.clone()) };
            match self.grant(context, op).await {
                Err(refusal) if refusal.reason == Reason::EntryExists && attempt < DRAWS => {}
                Err(refusal) => return Err(refusal),
                Ok(receipt) => {
                    return Ok(match receipt.grants.denied {
                        Some(why) => Answer::Refused(why),
                        None => Answer::Granted(Redeemed { code, family, refresh }),
                    });
                }
            }
        }
    }

    /// Forgets the used codes that nobody needs to remember any more. Cheap when there are none: they lie together.
    ///
    /// # Errors
    /// `Busy`, `Store`.
    pub(crate) async fn purge_codes(&self, now: &Now) -> Result<(), Refusal> {
        let before = Millis(now.wall.0.saturating_sub(CODE_MEMORY.millis()));
        let end = u64::try_from(before.0).unwrap_or(0).to_be_bytes();
        let none = {
            let snapshot = self.snapshot()?;
            let mut old = redb::ReadableTable::range::<&[u8]>(snapshot.codes()?, ..end.as_slice())?;
            old.next().is_none()
        };
        if none {
            return Ok(());
        }
        let context = Context { actor: Actor::System, ..self.internal(*now) };
        let ops = vec![Op::Grant(Box::new(GrantOp::PurgeCodes { before }))];
        self.submit(prepare::write_set(&self.inner().random, &context, ops)).await.map(|_| ())
    }
}

/// Why a code that was not used is not good for whoever shows it.
fn unfit(code: &Code, shown: &Redemption<'_>) -> Option<Why> {
    if code.client != shown.client {
        return Some(Why::OtherClient);
    }
    if code.redirect_uri != shown.redirect_uri {
        return Some(Why::OtherRedirect);
    }
    (!text::verifies(&code.challenge, shown.verifier)).then_some(Why::Verifier)
}

fn check(new: &NewCode) -> Result<(), Refusal> {
    if new.challenge.len() != 43 {
        return Err(Refusal::new(Reason::Constraint, "a challenge by S256 has 43 characters"));
    }
    check_list(&new.scopes)?;
    let nonce = new.nonce.as_deref().unwrap_or_default();
    check_texts([new.redirect_uri.as_str(), new.challenge.as_str(), nonce], TEXT)?;
    check_texts([new.claims.as_deref().unwrap_or_default()], CLAIMS)
}
