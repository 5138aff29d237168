//! Plain and salted digests: `{SHA}` to `{SSHA512}`, `{MD5}`, `{SMD5}`: base64 of digest and salt.
//!
//! Owns their form. They are no protection once stolen and cost nothing to check; that is why they are verified without
//! the pool and upgraded at the first login.
#![deny(clippy::arithmetic_side_effects)]

use super::{Defect, equal};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// The longest salt that is accepted, in bytes; servers use 4 to 32.
const MAX_SALT: usize = 256;

/// One digest and the salt that was appended to the password.
#[derive(Debug)]
pub(in crate::credential) struct Digest {
    algorithm: Algorithm,
    digest: Vec<u8>,
    salt: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// Scheme, algorithm, bytes of digest, salted.
const SCHEMES: [(&str, Algorithm, usize, bool); 10] = [
    ("SSHA", Algorithm::Sha1, 20, true),
    ("SHA", Algorithm::Sha1, 20, false),
    ("SSHA512", Algorithm::Sha512, 64, true),
    ("SHA512", Algorithm::Sha512, 64, false),
    ("SSHA256", Algorithm::Sha256, 32, true),
    ("SHA256", Algorithm::Sha256, 32, false),
    ("SSHA384", Algorithm::Sha384, 48, true),
    ("SHA384", Algorithm::Sha384, 48, false),
    ("SMD5", Algorithm::Md5, 16, true),
    ("MD5", Algorithm::Md5, 16, false),
];

/// None when the scheme is not one of these.
pub(super) fn parse(scheme: &str, value: &str) -> Option<Result<Digest, Defect>> {
    let (_, algorithm, size, salted) = SCHEMES.into_iter().find(|(name, ..)| name.eq_ignore_ascii_case(scheme))?;
    Some(super::base64(value).and_then(|mut digest| {
        // A value that is too short is refused: an empty one would equal the empty prefix of everything.
        let salt_size = digest.len().checked_sub(size).ok_or(Defect::Malformed)?;
        if (salt_size > 0) != salted || salt_size > MAX_SALT {
            return Err(Defect::Malformed);
        }
        let salt = digest.split_off(size);
        Ok(Digest { algorithm, digest, salt })
    }))
}

impl Digest {
    pub(super) fn check(&self, password: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Md5 => self.compare::<Md5>(password),
            Algorithm::Sha1 => self.compare::<Sha1>(password),
            Algorithm::Sha256 => self.compare::<Sha256>(password),
            Algorithm::Sha384 => self.compare::<Sha384>(password),
            Algorithm::Sha512 => self.compare::<Sha512>(password),
        }
    }

    fn compare<D: sha2::Digest>(&self, password: &[u8]) -> bool {
        equal(&D::new().chain_update(password).chain_update(&self.salt).finalize(), &self.digest)
    }
}
