//! From text to [`Filter`]: a Pratt parser with `not` above `and` above `or`.
//!
//! Owns the grammar of RFC 7644 figure 1 and what [`Mode::Lenient`] adds to it. Everything is bounded: the length of the
//! text, the depth of nesting, the number of expressions. An error says at which octet and why.

use super::ast::{Filter, Literal, Op, Rest};
use super::lexer::{Lexer, Spanned, Token};
use super::{Invalid, Mode};
use crate::protocol::patch::Target;
use crate::protocol::path::{AttrPath, is_name};

/// The longest text, in octets.
pub const MAX_LENGTH: usize = 8 * 1024;
/// The deepest nesting of parentheses, brackets and `not`.
pub const MAX_DEPTH: usize = 64;
/// The most expressions: comparisons, `and`, `or`, `not`, value paths.
pub const MAX_NODES: usize = 1024;

/// Reads a filter.
///
/// # Errors
/// The position and the reason.
pub fn parse(text: &str, mode: Mode) -> Result<Filter, Invalid> {
    let mut parser = Parser::new(text, mode)?;
    let filter = parser.expression(Binding::Or, Scope::Resource)?;
    parser.end()?;
    Ok(filter)
}

/// Reads `attrPath` or `valuePath[.sub]` (RFC 7644 figure 7).
///
/// # Errors
/// The position and the reason.
pub fn parse_path(text: &str, mode: Mode) -> Result<Target, Invalid> {
    let mut parser = Parser::new(text, mode)?;
    let (word, position) = parser.word("a path is expected")?;
    let path = attribute(word, position)?;
    let mut out = Target { path, filter: None, sub: None };
    if parser.now.token == Token::OpenBracket {
        parser.adjacent("a bracket follows the attribute at once")?;
        out.filter = Some(parser.bracket(&out.path, position)?);
        out.sub = parser.after_bracket()?;
    }
    parser.end()?;
    Ok(out)
}

/// How tightly an operator binds; looser ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
}

