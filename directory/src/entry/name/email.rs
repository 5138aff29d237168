//! E-mail addresses.
//!
//! Owns the key of an address: the local part case-folded, the domain as A-labels. RFC 5321 §2.4 lets the receiving
//! host distinguish case in the local part; hardly any does, and two accounts whose addresses differ in case only are
//! a way to take over one by the other. So here they are one address. Mail always goes to the address as the account
//! has it, never to the one that somebody typed, nor to the key.

use std::fmt::{self, Display, Formatter};

use super::{NameRefusal, text};

/// The longest local part in octets (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The longest address in octets (RFC 5321 §4.5.3.1.3, without the angle brackets).
const MAX_BYTES: usize = 254;

/// The key of an address: two addresses are one when their keys are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailKey {
    key: String,
    at: usize,
}

impl EmailKey {
    /// The key of an address (`addr-spec` only: no display name, no comments, no angle brackets).
    ///
    /// # Errors
    /// What is wrong with it. Nothing is trimmed.
    pub fn prepare(address: &str) -> Result<EmailKey, NameRefusal> {
        if address.is_empty() {
            return Err(NameRefusal::Empty);
        }
        if address.len() > MAX_BYTES {
            return Err(NameRefusal::TooLong);
        }
        if address.chars().any(char::is_control) {
            return Err(NameRefusal::Control);
        }
        let (local, domain) = address.rsplit_once('@').ok_or(NameRefusal::NotAnAddress)?;
        let local = prepare_local(local)?;
        let domain = prepare_domain(domain)?;
        let at = local.len();
        let key = format!("{local}@{domain}");
        if key.len() > MAX_BYTES { Err(NameRefusal::TooLong) } else { Ok(EmailKey { key, at }) }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// The key.
    pub fn as_bytes(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// The domain in A-labels and lower case: what a tenant's list of domains is compared with.
    pub fn domain(&self) -> &str {
        self.key.get(self.at.saturating_add(1)..).unwrap_or_default()
    }

    /// The local part, folded.
    pub fn local(&self) -> &str {
        self.key.get(..self.at).unwrap_or_default()
    }
}

impl Display for EmailKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

/// A dot-atom (RFC 5322 §3.2.3, RFC 6532 §3.2), folded. `"john.doe"` is `john.doe`; a quoted part that needs its quotes
/// is refused: the programs on the way disagree on what such an address is.
fn prepare_local(local: &str) -> Result<String, NameRefusal> {
    if local.len() > MAX_LOCAL {
        return Err(NameRefusal::TooLong);
    }
    let (local, quoted) = match local.strip_prefix('"') {
        Some(rest) => (rest.strip_suffix('"').ok_or(NameRefusal::Quoted)?, true),
        None => (local, false),
    };
    let key = text::fold(local).ok_or(NameRefusal::Unassigned)?;
    if key.len() > MAX_LOCAL {
        return Err(NameRefusal::TooLong);
    }
    match check_local(&key) {
        Ok(()) => Ok(key),
        Err(_) if quoted => Err(NameRefusal::Quoted),
        Err(refusal) => Err(refusal),
    }
}

fn check_local(key: &str) -> Result<(), NameRefusal> {
    if key.split('.').any(str::is_empty) {
        return Err(NameRefusal::NotAnAddress);
    }
    for character in key.chars() {
        match character {
            'a'..='z' | '0'..='9' | '.' => {}
            '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^' | '_' | '`' | '{' | '|'
            | '}' | '~' => {}
            ' ' => return Err(NameRefusal::Space),
            ascii if ascii.is_ascii() => return Err(NameRefusal::Forbidden(ascii)),
            other => text::check_character(other)?,
        }
    }
    text::check_part(key)?;
    text::check_bidi(&std::iter::once(key))
}

/// The domain by UTS 46: folded, every label in its A-label form, letters, digits and hyphens only, DNS lengths.
fn prepare_domain(domain: &str) -> Result<String, NameRefusal> {
    if domain.is_empty() {
        return Err(NameRefusal::NotAnAddress);
    }
    if domain.starts_with('[') {
        return Err(NameRefusal::Literal);
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| NameRefusal::Domain)?;
    let last = ascii.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(if last.is_empty() { NameRefusal::Domain } else { NameRefusal::Literal });
    }
    Ok(ascii)
}
