//! Applications, providers, signing keys, sessions and fuses: our own extended operation (see [`crate::grant_request`]).

use super::{Asked, Step, extended};
use crate::{
    door::Door,
    grant_request::{Details, GrantRequest, GrantResponse},
    session::Session,
    wire::message::Extended,
};
use bytes::BytesMut;
use directory::{
    application::{Application, NewEntry, Provider},
    change::{Change, Modification, ModificationKind, Target},
    clock::{Millis, Span},
    context::Context,
    entry::{dn::DnKey, record::Record},
    error::{Reason, Refusal},
    grant::{self, Cause, SessionId},
    handle::Directory,
    id::EntryId,
    store::view::View,
    token::{Token, TokenId, fuse::Standing},
};

/// What a detail of `application create` is in the entry.
const APPLICATION: &[(&str, &str)] = &[
    ("client-id", "rollbookClientId"),
    ("redirect-uri", "rollbookRedirectUri"),
    ("post-logout-uri", "rollbookPostLogoutUri"),
    ("back-channel-logout-uri", "rollbookBackChannelLogoutUri"),
    ("grant", "rollbookGrantType"),
    ("authentication", "rollbookClientAuthentication"),
    ("scope", "rollbookAllowedScope"),
    ("allow-group", "rollbookAllowedGroup"),
    ("acr", "rollbookRequiredLevel"),
    ("alg", "rollbookTokenAlgorithm"),
    ("key-set", "rollbookKeySet"),
    ("first-party", "rollbookFirstParty"),
    ("display-name", "displayName"),
];

/// What a detail of `provider add` is in the entry.
const PROVIDER: &[(&str, &str)] = &[
    ("kind", "rollbookProviderKind"),
    ("client-id", "rollbookClientId"),
    ("issuer", "rollbookIssuer"),
    ("cloud", "rollbookCloud"),
    ("allow-tenant", "rollbookAllowedTenant"),
    ("allow-domain", "rollbookAllowedSsoDomain"),
    ("trust-domain", "rollbookTrustedDomain"),
    ("link", "rollbookLinkPolicy"),
    ("just-in-time", "rollbookJustInTime"),
    ("trust-mfa", "rollbookTrustSecondFactor"),
    ("map", "rollbookGroupMapping"),
    ("scope", "rollbookAllowedScope"),
    ("display-name", "displayName"),
];

/// How long the answer about a trial may wait for its end.
const TRIAL: std::time::Duration = std::time::Duration::from_secs(5);
/// The most links that are listed.
const LINKS: usize = 10_000;

/// A request that waits for its place in the journal.
pub(crate) struct Pending {
    request: GrantRequest,
    pub(crate) answer: Asked,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({})", self.request.act)
    }
}

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    request: &Extended<'_>,
    out: &mut BytesMut,
) -> Step {
    let decode = || GrantRequest::decode(request.value.unwrap_or_default());
    match extended::own_request(door, session, &asked, decode, out) {
        Ok(request) => Step::Grant(Box::new(Pending { request, answer: asked })),
        Err(step) => step,
    }
}

