//! Whether an authorization request is a good one: every check, in order, as one table.
//!
//! Pure. Until client and address are known for sure, what is wrong is told on a page of ours; afterwards at the client's
//! address (RFC 9700 §4.11). Who is signed in plays no part here: that is [`super::decide`].

use super::client::{Client, Grant};
use super::error::{Code, Told, Wrong};
use super::parameters::{Parameters, words};
use crate::claims::request::ClaimsRequest;
use crate::claims::scope;
use crate::jose::token::{self, Expected, Lifetime};
use crate::keys::Ring;
use directory::clock::{Millis, Span};

/// Octets of a `state`, which comes back with every answer.
const STATE: usize = 2_048;
/// Octets of a `nonce`.
const NONCE: usize = 512;
/// Octets of a `login_hint`.
const LOGIN_HINT: usize = 320;
/// The longest `max_age` that means anything: ten years.
const MAX_AGE: u32 = 315_360_000;

/// What `prompt` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prompt {
    /// No page may be shown.
    pub none: bool,
    /// The person must sign in anew.
    pub login: bool,
    /// The person must be asked for consent.
    pub consent: bool,
    /// The person must choose an account.
    pub select_account: bool,
}

/// Whom the client expects, by an ID token of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The account.
    pub sub: String,
    /// The session.
    pub sid: Option<String>,
}

/// A request that is good in itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Where the answer goes.
    pub redirect_uri: String,
    /// Given back with it.
    pub state: Option<String>,
    /// What is asked for, as far as the client may ask for it.
    pub scopes: Vec<String>,
    /// Comes back in the ID token.
    pub nonce: Option<String>,
    /// RFC 7636, S256.
    pub challenge: String,
    /// How the person is to be asked.
    pub prompt: Prompt,
    /// How long ago the login may be.
    pub max_age: Option<Span>,
    /// Levels of authentication, the best liked first; the request goes on without them.
    pub acr_values: Vec<String>,
    /// Levels of which one must be reached.
    pub acr_essential: Vec<String>,
    /// Fills in the name at sign-in.
    pub login_hint: Option<String>,
    /// Who is expected.
    pub hint: Option<Hint>,
    /// Languages of the pages.
    pub ui_locales: Option<String>,
    /// Claims that are asked for by name.
    pub claims: ClaimsRequest,
    /// The parameter itself, for the code to carry.
    pub claims_text: Option<String>,
}

/// What the checks look at.
pub struct Asked<'a> {
    /// What came.
    pub parameters: &'a Parameters,
    /// The client of that `client_id`, if there is one that is enabled.
    pub client: Option<&'a Client>,
    /// Our issuer.
    pub issuer: &'a str,
    /// Our keys, for the hint.
    pub ring: &'a Ring,
    /// When.
    pub now: Millis,
}

/// Where a check's answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Page,
    Client,
}

/// One check.
struct Step {
    /// What it demands, for the log.
    rule: &'static str,
    to: To,
    check: fn(&Asked<'_>, &mut Request) -> Result<(), Wrong>,
}

const fn step(to: To, rule: &'static str, check: fn(&Asked<'_>, &mut Request) -> Result<(), Wrong>) -> Step {
    Step { rule, to, check }
}

/// The checks, in order. Whoever adds one adds a line here.
const TABLE: [Step; 18] = [
    step(To::Page, "the client is known", client),
    step(To::Page, "the redirect URI is registered, exactly", redirect_uri),
    step(To::Client, "state is short enough to be given back", state),
    step(To::Client, "no parameter stands there twice", once),
    step(To::Client, "no request object", no_request_object),
    step(To::Client, "the response type is code", response_type),
    step(To::Client, "the response mode is query", response_mode),
    step(To::Client, "the client may use authorization codes", grant),
    step(To::Client, "some scope is left that the client may ask for", scopes),
    step(To::Client, "PKCE with S256", pkce),
    step(To::Client, "nonce is short enough", nonce),
    step(To::Client, "prompt is understood", prompt),
    step(To::Client, "max_age is a number of seconds", max_age),
    step(To::Client, "display is understood", display),
    step(To::Client, "acr_values, login_hint and languages are short enough", hints),
    step(To::Client, "claims is a request of claims", claims),
    step(To::Client, "levels of authentication that are demanded exist", levels),
    step(To::Client, "id_token_hint is a token of ours", id_token_hint),
];

/// Checks a request. On a refusal, the rule that refused it stands beside what is told.
///
/// # Errors
/// What is told, where, and the rule.
pub fn check(asked: &Asked<'_>) -> Result<Request, (Told, &'static str)> {
    let mut request = Request::default();
    for step in &TABLE {
        if let Err(wrong) = (step.check)(asked, &mut request) {
            let told = match step.to {
                To::Page => Told::Page(wrong),
                To::Client => {
                    let Request { redirect_uri, state, .. } = request;
                    Told::Client { wrong, redirect_uri, state }
                }
            };
            return Err((told, step.rule));
        }
    }
    Ok(request)
}

