//! A `userPassword` value from another server: a hash to keep until the first login, or a cleartext to hash now.
//!
//! Called by the LDIF import and by writers with the right to set a stored hash; an ordinary password change must not
//! come here, or anybody could choose a hash. Owns the question "hash or cleartext" and nothing else.
#![deny(clippy::arithmetic_side_effects)]

use super::password::PasswordHash;
use super::scheme::{self, Defect};
use super::secret::Secret;

/// What an imported value turned out to be.
#[derive(Debug)]
pub enum Imported {
    /// A hash in a known scheme, well-formed and within the cost bounds; upgraded at the next login.
    Hash(PasswordHash),
    /// The password itself: to be hashed at once, never stored.
    Cleartext(Secret),
}

/// Reads one value (RFC 2307 §5.3 and what servers made of it).
///
/// `{SCHEME}value` must be a scheme that can be verified. `{CLEARTEXT}` and `{CLEAR}` are unwrapped. A bare PHC string
/// (`$argon2…`) is a hash, as is a bare crypt(3) string, which other products export. Anything else is a cleartext. A
/// value that looks like a hash but is not one is refused, for taking it as a cleartext would make the stored text
/// itself the password.
pub fn import(value: &[u8]) -> Result<Imported, Defect> {
    let Ok(text) = std::str::from_utf8(value) else {
        return Ok(Imported::Cleartext(Secret::from(value)));
    };
    let stored = if let Some((name, rest)) = scheme::split(text) {
        if name.eq_ignore_ascii_case("CLEARTEXT") || name.eq_ignore_ascii_case("CLEAR") {
            return Ok(Imported::Cleartext(Secret::from(rest)));
        }
        format!("{{{}}}{rest}", name.to_ascii_uppercase())
    } else if text.starts_with("$argon2id$v=19$") {
        text.to_owned() // the canonical form, as our own export writes it
    } else if text.starts_with("$argon2") {
        format!("{{ARGON2}}{text}")
    } else if ["$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$"].iter().any(|prefix| text.starts_with(prefix)) {
        format!("{{CRYPT}}{text}")
    } else {
        return Ok(Imported::Cleartext(Secret::from(value)));
    };
    scheme::parse(&stored)?;
    Ok(Imported::Hash(PasswordHash::from_stored(stored)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(value: &[u8]) -> Result<String, Defect> {
        import(value).map(|imported| match imported {
            Imported::Hash(hash) => hash.as_str().to_owned(),
            Imported::Cleartext(secret) => format!("clear:{}", String::from_utf8_lossy(secret.expose())),
        })
    }

    #[test]
    fn hash_or_cleartext() {
        // Goal: each kind of value is recognised, canonical scheme names are upper case, doubtful ones are refused.
        let cases: [(&[u8], Result<&str, Defect>); 14] = [
            (b"secret", Ok("clear:secret")),
            (b"{CLEARTEXT}secret", Ok("clear:secret")),
            (b"{clear}{x}", Ok("clear:{x}")),
            (b"{} is no scheme", Ok("clear:{} is no scheme")),
            (b"{a b}c", Ok("clear:{a b}c")),
            (b"\xe9t\xe9", Ok("clear:\u{fffd}t\u{fffd}")),
            (b"{ssha}6HL2uk6/TdJw5zPHYqoCxXyXtLUUNQpU", Ok("{SSHA}6HL2uk6/TdJw5zPHYqoCxXyXtLUUNQpU")),
            (b"{SSHA}", Err(Defect::Malformed)),
            (b"{SASL}bob@EXAMPLE.COM", Err(Defect::UnknownScheme)),
            (b"{CRYPT}abJnggxhB/yWI", Err(Defect::UnknownScheme)),
            (b"$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", Err(Defect::Cost)),
            (b"$6$rounds=999999999$abc$x", Err(Defect::Malformed)),
            (b"$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", Err(Defect::Cost)),
            (b"$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", Ok("{CRYPT}$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/")),
        ];
        for (value, expected) in cases {
            assert_eq!(shown(value), expected.map(str::to_owned), "{}", String::from_utf8_lossy(value));
        }
    }

    proptest! {
        #[test]
        fn an_imported_hash_is_sound_and_stable(value in "(\\{[A-Z0-9-]{1,8}\\})?[$a-zA-Z0-9+/=,]{0,40}") {
            // Goal: what import accepts as a hash has no defect and imports to itself.
            if let Ok(Imported::Hash(hash)) = import(value.as_bytes()) {
                prop_assert_eq!(hash.defect(), None);
                prop_assert_eq!(shown(hash.as_str().as_bytes()), Ok(hash.as_str().to_owned()));
            }
        }
    }
}
