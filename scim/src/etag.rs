//! Versions of resources, and the conditions of RFC 9110 §13.1 on them.
//!
//! Owns the form of a version: `W/"POSITION"`, the place in the journal of the entry's last change. What shows in a user and
//! lies outside of its entry — the account's facts, the groups — is told after a dot: it may change without the entry.

use axum::http::{HeaderMap, header};
use directory::entry::record::Record;
use directory::id::EntryId;
use directory::lifecycle::Account;
use std::fmt::Write;

/// The version of an entry as a resource. `account`: its facts and all its groups, when the reader sees them.
pub fn version(record: &Record<'_>, account: Option<(&Account, &[EntryId])>) -> String {
    let position = record.header().version.0;
    let Some((account, groups)) = account else { return format!("W/\"{position}\"") };
    let mut digest = Digest::default();
    // What a login changes in passing is no new version of the resource.
    let lock = account.counters.lock.map_or(0, |lock| lock.at.0.cast_unsigned());
    let hold = account.hold.map_or(0, |hold| hold.at.0.cast_unsigned());
    let dormant = account.dormant_at.map_or(0, |at| at.0.cast_unsigned());
    for part in [account.epoch, hold, dormant, lock, u64::from(account.force_change), account.standing as u64] {
        digest.take(part);
    }
    for group in groups {
        digest.take(group.0);
    }
    let mut version = String::with_capacity(40);
    // Writing to memory does not fail.
    let _ = write!(version, "W/\"{position}.{:x}\"", digest.0);
    version
}

/// The version of a group that is shown with its members: they may go without a change of the group, when their accounts do.
pub fn with_members(version: &str, members: &[u8]) -> String {
    let mut digest = Digest::default();
    for word in members.chunks(8) {
        let mut octets = [0; 8];
        octets.iter_mut().zip(word).for_each(|(to, from)| *to = *from);
        digest.take(u64::from_le_bytes(octets));
    }
    format!("W/\"{}.{:x}\"", opaque(version), digest.0)
}

/// FNV-1a over 64-bit words: versions are told apart, not defended.
struct Digest(u64);

impl Default for Digest {
    fn default() -> Digest {
        Digest(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    fn take(&mut self, part: u64) {
        for byte in part.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Whether `If-Match` lets the request go on. Comparison is weak: all versions here are (RFC 7644 §3.14).
pub fn matches(headers: &HeaderMap, version: &str) -> bool {
    named(headers, header::IF_MATCH, version).unwrap_or(true)
}

/// Whether the request has an `If-Match`.
pub fn is_conditional(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_MATCH)
}

/// Whether `If-None-Match` names the version: 304 for reading, 412 for writing.
pub fn none_match_names(headers: &HeaderMap, version: &str) -> bool {
    named(headers, header::IF_NONE_MATCH, version).unwrap_or(false)
}

/// Whether a list of entity tags names the version; none: there is no such header.
fn named(headers: &HeaderMap, name: header::HeaderName, version: &str) -> Option<bool> {
    let mut present = false;
    let mut found = false;
    for value in headers.get_all(name) {
        present = true;
        let Ok(text) = value.to_str() else { continue };
        found |= text.split(',').map(str::trim).any(|tag| tag == "*" || is_same(opaque(tag), opaque(version)));
    }
    present.then_some(found)
}

/// A version that tells nothing of members is that of every state of them.
fn is_same(tag: &str, version: &str) -> bool {
    let bare = !version.contains('.') && tag.split('.').next() == Some(version);
    tag == version || bare
}

/// The tag without its weakness and quotes: some clients lose one or the other.
fn opaque(tag: &str) -> &str {
    let tag = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    tag.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn conditions_compare_weakly_and_by_any_of_a_list() {
        // Goal: RFC 9110 §13.1.1 and §13.1.2 with weak tags, lists, `*`, and no header at all.
        let version = "W/\"12.ab\"";
        let rows = [
            ("W/\"12.ab\"", true),
            ("\"12.ab\"", true),
            ("12.ab", true),
            ("*", true),
            ("W/\"1\", W/\"12.ab\"", true),
            ("W/\"12\"", false),
            ("", false),
        ];
        for (value, wanted) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_str(value).unwrap());
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            assert_eq!(matches(&headers, version), wanted, "{value}");
            assert_eq!(none_match_names(&headers, version), wanted, "{value}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static("W/\"7.1\""));
        assert!(matches(&headers, "W/\"7\"") && !matches(&headers, "W/\"7.2\"") && !matches(&headers, "W/\"8\""));
        assert_ne!(with_members("W/\"7\"", b"[1]"), with_members("W/\"7\"", b"[2]"));
        assert!(matches(&HeaderMap::new(), version) && !none_match_names(&HeaderMap::new(), version));
    }
}
