//! A provider in memory with one tenant, two people and some clients; and what a relying party does.

use crate::browser::{Browser, Page};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use directory::bootstrap;
use directory::change::{Act, Change, Target};
use directory::clock::{ManualClock, Millis, Span};
use directory::credential::{Params, pool};
use directory::handle::{Backend, Directory, Options};
use directory::id::EntryId;
use directory::random::Random;
use directory::store::verify::verify;
use oidc::fetch::{Fetcher, Network};
use oidc::jose::json::{Bounds, object};
use oidc::jose::jws::Unproven;
use oidc::jose::key::PublicKey;
use oidc::provider::{Issuer, Provider, Settings, router};
use serde_json::{Map, Value};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tower_service::Service as _;
use web::Web;

pub const ISSUER: &str = "https://localhost";
pub const BASE: &str = "dc=example,dc=com";
pub const PASSWORD: &str = "nine wooden ladders";
pub const CALLBACK: &str = "https://app.example/cb";
pub const BYE: &str = "https://app.example/bye";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// 2026-09-21, noon.
pub const START: Millis = Millis(1_790_000_000_000);

pub struct Rig {
    pub directory: Directory,
    pub clock: Arc<ManualClock>,
    pub router: Router,
}

/// A client and its secret.
#[derive(Clone)]
pub struct App {
    pub id: String,
    pub secret: String,
}

/// An answer of an endpoint for programs.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Map<String, Value> {
        let read = object(&self.body, Bounds::DOCUMENT);
        read.unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self, name: &str) -> String {
        let json = self.json();
        json.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {json:?}")).to_owned()
    }

    pub fn error(&self) -> (u16, String) {
        (self.status.as_u16(), self.text("error"))
    }
}

impl Rig {
    pub async fn start() -> Rig {
        Rig::trusting(rustls::RootCertStore::empty(), Vec::new()).await
    }

    pub async fn trusting(roots: rustls::RootCertStore, allowed: Vec<Network>) -> Rig {
        Rig::named(ISSUER, roots, allowed).await
    }

    pub async fn named(issuer: impl Into<Issuer>, roots: rustls::RootCertStore, allowed: Vec<Network>) -> Rig {
        let clock = Arc::new(ManualClock::at(START));
        let mut options = Options::new(Backend::Memory).unwrap();
        options.cache_bytes = 4 * 1024 * 1024;
        options.clock = Box::new(Arc::clone(&clock));
        options.random = Random::from_seed(11);
        options.hashing = Params::new(8, 1, 1).unwrap();
        options.pool = pool::Limits { threads: NonZeroUsize::MIN, ..options.pool };
        let directory = Directory::open(options).unwrap();
        let making = directory.clone();
        tokio::task::spawn_blocking(move || bootstrap::suffix(&making, BASE)).await.unwrap().unwrap();
        directory.turn_keys().await.unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let pages = web::Settings { public_url: Some(ISSUER.into()), ..web::Settings::new(&directory) };
        let web = Web::open(directory.clone(), pages).unwrap();
        let fetcher = Fetcher::new(Arc::new(tls), allowed);
        let provider = Provider::open(web.clone(), Settings::new(issuer), fetcher).unwrap();
        let router = router(provider).merge(web::router(web));
        let rig = Rig { directory, clock, router };
        rig.person("bob").await;
        rig.person("amy").await;
        rig
    }

    async fn change(&self, change: Change) {
        self.directory.change(&bootstrap::operator(&self.directory), change).await.unwrap();
    }

    pub async fn add(&self, dn: &str, attributes: &[(&str, &str)]) -> EntryId {
        let mut grouped: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        for (name, value) in attributes {
            match grouped.iter_mut().find(|(known, _)| known == name.as_bytes()) {
                Some((_, values)) => values.push(value.as_bytes().to_vec()),
                None => grouped.push((name.as_bytes().to_vec(), vec![value.as_bytes().to_vec()])),
            }
        }
        let change = Change::Add { dn: dn.as_bytes().to_vec(), attributes: grouped };
        let receipt = self.directory.change(&bootstrap::operator(&self.directory), change).await.unwrap();
        receipt.entry.unwrap()
    }

    async fn person(&self, uid: &str) {
        let mail = format!("{uid}@example.com");
        let dn = format!("uid={uid},ou=people,{BASE}");
        self.add(
            &dn,
            &[
                ("objectClass", "inetOrgPerson"),
                ("objectClass", "rollbookAccount"),
                ("uid", uid),
                ("cn", "Bob Builder"),
                ("sn", "Builder"),
                ("givenName", "Bob"),
                ("mail", &mail),
                ("rollbookMailVerified", "TRUE"),
                ("telephoneNumber", "+1 555 0100"),
                ("postalAddress", "1 Main Street$Springfield"),
                ("l", "Springfield"),
                ("rollbookLocale", "en-US"),
            ],
        )
        .await;
        let target = Target::Dn(dn.into_bytes());
        self.change(Change::Password { target, old: None, new: Some(PASSWORD.into()) }).await;
    }

