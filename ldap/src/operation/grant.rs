//! Applications, providers, signing keys and sessions: our own extended operation (see [`crate::grant_request`]).

use super::{Asked, Step, admit, extended};
use crate::{
    door::Door,
    grant_request::{Details, GrantRequest, GrantResponse},
    result::Outcome,
    session::Session,
    wire::{ResultCode, ber::Writer, message::Extended},
};
use bytes::BytesMut;
use directory::{
    application::{Application, Provider},
    bootstrap,
    change::{Change, Modification, ModificationKind, Request, Target},
    clock::{Millis, Span},
    context::Context,
    entry::dn::{Ava, DnKey, Rdn},
    entry::record::Record,
    error::{Reason, Refusal},
    grant::{self, Cause, SessionId},
    handle::Directory,
    id::EntryId,
    schema::known::class,
    store::view::View,
};

/// The most applications that are listed.
const LISTED: usize = 10_000;

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
    if let Err(step) = admit(door, session, &asked, out) {
        return step;
    }
    if !asked.context.origin.confidential {
        let why = "a secret is not sent in the clear";
        asked.answer(door, &Outcome::new(ResultCode::CONFIDENTIALITY_REQUIRED, why), out);
        return Step::Answered;
    }
    match GrantRequest::decode(request.value.unwrap_or_default()) {
        Ok(request) => Step::Grant(Box::new(Pending { request, answer: asked })),
        Err(_) => {
            asked.answer(door, &Outcome::new(ResultCode::PROTOCOL_ERROR, "the request's value is malformed"), out);
            Step::Answered
        }
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
        "application list" => applications(directory, context)?.iter().map(shown_application).collect(),
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
        "provider list" => providers(directory, context)?.iter().map(shown_provider).collect(),
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
    match outcome {
        Ok(response) => {
            let mut value = BytesMut::new();
            response.encode(&mut Writer::new(&mut value));
            extended::answer(door, asked, &Outcome::success(), Some(&value), out);
        }
        Err(refusal) => asked.answer(door, &Outcome::refused(&refusal, asked.operation), out),
    }
}

