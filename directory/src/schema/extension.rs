//! Definitions made at run time: the text of RFC 4512 §4.1 read into lines for [`super::SchemaBuilder`].
//!
//! Owns the reading; whether a definition agrees with the others is for the builder to say. Called at start, by
//! [`super::custom`], for what the schema files give and for what the store remembers.
//!
//! Names and texts are interned: each distinct one is kept once for the life of the process, because definitions are
//! read by reference everywhere. Only administrators make definitions, and a text has a bound.

#![deny(clippy::arithmetic_side_effects)]

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{
    FIRST_CUSTOM, MatchingRule, Syntax, Usage,
    catalog::line::{AttributeLine, ClassLine, bare, class},
    kind::ClassKind,
    syntax::{is_descr, is_numeric_oid},
};

/// The longest definition that is read, in bytes.
pub const MAX_LENGTH: usize = 32 * 1024;

/// Why a definition could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Longer than [`MAX_LENGTH`].
    #[error("the definition is too long")]
    TooLong,
    /// Not of the form of RFC 4512 §4.1.
    #[error("malformed definition: {0}")]
    Malformed(&'static str),
    /// A keyword, syntax, rule or feature that is not supported.
    #[error("not supported in a definition: {0}")]
    Unsupported(String),
    /// A number that belongs to the shipped catalog.
    #[error("numbers below 0x8000 belong to the shipped catalog")]
    ReservedNumber,
}

/// Reads an attribute type (RFC 4512 §4.1.2) and gives it the number `id`, which is at least [`FIRST_CUSTOM`].
///
/// # Errors
/// See [`DefinitionError`].
pub fn attribute_type(id: u16, text: &str) -> Result<AttributeLine, DefinitionError> {
    let mut reader = Reader::new(id, text)?;
    let mut line = bare(id, reader.oid()?, &[], "");
    while let Some(keyword) = reader.keyword()? {
        match keyword {
            "NAME" => line.names = reader.names()?,
            "DESC" => line.description = reader.quoted()?,
            "OBSOLETE" => {}
            "SUP" => line.supertype = intern(reader.name()?),
            "EQUALITY" => line.equality = Some(reader.rule()?),
            "ORDERING" => line.ordering = Some(reader.rule()?),
            "SUBSTR" => line.substring = Some(reader.rule()?),
            "SYNTAX" => (line.syntax, line.max_length) = reader.syntax()?,
            "SINGLE-VALUE" => line.single_value = true,
            "NO-USER-MODIFICATION" => line.no_user_modification = true,
            "USAGE" => {
                line.usage = match reader.word()? {
                    "userApplications" => Usage::User,
                    "directoryOperation" => Usage::Directory,
                    "distributedOperation" => Usage::Distributed,
                    "dSAOperation" => Usage::Dsa,
                    _ => return Err(DefinitionError::Malformed("USAGE")),
                }
            }
            "X-ORIGIN" => line.origin = reader.extension()?,
            "X-SCIM" => line.scim = Some(reader.extension()?).filter(|path| is_scim_path(path)),
            "X-CLAIM" => line.claim = Some(reader.extension()?).filter(|claim| is_claim(claim)),
            extension if extension.starts_with("X-") => reader.extension().map(|_| ())?,
            other => return Err(DefinitionError::Unsupported(other.to_owned())),
        }
        match keyword {
            "X-SCIM" if line.scim.is_none() => return Err(DefinitionError::Malformed("X-SCIM is 'URN:name'")),
            "X-CLAIM" if line.claim.is_none() => {
                return Err(DefinitionError::Malformed("X-CLAIM is the name of a claim"));
            }
            _ => {}
        }
    }
    Ok(line)
}

/// `URN:name` of an attribute of a SCIM extension (RFC 7643 §2.1 and §3.3); those of the standard and ours are taken.
fn is_scim_path(path: &str) -> bool {
    let Some((urn, name)) = path.rsplit_once(':') else { return false };
    let starts = |prefix: &str| urn.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let taken = starts("urn:ietf:params:scim:schemas:core:")
        || starts("urn:ietf:params:scim:schemas:extension:enterprise:")
        || starts("urn:ietf:params:scim:schemas:extension:rollbook:")
        || starts("urn:ietf:params:scim:schemas:rollbook:")
        || starts("urn:ietf:params:scim:api:");
    // RFC 8141 §2: a namespace of at least two letters, and something in it.
    let in_namespace = starts("urn:") && urn.split(':').filter(|part| !part.is_empty()).count() >= 3;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    in_namespace && !taken && is_name && urn.bytes().all(|byte| byte.is_ascii_graphic() && !b"'\\\"".contains(&byte))
}