    pub async fn act(&self, uid: &str, act: Act) {
        let target = Target::Dn(format!("uid={uid},ou=people,{BASE}").into_bytes());
        self.change(Change::Account { target, act }).await;
    }

    pub async fn set_password(&self, uid: &str, password: &str) {
        let target = Target::Dn(format!("uid={uid},ou=people,{BASE}").into_bytes());
        self.change(Change::Password { target, old: None, new: Some(password.into()) }).await;
    }

    /// A first-party client that may do everything, with these attributes besides.
    pub async fn app(&self, id: &str, more: &[(&str, &str)]) -> App {
        let mut attributes = vec![
            ("objectClass", "rollbookApplication"),
            ("cn", id),
            ("displayName", "Orders"),
            ("rollbookClientId", id),
            ("rollbookRedirectUri", CALLBACK),
            ("rollbookPostLogoutUri", BYE),
            ("rollbookGrantType", "authorization_code"),
            ("rollbookGrantType", "refresh_token"),
            ("rollbookGrantType", "client_credentials"),
        ];
        let scopes = ["openid", "profile", "email", "address", "phone", "groups", "roles", "tenant", "offline_access"];
        attributes.extend(scopes.map(|scope| ("rollbookAllowedScope", scope)));
        if more.iter().all(|(name, _)| *name != "rollbookFirstParty") {
            attributes.push(("rollbookFirstParty", "TRUE"));
        }
        attributes.extend(more);
        let entry = self.add(&format!("cn={id},ou=applications,{BASE}"), &attributes).await;
        let operator = bootstrap::operator(&self.directory);
        let secret = self.directory.make_client_secret(&operator, entry, Span::ZERO).await.unwrap();
        App { id: id.to_owned(), secret: secret.expose().to_owned() }
    }

    pub fn pass(&self, span: Span) {
        self.clock.advance(span);
    }

    pub fn seconds(&self) -> i64 {
        self.directory.now().wall.0 / 1_000
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 4 * 1024 * 1024).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, authorization: Option<&str>, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = Request::builder().method(Method::POST).uri(path);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Posts as a client does, with its secret in the header.
    pub async fn ask(&self, app: &App, path: &str, form: &[(&str, &str)]) -> Answer {
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", app.id, app.secret)));
        self.post(path, Some(&basic), form).await
    }

    pub async fn redeem(&self, app: &App, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.ask(app, "/oauth2/token", &form).await
    }

    pub async fn refresh(&self, app: &App, token: &str) -> Answer {
        self.ask(app, "/oauth2/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub async fn introspect(&self, app: &App, token: &str) -> Map<String, Value> {
        let answer = self.ask(app, "/oauth2/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    }

    pub async fn is_active(&self, app: &App, token: &str) -> bool {
        self.introspect(app, token).await["active"] == true
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::get("/oauth2/userinfo").header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// The address of the authorization endpoint with these parameters over the usual ones; an empty value leaves one out.
    pub fn authorize(&self, app: &App, changes: &[(&str, &str)]) -> String {
        let usual = [
            ("client_id", app.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "st"),
            ("nonce", "no"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(usual.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)));
        out.extend_pairs(changes.iter().filter(|(_, value)| !value.is_empty()));
        format!("/oauth2/authorize?{}", out.finish())
    }

    /// A browser goes to the authorization endpoint and signs in where it is asked to; ends outside, or at a page.
    pub async fn enter(&self, browser: &mut Browser, app: &App, who: &str, changes: &[(&str, &str)]) -> Page {
        let page = browser.go(self, &self.authorize(app, changes)).await;
        if page.asks_for_password() { browser.sign_in(self, page, who, PASSWORD).await } else { page }
    }

    /// The whole way to tokens.
    pub async fn tokens(&self, browser: &mut Browser, app: &App, changes: &[(&str, &str)]) -> Map<String, Value> {
        let page = self.enter(browser, app, "bob", changes).await;
        let answer = self.redeem(app, &page.outside("code")).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.json());
        answer.json()
    }

    /// The claims of a token of ours, checked with the published keys; and its header's algorithm and type.
    pub async fn claims(&self, token: &str) -> (Map<String, Value>, String, String) {
        let set = self.get("/oauth2/jwks").await.json();
        let unproven = Unproven::parse(token).unwrap();
        let kid = unproven.kid.clone().unwrap();
        let key = set["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["kid"] == kid.as_str())
            .expect("the key is published");
        let key = PublicKey::from_jwk(key.as_object().unwrap()).unwrap();
        let claims = unproven.prove(&key).unwrap();
        (claims, unproven.algorithm.name().to_owned(), unproven.typ.unwrap())
    }

    pub async fn verify(&self) {
        self.directory.flush(true).await.unwrap();
        let snapshot = self.directory.snapshot().unwrap();
        let findings = verify(&snapshot, self.directory.schema()).unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
    }
}

/// The same token with another letter in its signature.
pub fn bend(token: &str) -> String {
    let (head, signature) = token.rsplit_once('.').unwrap();
    let mut octets = URL_SAFE_NO_PAD.decode(signature).unwrap();
    octets[3] ^= 1;
    format!("{head}.{}", URL_SAFE_NO_PAD.encode(octets))
}
