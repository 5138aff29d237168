//! The provider's keys, and the ID tokens that are signed with them, or not.

use super::{Asked, patch};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use directory::grant::Algorithm;
use oidc::jose::sign::SigningKey;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Making an RSA key takes a while: these are made once for all tests.
static RSA: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [0; 2].map(|_| Algorithm::Rs256.generate().unwrap().to_vec()));
static P256: LazyLock<Vec<u8>> = LazyLock::new(|| Algorithm::Es256.generate().unwrap().to_vec());
static ED25519: LazyLock<Vec<u8>> = LazyLock::new(|| Algorithm::EdDsa.generate().unwrap().to_vec());

/// How the ID token is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signed {
    /// With the provider's RSA key.
    #[default]
    Rs256,
    /// With the same key, and PSS.
    Ps256,
    /// With its key on P-256.
    Es256,
    /// With its key on edwards25519.
    EdDsa,
    /// With a secret that two share.
    Hs256(String),
    /// Not at all.
    Nobody,
    /// With somebody else's key, under the name of its own.
    Stranger,
}

/// The keys that are published.
pub(super) fn keys(rotated: bool) -> [SigningKey; 3] {
    let rsa = key(Algorithm::Rs256, &RSA[usize::from(rotated)]);
    [rsa, key(Algorithm::Es256, &P256), key(Algorithm::EdDsa, &ED25519)]
}

fn key(algorithm: Algorithm, pkcs8: &[u8]) -> SigningKey {
    SigningKey::from_pkcs8(algorithm, pkcs8).unwrap()
}

/// An ID token.
pub(super) fn token(asked: &Asked, claims: &Value) -> String {
    let [rsa, p256, ed25519] = keys(asked.rotated);
    let (name, key) = match &asked.signed {
        Signed::Rs256 | Signed::Stranger => ("RS256", rsa),
        Signed::Ps256 => ("PS256", rsa),
        Signed::Hs256(_) => ("HS256", rsa),
        Signed::Nobody => ("none", rsa),
        Signed::Es256 => ("ES256", p256),
        Signed::EdDsa => ("EdDSA", ed25519),
    };
    let mut header = json!({"alg": name, "kid": key.public().thumbprint(), "typ": "JWT"});
    patch(&mut header, &asked.header);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(claims));
    let signature = match &asked.signed {
        Signed::Nobody => Vec::new(),
        Signed::Hs256(secret) => {
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
            aws_lc_rs::hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
        }
        Signed::Ps256 => {
            let pair = RsaKeyPair::from_pkcs8(&RSA[usize::from(asked.rotated)]).unwrap();
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
            signature
        }
        Signed::Stranger => keys(!asked.rotated)[0].sign(message.as_bytes()).unwrap(),
        Signed::Rs256 | Signed::Es256 | Signed::EdDsa => key.sign(message.as_bytes()).unwrap(),
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
