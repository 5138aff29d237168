//! The writer: RFC 2849 text that every reader understands.
//!
//! Owns when a value needs base64 and where a line is folded. The caller gives the parts of a record in their order
//! (`dn`, `control`, `changetype`, lines, `end`) or a whole record as the reader had it.

use std::io::{self, Write};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    line::is_description,
    record::{Body, Operation, Record},
};

/// The columns after which a line is folded (RFC 2849 note 2 leaves the number open; this is what all tools write).
const COLUMNS: usize = 76;

/// Writes LDIF to a [`Write`]; buffers only the line in work, so give it a buffered one.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    line: Vec<u8>,
    fold: bool,
}

impl<W: Write> Writer<W> {
    /// A writer that folds at 76 columns.
    pub fn new(out: W) -> Self {
        Writer { out, line: Vec::new(), fold: true }
    }

    /// A writer that never folds: for output that is searched line by line.
    pub fn unfolded(out: W) -> Self {
        Writer { fold: false, ..Writer::new(out) }
    }

    /// `version: 1` and a blank line: the head of a file.
    ///
    /// # Errors
    /// Those of the output, as in all other functions here.
    pub fn version(&mut self) -> io::Result<()> {
        self.out.write_all(b"version: 1\n\n")
    }

    /// `# text`; line ends inside become further comments.
    ///
    /// # Errors
    /// Those of the output.
    pub fn comment(&mut self, text: &str) -> io::Result<()> {
        for line in text.split(['\n', '\r']) {
            writeln!(self.out, "# {line}")?;
        }
        Ok(())
    }

    /// `dn:`: begins a record.
    ///
    /// # Errors
    /// Those of the output.
    pub fn dn(&mut self, dn: &[u8]) -> io::Result<()> {
        self.value(b"dn", dn)
    }

    /// `control:`: directly behind `dn`.
    ///
    /// # Errors
    /// Those of the output.
    pub fn control(&mut self, oid: &[u8], critical: bool, value: Option<&[u8]>) -> io::Result<()> {
        self.line.clear();
        self.line.extend_from_slice(b"control: ");
        self.line.extend_from_slice(oid);
        self.line.extend_from_slice(if critical { b" true" } else { b" false" });
        if let Some(value) = value {
            self.append_value(value);
        }
        self.flush_line()
    }

    /// `changetype:` with one of its words: add, delete, modify, modrdn, moddn.
    ///
    /// # Errors
    /// Those of the output.
    pub fn changetype(&mut self, word: &str) -> io::Result<()> {
        self.value(b"changetype", word.as_bytes())
    }

    /// `description: value`: a value of a content or add record.
    ///
    /// # Errors
    /// `InvalidInput` when `description` is not an attribute description, or one of the words that LDIF keeps for
    /// itself (`dn`, `changetype`, `control`); else those of the output.
    pub fn attribute(&mut self, description: &[u8], value: &[u8]) -> io::Result<()> {
        let reserved = [b"dn".as_slice(), b"changetype", b"control"];
        if !is_description(description) || reserved.iter().any(|word| description.eq_ignore_ascii_case(word)) {
            let name = String::from_utf8_lossy(description).into_owned();
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("not an attribute description: {name:?}")));
        }
        self.value(description, value)
    }

    /// One modification with its values and the closing `-`.
    ///
    /// # Errors
    /// As [`Writer::attribute`].
    pub fn modification<'v>(
        &mut self,
        operation: Operation,
        attribute: &[u8],
        values: impl IntoIterator<Item = &'v [u8]>,
    ) -> io::Result<()> {
        self.value(operation.name().as_bytes(), attribute)?;
        for value in values {
            self.attribute(attribute, value)?;
        }
        self.out.write_all(b"-\n")
    }

    /// The lines of a `modrdn` behind its `changetype`.
    ///
    /// # Errors
    /// Those of the output.
    pub fn rename(&mut self, new_rdn: &[u8], delete_old_rdn: bool, new_superior: Option<&[u8]>) -> io::Result<()> {
        self.value(b"newrdn", new_rdn)?;
        self.value(b"deleteoldrdn", if delete_old_rdn { b"1" } else { b"0" })?;
        new_superior.map_or(Ok(()), |parent| self.value(b"newsuperior", parent))
    }

    /// The blank line that ends a record.
    ///
    /// # Errors
    /// Those of the output.
    pub fn end(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    /// A whole content record.
    ///
    /// # Errors
    /// As [`Writer::attribute`].
    pub fn entry<'v>(
        &mut self,
        dn: &[u8],
        attributes: impl IntoIterator<Item = (&'v [u8], &'v [u8])>,
    ) -> io::Result<()> {
        self.dn(dn)?;
        for (description, value) in attributes {
            self.attribute(description, value)?;
        }
        self.end()
    }

    /// A record as the reader handed it out.
    ///
    /// # Errors
    /// As [`Writer::attribute`].
    pub fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.dn(record.dn)?;
        for control in record.controls {
            self.control(control.oid, control.critical, control.value)?;
        }
        match record.body {
            Body::Content(attributes) => {
                for attribute in attributes {
                    self.attribute(attribute.description, attribute.value)?;
                }
            }
            Body::Add(attributes) => {
                self.changetype("add")?;
                for attribute in attributes {
                    self.attribute(attribute.description, attribute.value)?;
                }
            }
            Body::Delete => self.changetype("delete")?,
            Body::Modify(modifications) => {
                self.changetype("modify")?;
                for modification in modifications {
                    self.modification(modification.operation, modification.attribute, modification.values)?;
                }
            }
            Body::Rename { new_rdn, delete_old_rdn, new_superior } => {
                self.changetype("modrdn")?;
                self.rename(new_rdn, delete_old_rdn, new_superior)?;
            }
        }
        self.end()
    }

    /// Hands the output to its flush, and gives it back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn value(&mut self, name: &[u8], value: &[u8]) -> io::Result<()> {
        self.line.clear();
        self.line.extend_from_slice(name);
        self.append_value(value);
        self.flush_line()
    }

    fn append_value(&mut self, value: &[u8]) {
        if is_safe(value) {
            self.line.extend_from_slice(if value.is_empty() { b":".as_slice() } else { b": " });
            self.line.extend_from_slice(value);
        } else {
            self.line.extend_from_slice(b":: ");
            self.line.extend_from_slice(BASE64_STANDARD.encode(value).as_bytes());
        }
    }

    fn flush_line(&mut self) -> io::Result<()> {
        let columns = if self.fold { COLUMNS } else { usize::MAX };
        let (first, mut rest) = self.line.split_at_checked(columns).unwrap_or((&self.line, &[]));
        self.out.write_all(first)?;
        while !rest.is_empty() {
            let (part, behind) = rest.split_at_checked(columns.saturating_sub(1)).unwrap_or((rest, &[]));
            self.out.write_all(b"\n ")?;
            self.out.write_all(part)?;
            rest = behind;
        }
        self.out.write_all(b"\n")
    }
}

/// RFC 2849 `SAFE-STRING` without a trailing space (note 8), and stricter: no control character, which would reach the
/// terminal of whoever looks at the file.
fn is_safe(value: &[u8]) -> bool {
    !matches!(value.first(), Some(b' ' | b':' | b'<'))
        && value.last() != Some(&b' ')
        && value.iter().all(|b| matches!(b, 0x20..=0x7e))
}
