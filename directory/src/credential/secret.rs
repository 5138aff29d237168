//! Password bytes in memory: wiped when dropped, never printed.
//!
//! Owns [`Secret`], the only type in which a cleartext password travels from a door to the hash pool. It does not
//! protect against a reader of the process's memory while the secret lives; it shortens that time and keeps the bytes
//! out of logs. Doors build it from the request buffer; `password`, `quality` and `pool` read it.

use std::fmt;
use zeroize::Zeroizing;

/// Bytes that are wiped on drop and redacted in `Debug`. Has no `Display`, no `PartialEq` and no serde on purpose.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over without copying them, so no second copy stays behind.
    pub fn new(bytes: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(bytes))
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Secret {
        Secret::new(bytes.to_vec())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret::from(text.as_bytes())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even the length: it is a fact about the password.
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        // Goal: neither the bytes nor their number reach a log through Debug.
        let short = format!("{:?}", Secret::from("hunter2"));
        let long = format!("{:?}", Secret::from("hunter2hunter2"));
        assert!(!short.contains("hunter2"));
        assert_eq!(short, long);
    }

    #[test]
    fn keeps_bytes() {
        // Goal: what goes in comes out, also when it is not UTF-8.
        for bytes in [&b""[..], b"abc", b"\xff\x00\xe9"] {
            assert_eq!(Secret::from(bytes).expose(), bytes);
        }
    }
}
