//! What a browser keeps between two steps of another crate's: sealed, short-lived, in cookies of its own.
//!
//! Owns the names and the lives. A value that is too long for one cookie goes into several; nothing of a step that is not
//! finished is kept on the server, so nobody can fill it with them.

use crate::cookie::{self, Keep};
use crate::page::set_cookie;
use crate::visit::Visit;
use axum::body::Body;
use axum::http::Response;
use directory::clock::Span;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Characters of one cookie, well below the 4,096 octets that browsers keep of one with its name and attributes.
const PART: usize = 3_800;
/// Cookies for one value.
const PARTS: usize = 4;

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    name: &'static str,
    lasting: Span,
}

impl Kept {
    /// A question to an upstream provider, until its answer.
    pub const UPSTREAM: Kept = Kept { name: "__Host-rollbook-sso", lasting: Span::from_mins(10) };
    /// Somebody whom a provider has signed in, until they have signed in here as well.
    pub const LINK: Kept = Kept { name: "__Host-rollbook-link", lasting: Span::from_mins(15) };

    /// Lets the browser keep a value. False: it is too long.
    pub fn give<T: Serialize>(self, visit: &Visit, response: &mut Response<Body>, value: &T) -> bool {
        let web = &visit.web;
        let Some(text) = web.sealer().seal(web.directory(), self.name, value, visit.now().wall, self.lasting) else {
            return false;
        };
        if text.len() > PART * PARTS {
            return false;
        }
        let seconds = u32::try_from(self.lasting.millis() / 1_000).unwrap_or(0);
        // Sealed text is ASCII.
        let mut parts = text.as_bytes().chunks(PART).filter_map(|part| std::str::from_utf8(part).ok());
        for number in 0..PARTS {
            match parts.next() {
                Some(part) => set_cookie(response, &self.part(number), part, Keep::Seconds(seconds)),
                None if self.has(visit, number) => set_cookie(response, &self.part(number), "", Keep::Gone),
                None => {}
            }
        }
        true
    }

    /// What the browser keeps, as far as it is ours and not too old.
    pub fn read<T: DeserializeOwned>(self, visit: &Visit) -> Option<T> {
        let text: String = (0..PARTS).map_while(|n| cookie::read(&visit.headers, &self.part(n))).collect();
        visit.web.sealer().open(self.name, &text, visit.now().wall)
    }

    /// Takes it back.
    pub fn forget(self, visit: &Visit, response: &mut Response<Body>) {
        for number in (0..PARTS).filter(|number| self.has(visit, *number)) {
            set_cookie(response, &self.part(number), "", Keep::Gone);
        }
    }

    fn has(self, visit: &Visit, number: usize) -> bool {
        cookie::read(&visit.headers, &self.part(number)).is_some()
    }

    fn part(self, number: usize) -> String {
        if number == 0 { self.name.to_owned() } else { format!("{}-{number}", self.name) }
    }
}