fn is_claim(claim: &str) -> bool {
    (1..=128).contains(&claim.len()) && claim.bytes().all(|byte| byte.is_ascii_graphic() && !b"'\\\"".contains(&byte))
}

/// Reads an object class (RFC 4512 §4.1.1) and gives it the number `id`, which is at least [`FIRST_CUSTOM`].
///
/// # Errors
/// See [`DefinitionError`].
pub fn object_class(id: u16, text: &str) -> Result<ClassLine, DefinitionError> {
    let mut reader = Reader::new(id, text)?;
    let mut line = class(id, reader.oid()?, &[], "", ClassKind::Structural).sup("");
    while let Some(keyword) = reader.keyword()? {
        match keyword {
            "NAME" => line.names = reader.names()?,
            "DESC" => line.description = reader.quoted()?,
            "OBSOLETE" => {}
            "SUP" => line.superclasses = reader.list()?,
            "ABSTRACT" => line.kind = ClassKind::Abstract,
            "STRUCTURAL" => line.kind = ClassKind::Structural,
            "AUXILIARY" => line.kind = ClassKind::Auxiliary,
            "MUST" => line.must = reader.list()?,
            "MAY" => line.may = reader.list()?,
            "X-ORIGIN" => line.origin = reader.extension()?,
            extension if extension.starts_with("X-") => reader.extension().map(|_| ())?,
            other => return Err(DefinitionError::Unsupported(other.to_owned())),
        }
    }
    // Only an abstract class may be without one; the others are below `top` even when their authors forget to say so.
    if line.superclasses.is_empty() && line.kind != ClassKind::Abstract {
        line.superclasses = "top";
    }
    // The hint for naming is not part of the text; what must be there is the best guess.
    line.naming = line.must;
    Ok(line)
}

