//! The compact form (RFC 7515 §3.1): taken apart with everything checked that does not need a key, and put together.

use super::key::PublicKey;
use super::sign::SigningKey;
use super::{Algorithm, Flaw, decode, encode, json};
use serde::Serialize;
use serde_json::{Map, Value};

/// Octets of the longest token that is looked at.
pub const MOST: usize = 16 * 1024;
/// Octets of the longest key identifier that is compared.
const KID: usize = 256;

/// A token taken apart; nothing of it is proven yet.
#[derive(Debug, Clone)]
pub struct Unproven<'a> {
    /// The algorithm that it says it is signed with.
    pub algorithm: Algorithm,
    /// The key that it says it is signed with.
    pub kid: Option<String>,
    /// Its type, in lower case and without `application/`.
    pub typ: Option<String>,
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unproven<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Flaw::TooLong`], [`Flaw::Malformed`], [`Flaw::Algorithm`], [`Flaw::Header`] for `crit`, `b64`, `zip` and `enc`.
    pub fn parse(token: &'a str) -> Result<Unproven<'a>, Flaw> {
        if token.len() > MOST {
            return Err(Flaw::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(Flaw::Malformed)?;
        if payload.contains('.') {
            return Err(Flaw::Malformed);
        }
        let header = json::object(&decode(header)?, json::Bounds::TOKEN).map_err(|_| Flaw::Malformed)?;
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or(Flaw::Algorithm)?;
        let algorithm = Algorithm::from_name(algorithm).ok_or(Flaw::Algorithm)?;
        let (mut kid, mut typ) = (None, None);
        for (name, value) in &header {
            match name.as_str() {
                "alg" => (),
                "kid" => kid = Some(value.as_str().filter(|kid| kid.len() <= KID).ok_or(Flaw::Header)?.to_owned()),
                "typ" => typ = Some(media_type(value.as_str().ok_or(Flaw::Header)?)),
                "crit" | "b64" | "zip" | "enc" => return Err(Flaw::Header),
                // RFC 7515 §4: what is not understood and not critical is ignored. So are `jku`, `jwk`, `x5u` and `x5c`:
                // the key comes from where the checker has it, never from the token (RFC 8725 §3.10).
                _ => (),
            }
        }
        Ok(Unproven { algorithm, kid, typ, message, payload, signature: decode(signature)? })
    }

    /// The claims, once the signature is that of this key.
    ///
    /// # Errors
    /// [`Flaw::Key`] for a key of another algorithm, [`Flaw::Signature`], [`Flaw::Malformed`] for claims that are no
    /// JSON object.
    pub fn prove(&self, key: &PublicKey) -> Result<Map<String, Value>, Flaw> {
        if key.algorithm() != self.algorithm {
            return Err(Flaw::Key);
        }
        key.verify(self.message.as_bytes(), &self.signature)?;
        self.claims_again()
    }

    /// The claims, for a caller who knows that this very token has been proven before.
    ///
    /// # Errors
    /// [`Flaw::Malformed`] for claims that are no JSON object.
    pub(crate) fn claims_again(&self) -> Result<Map<String, Value>, Flaw> {
        json::object(&decode(self.payload)?, json::Bounds::TOKEN).map_err(|_| Flaw::Malformed)
    }
}

/// RFC 7515 §4.1.9: compared without case, `application/` left out when nothing else follows a slash.
fn media_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(short) if !short.contains('/') => short.to_owned(),
        _ => lower,
    }
}

/// The header of what is signed here.
#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// Signs claims: `typ` says what the token is for (RFC 8725 §3.11).
///
/// # Errors
/// [`Flaw::Key`] when the key cannot sign.
pub fn sign(key: &SigningKey, kid: &str, typ: &str, claims: &Map<String, Value>) -> Result<String, Flaw> {
    let header = Header { alg: key.algorithm().name(), kid, typ };
    let mut token = encode(serde_json::to_vec(&header).map_err(|_| Flaw::Malformed)?);
    token.push('.');
    token.push_str(&encode(serde_json::to_vec(claims).map_err(|_| Flaw::Malformed)?));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&encode(signature));
    Ok(token)
}