/// Whether the filter is about a resource or, in brackets, about one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Resource,
    Element,
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    now: Spanned<'a>,
    mode: Mode,
    depth: usize,
    nodes: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, mode: Mode) -> Result<Parser<'a>, Invalid> {
        if text.len() > MAX_LENGTH {
            return Err(Invalid { position: MAX_LENGTH, reason: "too long" });
        }
        let mut lexer = Lexer::new(text, mode);
        let now = lexer.next()?;
        Ok(Parser { lexer, now, mode, depth: 0, nodes: 0 })
    }

    fn advance(&mut self) -> Result<Spanned<'a>, Invalid> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.now, next))
    }

    fn fail<T>(&self, reason: &'static str) -> Result<T, Invalid> {
        Err(Invalid { position: self.now.position, reason })
    }

    fn end(&self) -> Result<(), Invalid> {
        match self.now.token {
            Token::End => Ok(()),
            _ => self.fail("`and`, `or` or the end is expected"),
        }
    }

    fn keyword(&self, word: &str) -> bool {
        matches!(self.now.token, Token::Word(now) if now.eq_ignore_ascii_case(word))
    }

    fn word(&mut self, reason: &'static str) -> Result<(&'a str, usize), Invalid> {
        match self.now.token {
            Token::Word(word) => {
                let position = self.advance()?.position;
                Ok((word, position))
            }
            _ => self.fail(reason),
        }
    }

    fn adjacent(&self, reason: &'static str) -> Result<(), Invalid> {
        if self.now.spaced { self.fail(reason) } else { Ok(()) }
    }

    /// Strictly, a keyword stands apart; leniently, a parenthesis or a string is apart enough.
    fn apart(&self) -> Result<(), Invalid> {
        if self.now.spaced || self.mode == Mode::Lenient { Ok(()) } else { self.fail("a space is expected") }
    }

    fn node(&mut self) -> Result<(), Invalid> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES { self.fail("too many expressions") } else { Ok(()) }
    }

    fn deeper(&mut self) -> Result<(), Invalid> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH { self.fail("nested too deeply") } else { Ok(()) }
    }

    fn higher(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn expression(&mut self, least: Binding, scope: Scope) -> Result<Filter, Invalid> {
        let mut left = self.operand(scope)?;
        for (binding, keyword) in [(Binding::And, "and"), (Binding::Or, "or")] {
            if binding < least || !self.keyword(keyword) {
                continue;
            }
            self.node()?;
            let mut parts = vec![left];
            while self.keyword(keyword) {
                self.apart()?;
                self.advance()?;
                self.apart()?;
                // The right side of `or` takes every `and` that follows it.
                parts.push(match binding {
                    Binding::Or => self.expression(Binding::And, scope)?,
                    Binding::And | Binding::Not => self.operand(scope)?,
                });
            }
            left = if binding == Binding::And { Filter::And(parts) } else { Filter::Or(parts) };
        }
        Ok(left)
    }

    fn operand(&mut self, scope: Scope) -> Result<Filter, Invalid> {
        if self.now.token == Token::Open {
            return self.grouped(scope);
        }
        if self.keyword("not") {
            self.advance()?;
            self.node()?;
            let inner = match self.now.token {
                Token::Open => self.grouped(scope)?,
                _ if self.mode == Mode::Lenient => {
                    self.deeper()?;
                    let inner = self.expression(Binding::Not, scope)?;
                    self.higher();
                    inner
                }
                _ => return self.fail("a parenthesis is expected after `not`"),
            };
            return Ok(Filter::Not(Box::new(inner)));
        }
        self.comparison(scope)
    }

    fn grouped(&mut self, scope: Scope) -> Result<Filter, Invalid> {
        self.deeper()?;
        self.advance()?;
        let inner = self.expression(Binding::Or, scope)?;
        if self.now.token != Token::Close {
            return self.fail("a closing parenthesis is expected");
        }
        self.advance()?;
        self.higher();
        Ok(inner)
    }

    fn comparison(&mut self, scope: Scope) -> Result<Filter, Invalid> {
        self.node()?;
        let (word, position) = self.word("an attribute is expected")?;
        let path = attribute(word, position)?;
        if self.now.token == Token::OpenBracket {
            self.adjacent("a bracket follows the attribute at once")?;
            if scope == Scope::Element {
                return self.fail("brackets inside brackets");
            }
            return self.value_path(path, position);
        }
        Ok(match self.test()? {
            None => Filter::Present { path },
            Some((op, value)) => Filter::Compare { path, op, value },
        })
    }

    fn value_path(&mut self, path: AttrPath, position: usize) -> Result<Filter, Invalid> {
        let inner = Box::new(self.bracket(&path, position)?);
        let after = self.now.position;
        let Some(sub) = self.after_bracket()? else { return Ok(Filter::ValuePath { path, inner, rest: None }) };
        if self.mode == Mode::Strict {
            return Err(Invalid { position: after, reason: "a value path in a filter takes no sub-attribute" });
        }
        let test = self.test()?;
        Ok(Filter::ValuePath { path, inner, rest: Some(Rest { sub, test }) })
    }

    fn bracket(&mut self, path: &AttrPath, position: usize) -> Result<Filter, Invalid> {
        if path.sub.is_some() {
            return Err(Invalid { position, reason: "a sub-attribute takes no filter" });
        }
        self.deeper()?;
        self.advance()?;
        let inner = self.expression(Binding::Or, Scope::Element)?;
        if self.now.token != Token::CloseBracket {
            return self.fail("a closing bracket is expected");
        }
        self.advance()?;
        self.higher();
        Ok(inner)
    }

    /// `.sub`, at once behind the bracket.
    fn after_bracket(&mut self) -> Result<Option<String>, Invalid> {
        let Token::Word(word) = self.now.token else { return Ok(None) };
        let Some(sub) = word.strip_prefix('.').filter(|_| !self.now.spaced) else { return Ok(None) };
        if !is_name(sub) {
            return self.fail("a sub-attribute is expected");
        }
        self.advance()?;
        Ok(Some(sub.to_owned()))
    }

    /// `pr`, or an operator and its value.
    fn test(&mut self) -> Result<Option<(Op, Literal)>, Invalid> {
        const REASON: &str = "an operator is expected: eq ne co sw ew gt ge lt le pr";
        if self.keyword("pr") {
            self.advance()?;
            return Ok(None);
        }
        let Token::Word(word) = self.now.token else { return self.fail(REASON) };
        let Some(op) = Op::of(word) else { return self.fail(REASON) };
        self.advance()?;
        self.apart()?;
        Ok(Some((op, self.literal(op)?)))
    }

    fn literal(&mut self, op: Op) -> Result<Literal, Invalid> {
        const REASON: &str = "a value is expected: a string, a number, true, false or null";
        let literal = match &mut self.now.token {
            Token::Text(text) => Literal::Text(std::mem::take(text)),
            Token::Word("true") => Literal::Bool(true),
            Token::Word("false") => Literal::Bool(false),
            Token::Word("null") => Literal::Null,
            Token::Word(word) => match number(word) {
                Some(number) => Literal::Number(number),
                // An unquoted word is only ever meant as the whole value.
                None if self.mode == Mode::Lenient && op == Op::Eq && !is_junction(word) => {
                    Literal::Bare((*word).to_owned())
                }
                None => return self.fail(REASON),
            },
            _ => return self.fail(REASON),
        };
        self.advance()?;
        Ok(literal)
    }
}

/// A JSON number. `007` and `1e999` are none.
fn number(word: &str) -> Option<serde_json::Number> {
    serde_json::from_str(word).ok()
}

fn is_junction(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn attribute(word: &str, position: usize) -> Result<AttrPath, Invalid> {
    AttrPath::read(word).ok_or(Invalid { position, reason: "an attribute is expected" })
}