/// The level of a login by one factor.
pub const SINGLE: &str = "pwd";
/// The level of a login by two factors.
pub const MULTIPLE: &str = "mfa";
/// The levels that exist, the lowest first.
pub const LEVELS: [&str; 2] = [SINGLE, MULTIPLE];

/// How high a level is; none: it does not exist.
pub fn height(acr: &str) -> Option<usize> {
    LEVELS.iter().position(|level| *level == acr)
}

const fn invalid(why: &'static str) -> Wrong {
    Wrong::new(Code::InvalidRequest, why)
}

fn client(asked: &Asked<'_>, _: &mut Request) -> Result<(), Wrong> {
    match (asked.parameters.one("client_id"), asked.client) {
        (Err(_), _) => Err(invalid("client_id stands there twice")),
        (Ok(None), _) => Err(invalid("client_id is missing")),
        (Ok(Some(_)), None) => Err(Wrong::new(Code::InvalidClient, "there is no such application")),
        (Ok(Some(_)), Some(_)) => Ok(()),
    }
}

fn redirect_uri(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    let given = asked.parameters.one("redirect_uri").map_err(|_| invalid("redirect_uri stands there twice"))?;
    let given = given.ok_or(invalid("redirect_uri is missing"))?;
    if !asked.client.is_some_and(|client| client.returns_to(given)) {
        return Err(invalid("redirect_uri is not registered for this application"));
    }
    given.clone_into(&mut request.redirect_uri);
    Ok(())
}

fn state(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    match asked.parameters.one("state") {
        Err(_) => Err(invalid("state stands there twice")),
        Ok(Some(state)) if state.len() > STATE => Err(invalid("state is too long")),
        Ok(state) => {
            request.state = state.map(str::to_owned);
            Ok(())
        }
    }
}

fn once(asked: &Asked<'_>, _: &mut Request) -> Result<(), Wrong> {
    if asked.parameters.has_twins() { Err(invalid("a parameter stands there twice")) } else { Ok(()) }
}

fn no_request_object(asked: &Asked<'_>, _: &mut Request) -> Result<(), Wrong> {
    let refused = [
        ("request", Code::RequestNotSupported, "request objects are not taken"),
        ("request_uri", Code::RequestUriNotSupported, "request objects are not fetched"),
        ("registration", Code::RegistrationNotSupported, "applications do not register themselves"),
    ];
    for (name, code, why) in refused {
        if asked.parameters.get(name).is_some() {
            return Err(Wrong::new(code, why));
        }
    }
    Ok(())
}

fn response_type(asked: &Asked<'_>, _: &mut Request) -> Result<(), Wrong> {
    match asked.parameters.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(Wrong::new(Code::UnsupportedResponseType, "the only response type is code")),
        None => Err(invalid("response_type is missing")),
    }
}

fn response_mode(asked: &Asked<'_>, _: &mut Request) -> Result<(), Wrong> {
    match asked.parameters.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(invalid("the only response mode is query")),
    }
}

fn grant(asked: &Asked<'_>, _: &mut Request) -> Result<(), Wrong> {
    if asked.client.is_some_and(|client| client.may(Grant::AuthorizationCode)) {
        return Ok(());
    }
    Err(Wrong::new(Code::UnauthorizedClient, "this application may not use authorization codes"))
}

fn scopes(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    let given = words(asked.parameters.get("scope").unwrap_or_default());
    // OpenID Connect Core §3.1.2.1: what is not understood is ignored; what is not allowed is not granted.
    let may = |scope: &String| asked.client.is_some_and(|client| client.scopes.contains(scope));
    request.scopes = given.into_iter().filter(|scope| scope::is_scope(scope) && may(scope)).collect();
    if request.scopes.is_empty() {
        return Err(Wrong::new(Code::InvalidScope, "no scope is asked for that this application may have"));
    }
    Ok(())
}

fn pkce(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    let challenge =
        asked.parameters.get("code_challenge").ok_or(invalid("code_challenge is missing: PKCE is needed"))?;
    if asked.parameters.get("code_challenge_method") != Some("S256") {
        return Err(invalid("code_challenge_method must be S256"));
    }
    let is_digest = challenge.len() == 43 && crate::jose::decode(challenge).is_ok_and(|digest| digest.len() == 32);
    if !is_digest {
        return Err(invalid("code_challenge is not the base64url of a SHA-256"));
    }
    challenge.clone_into(&mut request.challenge);
    Ok(())
}

