//! A provider that signs people in for rollbook: an OpenID provider over TLS on the loopback that can be told to lie.
//!
//! Honest, it does what Google, Microsoft Entra or any OpenID provider does, and takes nothing that these would not take:
//! a code goes once, for the same return address, client secret and PKCE verifier. A lie is a patch (RFC 7396) over what is
//! true: of the metadata, the claims, the header of the ID token, the token answer, the answer through the browser.
//!
//! ```text
//! Upstream ── provider() ──▶ the entry that rollbook has of it
//!     │  authorize(address): the person agrees; what comes back is the address that the browser is sent to
//!     │  tell(|asked| …): lie about this
//!     └─ served(path): how often it was asked for something
//! ```
#![expect(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod sign;

pub use sign::Signed;

use crate::START;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use directory::application::{Cloud, LinkPolicy, Provider, ProviderKind};
use directory::clock::Millis;
use directory::id::EntryId;
use hyper_util::rt::TokioIo;
use oidc::fetch::{Fetcher, Network};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Our client identifier there.
pub const UPSTREAM_CLIENT: &str = "rollbook-at-the-provider";
/// Our client secret there; it has what has to be escaped.
pub const UPSTREAM_SECRET: &str = "a secret: between+two/100%";

const ACCESS_TOKEN: &str = "an access token";

/// What a path does instead of answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Never answers.
    Slow,
    /// Answers with more than anybody takes.
    Huge,
    /// Sends elsewhere.
    Redirect(String),
    /// Answers with this status and this body.
    Answer(u16, String),
}

/// What the provider has been told to say. The patches are null where it tells the truth.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Over the claims of the person.
    pub person: Value,
    /// Over what it tells of the person at its own endpoint.
    pub userinfo: Value,
    /// Over the metadata.
    pub metadata: Value,
    /// Over each key of the set.
    pub key: Value,
    /// Over all claims of the ID token.
    pub claims: Value,
    /// Over its header.
    pub header: Value,
    /// Over the answer of the token endpoint.
    pub tokens: Value,
    /// Over the parameters that go back through the browser.
    pub callback: Value,
    /// How the ID token is signed.
    pub signed: Signed,
    /// The set holds the second key instead of the first, and tokens are signed by it.
    pub rotated: bool,
    /// `Cache-Control` of what it publishes.
    pub cache_control: Option<&'static str>,
    /// By path: `metadata`, `keys`, `token`, `userinfo`.
    pub trouble: HashMap<&'static str, Trouble>,
    /// What the clocks there say; [`START`] at first.
    pub now: Option<Millis>,
}

/// The provider.
pub struct Upstream {
    kind: ProviderKind,
    origin: String,
    certificate: rcgen::Certificate,
    shared: Arc<Shared>,
    door: JoinHandle<()>,
}

struct Shared {
    kind: ProviderKind,
    origin: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: Asked,
    codes: HashMap<String, HashMap<String, String>>,
    made: usize,
    served: HashMap<&'static str, usize>,
    form: HashMap<String, String>,
    authorization: Option<String>,
}

impl Upstream {
    /// Starts one that does as this kind does.
    pub async fn start(kind: ProviderKind) -> Upstream {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let acceptor = crate::tls::acceptor(&made);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let shared = Arc::new(Shared { kind, origin: origin.clone(), state: Mutex::default() });
        let serving = Arc::clone(&shared);
        let door = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, shared) = (acceptor.clone(), Arc::clone(&serving));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(socket).await else { return };
                    let service = hyper::service::service_fn(|request| serve(Arc::clone(&shared), request));
                    _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Upstream { kind, origin, certificate: made.cert, shared, door }
    }

    /// Where it is: its issuer, of Entra without the tenant.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The certificate to trust.
    pub fn certificate_pem(&self) -> String {
        self.certificate.pem()
    }

    /// A client that trusts it and may ask the loopback.
    pub fn fetcher(&self) -> Fetcher {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(crypto())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let own = [("127.0.0.0", 8), ("::1", 128)];
        let own = own.map(|(address, prefix)| Network { address: address.parse().unwrap(), prefix });
        Fetcher::new(Arc::new(config), own.to_vec())
    }

    /// The entry that rollbook has of it: in use, and of Entra open for [`Upstream::TENANT`].
    pub fn provider(&self) -> Provider {
        Provider {
            id: EntryId(7),
            dn: format!("cn={0},ou=applications,{1}", self.kind.name(), crate::BASE),
            name: self.kind.name().to_owned(),
            display_name: "Upstream".to_owned(),
            kind: self.kind,
            enabled: true,
            client_id: UPSTREAM_CLIENT.to_owned(),
            issuer: Some(self.origin.clone()),
            cloud: Cloud::Global,
            allowed_tenants: (self.kind == ProviderKind::Entra)
                .then(|| Upstream::TENANT.to_owned())
                .into_iter()
                .collect(),
            allowed_domains: Vec::new(),
            trusted_domains: Vec::new(),
            link_policy: LinkPolicy::Deny,
            just_in_time: false,
            trusts_second_factor: false,
            group_mapping: Vec::new(),
            scopes: Vec::new(),
            algorithms: Vec::new(),
        }
    }

    /// The tenant of Entra that the person is of.
    pub const TENANT: &str = "4d2bcb10-6a4e-4ea1-9dbe-4f8bba8b5e33";

    /// Tells it what to say from now on.
    pub fn tell(&self, what: impl FnOnce(&mut Asked)) {
        what(&mut self.shared.state().asked);
    }

    /// How often it was asked: `metadata`, `keys`, `token`, `userinfo`.
    pub fn served(&self, path: &'static str) -> usize {
        self.shared.state().served.get(path).copied().unwrap_or(0)
    }

    /// The form of the last request to the token endpoint, and its `Authorization`.
    pub fn redeemed(&self) -> (HashMap<String, String>, Option<String>) {
        let state = self.shared.state();
        (state.form.clone(), state.authorization.clone())
    }

    /// The person goes to this address and agrees: the address that the browser is sent back to.
    pub fn authorize(&self, address: &str) -> String {
        let query = address.strip_prefix(&format!("{}/authorize?", self.origin)).expect("an address of this provider");
        self.shared.authorize(query)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.door.abort();
    }
}

