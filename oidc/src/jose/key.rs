//! Public keys: JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037) in, checked signatures out.
//!
//! A key is bound to one algorithm by its kind, so that a token's header cannot choose another (RFC 8725 §3.1).

use super::{Algorithm, Flaw, decode, encode};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde_json::{Map, Value, json};

/// Bits of the smallest and the largest RSA modulus that is taken.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// What a public key is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
    /// A point on P-256.
    P256 {
        /// The two coordinates.
        x: [u8; 32],
        /// The other.
        y: [u8; 32],
    },
    /// A point on edwards25519.
    Ed25519 {
        /// The point.
        x: [u8; 32],
    },
}

/// A key that signatures are checked with.
#[derive(Debug, Clone)]
pub struct PublicKey {
    material: Material,
    parsed: std::sync::Arc<ParsedPublicKey>,
}

impl PublicKey {
    /// A key of this material.
    ///
    /// # Errors
    /// [`Flaw::Key`] when it is none: a point that is not on its curve, an RSA modulus out of bounds.
    pub fn new(material: Material) -> Result<PublicKey, Flaw> {
        let parsed = match &material {
            Material::Rsa { n, e } => {
                let bits = n.len().saturating_mul(8);
                let even = n.last().is_none_or(|octet| octet.is_multiple_of(2));
                if n.first() == Some(&0) || even || !RSA_BITS.contains(&bits) || !(1..=8).contains(&e.len()) {
                    return Err(Flaw::Key);
                }
                let components = RsaPublicKeyComponents { n: n.as_slice(), e: e.as_slice() };
                components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            }
            Material::P256 { x, y } => {
                let mut point = [4; 65];
                point.iter_mut().skip(1).zip(x.iter().chain(y)).for_each(|(to, from)| *to = *from);
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            }
            Material::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x),
        };
        let parsed = std::sync::Arc::new(parsed.map_err(|_| Flaw::Key)?);
        Ok(PublicKey { material, parsed })
    }

    /// The key in a JWK. Members that are not needed are ignored; one for encryption, for other operations or another
    /// algorithm is refused, and so is one with private parts in it.
    ///
    /// # Errors
    /// [`Flaw::Key`].
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<PublicKey, Flaw> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).ok_or(Flaw::Key);
        let octets = |name: &str| decode(text(name)?).map_err(|_| Flaw::Key);
        let point = |name: &str| <[u8; 32]>::try_from(octets(name)?).map_err(|_| Flaw::Key);
        if jwk.contains_key("d") || jwk.contains_key("k") {
            return Err(Flaw::Key);
        }
        let material = match (text("kty")?, jwk.get("crv").and_then(Value::as_str)) {
            ("RSA", _) => Material::Rsa { n: octets("n")?, e: octets("e")? },
            ("EC", Some("P-256")) => Material::P256 { x: point("x")?, y: point("y")? },
            ("OKP", Some("Ed25519")) => Material::Ed25519 { x: point("x")? },
            _ => return Err(Flaw::Key),
        };
        let key = PublicKey::new(material)?;
        let says = |name: &str, wanted: &str| jwk.get(name).is_none_or(|value| value.as_str() == Some(wanted));
        let verifies = jwk
            .get("key_ops")
            .is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op.as_str() == Some("verify"))));
        if says("use", "sig") && says("alg", key.algorithm().name()) && verifies { Ok(key) } else { Err(Flaw::Key) }
    }

    /// The one algorithm that this key is for.
    pub fn algorithm(&self) -> Algorithm {
        match &self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256 { .. } => Algorithm::Es256,
            Material::Ed25519 { .. } => Algorithm::EdDsa,
        }
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`Flaw::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Flaw> {
        self.parsed.verify_sig(message, signature).map_err(|_| Flaw::Signature)
    }

    /// The members that make the key, in the order and form of RFC 7638 §3.2.
    fn members(&self) -> Value {
        match &self.material {
            Material::Rsa { n, e } => json!({"e": encode(e), "kty": "RSA", "n": encode(n)}),
            Material::P256 { x, y } => json!({"crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y)}),
            Material::Ed25519 { x } => json!({"crv": "Ed25519", "kty": "OKP", "x": encode(x)}),
        }
    }

    /// The key's thumbprint (RFC 7638), which is its `kid`: the same key never has two names, two keys never one.
    pub fn thumbprint(&self) -> String {
        // serde_json keeps members in lexical order, which is the order that the thumbprint demands.
        encode(digest(&SHA256, self.members().to_string().as_bytes()))
    }

    /// The JWK, for the key set.
    pub fn to_jwk(&self, kid: &str) -> Value {
        let mut jwk = self.members();
        if let Value::Object(map) = &mut jwk {
            map.insert("use".into(), "sig".into());
            map.insert("alg".into(), self.algorithm().name().into());
            map.insert("kid".into(), kid.into());
        }
        jwk
    }
}