/// Asks the directory.
///
/// # Errors
/// Its refusal.
pub(crate) async fn carry_out(directory: &Directory, pending: &Pending) -> Result<GrantResponse, Refusal> {
    let (context, request) = (&pending.answer.context, &pending.request);
    let shown = match request.act.as_str() {
        "application create" => create(directory, context, request).await?,
        "application list" => directory.applications(context)?.iter().map(shown_application).collect(),
        "application secret" => {
            let application = application(directory, context, request)?;
            let overlap = request.one("overlap").and_then(|s| s.parse().ok()).map_or(Span::ZERO, Span::from_secs);
            let secret = directory.make_client_secret(context, application.id, overlap).await?;
            vec![vec![pair("client_id", &application.client_id), pair("client_secret", secret.expose())]]
        }
        "application delete" => {
            let application = application(directory, context, request)?;
            let change = Change::Delete { target: Target::Id(application.id), subtree: false };
            directory.change(context, change).await?;
            Vec::new()
        }
        "provider add" => add_provider(directory, context, request).await?,
        "provider list" => directory.administered_providers(context)?.iter().map(shown_provider).collect(),
        "provider enable" | "provider disable" => {
            let target = Target::Id(provider(directory, context, request)?.id);
            let value = if request.act.ends_with("enable") { b"TRUE".to_vec() } else { b"FALSE".to_vec() };
            let (kind, attribute) = (ModificationKind::Replace, b"rollbookEnabled".to_vec());
            let modifications = vec![Modification { kind, attribute, values: vec![value] }];
            directory.change(context, Change::Modify { target, modifications }).await?;
            Vec::new()
        }
        "provider remove" => {
            let target = Target::Id(provider(directory, context, request)?.id);
            directory.change(context, Change::Delete { target, subtree: false }).await?;
            Vec::new()
        }
        "fuse list" => directory.fuses(context)?.iter().map(shown_fuse).collect(),
        "fuse close" => {
            let id = request.one("token").and_then(TokenId::parse).ok_or_else(|| missing("token"))?;
            directory.close_fuse(context, id)?;
            Vec::new()
        }
        "provider test" => {
            let provider = provider(directory, context, request)?;
            let (address, ticket) = directory.begin_trial(context, provider.id, &provider.name)?;
            vec![vec![pair("open", &address), pair("ticket", ticket.expose())]]
        }
        "provider trial" => trial(directory, context, request).await?,
        "link list" => links(directory, context, request)?,
        "link remove" => {
            let (account, provider) = (account(directory, request)?, provider(directory, context, request)?);
            directory.unlink(context, account, provider.id).await?;
            Vec::new()
        }
        "login explain" => explain(directory, context, request)?,
        "keys list" => keys(directory, context)?,
        "keys roll" => {
            directory.roll_keys(context, request.one("emergency").is_some()).await?;
            keys(directory, context)?
        }
        "session list" => {
            let sessions = directory.sessions_of(context, account(directory, request)?)?;
            sessions.iter().map(|session| shown_session(directory, session)).collect()
        }
        "session end" => {
            let missing = || missing("session");
            let id = request.one("id").and_then(SessionId::parse).ok_or_else(missing)?;
            directory.live_session(id, &context.now)?.ok_or_else(missing)?;
            directory.end_session(context, id, Cause::Revoked).await?;
            Vec::new()
        }
        "session end-all" => {
            let ended = directory.end_sessions(context, account(directory, request)?, None).await?;
            vec![vec![pair("ended", &ended.to_string())]]
        }
        _ => return Err(Refusal::new(Reason::Unwilling, "there is no such act")),
    };
    Ok(GrantResponse { shown })
}

/// The directory has spoken.
pub(crate) fn finish(door: &Door, asked: &Asked, outcome: Result<GrantResponse, Refusal>, out: &mut BytesMut) {
    extended::own_answer(door, asked, outcome, GrantResponse::encode, out);
}

async fn create(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Vec<Details>, Refusal> {
    let (application, secret) = directory.make_application(context, new_entry(request, APPLICATION)).await?;
    let mut shown = shown_application(&application);
    shown.extend(secret.map(|secret| pair("client_secret", secret.expose())));
    Ok(vec![shown])
}

async fn add_provider(
    directory: &Directory,
    context: &Context,
    request: &GrantRequest,
) -> Result<Vec<Details>, Refusal> {
    let secret = request.one("client-secret").map(Into::into);
    let made = directory.make_provider(context, new_entry(request, PROVIDER), secret.as_ref()).await?;
    Ok(made.iter().map(shown_provider).collect())
}

/// What the details of a request are in the entry.
fn new_entry<'r>(request: &'r GrantRequest, table: &[(&str, &str)]) -> NewEntry<'r> {
    let mut attributes = Vec::new();
    for (detail, attribute) in table {
        let values: Vec<_> = request.all(detail).map(|value| value.as_bytes().to_vec()).collect();
        if !values.is_empty() {
            attributes.push((attribute.as_bytes().to_vec(), values));
        }
    }
    NewEntry { name: request.one("name").unwrap_or_default(), tenant: request.one("tenant"), attributes }
}

