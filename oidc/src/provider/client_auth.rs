//! Who asks at the token endpoint and its kin (OpenID Connect Core §9, RFC 7523, RFC 6749 §2.3).
//!
//! Owns the reading of what a client proves itself with: exactly one method, the registered one. The comparison of a secret
//! is the directory's; the check of an assertion is here.

use super::client::Method;
use super::error::{Code, Wrong};
use super::parameters::Parameters;
use crate::jose::jws::Unproven;
use crate::jose::key::PublicKey;
use crate::jose::token::{self, Expected, Lifetime};
use crate::jose::{Flaw, json};
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use directory::clock::{Millis, Span};
use serde_json::Value;

/// The one type of assertion.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// An assertion may be good for so long.
pub const ASSERTION_LIFE: Span = Span::from_mins(5);

/// What a client shows.
#[derive(Clone, PartialEq, Eq)]
pub enum Shown {
    /// Its name alone.
    Nothing,
    /// A secret, in this way.
    Secret(Method, String),
    /// An assertion.
    Assertion(String),
}

impl Shown {
    /// The method that this is.
    pub fn method(&self) -> Method {
        match self {
            Shown::Nothing => Method::None,
            Shown::Secret(method, _) => *method,
            Shown::Assertion(_) => Method::PrivateKeyJwt,
        }
    }
}

/// Who a request says it is from.
#[derive(Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The client's identifier.
    pub client_id: String,
    /// What it shows for it.
    pub shown: Shown,
    /// It used the Authorization header, and gets its refusal in that form.
    pub by_header: bool,
}

const fn invalid(why: &'static str) -> Wrong {
    Wrong::new(Code::InvalidRequest, why)
}

const UNKNOWN: Wrong =
    Wrong::new(Code::InvalidClient, "the client is not known, or has not proven itself in its registered way");

/// The refusal of everybody who is not who they say: the same for an unknown client, a wrong secret and a wrong method.
pub const fn unknown() -> Wrong {
    UNKNOWN
}

/// Reads who a request says it is from.
///
/// # Errors
/// `invalid_request` for more than one method at once, `invalid_client` for none.
pub fn claimed(headers: &HeaderMap, parameters: &Parameters) -> Result<Claimed, (Wrong, bool)> {
    let by_header = headers.contains_key(header::AUTHORIZATION);
    read(headers, parameters).map_err(|wrong| (wrong, by_header))
}

fn read(headers: &HeaderMap, parameters: &Parameters) -> Result<Claimed, Wrong> {
    let parameter = |name: &str| parameters.one(name).map_err(|_| invalid("a parameter stands there twice"));
    let (named, secret) = (parameter("client_id")?, parameter("client_secret")?);
    let (assertion, kind) = (parameter("client_assertion")?, parameter("client_assertion_type")?);
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let basic = authorizations.next();
    if authorizations.next().is_some() {
        return Err(invalid("more than one Authorization header"));
    }
    match (basic, secret, assertion) {
        (Some(value), None, None) => {
            let (client_id, secret) = basic_pair(value.to_str().ok()).ok_or(UNKNOWN)?;
            if named.is_some_and(|named| named != client_id) {
                return Err(invalid("two different clients in one request"));
            }
            Ok(Claimed { client_id, shown: Shown::Secret(Method::SecretBasic, secret), by_header: true })
        }
        (None, Some(secret), None) => {
            let shown = Shown::Secret(Method::SecretPost, secret.to_owned());
            Ok(Claimed { client_id: named.ok_or(UNKNOWN)?.to_owned(), shown, by_header: false })
        }
        (None, None, Some(assertion)) => {
            if kind != Some(ASSERTION_TYPE) {
                return Err(invalid("client_assertion_type is missing or another than jwt-bearer"));
            }
            let client_id = match named {
                Some(named) => named.to_owned(),
                // RFC 7523 §3: without `client_id` the subject says who it is; the signature decides whether it is true.
                None => subject_of(assertion).ok_or(UNKNOWN)?,
            };
            Ok(Claimed { client_id, shown: Shown::Assertion(assertion.to_owned()), by_header: false })
        }
        (None, None, None) => {
            Ok(Claimed { client_id: named.ok_or(UNKNOWN)?.to_owned(), shown: Shown::Nothing, by_header: false })
        }
        _ => Err(invalid("more than one way of proving the client in one request")),
    }
}

