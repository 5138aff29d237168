//! Signed tokens: JWS in its compact form (RFC 7515) over three algorithms, and the checks of RFC 8725.
//!
//! Pure: octets and keys in, octets and claims out. What a token must say to be good for a purpose is asked by the purpose
//! ([`token::Expected`]); nothing here takes a key, an address or an algorithm from a token.
//!
//! - [`json`] reads what a stranger sends: no member twice, bounded.
//! - [`key`] are public keys, as JWK (RFC 7517) and back; [`sign`] the private ones.
//! - [`jws`] takes a token apart and puts one together.
//! - [`token`] checks the claims.

pub mod json;
pub mod jws;
pub mod key;
pub mod sign;
pub mod token;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The signature algorithms. What is not among them is not understood: `none`, and everything with a shared secret,
/// cannot even be named.
pub use directory::grant::Algorithm;

/// Why a token or key is not taken. For the log: peers are told no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Longer than [`jws::MOST`].
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url, or not JSON inside.
    #[error("the token is malformed")]
    Malformed,
    /// A header member that would change what is signed or needs understanding.
    #[error("the token's header asks for what is not understood")]
    Header,
    /// An algorithm that is not on the list.
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    /// A type other than the expected one.
    #[error("the token is of another type")]
    Type,
    /// A key that is not known, or not for this algorithm.
    #[error("the token's key is not known")]
    Key,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// Issued by somebody else.
    #[error("the token has another issuer")]
    Issuer,
    /// For somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Past its end, or without one.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come, or it claims to be made in the future.
    #[error("the token is not good yet")]
    Early,
    /// It is good for longer than is allowed.
    #[error("the token is good for too long")]
    Long,
    /// A claim is missing or is of the wrong kind.
    #[error("a claim of the token is missing or wrong")]
    Claim,
}

/// base64url without padding (RFC 7515 §2).
pub fn encode(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// The octets of base64url without padding, in its one spelling: no padding, no line ends, no bits left over.
///
/// # Errors
/// [`Flaw::Malformed`].
pub fn decode(text: &str) -> Result<Vec<u8>, Flaw> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Flaw::Malformed)
}
