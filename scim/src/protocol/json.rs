//! JSON as a stranger sends it: RFC 8259, bounded and without doubt.
//!
//! Owns the reading of bodies. Refused: a name given twice in an object (in any case: names of attributes have none), nesting,
//! numbers of values and lengths beyond the bounds, NUL in a text, and everything that is not JSON.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::ScimError;

/// How much a body may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Octets of the whole body.
    pub body: usize,
    /// Objects and arrays inside each other.
    pub depth: usize,
    /// Values of the whole body, objects and arrays counted.
    pub values: usize,
    /// Octets of one text.
    pub text: usize,
}

impl Default for Bounds {
    /// Enough for a group of 100,000 members or 1,000 bulk operations.
    fn default() -> Bounds {
        Bounds { body: 16 * 1024 * 1024, depth: 32, values: 500_000, text: 1024 * 1024 }
    }
}

/// Names in an object from which on a set finds the twins.
const FEW: usize = 24;

/// Reads a body.
///
/// # Errors
/// 413 when it is too long, else 400 `invalidSyntax` with the line and column.
pub fn read(body: &[u8], bounds: &Bounds) -> Result<Value, ScimError> {
    if body.len() > bounds.body {
        return Err(ScimError::new(413, format!("a body has at most {} octets", bounds.body)));
    }
    let read = match std::str::from_utf8(body) {
        // Looked at once, and not again in each text.
        Ok(text) => value(serde_json::Deserializer::from_str(text), bounds),
        // Refused, where it says.
        Err(_) => value(serde_json::Deserializer::from_slice(body), bounds),
    };
    read.map_err(|error| ScimError::invalid_syntax(format!("the body is no JSON that is taken: {error}")))
}

fn value<'de>(
    mut reader: serde_json::Deserializer<impl serde_json::de::Read<'de>>,
    bounds: &Bounds,
) -> Result<Value, serde_json::Error> {
    let mut left = bounds.values;
    let value = Seed { bounds, depth: 0, left: &mut left }.deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

struct Seed<'a> {
    bounds: &'a Bounds,
    depth: usize,
    left: &'a mut usize,
}

impl Seed<'_> {
    fn below(&mut self) -> Seed<'_> {
        Seed { bounds: self.bounds, depth: self.depth.saturating_add(1), left: self.left }
    }

    fn length<E: Error>(&self, text: &str) -> Result<(), E> {
        if text.len() > self.bounds.text { Err(E::custom("a text is too long")) } else { Ok(()) }
    }

    fn text<E: Error>(&self, text: &str) -> Result<(), E> {
        self.length(text)?;
        if text.contains('\0') {
            return Err(E::custom("NUL in a text"));
        }
        Ok(())
    }

    fn nested<E: Error>(&self) -> Result<(), E> {
        if self.depth >= self.bounds.depth { Err(E::custom("nested too deeply")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.left.checked_sub(1) {
            Some(left) => *self.left = left,
            None => return Err(D::Error::custom("too many values")),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Value, E> {
        self.length(value)?;
        // It holds no escape, and NUL stands in no JSON without one.
        Ok(Value::String(value.to_owned()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.text(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        self.text(&value)?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        self.nested()?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(self.below())? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        self.nested()?;
        let mut map = Map::new();
        let mut names = HashSet::new();
        while let Some(name) = access.next_key::<String>()? {
            self.text(&name)?;
            let twin = if map.len() < FEW {
                map.keys().any(|known: &String| known.eq_ignore_ascii_case(&name))
            } else {
                if names.is_empty() {
                    names.extend(map.keys().map(|known| known.to_ascii_lowercase()));
                }
                !names.insert(name.to_ascii_lowercase())
            };
            if twin {
                return Err(A::Error::custom("a name stands twice in an object"));
            }
            let value = access.next_value_seed(self.below())?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_json_is_read_as_it_is() {
        // Goal: the reader agrees with serde_json wherever it does not refuse.
        let texts = [
            "null",
            "true",
            "-7",
            "18446744073709551615",
            "1.5e3",
            "\"\\u00e9\\ud83d\\ude00\"",
            "[]",
            "{}",
            "{\"a\": [1, {\"b\": null}], \"__proto__\": {\"x\": 1}}",
            " [1 , 2] ",
        ];
        for text in texts {
            let wanted: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text.as_bytes(), &Bounds::default()), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_doubtful_or_too_much_is_refused() {
        // Goal: hostile row D10, each with 400 invalidSyntax, the body's length with 413.
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        let wide = format!("{{{}}}", (0..40).map(|n| format!("\"k{n}\": 1")).collect::<Vec<_>>().join(","));
        let twin = wide.replace("\"k39\"", "\"K3\"");
        assert!(read(wide.as_bytes(), &Bounds::default()).is_ok());
        assert!(read(deep(32).as_bytes(), &Bounds::default()).is_ok());
        let bad: Vec<Vec<u8>> = vec![
            b"".to_vec(),
            b"{".to_vec(),
            b"{}x".to_vec(),
            b"{\"a\":1,\"a\":2}".to_vec(),
            b"{\"userName\":1,\"USERNAME\":2}".to_vec(),
            b"[{\"a\":{\"b\":1,\"B\":1}}]".to_vec(),
            twin.into_bytes(),
            deep(33).into_bytes(),
            deep(10_000).into_bytes(),
            b"NaN".to_vec(),
            b"1e400".to_vec(),
            b"\xef\xbb\xbf{}".to_vec(),
            b"\xff\xfe{\0}\0".to_vec(),
            b"\"\\ud800\"".to_vec(),
            b"\"\\u0000\"".to_vec(),
            b"\"a\0\"".to_vec(),
            b"{\"a\0\": 1}".to_vec(),
            b"{\"\\u0000\": 1}".to_vec(),
            b"\"\xc3\x28\"".to_vec(),
            b"'a'".to_vec(),
            b"[1,]".to_vec(),
        ];
        for body in bad {
            let error = read(&body, &Bounds::default()).unwrap_err();
            assert_eq!(error.body()["scimType"], json!("invalidSyntax"), "{:?}", String::from_utf8_lossy(&body));
            assert_eq!(error.status, 400);
        }
        let small = Bounds { body: 20, depth: 2, values: 3, text: 4 };
        assert_eq!(read(&[b' '; 21], &small).unwrap_err().status, 413);
        for bad in ["[[[]]]", "[1,2,3]", "\"abcde\"", "{\"abcde\":1}"] {
            assert!(read(bad.as_bytes(), &small).is_err(), "{bad}");
        }
        assert!(read(b"[[1]]", &small).is_ok());
    }
}