async fn create(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Vec<Details>, Refusal> {
    let (_, tenant) = directory.tenant(context, request.one("tenant"))?;
    let mut attributes = attributes(request, "rollbookApplication", APPLICATION);
    let client_id = match request.one("client-id") {
        Some(given) => given.to_owned(),
        None => {
            let drawn = format!("app-{}", String::from_utf8_lossy(directory.make_password().expose()));
            attributes.push((b"rollbookClientId".to_vec(), vec![drawn.clone().into_bytes()]));
            drawn
        }
    };
    if directory.application(&client_id)?.is_some() {
        return Err(Refusal::new(Reason::EntryExists, "there is an application of this client identifier"));
    }
    let container = format!("ou=applications,{tenant}");
    let mut changes = Vec::new();
    if !bootstrap::exists(directory, &container)? {
        let attributes = vec![(b"objectClass".to_vec(), vec![b"organizationalUnit".to_vec()])];
        changes.push(Change::Add { dn: container.clone().into_bytes(), attributes });
    }
    let dn = named(request, &container)?;
    changes.push(Change::Add { dn: dn.into_bytes(), attributes });
    let receipt = directory.carry(context, Request { changes, expected: Vec::new() }).await?;
    let id = receipt.entry.unwrap_or(EntryId::NONE);
    let unfit = || Refusal::new(Reason::Constraint, "the entry was made, but what it says is no application");
    let application = directory.application_of(id)?.ok_or_else(unfit)?;
    let mut shown = shown_application(&application);
    if !application.is_public() && application.key_set.is_none() {
        let secret = directory.make_client_secret(context, id, Span::ZERO).await?;
        shown.push(pair("client_secret", secret.expose()));
    }
    Ok(vec![shown])
}

async fn add_provider(
    directory: &Directory,
    context: &Context,
    request: &GrantRequest,
) -> Result<Vec<Details>, Refusal> {
    let (_, tenant) = directory.tenant(context, request.one("tenant"))?;
    if request.one("name").is_some_and(|name| directory.provider(name).is_ok_and(|found| found.is_some())) {
        return Err(Refusal::new(Reason::EntryExists, "there is a provider of this name"));
    }
    let dn = named(request, &format!("ou=system,{tenant}"))?;
    let attributes = attributes(request, "rollbookProvider", PROVIDER);
    let receipt = directory.change(context, Change::Add { dn: dn.into_bytes(), attributes }).await?;
    let id = receipt.entry.unwrap_or(EntryId::NONE);
    if let Some(secret) = request.one("client-secret") {
        directory.keep_secret(context, id, &secret.into()).await?;
    }
    Ok(directory.provider_of(id)?.iter().map(shown_provider).collect())
}

fn attributes(request: &GrantRequest, class: &str, table: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut out = vec![(b"objectClass".to_vec(), vec![class.as_bytes().to_vec()])];
    for (detail, attribute) in table {
        let values: Vec<_> = request.all(detail).map(|value| value.as_bytes().to_vec()).collect();
        if !values.is_empty() {
            out.push((attribute.as_bytes().to_vec(), values));
        }
    }
    out
}

fn named(request: &GrantRequest, container: &str) -> Result<String, Refusal> {
    let name = request.one("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::new(Reason::InvalidName, "it needs a name"))?;
    let rdn = Rdn { avas: vec![Ava { attribute: "cn".to_owned(), value: name.as_bytes().to_vec() }] };
    Ok(format!("{rdn},{container}"))
}

/// The applications that the actor sees.
fn applications(directory: &Directory, context: &Context) -> Result<Vec<Application>, Refusal> {
    let snapshot = directory.snapshot()?;
    let classes = directory::schema::known::attribute::OBJECT_CLASS;
    let key = directory::access::class_key(class::ROLLBOOK_APPLICATION);
    let mut out = Vec::new();
    for id in snapshot.as_ref().holders(classes, &key, LISTED)? {
        if sees(directory, context, id)? {
            out.extend(directory.application_of(id)?);
        }
    }
    Ok(out)
}

/// The application of this name or client identifier.
fn application(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Application, Refusal> {
    let name = request.one("name").unwrap_or_default();
    let is_it = |a: &Application| {
        let cn = a.dn.split(',').next().and_then(|rdn| rdn.split_once('='));
        a.client_id == name || cn.is_some_and(|(_, cn)| cn.eq_ignore_ascii_case(name))
    };
    let mut found = applications(directory, context)?.into_iter().filter(is_it);
    let first = found.next().ok_or_else(|| missing("application"))?;
    match found.next() {
        Some(_) => {
            Err(Refusal::new(Reason::Unwilling, "several applications have this name; give the client identifier"))
        }
        None => Ok(first),
    }
}

fn providers(directory: &Directory, context: &Context) -> Result<Vec<Provider>, Refusal> {
    let mut out = Vec::new();
    for provider in directory.providers()? {
        if sees(directory, context, provider.id)? {
            out.push(provider);
        }
    }
    Ok(out)
}

fn provider(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Provider, Refusal> {
    let name = request.one("name").unwrap_or_default();
    let mut found = providers(directory, context)?.into_iter().filter(|p| p.name.eq_ignore_ascii_case(name));
    found.next().ok_or_else(|| missing("provider"))
}

fn sees(directory: &Directory, context: &Context, id: EntryId) -> Result<bool, Refusal> {
    let snapshot = directory.snapshot()?;
    let rights = directory.rights(&snapshot, context.actor)?;
    let guard = snapshot.record(id)?;
    let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
    Ok(record.is_some_and(|record| rights.sight(id, &record) == directory::access::Sight::Administrative))
}

/// The account of this DN.
fn account(directory: &Directory, request: &GrantRequest) -> Result<EntryId, Refusal> {
    let dn = request.one("account").unwrap_or_default();
    let key = DnKey::parse(directory.schema(), dn.as_bytes()).map_err(|_| missing("account"))?;
    directory.snapshot()?.id_of(key.as_bytes())?.ok_or_else(|| missing("account"))
}

/// The steps of the login that a request belongs to, for system administrators.
fn explain(directory: &Directory, context: &Context, request: &GrantRequest) -> Result<Vec<Details>, Refusal> {
    let snapshot = directory.snapshot()?;
    if !directory.rights(&snapshot, context.actor)?.is_system() {
        return Err(Refusal::not_allowed());
    }
    let steps = directory.trail().explain(request.one("request").unwrap_or_default());
    let shown = steps.into_iter().map(|step| {
        vec![
            pair("at", &step.at.to_generalized_time()),
            pair("request", &step.request),
            pair("step", &step.what),
            pair("of", &step.subject),
            pair("refused", step.refused.as_deref().unwrap_or_default()),
        ]
    });
    Ok(shown.collect())
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