/// The pieces of a definition, one after the other.
struct Reader<'a> {
    rest: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    Dollar,
    Quoted(&'a str),
    Word(&'a str),
}

impl<'a> Reader<'a> {
    fn new(id: u16, text: &'a str) -> Result<Self, DefinitionError> {
        if id < FIRST_CUSTOM {
            return Err(DefinitionError::ReservedNumber);
        }
        if text.len() > MAX_LENGTH {
            return Err(DefinitionError::TooLong);
        }
        let mut reader = Reader { rest: text };
        match reader.token() {
            Some(Token::Open) => Ok(reader),
            _ => Err(DefinitionError::Malformed("no opening parenthesis")),
        }
    }

    fn token(&mut self) -> Option<Token<'a>> {
        self.rest = self.rest.trim_start();
        let (token, rest) = match self.rest.chars().next()? {
            '(' => (Token::Open, self.rest.strip_prefix('(')?),
            ')' => (Token::Close, self.rest.strip_prefix(')')?),
            '$' => (Token::Dollar, self.rest.strip_prefix('$')?),
            '\'' => {
                let (quoted, rest) = self.rest.strip_prefix('\'')?.split_once('\'')?;
                (Token::Quoted(quoted), rest)
            }
            _ => {
                let end = self.rest.find(|c: char| c.is_whitespace() || "()$'".contains(c)).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at_checked(end)?;
                (Token::Word(word), rest)
            }
        };
        self.rest = rest;
        Some(token)
    }

    /// The next keyword; `None` at the closing parenthesis, after which nothing may follow.
    fn keyword(&mut self) -> Result<Option<&'a str>, DefinitionError> {
        match self.token() {
            Some(Token::Word(word)) => Ok(Some(word)),
            Some(Token::Close) if self.rest.trim().is_empty() => Ok(None),
            _ => Err(DefinitionError::Malformed("a keyword or the closing parenthesis was expected")),
        }
    }

    fn word(&mut self) -> Result<&'a str, DefinitionError> {
        match self.token() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(DefinitionError::Malformed("a word was expected")),
        }
    }

    fn oid(&mut self) -> Result<&'static str, DefinitionError> {
        let word = self.word()?;
        if is_numeric_oid(word.as_bytes()) {
            Ok(intern(word))
        } else {
            Err(DefinitionError::Malformed("no dotted OID"))
        }
    }

    /// A name or dotted OID; in quotes, too, as some servers write it.
    fn name(&mut self) -> Result<&'a str, DefinitionError> {
        match self.token() {
            Some(Token::Word(name) | Token::Quoted(name))
                if is_descr(name.as_bytes()) || is_numeric_oid(name.as_bytes()) =>
            {
                Ok(name)
            }
            _ => Err(DefinitionError::Malformed("a name was expected")),
        }
    }

    fn quoted(&mut self) -> Result<&'static str, DefinitionError> {
        match self.token() {
            Some(Token::Quoted(text)) => Ok(intern(&unescape(text))),
            _ => Err(DefinitionError::Malformed("a text in quotes was expected")),
        }
    }

    /// One thing, or several in parentheses with dollars or nothing between them.
    fn several(
        &mut self,
        mut each: impl FnMut(Token<'a>) -> Result<(), DefinitionError>,
    ) -> Result<(), DefinitionError> {
        let unclosed = DefinitionError::Malformed("a list is not closed");
        match self.token().ok_or(unclosed.clone())? {
            Token::Open => loop {
                match self.token().ok_or(unclosed.clone())? {
                    Token::Close => return Ok(()),
                    Token::Dollar => {}
                    item => each(item)?,
                }
            },
            item => each(item),
        }
    }

    fn names(&mut self) -> Result<&'static [&'static str], DefinitionError> {
        let mut names = Vec::new();
        self.several(|item| match item {
            Token::Quoted(name) if is_descr(name.as_bytes()) => {
                names.push(intern(name));
                Ok(())
            }
            _ => Err(DefinitionError::Malformed("NAME")),
        })?;
        Ok(intern_names(names))
    }

    fn list(&mut self) -> Result<&'static str, DefinitionError> {
        let mut list: Vec<&str> = Vec::new();
        self.several(|item| match item {
            Token::Word(name) | Token::Quoted(name) if is_descr(name.as_bytes()) || is_numeric_oid(name.as_bytes()) => {
                list.push(name);
                Ok(())
            }
            _ => Err(DefinitionError::Malformed("a list of names was expected")),
        })?;
        Ok(intern(&list.join(" ")))
    }

    /// The values of an `X-` extension; the first one.
    fn extension(&mut self) -> Result<&'static str, DefinitionError> {
        let mut first = None;
        self.several(|item| match item {
            Token::Quoted(text) => {
                first.get_or_insert_with(|| unescape(text));
                Ok(())
            }
            _ => Err(DefinitionError::Malformed("an extension has texts in quotes")),
        })?;
        Ok(first.map_or("", |text| intern(&text)))
    }

    fn rule(&mut self) -> Result<MatchingRule, DefinitionError> {
        let name = self.name()?;
        let is_it = |rule: &&MatchingRule| rule.name().eq_ignore_ascii_case(name) || rule.oid() == name;
        MatchingRule::ALL.iter().find(is_it).copied().ok_or_else(|| DefinitionError::Unsupported(name.to_owned()))
    }

    /// `oid` or `oid{length}`.
    fn syntax(&mut self) -> Result<(Option<Syntax>, u32), DefinitionError> {
        let Some(Token::Word(word) | Token::Quoted(word)) = self.token() else {
            return Err(DefinitionError::Malformed("SYNTAX"));
        };
        let (oid, length) = match word.strip_suffix('}').and_then(|word| word.split_once('{')) {
            Some((oid, length)) => (oid, length.parse().map_err(|_| DefinitionError::Malformed("SYNTAX"))?),
            None => (word, 0),
        };
        let syntax = Syntax::ALL.iter().find(|syntax| syntax.oid() == oid).copied();
        syntax.map(|syntax| (Some(syntax), length)).ok_or_else(|| DefinitionError::Unsupported(oid.to_owned()))
    }
}

/// RFC 4512 §4.1 `qdstring`: `\27` is a quote and `\5C` a backslash.
fn unescape(text: &str) -> String {
    text.replace("\\27", "'").replace("\\5C", "\\").replace("\\5c", "\\")
}

fn intern(text: &str) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let kept: &'static str = Box::leak(text.into());
    texts.insert(kept);
    kept
}

