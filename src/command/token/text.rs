//! Tokens as people and scripts read them.

use crate::command::account::text::{shown, time};
use crate::command::{Exit, Failure};
use ldap::token_request::{Shown, TokenResponse};
use serde::Serialize;

/// A token in JSON. The names are a promise to scripts.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// With the secret; only when it was made just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    id: &'a str,
    label: &'a str,
    account: &'a str,
    base: Option<&'a str>,
    access: &'static str,
    types: &'a [String],
    dialect: Option<&'a str>,
    created: String,
    expires: String,
    last_use: Option<String>,
    predecessor: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(token: &'a Shown, secret: Option<&'a str>) -> Line<'a> {
        Line {
            token: secret,
            id: &token.id,
            label: &token.label,
            account: &token.account,
            base: token.base.as_deref(),
            access: access(token),
            types: &token.types,
            dialect: Some(token.dialect.as_str()).filter(|dialect| !dialect.is_empty()),
            created: time(&token.created),
            expires: time(&token.expires),
            last_use: token.last_use.as_deref().map(time),
            predecessor: token.predecessor.as_deref(),
        }
    }
}

fn access(token: &Shown) -> &'static str {
    if token.write { "write" } else { "read" }
}

/// A token that was made just now, with its secret.
///
/// # Errors
/// `Failed` when the daemon's answer has none.
pub fn made(response: &TokenResponse, json: bool) -> Result<String, Failure> {
    let (Some(secret), [token]) = (response.secret.as_deref(), response.tokens.as_slice()) else {
        return Err(Failure::new(Exit::Failed, "the daemon's answer is not understood: it has no token"));
    };
    if json {
        return Ok(serde_json::to_string(&Line::of(token, Some(secret))).unwrap_or_default() + "\n");
    }
    let id = shown(&token.id);
    let (account, until) = (shown(&token.account), time(&token.expires));
    Ok(format!("{}\n\nid {id}, for {account}, until {until}. The token is not shown again.\n", shown(secret)))
}

/// All tokens, as a table or as JSON.
pub fn list(response: &TokenResponse, json: bool) -> String {
    if json {
        let lines: Vec<String> = response
            .tokens
            .iter()
            .map(|token| "\n  ".to_owned() + &serde_json::to_string(&Line::of(token, None)).unwrap_or_default())
            .collect();
        return if lines.is_empty() { "[]\n".to_owned() } else { format!("[{}\n]\n", lines.join(",")) };
    }
    if response.tokens.is_empty() {
        return "no tokens\n".to_owned();
    }
    let head = ["id", "label", "access", "dialect", "expires", "last use", "account"].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(response.tokens.iter().map(row)).collect();
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count().min(40));
        }
    }
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<String>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

fn row(token: &Shown) -> [String; 7] {
    let mut access = access(token).to_owned();
    if !token.types.is_empty() {
        access = format!("{access} {}", shown(&token.types.join(",")));
    }
    let never = || "-".to_owned();
    [
        shown(&token.id),
        shown(&token.label),
        access,
        if token.dialect.is_empty() { never() } else { shown(&token.dialect) },
        time(&token.expires),
        token.last_use.as_deref().map_or_else(never, time),
        shown(&token.account),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str) -> Shown {
        Shown {
            id: id.into(),
            account: "cn=entra,ou=applications,dc=x".into(),
            label: "a\u{1b}[2Jb".into(),
            write: true,
            types: vec!["User".into()],
            created: "20261121225800Z".into(),
            expires: "20271121225800Z".into(),
            ..Shown::default()
        }
    }

    /// Goal: a new token stands alone in the first line, with nothing else that could be taken for it; JSON has it by name.
    #[test]
    fn a_new_token_is_the_first_line() {
        let response = TokenResponse { secret: Some("rbs_x_y".into()), tokens: vec![token("x")] };
        let text = made(&response, false).unwrap();
        assert_eq!((text.lines().next(), text.matches("rbs_").count()), (Some("rbs_x_y"), 1));
        assert!(text.contains("2027-11-21T22:58:00Z"));
        let json: serde_json::Value = serde_json::from_str(&made(&response, true).unwrap()).unwrap();
        assert_eq!(
            (&json["token"], &json["id"], &json["last_use"]),
            (&"rbs_x_y".into(), &"x".into(), &None::<()>.into())
        );
        assert!(made(&TokenResponse::default(), false).is_err());
    }

    /// Goal: lists of any length are whole, in both forms, obeyed by no terminal.
    #[test]
    fn lists_are_whole() {
        for count in [0, 1, 3] {
            let tokens = (0..count).map(|n| token(&format!("id{n}"))).collect();
            let response = TokenResponse { secret: None, tokens };
            let json: serde_json::Value = serde_json::from_str(&list(&response, true)).unwrap();
            assert_eq!(json.as_array().map(Vec::len), Some(count));
            assert!(json.get(0).is_none_or(|line| line.get("token").is_none()));
            let table = list(&response, false);
            assert_eq!(table.lines().count(), count + 1);
            assert!(!table.contains('\u{1b}'));
        }
    }
}
