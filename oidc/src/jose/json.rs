//! JSON as a stranger sends it, in a token or a parameter: bounded, and no member twice (RFC 8725 §3.10, RFC 7515 §4).
//!
//! Two readers of `{"aud":"a","aud":"b"}` see two different tokens, so such an object is none.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// How much may stand in a text.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Octets.
    pub octets: usize,
    /// Objects and arrays inside each other.
    pub depth: usize,
    /// Values, objects and arrays counted.
    pub values: usize,
}

impl Bounds {
    /// For headers and claims of a token.
    pub const TOKEN: Bounds = Bounds { octets: 16 * 1024, depth: 8, values: 2_000 };
    /// For a request parameter.
    pub const PARAMETER: Bounds = Bounds { octets: 4 * 1024, depth: 5, values: 200 };
    /// For a document of a server: metadata, keys.
    pub const DOCUMENT: Bounds = Bounds { octets: 1024 * 1024, depth: 16, values: 50_000 };
}

/// The object in a text.
///
/// # Errors
/// What is wrong with it, in words that hold nothing of the text.
pub fn object(text: &[u8], bounds: Bounds) -> Result<Map<String, Value>, &'static str> {
    if text.len() > bounds.octets {
        return Err("the JSON text is too long");
    }
    let mut left = bounds.values;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let seed = Strict { depth: bounds.depth, left: &mut left };
    let value = seed.deserialize(&mut reader).map_err(|_| "not a JSON text that is taken")?;
    reader.end().map_err(|_| "something follows the JSON text")?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Err("the JSON text is no object"),
    }
}

struct Strict<'a> {
    depth: usize,
    left: &'a mut usize,
}

impl Strict<'_> {
    fn deeper<E: Error>(&mut self) -> Result<Strict<'_>, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Strict { depth, left: self.left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        *self.left = self.left.checked_sub(1).ok_or_else(|| D::Error::custom("too many values"))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self.deeper()?)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(self.deeper()?)?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is JSON is read as serde_json reads it; twins, depth, length and width are refused.
    #[test]
    fn an_object_is_read_once() {
        let good = r#" {"a":[1,{"b":null}],"c":-1.5,"d":"\u00e9","__proto__":{}} "#;
        let wanted: Value = serde_json::from_str(good).unwrap();
        assert_eq!(Value::Object(object(good.as_bytes(), Bounds::TOKEN).unwrap()), wanted);
        let deep = format!("{}1{}", "{\"a\":".repeat(9), "}".repeat(9));
        let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(2_000));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024));
        let bad: [&[u8]; 14] = [
            b"",
            b"null",
            b"[]",
            b"\"a\"",
            b"{",
            b"{}{}",
            b"{\"a\":1,\"a\":1}",
            b"{\"a\":{\"b\":1,\"\\u0062\":2}}",
            b"{\"a\":1e999}",
            b"{\"a\":\"\\ud800\"}",
            b"\xef\xbb\xbf{}",
            deep.as_bytes(),
            wide.as_bytes(),
            long.as_bytes(),
        ];
        for text in bad {
            assert!(object(text, Bounds::TOKEN).is_err(), "{:?}", String::from_utf8_lossy(text));
        }
    }
}