fn nonce(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    let nonce = asked.parameters.get("nonce");
    if nonce.is_some_and(|nonce| nonce.len() > NONCE || nonce.chars().any(char::is_control)) {
        return Err(invalid("nonce is too long or has control characters"));
    }
    request.nonce = nonce.map(str::to_owned);
    Ok(())
}

fn prompt(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    let given = words(asked.parameters.get("prompt").unwrap_or_default());
    for word in &given {
        match word.as_str() {
            "none" => request.prompt.none = true,
            "login" => request.prompt.login = true,
            "consent" => request.prompt.consent = true,
            "select_account" => request.prompt.select_account = true,
            _ => return Err(invalid("prompt is none, login, consent or select_account")),
        }
    }
    if request.prompt.none && given.len() > 1 {
        return Err(invalid("prompt=none stands alone"));
    }
    Ok(())
}

fn max_age(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    let Some(given) = asked.parameters.get("max_age") else { return Ok(()) };
    let seconds = given.parse::<u32>().ok().filter(|_| given.bytes().all(|b| b.is_ascii_digit()));
    let seconds = seconds.ok_or(invalid("max_age is no number of seconds"))?;
    request.max_age = Some(Span::from_secs(seconds.min(MAX_AGE)));
    Ok(())
}

fn display(asked: &Asked<'_>, _: &mut Request) -> Result<(), Wrong> {
    match asked.parameters.get("display") {
        None | Some("page" | "popup" | "touch" | "wap") => Ok(()),
        Some(_) => Err(invalid("display is page, popup, touch or wap")),
    }
}

fn hints(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    request.acr_values = words(asked.parameters.get("acr_values").unwrap_or_default());
    let login_hint = asked.parameters.get("login_hint");
    let ui_locales = asked.parameters.get("ui_locales");
    let long = |text: Option<&str>, most: usize| text.is_some_and(|text| text.len() > most);
    if request.acr_values.len() > 20 || long(login_hint, LOGIN_HINT) || long(ui_locales, 200) {
        return Err(invalid("acr_values, login_hint or ui_locales is too long"));
    }
    request.login_hint = login_hint.map(str::to_owned);
    request.ui_locales = ui_locales.map(str::to_owned);
    Ok(())
}

fn claims(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    let Some(text) = asked.parameters.get("claims") else { return Ok(()) };
    request.claims = ClaimsRequest::parse(text).map_err(invalid)?;
    request.claims_text = Some(text.to_owned());
    Ok(())
}

/// Levels: the client's own need comes first, then an essential `acr` of the claims parameter (OpenID Connect Core
/// §5.5.1.1), which is a demand; `acr_values` and a voluntary `acr` are wishes.
fn levels(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    if let Some(wish) = request.claims.in_id_token("acr") {
        let texts: Vec<String> = wish.values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect();
        if wish.essential && !texts.is_empty() {
            if texts.iter().all(|text| height(text).is_none()) {
                return Err(Wrong::new(
                    Code::UnmetAuthentication,
                    "no level of authentication that is demanded exists",
                ));
            }
            request.acr_essential = texts;
        } else {
            request.acr_values.extend(texts);
        }
    }
    if let Some(needed) = asked.client.and_then(|client| client.needs_acr.as_deref()) {
        let least = height(needed).unwrap_or(LEVELS.len().saturating_sub(1));
        let asked_for = request.acr_essential.iter().filter_map(|acr| height(acr)).min().unwrap_or(0);
        request.acr_essential = LEVELS
            .iter()
            .enumerate()
            .filter(|(at, _)| *at >= least.max(asked_for))
            .map(|(_, l)| (*l).to_owned())
            .collect();
    }
    Ok(())
}

fn id_token_hint(asked: &Asked<'_>, request: &mut Request) -> Result<(), Wrong> {
    let Some(hint) = asked.parameters.get("id_token_hint") else { return Ok(()) };
    let client_id = asked.client.map(|client| client.client_id.as_str());
    request.hint = Some(
        read_hint(hint, client_id, asked.issuer, asked.ring, asked.now)
            .ok_or(invalid("id_token_hint is no ID token that was issued here for this application"))?,
    );
    Ok(())
}

/// Whom an ID token of ours is about; one that has expired is good enough for a hint. None: it is not ours, or not for
/// this client.
pub fn read_hint(hint: &str, client_id: Option<&str>, issuer: &str, ring: &Ring, now: Millis) -> Option<Hint> {
    let claims = ring.prove(hint, &["jwt"], now).ok()?;
    let expected = Expected { issuer, audience: client_id, lifetime: Lifetime::MayHaveEnded, now };
    token::check(&claims, &expected).ok()?;
    let sub = token::text(&claims, "sub").ok()?.to_owned();
    Some(Hint { sub, sid: token::text(&claims, "sid").ok().map(str::to_owned) })
}