fn intern_names(names: Vec<&'static str>) -> &'static [&'static str] {
    static LISTS: Mutex<BTreeSet<&'static [&'static str]>> = Mutex::new(BTreeSet::new());
    let mut lists = LISTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lists.get(names.as_slice()) {
        return known;
    }
    let kept: &'static [&'static str] = names.leak();
    lists.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Schema, SchemaBuilder, SchemaError, known::attribute};

    /// The shipped schema with more definitions.
    fn extended(attributes: &[&str], classes: &[&str]) -> Result<Schema, Vec<SchemaError>> {
        let mut builder = SchemaBuilder::with_catalog();
        for (id, text) in (FIRST_CUSTOM..).zip(attributes) {
            builder.attribute(attribute_type(id, text).unwrap());
        }
        for (id, text) in (FIRST_CUSTOM..).zip(classes) {
            builder.class(object_class(id, text).unwrap());
        }
        builder.build()
    }

    #[test]
    fn what_the_subschema_shows_reads_back_as_the_same_schema() {
        // Goal: writing and reading definitions lose nothing, for every shipped one.
        let shipped = Schema::standard();
        let mut builder = SchemaBuilder::default();
        for (id, attribute) in (FIRST_CUSTOM..).zip(shipped.attributes()) {
            builder.attribute(attribute_type(id, &shipped.describe_attribute(attribute)).unwrap());
        }
        for (id, class) in (FIRST_CUSTOM..).zip(shipped.classes()) {
            builder.class(object_class(id, &shipped.describe_class(class)).unwrap());
        }
        let read = builder.build().unwrap();
        for (again, attribute) in read.attributes().zip(shipped.attributes()) {
            assert_eq!(read.describe_attribute(again), shipped.describe_attribute(attribute));
        }
        for (again, class) in read.classes().zip(shipped.classes()) {
            assert_eq!(read.describe_class(again), shipped.describe_class(class));
        }
    }

    #[test]
    fn custom_types_and_classes_work_like_shipped_ones() {
        // Goal: inheritance, lookup, subtypes and checks reach across the two number ranges.
        let schema = extended(
            &["( 1.2.3.1 NAME ( 'badge' 'badgeNumber' ) DESC 'it\\27s a badge' SUP serialNumber SINGLE-VALUE )"],
            &["( 1.2.3.2 NAME 'badgeHolder' SUP person MUST badge MAY ( mail $ uid ) X-FOO ( 'a' 'b' ) )"],
        )
        .unwrap();
        let badge = schema.find_attribute(b"BADGEnumber").unwrap();
        assert_eq!(badge.id.0, FIRST_CUSTOM);
        assert_eq!((badge.description, badge.single_value), ("it's a badge", true));
        assert_eq!(badge.equality, Some(MatchingRule::CaseIgnoreMatch));
        assert!(schema.subtypes(schema.find_attribute(b"serialNumber").unwrap().id).contains(&badge.id));
        let holder = schema.find_class(b"badgeholder").unwrap();
        assert_eq!(schema.required(holder.id), [attribute::OBJECT_CLASS, attribute::CN, attribute::SN, badge.id]);
        assert_eq!(schema.kind_of(&[holder.id]), crate::schema::Kind::Person);
    }

    #[test]
    fn malformed_definitions_are_refused_with_a_reason() {
        // Goal: nothing half-read becomes a definition.
        let malformed =
            ["", "1.2.3", "( 1.2.3", "( x NAME 'a' )", "( 1.2 NAME a )", "( 1.2 NAME 'a' ) b", "( 1.2 SUP ( a )"];
        for text in malformed {
            assert!(matches!(attribute_type(FIRST_CUSTOM, text), Err(DefinitionError::Malformed(_))), "{text}");
        }
        for text in ["( 1.2 COLLECTIVE )", "( 1.2 EQUALITY fooMatch )", "( 1.2 SYNTAX 1.2.3.4 )"] {
            assert!(matches!(attribute_type(FIRST_CUSTOM, text), Err(DefinitionError::Unsupported(_))), "{text}");
        }
        assert_eq!(attribute_type(7, "( 1.2 )").unwrap_err(), DefinitionError::ReservedNumber);
        assert_eq!(attribute_type(FIRST_CUSTOM, &"(".repeat(MAX_LENGTH + 1)).unwrap_err(), DefinitionError::TooLong);
    }

    #[test]
    fn definitions_that_contradict_others_are_refused() {
        // Goal: names and OIDs stay unique, references resolve, nothing is above itself.
        let cases: [(&[&str], &[&str]); 6] = [
            (&["( 1.2.3.1 NAME 'cn' SUP name )"], &[]),
            (&["( 2.5.4.3 NAME 'mine' SUP name )"], &[]),
            (&["( 1.2.3.1 NAME 'mine' SUP nothing )"], &[]),
            (&["( 1.2.3.1 NAME 'mine' SUP yours )", "( 1.2.3.2 NAME 'yours' SUP mine )"], &[]),
            (&[], &["( 1.2.3.1 NAME 'a' SUP b AUXILIARY )", "( 1.2.3.2 NAME 'b' SUP a AUXILIARY )"]),
            (&[], &["( 1.2.3.1 NAME 'a' SUP person AUXILIARY )"]),
        ];
        for (attributes, classes) in cases {
            assert!(extended(attributes, classes).is_err(), "{attributes:?} {classes:?}");
        }
    }
}