/// The application of this name or client identifier.
fn application(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Application, Refusal> {
    let name = request.one("name").unwrap_or_default();
    let is_it = |a: &Application| {
        let cn = a.dn.split(',').next().and_then(|rdn| rdn.split_once('='));
        a.client_id == name || cn.is_some_and(|(_, cn)| cn.eq_ignore_ascii_case(name))
    };
    let mut found = directory.applications(context)?.into_iter().filter(is_it);
    let first = found.next().ok_or_else(|| missing("application"))?;
    match found.next() {
        Some(_) => {
            Err(Refusal::new(Reason::Unwilling, "several applications have this name; give the client identifier"))
        }
        None => Ok(first),
    }
}

fn provider(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Provider, Refusal> {
    let name = request.one("name").unwrap_or_default();
    let mut found =
        directory.administered_providers(context)?.into_iter().filter(|p| p.name.eq_ignore_ascii_case(name));
    found.next().ok_or_else(|| missing("provider"))
}

/// The account of this DN.
fn account(directory: &Directory, request: &GrantRequest) -> Result<EntryId, Refusal> {
    let dn = request.one("account").unwrap_or_default();
    let key = DnKey::parse(directory.schema(), dn.as_bytes()).map_err(|_| missing("account"))?;
    directory.snapshot()?.id_of(key.as_bytes())?.ok_or_else(|| missing("account"))
}

/// What came of a trial; nothing when it has not ended after a while: then it is asked for again.
async fn trial(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Vec<Details>, Refusal> {
    let ticket = request.one("ticket").unwrap_or_default();
    let end = directory.trials().next_end();
    if let Some(outcome) = directory.trial_outcome(ticket, &context.now)? {
        return Ok(vec![outcome]);
    }
    // Either way it is looked up once more.
    _ = tokio::time::timeout(TRIAL, end).await;
    Ok(directory.trial_outcome(ticket, &directory.now())?.into_iter().collect())
}

/// The links of an account, or to a provider.
fn links(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Vec<Details>, Refusal> {
    let links = if request.one("account").is_some() {
        directory.links_of(context, account(directory, request)?)?
    } else {
        directory.links_to(context, provider(directory, context, request)?.id, LINKS)?
    };
    let snapshot = directory.snapshot()?;
    let dn = |id: EntryId| -> Result<String, Refusal> {
        let guard = snapshot.record(id)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        Ok(record.map_or_else(String::new, |record| record.dn().to_owned()))
    };
    let mut shown = Vec::new();
    for link in links {
        let provider = directory.provider_of(link.provider)?.map_or_else(String::new, |provider| provider.name);
        let mut details = vec![
            pair("provider", &provider),
            pair("account", &dn(link.account)?),
            pair("shown", &link.shown),
            pair("key", &link.key),
            pair("made", &link.created.to_generalized_seconds()),
            pair("used", &link.used.to_generalized_seconds()),
        ];
        for group in link.mapped {
            details.push(pair("gives", &dn(group)?));
        }
        shown.push(details);
    }
    Ok(shown)
}

/// The steps of the login that a request belongs to, for system administrators.
fn explain(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Vec<Details>, Refusal> {
    let snapshot = directory.snapshot()?;
    if !directory.rights(&snapshot, context.actor)?.is_system() {
        return Err(Refusal::not_allowed());
    }
    let steps = directory.trail().explain(request.one("request").unwrap_or_default());
    let name = |id| {
        let guard = snapshot.record(id).ok()??;
        Record::parse(guard.value()).ok().map(|record| record.dn().to_owned())
    };
    let name = |id| name(id).unwrap_or_else(|| "(gone)".to_owned());
    let shown = steps.into_iter().map(|step| {
        vec![
            pair("at", &step.at.to_generalized_time()),
            pair("request", &step.request),
            pair("step", &step.what),
            pair("of", &step.subject),
            pair("account", &step.account.map(name).unwrap_or_default()),
            pair("refused", step.refused.as_deref().unwrap_or_default()),
        ]
    });
    let said = |details: Details| details.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    Ok(shown.map(said).collect())
}

fn keys(directory: &Directory, context: &Context) -> Result<Vec<Details>, Refusal> {
    let snapshot = directory.snapshot()?;
    if !directory.rights(&snapshot, context.actor)?.is_system() {
        return Err(Refusal::not_allowed());
    }
    let (keys, wall) = (directory.signing_keys()?, context.now.wall);
    let shown = |key: &grant::SigningKey| {
        let signs = grant::signer(&keys, key.algorithm, wall).is_some_and(|signer| signer.kid == key.kid);
        let mut details = vec![
            pair("kid", &key.kid),
            pair("alg", key.algorithm.name()),
            pair("signs", if signs { "now" } else { "no" }),
            pair("created", &key.created.to_generalized_seconds()),
            pair("use_from", &key.use_from.to_generalized_seconds()),
        ];
        details.extend(key.retire_at.map(|at| pair("retired_at", &at.to_generalized_seconds())));
        details
    };
    Ok(keys.iter().map(shown).collect())
}

fn shown_application(application: &Application) -> Details {
    let mut out = vec![
        pair("name", &application.name),
        pair("client_id", &application.client_id),
        pair("dn", &application.dn),
        pair("enabled", if application.enabled { "yes" } else { "no" }),
        pair("authentication", application.authentication.name()),
        pair("alg", application.algorithm.name()),
    ];
    out.extend(application.grants.iter().map(|grant| pair("grant", grant.name())));
    out.extend(application.redirect_uris.iter().map(|uri| pair("redirect_uri", uri)));
    out.extend(application.scopes.iter().map(|scope| pair("scope", scope)));
    out.extend(application.allowed_groups.iter().map(|dn| pair("allow_group", dn)));
    out.extend(application.required_acr.iter().map(|acr| pair("acr", acr)));
    out
}

fn shown_provider(provider: &Provider) -> Details {
    let mut out = vec![
        pair("name", &provider.name),
        pair("kind", provider.kind.name()),
        pair("dn", &provider.dn),
        pair("enabled", if provider.enabled { "yes" } else { "no" }),
        pair("client_id", &provider.client_id),
        pair("link", provider.link_policy.name()),
        pair("just_in_time", if provider.just_in_time { "yes" } else { "no" }),
    ];
    out.extend(provider.issuer.iter().map(|issuer| pair("issuer", issuer)));
    out.extend(provider.allowed_tenants.iter().map(|tenant| pair("allow_tenant", tenant)));
    out.extend(provider.allowed_domains.iter().map(|domain| pair("allow_domain", domain)));
    out
}

fn shown_fuse((token, account, standing): &(Token, String, Standing)) -> Details {
    let mut out = vec![
        pair("token", &token.id.to_string()),
        pair("label", &token.label),
        pair("account", account),
        pair("taken_away", &standing.count.to_string()),
        pair("limit", &standing.limit.to_string()),
        pair("blown", if standing.blown.is_some() { "yes" } else { "no" }),
    ];
    out.extend(standing.blown.map(|seconds| pair("goes_on_in", &format!("{seconds}s"))));
    out
}

fn shown_session(directory: &Directory, session: &grant::Session) -> Details {
    let time = Millis::to_generalized_seconds;
    let mut out = vec![
        pair("id", &session.id.to_string()),
        pair("begun", &time(session.created)),
        pair("seen", &time(session.seen)),
        pair("ends", &time(session.ends_at())),
        pair("acr", &session.acr),
        pair("agent", &session.agent),
    ];
    out.extend(session.address.map(|address| pair("address", &address.to_string())));
    for client in &session.clients {
        if let Ok(Some(application)) = directory.application_of(*client) {
            out.push(pair("application", &application.name));
        }
    }
    out
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn missing(what: &str) -> Refusal {
    Refusal::new(Reason::NoSuchEntry { matched: String::new() }, format!("there is no such {what}"))
}
