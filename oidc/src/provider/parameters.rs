//! The parameters of a request: form-encoded, each at most once, bounded (RFC 6749 §3.1, §3.2).

use std::collections::{BTreeMap, BTreeSet};

/// Octets of all parameters together.
pub const MOST: usize = 32 * 1024;
/// Octets of one value.
pub const VALUE: usize = 8 * 1024;
/// Parameters of one request.
const COUNT: usize = 64;

/// What a request says, by name. A parameter without a value is treated as omitted.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    values: BTreeMap<String, String>,
    twice: BTreeSet<String>,
}

/// A parameter that stands in a request more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twice;

impl Parameters {
    /// The parameters of a query or a form body; none when there is too much of it.
    pub fn parse(text: &[u8]) -> Option<Parameters> {
        if text.len() > MOST {
            return None;
        }
        let mut parameters = Parameters::default();
        for (at, (name, value)) in form_urlencoded::parse(text).enumerate() {
            if at >= COUNT || value.len() > VALUE || name.len() > VALUE {
                return None;
            }
            if value.is_empty() {
                continue;
            }
            if parameters.values.contains_key(name.as_ref()) {
                parameters.twice.insert(name.into_owned());
            } else {
                parameters.values.insert(name.into_owned(), value.into_owned());
            }
        }
        Some(parameters)
    }

    /// The value of a parameter.
    ///
    /// # Errors
    /// [`Twice`].
    pub fn one(&self, name: &str) -> Result<Option<&str>, Twice> {
        if self.twice.contains(name) { Err(Twice) } else { Ok(self.values.get(name).map(String::as_str)) }
    }

    /// The value of a parameter when it stands there once.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.one(name).ok().flatten()
    }

    /// Whether any parameter stands there more than once.
    pub fn has_twins(&self) -> bool {
        !self.twice.is_empty()
    }

    /// All of them but these, form-encoded, in the order of their names: the request as it is carried on.
    pub fn encode_without(&self, left_out: &[&str]) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        self.values.iter().filter(|(name, _)| !left_out.contains(&name.as_str())).for_each(|(name, value)| {
            out.append_pair(name, value);
        });
        out.finish()
    }
}

/// The words of a value that is a list (RFC 6749 §3.3): separated by spaces, each once, in the order of their coming.
pub fn words(value: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        if !out.iter().any(|known| known == word) {
            out.push(word.to_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Goal: once is a value, empty is none, twice is a mistake that is known by name; too much is nothing at all.
    #[test]
    fn each_once() {
        let read = Parameters::parse(b"a=1&b=&c=x%20y+z&d=1&d=2&e=1&e=1&%66=%E2%82%AC&g").unwrap();
        assert_eq!(read.one("a"), Ok(Some("1")));
        assert_eq!(read.one("b"), Ok(None));
        assert_eq!(read.one("c"), Ok(Some("x y z")));
        assert_eq!(read.one("d"), Err(Twice));
        assert_eq!(read.one("e"), Err(Twice));
        assert_eq!(read.one("f"), Ok(Some("€")));
        assert_eq!(read.one("g"), Ok(None));
        assert_eq!((read.get("d"), read.get("zzz")), (None, None));
        assert!(Parameters::parse("a=1&".repeat(65).as_bytes()).is_none());
        assert!(Parameters::parse(format!("a={}", "x".repeat(VALUE + 1)).as_bytes()).is_none());
        assert!(Parameters::parse(&vec![b'x'; MOST + 1]).is_none());
        assert_eq!(words(" openid  email openid  "), ["openid", "email"]);
    }

    proptest! {
        /// Goal: any octets are read without harm, and what is carried on reads as what came.
        #[test]
        fn any_octets(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(read) = Parameters::parse(&text) {
                let again = Parameters::parse(read.encode_without(&["left-out"]).as_bytes()).unwrap();
                for (name, value) in read.values.iter().filter(|(name, _)| *name != "left-out") {
                    prop_assert_eq!(again.get(name), Some(value.as_str()));
                }
            }
        }
    }
}
