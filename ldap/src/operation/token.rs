//! API tokens: our own extended operation (see [`crate::token_request`]).

use super::{Asked, Step, extended};
use crate::{
    door::Door,
    session::Session,
    token_request::{Create, Shown, TokenRequest, TokenResponse},
    wire::message::Extended,
};
use bytes::BytesMut;
use directory::{
    change::Target,
    clock::{Millis, Span},
    context::Context,
    entry::record::Record,
    error::{Reason, Refusal},
    handle::Directory,
    store::view::View,
    token::{NewToken, Scope, Token, TokenId},
};

/// A request that waits for its place in the journal.
#[derive(Debug)]
pub(crate) struct Pending {
    request: TokenRequest,
    pub(crate) answer: Asked,
}

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    request: &Extended<'_>,
    out: &mut BytesMut,
) -> Step {
    let decode = || TokenRequest::decode(request.value.unwrap_or_default());
    match extended::own_request(door, session, &asked, decode, out) {
        Ok(request) => Step::Token(Box::new(Pending { request, answer: asked })),
        Err(step) => step,
    }
}

/// Asks the directory.
///
/// # Errors
/// Its refusal.
pub(crate) async fn carry_out(directory: &Directory, pending: &Pending) -> Result<TokenResponse, Refusal> {
    let context = &pending.answer.context;
    match &pending.request {
        TokenRequest::Create(wanted) => create(directory, context, wanted).await,
        TokenRequest::List => {
            let tokens = directory.tokens(context)?;
            let shown = |(token, account): &(Token, String)| shown(directory, token, account);
            Ok(TokenResponse { secret: None, tokens: tokens.iter().map(shown).collect::<Result<_, _>>()? })
        }
        TokenRequest::Rotate { token, overlap } => {
            let issued = directory.rotate_token(context, id(token)?, Span::from_secs(*overlap)).await?;
            let tokens = vec![shown(directory, &issued.token, &dn_of(directory, &issued.token)?)?];
            Ok(TokenResponse { secret: Some(issued.secret.expose().to_owned()), tokens })
        }
        TokenRequest::Revoke { token } => {
            directory.revoke_token(context, id(token)?).await?;
            Ok(TokenResponse::default())
        }
    }
}

/// The directory has spoken.
pub(crate) fn finish(door: &Door, asked: &Asked, outcome: Result<TokenResponse, Refusal>, out: &mut BytesMut) {
    extended::own_answer(door, asked, outcome, TokenResponse::encode, out);
}

async fn create(directory: &Directory, context: &Context, wanted: &Create) -> Result<TokenResponse, Refusal> {
    // An account that is named reaches what its roles let it reach, unless a tenant is named as well.
    let tenant = match (&wanted.account, wanted.tenant.as_deref()) {
        (Some(_), None) => None,
        (_, tenant) => Some(directory.tenant(context, tenant)?),
    };
    let (account, before) = match (&wanted.account, &tenant) {
        (Some(account), _) => (Target::Dn(account.clone().into_bytes()), Vec::new()),
        (None, Some((_, dn))) => directory.provisioner(dn, &wanted.label)?,
        (None, None) => return Err(Refusal::new(Reason::Unwilling, "there is no such tenant")),
    };
    let base = tenant.map(|(id, _)| id);
    let (types, dialect) = (wanted.types.clone(), wanted.dialect.clone());
    let scope = Scope { base, write: wanted.write, types, dialect };
    let new = NewToken { account, label: wanted.label.clone(), scope, life: Span::from_secs(wanted.seconds) };
    let issued = directory.create_token(context, before, new).await?;
    let tokens = vec![shown(directory, &issued.token, &dn_of(directory, &issued.token)?)?];
    Ok(TokenResponse { secret: Some(issued.secret.expose().to_owned()), tokens })
}

fn id(text: &str) -> Result<TokenId, Refusal> {
    let missing = || Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "there is no such token");
    TokenId::parse(text).ok_or_else(missing)
}

fn dn_of(directory: &Directory, token: &Token) -> Result<String, Refusal> {
    let snapshot = directory.snapshot()?;
    let guard = snapshot.record(token.account)?;
    Ok(guard.as_ref().and_then(|g| Record::parse(g.value()).ok()).map_or_else(String::new, |r| r.dn().to_owned()))
}

fn shown(directory: &Directory, token: &Token, account: &str) -> Result<Shown, Refusal> {
    let snapshot = directory.snapshot()?;
    let base = match token.scope.base {
        None => None,
        Some(id) => {
            let guard = snapshot.record(id)?;
            // What is gone is reached by nobody.
            Some(guard.as_ref().and_then(|g| Record::parse(g.value()).ok()).map_or("", |r| r.dn()).to_owned())
        }
    };
    Ok(Shown {
        id: token.id.to_string(),
        account: account.to_owned(),
        label: token.label.clone(),
        write: token.scope.write,
        dialect: token.scope.dialect.clone(),
        types: token.scope.types.clone(),
        created: token.created.to_generalized_seconds(),
        expires: token.expires.to_generalized_seconds(),
        base,
        last_use: token.last_use.map(Millis::to_generalized_seconds),
        predecessor: token.predecessor.map(|id| id.to_string()),
    })
}