/// The name and secret of `Basic`: both form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic_pair(value: Option<&str>) -> Option<(String, String)> {
    let (scheme, rest) = value?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || rest.len() > 8_192 {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (name, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        let form = format!("x={}", text.replace('&', "%26").replace('=', "%3D"));
        form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decoded(name).filter(|name| !name.is_empty())?, decoded(secret)?))
}

fn subject_of(assertion: &str) -> Option<String> {
    let payload = assertion.split('.').nth(1).filter(|payload| payload.len() <= 8_192)?;
    let claims = json::object(&crate::jose::decode(payload).ok()?, json::Bounds::TOKEN).ok()?;
    token::text(&claims, "sub").ok().map(str::to_owned)
}

/// Checks an assertion (RFC 7523 §3): signed by one of the client's keys, from it and about it, for us alone, young.
///
/// Gives its `jti`, and until when the caller has to remember it: none is good twice (requirement 56).
///
/// # Errors
/// What is wrong with it.
pub fn check_assertion(
    assertion: &str,
    client_id: &str,
    jwks: &[(Option<String>, PublicKey)],
    issuer: &str,
    now: Millis,
) -> Result<(String, Millis), Flaw> {
    let unproven = Unproven::parse(assertion)?;
    if unproven.typ.as_deref().is_some_and(|typ| !matches!(typ, "jwt" | "client-authentication+jwt")) {
        return Err(Flaw::Type);
    }
    let fits = |kid: &Option<String>| unproven.kid.is_none() || *kid == unproven.kid;
    let mut claims = Err(Flaw::Key);
    for (_, key) in jwks.iter().filter(|(kid, key)| fits(kid) && key.algorithm() == unproven.algorithm) {
        claims = unproven.prove(key);
        if claims.is_ok() {
            break;
        }
    }
    let claims = claims?;
    let expected = Expected { issuer: client_id, audience: None, lifetime: Lifetime::AtMost(ASSERTION_LIFE), now };
    token::check(&claims, &expected)?;
    if token::text(&claims, "sub")? != client_id {
        return Err(Flaw::Claim);
    }
    // The issuer alone, as one text: an assertion for several, or for an endpoint, may be meant for somebody else.
    if claims.get("aud").and_then(Value::as_str) != Some(issuer) {
        return Err(Flaw::Audience);
    }
    let jti = token::text(&claims, "jti")?;
    if jti.len() > 256 {
        return Err(Flaw::Claim);
    }
    let ends = token::moment(&claims, "exp")?.ok_or(Flaw::Expired)?;
    Ok((jti.to_owned(), ends.saturating_add(token::SKEW)))
}

