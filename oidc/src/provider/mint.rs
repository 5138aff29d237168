//! What stands in the tokens that are issued: access tokens (RFC 9068), ID tokens (OpenID Connect Core §2), logout tokens
//! (OpenID Connect Back-Channel Logout §2.4). Each has a type of its own, so that none can pass for another.

use crate::claims::project::seconds;
use crate::jose::{Algorithm, encode};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use directory::clock::{Millis, Span};
use serde_json::{Map, Value, json};

/// The type of an access token.
pub const ACCESS: &str = "at+jwt";
/// The type of an ID token.
pub const ID: &str = "JWT";
/// The type of a logout token.
pub const LOGOUT: &str = "logout+jwt";
/// The same two as they are compared.
pub const ACCESS_TYPES: [&str; 1] = [ACCESS];
/// The event of a logout token.
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// A logout token is good for so long.
pub const LOGOUT_LIFE: Span = Span::from_secs(120);

/// What a token is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Our issuer.
    pub issuer: &'a str,
    /// The account, or the client for itself.
    pub sub: &'a str,
    /// The client.
    pub client_id: &'a str,
    /// When.
    pub now: Millis,
    /// How long it is good.
    pub life: Span,
}

impl About<'_> {
    fn base(&self, audience: &str) -> Map<String, Value> {
        let mut claims = Map::new();
        claims.insert("iss".into(), self.issuer.into());
        claims.insert("sub".into(), self.sub.into());
        claims.insert("aud".into(), audience.into());
        claims.insert("iat".into(), seconds(self.now).into());
        claims.insert("exp".into(), seconds(self.now.saturating_add(self.life)).into());
        claims
    }
}

/// How the person signed in.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// When.
    pub auth_time: Millis,
    /// At which level.
    pub acr: &'a str,
    /// By which means.
    pub amr: &'a [String],
    /// In which session.
    pub sid: Option<&'a str>,
}

/// The claims of an access token. `family` is what it lives and dies with; none for a client's own.
pub fn access(
    about: &About<'_>,
    jti: &str,
    scopes: &[String],
    family: Option<(&str, Login<'_>)>,
) -> Map<String, Value> {
    let mut claims = about.base(about.issuer);
    claims.insert("client_id".into(), about.client_id.into());
    claims.insert("jti".into(), jti.into());
    claims.insert("scope".into(), scopes.join(" ").into());
    if let Some((family, login)) = family {
        claims.insert("fam".into(), family.into());
        claims.insert("auth_time".into(), seconds(login.auth_time).into());
        claims.insert("acr".into(), login.acr.into());
        claims.insert("amr".into(), login.amr.into());
    }
    claims
}

/// The claims of an ID token; `more` are claims of the account that were asked for by name.
pub fn id(
    about: &About<'_>,
    login: Login<'_>,
    nonce: Option<&str>,
    access_token: &str,
    algorithm: Algorithm,
    more: Map<String, Value>,
) -> Map<String, Value> {
    // What the account says comes first: it cannot stand in the place of what the token says.
    let mut claims = more;
    claims.extend(about.base(about.client_id));
    claims.insert("auth_time".into(), seconds(login.auth_time).into());
    claims.insert("acr".into(), login.acr.into());
    claims.insert("amr".into(), login.amr.into());
    claims.insert("at_hash".into(), half_hash(access_token, algorithm).into());
    if let Some(sid) = login.sid {
        claims.insert("sid".into(), sid.into());
    }
    if let Some(nonce) = nonce {
        claims.insert("nonce".into(), nonce.into());
    }
    claims
}

/// The claims of a logout token: no nonce, so that it can never pass for an ID token.
pub fn logout(about: &About<'_>, jti: &str, sid: Option<&str>) -> Map<String, Value> {
    let mut claims = about.base(about.client_id);
    claims.insert("jti".into(), jti.into());
    claims.insert("events".into(), json!({LOGOUT_EVENT: {}}));
    if let Some(sid) = sid {
        claims.insert("sid".into(), sid.into());
    }
    claims
}

/// `at_hash` (OpenID Connect Core §3.1.3.6): the left half of the hash that the signature uses; SHA-512 for Ed25519.
fn half_hash(token: &str, algorithm: Algorithm) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => digest(&SHA256, token.as_bytes()),
        Algorithm::EdDsa => digest(&SHA512, token.as_bytes()),
    };
    let octets = hash.as_ref();
    encode(octets.split_at_checked(octets.len() / 2).map_or(octets, |(left, _)| left))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About<'_> = About {
        issuer: "https://id.example",
        sub: "u",
        client_id: "orders",
        now: Millis(1_800_000_000_999),
        life: Span::from_secs(300),
    };
    const LOGIN: Login<'_> = Login { auth_time: Millis(1_799_999_999_000), acr: "pwd", amr: &[], sid: Some("s") };

    /// Goal: the example of OpenID Connect Core §A.4: the hash of that access token.
    #[test]
    fn the_example_of_at_hash() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(token, Algorithm::Rs256), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(half_hash(token, Algorithm::EdDsa).len(), 43);
    }

    /// Goal: requirements 44 and 66: the three kinds of token cannot be taken for each other.
    #[test]
    fn kinds_of_tokens() {
        let access = access(&ABOUT, "j", &["openid".into(), "email".into()], Some(("f", LOGIN)));
        assert_eq!(
            (&access["aud"], &access["scope"], &access["fam"]),
            (&json!("https://id.example"), &json!("openid email"), &json!("f"))
        );
        assert_eq!((&access["iat"], &access["exp"]), (&json!(1_800_000_000), &json!(1_800_000_300)));
        assert!(access.get("nonce").is_none());
        let mut more = Map::new();
        for (name, value) in [("aud", "evil"), ("sub", "admin"), ("acr", "mfa"), ("email", "a@b")] {
            more.insert(name.into(), value.into());
        }
        let id = id(&ABOUT, LOGIN, Some("n"), "token", Algorithm::Es256, more);
        assert_eq!((&id["aud"], &id["sub"], &id["acr"]), (&json!("orders"), &json!("u"), &json!("pwd")));
        assert_eq!((&id["nonce"], &id["sid"], &id["email"]), (&json!("n"), &json!("s"), &json!("a@b")));
        let logout = logout(&ABOUT, "j", Some("s"));
        assert!(logout.get("nonce").is_none());
        assert_eq!(logout["events"], json!({LOGOUT_EVENT: {}}));
        assert_eq!(logout["aud"], "orders");
        assert!(LOGOUT_LIFE <= Span::from_secs(120));
    }
}
