//! Printing names by RFC 4514 §2.4: the least escapes that every reader needs.
//!
//! Control characters and bytes that are not UTF-8 are written as `\` and two hexadecimal digits, so that a printed
//! name is UTF-8 on one line, and is read back as the same bytes.

use std::fmt::{self, Display, Formatter, Write};

use super::{Ava, Dn, Rdn};

impl Display for Dn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        separated(f, &self.rdns, ',')
    }
}

impl Display for Rdn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        separated(f, &self.avas, '+')
    }
}

impl Display for Ava {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attribute)?;
        f.write_char('=')?;
        let mut chunks = self.value.utf8_chunks().peekable();
        let mut at_start = true;
        while let Some(chunk) = chunks.next() {
            let last = chunks.peek().is_none() && chunk.invalid().is_empty();
            write_text(f, chunk.valid(), at_start, last)?;
            for byte in chunk.invalid() {
                write!(f, "\\{byte:02x}")?;
            }
            at_start = false;
        }
        Ok(())
    }
}

/// Writes a stretch of a value; `at_start` and `at_end` say whether it touches the ends of the value.
fn write_text(f: &mut Formatter<'_>, text: &str, at_start: bool, at_end: bool) -> fmt::Result {
    let mut written = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' | 0..=0x1f | 0x7f => true,
            b'#' => at_start && at == 0,
            b' ' => (at_start && at == 0) || (at_end && at.saturating_add(1) == text.len()),
            _ => false,
        };
        if escape {
            f.write_str(text.get(written..at).unwrap_or_default())?;
            match byte {
                0..=0x1f | 0x7f => write!(f, "\\{byte:02x}")?,
                _ => write!(f, "\\{}", char::from(byte))?,
            }
            written = at.saturating_add(1);
        }
    }
    f.write_str(text.get(written..).unwrap_or_default())
}

fn separated<T: Display>(f: &mut Formatter<'_>, items: &[T], separator: char) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            f.write_char(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
