//! Filters in the string form of RFC 4515, for logs and consoles.
//!
//! Values print as text where they are UTF-8; the five characters of the grammar, control characters and
//! octets that are not UTF-8 are escaped. Names are printed with everything escaped that no name may hold,
//! so that a hostile name cannot pose as another filter; such a string does not parse, but it cannot
//! mislead.

use super::{Assertion, Extensible, Filter, Part, Substrings};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Filter<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        match self {
            Filter::And(filters) => {
                f.write_char('&')?;
                filters.iter().try_for_each(|filter| filter.fmt(f))?;
            }
            Filter::Or(filters) => {
                f.write_char('|')?;
                filters.iter().try_for_each(|filter| filter.fmt(f))?;
            }
            Filter::Not(negated) => write!(f, "!{}", negated.filter())?,
            Filter::Equality(item) => assertion(f, item, "=")?,
            Filter::Substrings(item) => substrings(f, item)?,
            Filter::GreaterOrEqual(item) => assertion(f, item, ">=")?,
            Filter::LessOrEqual(item) => assertion(f, item, "<=")?,
            Filter::Present(attribute) => write!(f, "{}=*", Name(attribute))?,
            Filter::Approx(item) => assertion(f, item, "~=")?,
            Filter::Extensible(item) => extensible(f, item)?,
        }
        f.write_char(')')
    }
}

fn assertion(f: &mut Formatter<'_>, item: &Assertion<'_>, operator: &str) -> fmt::Result {
    write!(f, "{}{operator}{}", Name(item.attribute), Value(item.value))
}

fn substrings(f: &mut Formatter<'_>, item: &Substrings<'_>) -> fmt::Result {
    write!(f, "{}=", Name(item.attribute))?;
    let mut ended = false;
    for part in item.parts {
        match part {
            Part::Initial(value) => Value(value).fmt(f)?,
            Part::Any(value) => write!(f, "*{}", Value(value))?,
            Part::Final(value) => {
                ended = true;
                write!(f, "*{}", Value(value))?;
            }
        }
    }
    if ended { Ok(()) } else { f.write_char('*') }
}

fn extensible(f: &mut Formatter<'_>, item: &Extensible<'_>) -> fmt::Result {
    if let Some(attribute) = item.attribute {
        Name(attribute).fmt(f)?;
    }
    if item.dn_attributes {
        f.write_str(":dn")?;
    }
    if let Some(rule) = item.rule {
        write!(f, ":{}", Name(rule))?;
    }
    write!(f, ":={}", Value(item.value))
}

/// An attribute description or the name of a matching rule.
struct Name<'a>(&'a [u8]);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&octet| match octet {
            b'-' | b'.' | b';' | b'_' => f.write_char(char::from(octet)),
            _ if octet.is_ascii_alphanumeric() => f.write_char(char::from(octet)),
            _ => write!(f, "\\{octet:02x}"),
        })
    }
}

/// An assertion value or a part of one.
struct Value<'a>(&'a [u8]);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '(' | ')' | '*' | '\\' | '\0'..='\x1f' | '\x7f' => write!(f, "\\{:02x}", u32::from(character))?,
                    _ => f.write_char(character)?,
                }
            }
            chunk.invalid().iter().try_for_each(|octet| write!(f, "\\{octet:02x}"))?;
        }
        Ok(())
    }
}
