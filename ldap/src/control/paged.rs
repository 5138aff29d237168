//! Simple paged results (RFC 2696): cookies that need no memory on this side.
//!
//! A cookie is the id of the last entry sent and a keyed digest over it, the connection, the login and everything in the
//! request that says which search it is. So a cookie continues its own search and nothing else: not after a change of the
//! filter, not on another connection, not with another login, not when an octet is altered.

use aws_lc_rs::hmac;
use directory::{context::Actor, id::EntryId};

/// Octets of the digest in a cookie.
const DIGEST: usize = 16;
/// Octets of the entry id in a cookie.
const ID: usize = 8;

/// What a page of a search is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Send this many entries, after this one.
    Send {
        /// Most entries in the page.
        size: u32,
        /// The last entry of the page before.
        after: Option<EntryId>,
    },
    /// Send none and forget the search.
    GiveUp,
}

/// What makes a search the same search on the next page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) connection: u64,
    pub(crate) actor: Actor,
    /// Base, scope, dereferencing, filter and attributes, encoded. Sizes and times may change from page to page.
    pub(crate) search: &'a [u8],
}

/// Authenticates cookies; lives as long as the process.
#[derive(Debug)]
pub(crate) struct CookieKey(hmac::Key);

impl CookieKey {
    pub(crate) fn new(octets: &[u8; 32]) -> CookieKey {
        CookieKey(hmac::Key::new(hmac::HMAC_SHA256, octets))
    }

    /// What a page of `size` entries after `cookie` is to do; none when the cookie is not for this search. An empty cookie
    /// begins. A size of 0 gives up the search that the cookie names; without one it asks for no pages.
    pub(crate) fn read(&self, size: u32, cookie: &[u8], search: &Identity<'_>) -> Option<Page> {
        if cookie.is_empty() {
            let size = if size == 0 { u32::MAX } else { size };
            return Some(Page::Send { size, after: None });
        }
        let (id, digest) = cookie.split_first_chunk::<ID>()?;
        let expected = self.digest(*id, search);
        // Length is public; the comparison of the rest takes the same time wherever it differs.
        if !constant_time_eq(digest, &expected) {
            return None;
        }
        if size == 0 {
            return Some(Page::GiveUp);
        }
        Some(Page::Send { size, after: Some(EntryId(u64::from_be_bytes(*id))) })
    }

    /// The cookie for the page after `last`.
    pub(crate) fn cookie(&self, last: EntryId, search: &Identity<'_>) -> [u8; ID + DIGEST] {
        let id = last.0.to_be_bytes();
        let digest = self.digest(id, search);
        let mut cookie = [0; ID + DIGEST];
        for (place, octet) in cookie.iter_mut().zip(id.iter().chain(&digest)) {
            *place = *octet;
        }
        cookie
    }

    fn digest(&self, id: [u8; ID], search: &Identity<'_>) -> [u8; DIGEST] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&id);
        context.update(&search.connection.to_be_bytes());
        let (kind, account) = match search.actor {
            Actor::Anonymous => (0u8, 0),
            Actor::Account { id, .. } => (1, id.0),
            Actor::System => (2, 0),
        };
        context.update(&[kind]);
        context.update(&account.to_be_bytes());
        context.update(search.search);
        let tag = context.sign();
        tag.as_ref().first_chunk::<DIGEST>().copied().unwrap_or_default()
    }
}

fn constant_time_eq(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(search: &[u8]) -> Identity<'_> {
        let actor = Actor::Account { id: EntryId(7), epoch: 1, must_change_password: false };
        Identity { connection: 3, actor, search }
    }

    #[test]
    fn a_cookie_continues_its_own_search_only() {
        // Goal: the same search goes on after the entry named; any difference in search, login, connection or cookie is
        // refused (RFC 2696 §3, hostile row A11).
        let key = CookieKey::new(&[1; 32]);
        let own = search(b"dc=x subtree (cn=*) cn");
        let cookie = key.cookie(EntryId(99), &own);
        assert_eq!(key.read(5, &cookie, &own), Some(Page::Send { size: 5, after: Some(EntryId(99)) }));
        assert_eq!(
            key.read(500, &cookie, &own),
            Some(Page::Send { size: 500, after: Some(EntryId(99)) }),
            "size may change"
        );
        assert_eq!(key.read(0, &cookie, &own), Some(Page::GiveUp));

        let strangers = [
            search(b"dc=y subtree (cn=*) cn"),
            search(b"dc=x subtree (cn=*)"),
            search(b""),
            Identity { connection: 4, ..own },
            Identity { actor: Actor::Anonymous, ..own },
            Identity { actor: Actor::System, ..own },
        ];
        for stranger in strangers {
            assert_eq!(key.read(5, &cookie, &stranger), None, "{stranger:?}");
        }
        for place in 0..cookie.len() {
            let mut altered = cookie;
            altered[place] ^= 1;
            assert_eq!(key.read(5, &altered, &own), None, "octet {place}");
        }
        for shorter in 1..cookie.len() {
            assert_eq!(key.read(5, &cookie[..shorter], &own), None);
        }
        assert_eq!(CookieKey::new(&[2; 32]).read(5, &cookie, &own), None, "another process");
    }

    #[test]
    fn the_first_page_needs_no_cookie() {
        // Goal: an empty cookie begins, and a size of 0 there asks for everything at once.
        let key = CookieKey::new(&[1; 32]);
        let own = search(b"");
        let first = |size| key.read(size, b"", &own);
        assert_eq!(first(10), Some(Page::Send { size: 10, after: None }));
        assert_eq!(first(0), Some(Page::Send { size: u32::MAX, after: None }));
    }
}
