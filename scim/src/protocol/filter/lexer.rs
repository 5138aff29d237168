//! Words, strings and brackets of a filter, each with its position.
//!
//! Owns the characters; what they mean together is [`super::parse`]'s. A token borrows from the text; only a string with
//! escapes is copied.

use super::{Invalid, Mode};

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    /// A path, keyword, number, or whatever stands unquoted.
    Word(&'a str),
    /// A JSON string, its escapes resolved.
    Text(String),
    End,
}

/// A token, where it begins, and whether anything stood between it and the one before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned<'a> {
    pub token: Token<'a>,
    pub position: usize,
    pub spaced: bool,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    mode: Mode,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, mode: Mode) -> Lexer<'a> {
        Lexer { text, at: 0, mode }
    }

    pub(super) fn next(&mut self) -> Result<Spanned<'a>, Invalid> {
        let before = self.at;
        self.skip_space();
        let (position, spaced) = (self.at, self.at > before || before == 0);
        let token = match self.rest().as_bytes().first() {
            None => Token::End,
            Some(b'(') => self.single(Token::Open),
            Some(b')') => self.single(Token::Close),
            Some(b'[') => self.single(Token::OpenBracket),
            Some(b']') => self.single(Token::CloseBracket),
            Some(b'"') => self.string()?,
            Some(_) => self.word()?,
        };
        Ok(Spanned { token, position, spaced })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let lenient = self.mode == Mode::Lenient;
        let space = |byte: &u8| *byte == b' ' || (lenient && matches!(byte, b'\t' | b'\r' | b'\n'));
        let length = self.rest().bytes().take_while(space).count();
        self.at = self.at.saturating_add(length);
    }

    fn single(&mut self, token: Token<'a>) -> Token<'a> {
        self.at = self.at.saturating_add(1);
        token
    }

    /// A JSON string (RFC 8259 §7).
    fn string(&mut self) -> Result<Token<'a>, Invalid> {
        let position = self.at;
        let mut escaped = false;
        let end = self.rest().bytes().enumerate().skip(1).find_map(|(at, byte)| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends.then_some(at)
        });
        let Some(end) = end else { return Err(Invalid { position, reason: "the string has no end" }) };
        let quoted = self.rest().get(..=end).unwrap_or_default();
        let text =
            serde_json::from_str(quoted).map_err(|_| Invalid { position, reason: "the string is no JSON string" })?;
        self.at = self.at.saturating_add(quoted.len());
        Ok(Token::Text(text))
    }

    fn word(&mut self) -> Result<Token<'a>, Invalid> {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"'));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if word.is_empty() {
            return Err(Invalid { position: self.at, reason: "a character that has no place in a filter" });
        }
        self.at = self.at.saturating_add(word.len());
        Ok(Token::Word(word))
    }
}