/// The keys of a JWK set, each with its name; those that are of no use here are passed over.
pub fn keys_of(jwks: &str) -> Vec<(Option<String>, PublicKey)> {
    let Ok(set) = json::object(jwks.as_bytes(), json::Bounds::TOKEN) else { return Vec::new() };
    let Some(Value::Array(keys)) = set.get("keys") else { return Vec::new() };
    let key = |key: &Value| {
        let map = key.as_object()?;
        let kid = map.get("kid").and_then(Value::as_str).map(str::to_owned);
        Some((kid, PublicKey::from_jwk(map).ok()?))
    };
    keys.iter().take(32).filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::sign::SigningKey;
    use crate::jose::{Algorithm, jws};
    use axum::http::HeaderValue;
    use serde_json::json;

    fn read_with(authorization: &[&str], body: &str) -> Result<Claimed, Wrong> {
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        read(&headers, &Parameters::parse(body.as_bytes()).unwrap())
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    /// Goal: hostile row E12: one method at a time, each in its form; everything else is refused before anything is looked
    /// up.
    #[test]
    fn one_method() {
        let good = read_with(&[&basic("or%20ders:s%3Aecr%2Bet")], "").map_err(|w| w.why).unwrap();
        assert_eq!(good.client_id, "or ders");
        assert!(good.shown == Shown::Secret(Method::SecretBasic, "s:ecr+et".into()) && good.by_header);
        assert!(
            read_with(&[&basic("a:b&c=d")], "")
                .is_ok_and(|c| c.shown == Shown::Secret(Method::SecretBasic, "b&c=d".into()))
        );
        let post = read_with(&[], "client_id=a&client_secret=b").map_err(|w| w.why).unwrap();
        assert!(post.shown == Shown::Secret(Method::SecretPost, "b".into()));
        assert!(read_with(&[], "client_id=a").is_ok_and(|c| c.shown == Shown::Nothing));
        assert!(read_with(&[&basic("a:b")], "client_id=a").is_ok());
        for (authorization, body, code) in [
            (vec![basic("a:b")], "client_id=c", Code::InvalidRequest),
            (vec![basic("a:b")], "client_id=a&client_secret=b", Code::InvalidRequest),
            (vec![basic("a:b"), basic("a:b")], "", Code::InvalidRequest),
            (vec![], "client_id=a&client_secret=b&client_assertion=x", Code::InvalidRequest),
            (vec![], "client_id=a&client_assertion=x", Code::InvalidRequest),
            (vec![], "client_id=a&client_id=a", Code::InvalidRequest),
            (vec![], "", Code::InvalidClient),
            (vec![], "client_secret=b", Code::InvalidClient),
            (vec![basic("a")], "", Code::InvalidClient),
            (vec![basic(":b")], "", Code::InvalidClient),
            (vec!["Basic !!".to_owned()], "", Code::InvalidClient),
            (vec!["Bearer x".to_owned()], "client_id=a", Code::InvalidClient),
        ] {
            let authorization: Vec<&str> = authorization.iter().map(String::as_str).collect();
            assert_eq!(read_with(&authorization, body).err().map(|w| w.code), Some(code), "{authorization:?} {body}");
        }
    }

    /// Goal: requirement 56: signed by its key, from and about the client, for the issuer alone, at most five minutes.
    #[test]
    fn assertions() {
        let now = Millis(1_800_000_000_000);
        let at = now.0 / 1_000;
        let key = SigningKey::from_pkcs8(Algorithm::Es256, &Algorithm::Es256.generate().unwrap()).unwrap();
        let other = SigningKey::from_pkcs8(Algorithm::Es256, &Algorithm::Es256.generate().unwrap()).unwrap();
        let jwks = keys_of(&json!({"keys": [{"kty": "oct", "k": "AAAA"}, key.public().to_jwk("k1")]}).to_string());
        assert_eq!(jwks.len(), 1);
        let good =
            json!({"iss": "orders", "sub": "orders", "aud": "https://id", "jti": "1", "iat": at, "exp": at + 300});
        let sign = |key: &SigningKey, kid: &str, typ: &str, name: &str, value: Value| {
            let Value::Object(mut claims) = good.clone() else { panic!() };
            if value.is_null() {
                claims.remove(name)
            } else {
                claims.insert(name.into(), value)
            };
            jws::sign(key, kid, typ, &claims).unwrap()
        };
        let check = |assertion: &str| check_assertion(assertion, "orders", &jwks, "https://id", now);
        let first = sign(&key, "k1", "JWT", "jti", json!("1"));
        assert_eq!(subject_of(&first).as_deref(), Some("orders"));
        assert_eq!(check(&first), Ok(("1".to_owned(), Millis(now.0 + 360_000))));
        assert!(check(&sign(&key, "k1", "client-authentication+jwt", "jti", json!("2"))).is_ok());
        for (assertion, flaw) in [
            (sign(&other, "k1", "JWT", "jti", json!("3")), Flaw::Signature),
            (sign(&key, "k2", "JWT", "jti", json!("3")), Flaw::Key),
            (sign(&key, "k1", "at+jwt", "jti", json!("3")), Flaw::Type),
            (sign(&key, "k1", "JWT", "jti", Value::Null), Flaw::Claim),
            (sign(&key, "k1", "JWT", "sub", json!("another")), Flaw::Claim),
            (sign(&key, "k1", "JWT", "sub", Value::Null), Flaw::Claim),
            (sign(&key, "k1", "JWT", "iss", json!("another")), Flaw::Issuer),
            (sign(&key, "k1", "JWT", "aud", json!("https://id/oauth2/token")), Flaw::Audience),
            (sign(&key, "k1", "JWT", "aud", json!(["https://id"])), Flaw::Audience),
            (sign(&key, "k1", "JWT", "aud", json!(["https://id", "https://evil"])), Flaw::Audience),
            (sign(&key, "k1", "JWT", "exp", json!(at + 3_600)), Flaw::Long),
            (sign(&key, "k1", "JWT", "exp", json!(at - 300)), Flaw::Expired),
            (sign(&key, "k1", "JWT", "iat", json!(at + 90)), Flaw::Early),
            ("eyJhbGciOiJub25lIn0.e30.".to_owned(), Flaw::Algorithm),
        ] {
            assert_eq!(check(&assertion), Err(flaw));
        }
    }
}
