//! From lines to a record: what RFC 2849's grammar says about their order.
//!
//! Owns content, add, delete, modify and modrdn. Works on spans, so that a content record, the common case, costs one
//! look at each line.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::Reader;
use crate::{
    error::Reason,
    line::Line,
    record::{Attributes, Body, ControlSpan, Controls, ModificationSpan, Modifications, Operation, Record},
};

type Refused = (u64, Reason);

/// A record in indexes instead of borrows.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// The index of the `dn:` line.
    dn: usize,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// From this line on.
    Content(usize),
    Add(usize),
    Delete,
    Modify,
    /// From `newrdn:` on.
    Rename {
        from: usize,
        delete_old_rdn: bool,
    },
}

impl<R> Reader<R> {
    pub(super) fn record(&self, shape: Shape) -> Record<'_> {
        let (text, lines) = (self.text.as_slice(), self.lines.as_slice());
        let from = |index: usize| lines.get(index..).unwrap_or_default();
        let value = |index: usize| lines.get(index).map(|line| line.value(text));
        let body = match shape.kind {
            Kind::Content(first) => Body::Content(Attributes { text, lines: from(first) }),
            Kind::Add(first) => Body::Add(Attributes { text, lines: from(first) }),
            Kind::Delete => Body::Delete,
            Kind::Modify => Body::Modify(Modifications { text, lines, spans: &self.modifications }),
            Kind::Rename { from, delete_old_rdn } => Body::Rename {
                new_rdn: value(from).unwrap_or_default(),
                delete_old_rdn,
                new_superior: value(from.saturating_add(2)),
            },
        };
        Record {
            line: lines.get(shape.dn).map_or(0, |dn| dn.number),
            dn: value(shape.dn).unwrap_or_default(),
            controls: Controls { text, spans: &self.controls },
            body,
        }
    }

    pub(super) fn shape(&mut self) -> Result<Shape, Refused> {
        let dn = self.dn_line()?;
        let mut next = dn.saturating_add(1);
        while let Some(line) = self.lines.get(next).copied().filter(|line| line.is_named(&self.text, b"control")) {
            self.control(&line).map_err(|reason| (line.number, reason))?;
            next = next.saturating_add(1);
        }
        let kind = match self.lines.get(next) {
            Some(line) if line.is_named(&self.text, b"changetype") => {
                let (number, first) = (line.number, next.saturating_add(1));
                let word = line.value(&self.text).trim_ascii().to_ascii_lowercase();
                match word.as_slice() {
                    b"add" => Kind::Add(self.attributes(first)?),
                    b"delete" => self.delete(first)?,
                    b"modify" => self.modify(first)?,
                    b"modrdn" | b"moddn" => self.rename(first, number)?,
                    _ => return Err((number, Reason::UnknownChangeType)),
                }
            }
            _ => Kind::Content(self.attributes(next)?),
        };
        Ok(Shape { dn, kind })
    }

    /// Finds `dn:` behind an optional `version: 1`, which tools write at the head of a file, and which stands between
    /// records when files were joined.
    fn dn_line(&mut self) -> Result<usize, Refused> {
        let first = *self.lines.first().ok_or((self.line, Reason::MissingDn))?;
        let mut index = 0;
        if first.is_named(&self.text, b"version") {
            if first.value(&self.text).trim_ascii() != b"1" {
                self.ended = true;
                return Err((first.number, Reason::UnknownVersion));
            }
            index = 1;
        }
        match self.lines.get(index) {
            Some(dn) if dn.is_named(&self.text, b"dn") => match std::str::from_utf8(dn.value(&self.text)) {
                Ok(_) => Ok(index),
                Err(_) => Err((dn.number, Reason::NameNotUtf8)),
            },
            Some(other) => Err((other.number, Reason::MissingDn)),
            None => Err((first.number, Reason::MissingDn)),
        }
    }

    /// Checks the attribute lines from `first` to the end, and gives `first` back.
    fn attributes(&self, first: usize) -> Result<usize, Refused> {
        let lines = self.lines.get(first..).unwrap_or_default();
        for line in lines {
            let name = line.name(&self.text);
            let reason = match name.len() {
                0 => Reason::MisplacedDash,
                2 if name.eq_ignore_ascii_case(b"dn") => Reason::SecondDn,
                10 if name.eq_ignore_ascii_case(b"changetype") => Reason::MisplacedChangeType,
                _ => continue,
            };
            return Err((line.number, reason));
        }
        if lines.is_empty() {
            return Err((self.lines.last().map_or(0, |line| line.number), Reason::NoAttributes));
        }
        Ok(first)
    }

    fn delete(&self, first: usize) -> Result<Kind, Refused> {
        match self.lines.get(first) {
            None => Ok(Kind::Delete),
            Some(line) if line.is_named(&self.text, b"dn") => Err((line.number, Reason::SecondDn)),
            Some(line) => Err((line.number, Reason::TextAfterDelete)),
        }
    }

    fn modify(&mut self, first: usize) -> Result<Kind, Refused> {
        let mut next = first;
        while let Some(head) = self.lines.get(next).copied() {
            let operation = operation(head.name(&self.text)).ok_or_else(|| {
                let misplaced = if head.is_dash() { Reason::MisplacedDash } else { Reason::UnknownOperation };
                (head.number, if head.is_named(&self.text, b"dn") { Reason::SecondDn } else { misplaced })
            })?;
            let attribute = head.value(&self.text).trim_ascii();
            if !crate::line::is_description(attribute) {
                return Err((head.number, Reason::BadDescription));
            }
            let behind = self.lines.get(next.saturating_add(1)..).unwrap_or_default();
            let values = behind.iter().take_while(|line| !line.is_dash()).count();
            if let Some(other) = behind.iter().take(values).find(|line| !line.is_named(&self.text, attribute)) {
                return Err((other.number, Reason::OtherAttribute));
            }
            if operation == Operation::Increment && values != 1 {
                return Err((head.number, Reason::BadIncrement));
            }
            self.modifications.push(ModificationSpan { operation, head: next, values });
            // The head, the values, and the dash; the last one is often left out.
            next = next.saturating_add(values).saturating_add(2);
        }
        Ok(Kind::Modify)
    }

    fn rename(&self, from: usize, number: u64) -> Result<Kind, Refused> {
        let lines = self.lines.get(from..).unwrap_or_default();
        let expect = |index: usize, name: &[u8]| match lines.get(index) {
            Some(line) if line.is_named(&self.text, name) => Ok(line),
            other => Err((other.map_or(number, |line| line.number), Reason::BadRename)),
        };
        let new_rdn = expect(0, b"newrdn")?;
        let delete_old = expect(1, b"deleteoldrdn")?;
        let new_superior = if lines.len() > 2 { Some(expect(2, b"newsuperior")?) } else { None };
        if let Some(line) = lines.get(3) {
            return Err((line.number, Reason::BadRename));
        }
        for name in std::iter::once(new_rdn).chain(new_superior) {
            if std::str::from_utf8(name.value(&self.text)).is_err() {
                return Err((name.number, Reason::NameNotUtf8));
            }
        }
        let delete_old_rdn = match delete_old.value(&self.text).trim_ascii() {
            b"0" => false,
            b"1" => true,
            _ => return Err((delete_old.number, Reason::BadDeleteOldRdn)),
        };
        Ok(Kind::Rename { from, delete_old_rdn })
    }

    /// `control: OID [true|false] [: value | :: base64]`.
    fn control(&mut self, line: &Line) -> Result<(), Reason> {
        let value = line.value(&self.text);
        let start = line.value_start();
        let (head, tail) = match memchr::memchr(b':', value) {
            Some(colon) => value.split_at_checked(colon).ok_or(Reason::BadControl)?,
            None => (value, [].as_slice()),
        };
        let mut words = head.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let oid = words.next().filter(|oid| is_numeric_oid(oid)).ok_or(Reason::BadControl)?;
        let oid = start..start.saturating_add(oid.len());
        let critical = match words.next() {
            None => false,
            Some(word) if word.eq_ignore_ascii_case(b"true") => true,
            Some(word) if word.eq_ignore_ascii_case(b"false") => false,
            Some(_) => return Err(Reason::BadControl),
        };
        if words.next().is_some() {
            return Err(Reason::BadControl);
        }
        let value = match tail {
            [] => None,
            [_, b'<', ..] => return Err(Reason::UrlValue),
            [_, b':', encoded @ ..] => {
                self.scratch.clear();
                BASE64_STANDARD.decode_vec(encoded.trim_ascii(), &mut self.scratch).map_err(|_| Reason::BadBase64)?;
                let begin = self.text.len();
                self.text.extend_from_slice(&self.scratch);
                Some(begin..self.text.len())
            }
            [_, plain @ ..] => {
                let fill = plain.iter().take_while(|&&b| b == b' ').count();
                let begin = start.saturating_add(head.len()).saturating_add(1).saturating_add(fill);
                Some(begin..start.saturating_add(value.len()))
            }
        };
        self.controls.push(ControlSpan { oid, critical, value });
        Ok(())
    }
}

fn operation(name: &[u8]) -> Option<Operation> {
    [Operation::Add, Operation::Delete, Operation::Replace, Operation::Increment]
        .into_iter()
        .find(|operation| name.eq_ignore_ascii_case(operation.name().as_bytes()))
}

fn is_numeric_oid(oid: &[u8]) -> bool {
    oid.split(|&b| b == b'.').all(|arc| !arc.is_empty() && arc.iter().all(u8::is_ascii_digit))
}