fn crypto() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

async fn serve(shared: Arc<Shared>, request: Request<hyper::body::Incoming>) -> Result<Response<Body>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = http_body_util::BodyExt::collect(body).await?.to_bytes();
    let path = match parts.uri.path() {
        path if path.ends_with("/.well-known/openid-configuration") => "metadata",
        "/keys" => "keys",
        "/token" => "token",
        "/userinfo" => "userinfo",
        "/authorize" => "authorize",
        _ => "elsewhere",
    };
    let trouble = {
        let mut state = shared.state();
        *state.served.entry(path).or_default() += 1;
        state.asked.trouble.get(path).cloned()
    };
    let cache = shared.state().asked.cache_control.unwrap_or("max-age=600");
    let plain = |status: u16, body: Body| {
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
        response.header(header::CACHE_CONTROL, cache).body(body).unwrap()
    };
    let away = |to: String| {
        Response::builder().status(StatusCode::FOUND).header(header::LOCATION, to).body(Body::empty()).unwrap()
    };
    Ok(match (trouble, path) {
        (Some(Trouble::Slow), _) => std::future::pending().await,
        (Some(Trouble::Huge), _) => plain(200, Body::from(vec![b' '; 2 * 1024 * 1024])),
        (Some(Trouble::Redirect(to)), _) => away(to),
        (Some(Trouble::Answer(status, text)), _) => plain(status, Body::from(text)),
        (None, "metadata") => {
            let authority = parts.uri.path().split('/').nth(1).unwrap_or_default();
            plain(200, Body::from(shared.metadata(authority).to_string()))
        }
        (None, "keys") => plain(200, Body::from(shared.keys().to_string())),
        (None, "token") => {
            let authorization = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
            match shared.redeem(&body, authorization) {
                Ok(tokens) => plain(200, Body::from(tokens.to_string())),
                Err(error) => plain(400, Body::from(json!({"error": error}).to_string())),
            }
        }
        (None, "userinfo") => {
            let bearer = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
            let is_ours = bearer.and_then(|bearer| bearer.strip_prefix("Bearer ")) == Some(ACCESS_TOKEN);
            if is_ours { plain(200, Body::from(shared.userinfo().to_string())) } else { plain(401, Body::empty()) }
        }
        (None, "authorize") => away(shared.authorize(parts.uri.query().unwrap_or_default())),
        _ => plain(404, Body::empty()),
    })
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn metadata(&self, authority: &str) -> Value {
        let origin = &self.origin;
        let issuer = match (self.kind, authority) {
            (ProviderKind::Entra, "organizations" | "common") => format!("{origin}/{{tenantid}}/v2.0"),
            (ProviderKind::Entra, tenant) => format!("{origin}/{tenant}/v2.0"),
            _ => origin.clone(),
        };
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{origin}/token"),
            "userinfo_endpoint": format!("{origin}/userinfo"),
            "jwks_uri": format!("{origin}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "authorization_response_iss_parameter_supported": self.kind != ProviderKind::Entra,
        });
        if self.kind == ProviderKind::Entra {
            document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post", "private_key_jwt"]);
        }
        patch(&mut document, &self.state().asked.metadata);
        document
    }

    fn keys(&self) -> Value {
        let asked = self.state().asked.clone();
        let jwks = sign::keys(asked.rotated).map(|key| {
            let mut jwk = key.public().to_jwk(&key.public().thumbprint());
            // As Google and Entra: what the key is for does not say PKCS #1 or PSS.
            jwk.as_object_mut().unwrap().remove("alg");
            if self.kind == ProviderKind::Entra {
                jwk["issuer"] = json!(format!("{}/{{tenantid}}/v2.0", self.origin));
            }
            patch(&mut jwk, &asked.key);
            jwk
        });
        json!({ "keys": jwks })
    }

    /// OpenID Connect Core §3.1.2: the question is looked at as strictly as any provider does.
    fn authorize(&self, query: &str) -> String {
        let mut asked: HashMap<String, String> = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            assert!(asked.insert(name.clone(), value).is_none(), "{name} stands twice");
        }
        let is = |name: &str, wanted: &str| asked.get(name).is_some_and(|value| value == wanted);
        assert!(is("response_type", "code") && is("client_id", UPSTREAM_CLIENT), "{asked:?}");
        assert!(is("code_challenge_method", "S256") && asked["scope"].split(' ').any(|s| s == "openid"), "{asked:?}");
        assert!(asked["state"].len() >= 43 && asked["nonce"].len() >= 43, "{asked:?}");
        let mut state = self.state();
        state.made += 1;
        let code = format!("code-{}", state.made);
        let mut back = json!({"code": code, "state": asked["state"]});
        if self.kind != ProviderKind::Entra {
            back["iss"] = json!(self.origin);
        }
        patch(&mut back, &state.asked.callback);
        let redirect = asked["redirect_uri"].clone();
        state.codes.insert(code, asked);
        let pairs = back.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{redirect}?{query}")
    }

    fn redeem(&self, body: &Bytes, authorization: Option<&str>) -> Result<Value, &'static str> {
        let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let mut state = self.state();
        (state.form, state.authorization) = (form.clone(), authorization.map(str::to_owned));
        let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let (client, secret) = match authorization {
            Some(basic) => pair(basic).ok_or("invalid_client")?,
            None => (given("client_id").to_owned(), given("client_secret").to_owned()),
        };
        if (client.as_str(), secret.as_str()) != (UPSTREAM_CLIENT, UPSTREAM_SECRET) {
            return Err("invalid_client");
        }
        let asked = state.codes.remove(given("code")).ok_or("invalid_grant")?;
        let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, given("code_verifier").as_bytes());
        let proven = asked["code_challenge"] == URL_SAFE_NO_PAD.encode(challenge);
        if !proven || given("redirect_uri") != asked["redirect_uri"] || given("grant_type") != "authorization_code" {
            return Err("invalid_grant");
        }
        let id = self.id_token(&state.asked, &asked["nonce"]);
        let mut answer =
            json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300, "id_token": id});
        patch(&mut answer, &state.asked.tokens);
        Ok(answer)
    }

    fn userinfo(&self) -> Value {
        let asked = self.state().asked.clone();
        let mut claims = self.person(&asked);
        patch(&mut claims, &asked.userinfo);
        claims
    }

    fn person(&self, asked: &Asked) -> Value {
        let mut claims = match self.kind {
            ProviderKind::Google => {
                json!({"sub": "110169484474386276334", "email": "bob@gmail.com", "email_verified": true})
            }
            ProviderKind::Entra => json!({
                "sub": "pairwise-7", "tid": Upstream::TENANT, "oid": "00000000-0000-0000-66f3-3332eca7ea81",
                "email": "bob@example.com", "preferred_username": "bob@example.com", "ver": "2.0",
            }),
            ProviderKind::Oidc => json!({"sub": "person-1", "email": "bob@example.com", "email_verified": true}),
        };
        patch(&mut claims, &json!({"name": "Bob Example", "given_name": "Bob", "family_name": "Example"}));
        patch(&mut claims, &asked.person);
        claims
    }

    fn id_token(&self, asked: &Asked, nonce: &str) -> String {
        let now = asked.now.unwrap_or(START).0 / 1_000;
        let mut claims = self.person(asked);
        let issuer = match (self.kind, claims["tid"].as_str()) {
            (ProviderKind::Entra, Some(tenant)) => format!("{}/{tenant}/v2.0", self.origin),
            _ => self.origin.clone(),
        };
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, ACCESS_TOKEN.as_bytes());
        let said = json!({
            "iss": issuer, "aud": UPSTREAM_CLIENT, "nonce": nonce, "iat": now, "exp": now + 300,
            "at_hash": URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]),
        });
        patch(&mut claims, &said);
        patch(&mut claims, &asked.claims);
        sign::token(asked, &claims)
    }
}

/// Name and secret of `Basic`, both form-encoded (RFC 6749 §2.3.1).
fn pair(authorization: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?).ok()?;
    let (name, secret) = text.split_once(':')?;
    let decoded = |text: &str| form_urlencoded::parse(format!("x={text}").as_bytes()).next().unwrap().1.into_owned();
    Some((decoded(name), decoded(secret)))
}

/// RFC 7396, of objects.
fn patch(target: &mut Value, change: &Value) {
    let Value::Object(change) = change else { return };
    let members: &mut Map<String, Value> = target.as_object_mut().unwrap();
    for (name, value) in change {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}
