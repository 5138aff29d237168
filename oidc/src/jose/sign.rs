//! Private keys: made and kept in `directory::grant`, used here to sign.

use super::key::{Material, PublicKey};
use super::{Algorithm, Flaw};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};

/// A key that tokens are signed with.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
    random: SystemRandom,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// The key in a PKCS#8 document.
    ///
    /// # Errors
    /// [`Flaw::Key`] when it is none of this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<SigningKey, Flaw> {
        let (pair, material) = match algorithm {
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| Flaw::Key)?;
                let (n, e) = modulus_and_exponent(pair.public_key().as_ref()).ok_or(Flaw::Key)?;
                (Pair::Rsa(Box::new(pair)), Material::Rsa { n, e })
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| Flaw::Key)?;
                let point = pair.public_key().as_ref();
                let (x, y) = match point.split_first().map(|(form, rest)| (form, rest.split_at_checked(32))) {
                    Some((4, Some((x, y)))) => (x.try_into(), y.try_into()),
                    _ => return Err(Flaw::Key),
                };
                let material = Material::P256 { x: x.map_err(|_| Flaw::Key)?, y: y.map_err(|_| Flaw::Key)? };
                (Pair::P256(pair), material)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| Flaw::Key)?;
                let x = pair.public_key().as_ref().try_into().map_err(|_| Flaw::Key)?;
                (Pair::Ed25519(pair), Material::Ed25519 { x })
            }
        };
        Ok(SigningKey { pair, public: PublicKey::new(material)?, random: SystemRandom::new() })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The one algorithm of this key.
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// Signs a message.
    ///
    /// # Errors
    /// [`Flaw::Key`] when the key cannot sign.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Flaw> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature).map_err(|_| Flaw::Key)?;
                Ok(signature)
            }
            Pair::P256(pair) => pair.sign(&self.random, message).map(|s| s.as_ref().to_vec()).map_err(|_| Flaw::Key),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// The two numbers of an RSAPublicKey (RFC 8017 §A.1.1), big-endian without leading zeros.
fn modulus_and_exponent(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (sequence, rest) = element(0x30, der)?;
    let (modulus, after) = element(0x02, sequence)?;
    let (exponent, end) = element(0x02, after)?;
    let bare = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).to_vec();
    (rest.is_empty() && end.is_empty()).then(|| (bare(modulus), bare(exponent)))
}

/// The content of a DER element of this type, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match length {
        0..=0x7F => (usize::from(*length), rest),
        0x81 => rest.split_first().map(|(one, rest)| (usize::from(*one), rest))?,
        0x82 => rest.split_first_chunk::<2>().map(|(two, rest)| (usize::from(u16::from_be_bytes(*two)), rest))?,
        _ => return None,
    };
    rest.split_at_checked(length)
}
