//! The `claims` parameter (OpenID Connect Core §5.5): which claims are asked for by name, and where.

use crate::jose::json::{self, Bounds};
use serde_json::{Map, Value};

/// Claims that one place is asked for.
pub const MOST: usize = 50;

/// A claim that is asked for by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// The client says that it cannot do without. Never a reason to fail (§5.5.1).
    pub essential: bool,
    /// The values that it wants; empty: any.
    pub values: Vec<Value>,
}

/// What a request asks for by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClaimsRequest {
    /// In the ID token.
    pub id_token: Vec<(String, Wish)>,
    /// At the userinfo endpoint.
    pub userinfo: Vec<(String, Wish)>,
}

impl ClaimsRequest {
    /// Reads the parameter. Members other than `id_token` and `userinfo` are ignored, as are languages (`name#de`).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<ClaimsRequest, &'static str> {
        let all = json::object(text.as_bytes(), Bounds::PARAMETER)?;
        Ok(ClaimsRequest { id_token: place(&all, "id_token")?, userinfo: place(&all, "userinfo")? })
    }

    /// Nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.id_token.is_empty() && self.userinfo.is_empty()
    }

    /// What is asked of a claim of the ID token.
    pub fn in_id_token(&self, name: &str) -> Option<&Wish> {
        self.id_token.iter().find(|(known, _)| known == name).map(|(_, wish)| wish)
    }
}

fn place(all: &Map<String, Value>, name: &str) -> Result<Vec<(String, Wish)>, &'static str> {
    let members = match all.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err("a place of claims is no object"),
    };
    if members.len() > MOST {
        return Err("too many claims are asked for");
    }
    members.iter().map(|(name, value)| wish(value).map(|wish| (name.clone(), wish))).collect()
}

fn wish(value: &Value) -> Result<Wish, &'static str> {
    let members = match value {
        Value::Null => return Ok(Wish::default()),
        Value::Object(members) => members,
        _ => return Err("a claim is asked for in another way than by null or an object"),
    };
    let essential = match members.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err("essential is neither true nor false"),
    };
    let mut values: Vec<Value> = members.get("value").cloned().into_iter().collect();
    match members.get("values") {
        None => (),
        Some(Value::Array(more)) => values.extend(more.iter().cloned()),
        Some(_) => return Err("values is no list"),
    }
    Ok(Wish { essential, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Goal: the example of OpenID Connect Core §5.5 is read as it is meant.
    #[test]
    fn the_example_of_the_specification() {
        let text = r#"{"userinfo": {"given_name": {"essential": true}, "nickname": null, "picture": null,
            "http://example.info/claims/groups": null},
            "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}}}"#;
        let read = ClaimsRequest::parse(text).unwrap();
        assert_eq!(read.userinfo.len(), 4);
        assert!(read.userinfo.iter().any(|(name, wish)| name == "given_name" && wish.essential));
        assert!(read.in_id_token("auth_time").unwrap().essential);
        assert_eq!(read.in_id_token("acr").unwrap().values, [json!("urn:mace:incommon:iap:silver")]);
        assert_eq!(read.in_id_token("name"), None);
        assert!(ClaimsRequest::parse("{}").unwrap().is_empty());
        assert!(ClaimsRequest::parse(r#"{"id_token": null, "other": 1}"#).unwrap().is_empty());
    }

    /// Goal: hostile row E13: deep, wide, doubtful or other JSON is refused.
    #[test]
    fn hostile_requests() {
        let wide: String = (0..60).map(|n| format!("\"c{n}\":null,")).collect();
        let wide = format!("{{\"id_token\":{{{wide}\"z\":null}}}}");
        let deep = format!("{{\"id_token\":{{\"a\":{{\"value\":{}1{}}}}}}}", "[".repeat(10), "]".repeat(10));
        for bad in [
            "",
            "[]",
            "null",
            "{",
            r#"{"id_token":[]}"#,
            r#"{"id_token":"all"}"#,
            r#"{"id_token":{"a":1}}"#,
            r#"{"id_token":{"a":{"essential":"yes"}}}"#,
            r#"{"id_token":{"a":{"values":"x"}}}"#,
            r#"{"id_token":{"a":null,"a":{"essential":true}}}"#,
            wide.as_str(),
            deep.as_str(),
        ] {
            assert!(ClaimsRequest::parse(bad).is_err(), "{bad}");
        }
    }
}
