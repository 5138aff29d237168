//! The streaming reader: physical lines to logical lines to records, in bounded memory.
//!
//! Owns folding, comments, the byte order mark, the limits and the recovery after an error. One record is held at a
//! time, in buffers that are used again; what its lines mean is decided in [`crate::reader::shape`].
//!
//! ```text
//! blank ──▶ in a record ──blank or end──▶ Ok(record)
//!                │ error
//!                ▼
//!            skipping ──blank or end──▶ Err(refusal)
//! ```

mod shape;

use std::io::{self, BufRead};

use crate::{
    error::{Error, Reason, Refusal},
    line::Line,
    record::{ControlSpan, ModificationSpan, Record},
};

/// The bounds of a reader. What is above them is refused record by record; the stream itself may be endless.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one line, unfolded and still in base64; so also of one value.
    pub line_bytes: usize,
    /// Bytes of all lines of one record, comments not counted; at most 4 GiB - 1.
    pub record_bytes: usize,
    /// Lines of one record, unfolded, comments not counted.
    pub record_lines: usize,
}

impl Default for Limits {
    /// A photo of 12 MiB in base64, and a group of a million members.
    fn default() -> Self {
        Limits { line_bytes: 16 << 20, record_bytes: 128 << 20, record_lines: 1 << 20 }
    }
}

/// Reads LDIF records from a [`BufRead`].
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    limits: Limits,
    /// The number of the last physical line that was begun.
    line: u64,
    ended: bool,
    /// The logical lines of the record, end to end, values decoded in place.
    text: Vec<u8>,
    lines: Vec<Line>,
    scratch: Vec<u8>,
    controls: Vec<ControlSpan>,
    modifications: Vec<ModificationSpan>,
    refused: Option<(u64, Reason)>,
}

/// What the last physical lines belong to.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Comment,
    Line { start: usize, number: u64 },
}

/// A physical line as it was consumed.
struct Taken {
    /// Whether it was empty but for the line end.
    blank: bool,
    /// Whether it did not fit.
    overflow: Option<Reason>,
}

impl<R: BufRead> Reader<R> {
    /// A reader with the default [`Limits`].
    pub fn new(input: R) -> Self {
        Reader::with_limits(input, Limits::default())
    }

    /// A reader with other limits.
    pub fn with_limits(input: R, limits: Limits) -> Self {
        let ceiling = usize::try_from(u32::MAX).unwrap_or(usize::MAX).saturating_sub(1);
        Reader {
            input,
            limits: Limits { record_bytes: limits.record_bytes.min(ceiling), ..limits },
            line: 0,
            ended: false,
            text: Vec::new(),
            lines: Vec::new(),
            scratch: Vec::new(),
            controls: Vec::new(),
            modifications: Vec::new(),
            refused: None,
        }
    }

    /// The number of physical lines read so far: what a progress display shows.
    pub fn lines_read(&self) -> u64 {
        self.line
    }

    /// The bytes of the buffers, for the tests of the bound.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        let lines = self.lines.capacity().saturating_mul(size_of::<Line>());
        self.text.capacity().saturating_add(self.scratch.capacity()).saturating_add(lines)
    }

    /// The next record, or `None` at the end. The record borrows the reader's buffers until the next call.
    ///
    /// # Errors
    /// [`Error::Refused`] for a record that is not well formed: call again for the one behind it. [`Error::Io`] when
    /// the source fails; from then on the answer is `None`.
    pub fn next_record(&mut self) -> Option<Result<Record<'_>, Error>> {
        loop {
            match self.fill() {
                Err(error) => {
                    self.ended = true;
                    return Some(Err(Error::Io(error)));
                }
                Ok(()) if self.lines.is_empty() && self.refused.is_none() => return None,
                Ok(()) if self.is_version_alone() => {}
                Ok(()) => break,
            }
        }
        let shape = match self.refused.take() {
            Some((line, reason)) => Err((line, reason)),
            None => self.shape(),
        };
        Some(match shape {
            Ok(shape) => Ok(self.record(shape)),
            Err((line, reason)) => Err(Error::Refused(self.refusal(line, reason))),
        })
    }

    /// `version: 1` with a blank line behind it, as most tools write it.
    fn is_version_alone(&self) -> bool {
        let [line] = self.lines.as_slice() else { return false };
        self.refused.is_none() && line.is_named(&self.text, b"version") && line.value(&self.text).trim_ascii() == b"1"
    }

    fn refusal(&self, line: u64, reason: Reason) -> Refusal {
        let dn = self.lines.iter().take(2).find(|line| line.is_named(&self.text, b"dn"));
        Refusal {
            record_line: self.lines.first().map_or(line, |first| first.number),
            line,
            dn: dn.map(|dn| dn.value(&self.text).to_vec()),
            reason,
        }
    }

    /// Collects the logical lines of the next record. Leaves none when the input has ended.
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.lines.clear();
        self.controls.clear();
        self.modifications.clear();
        self.refused = None;
        let mut open = Open::Nothing;
        while !self.ended {
            if self.line == 0 {
                self.skip_byte_order_mark()?;
            }
            let Some(first) = self.input.fill_buf()?.first().copied() else {
                self.ended = true;
                break;
            };
            self.line = self.line.saturating_add(1);
            match first {
                b'#' => {
                    self.close(open);
                    open = Open::Comment;
                    self.take_line(None)?;
                }
                b' ' => {
                    self.input.consume(1);
                    match open {
                        Open::Line { start, .. } => {
                            let taken = self.take_line(Some(start))?;
                            self.note_overflow(open, &taken);
                        }
                        Open::Comment => {
                            self.take_line(None)?;
                        }
                        Open::Nothing => {
                            // Spaces before the first record are often a stray blank line.
                            let blank = self.take_line(None)?.blank;
                            if !blank {
                                self.refuse(self.line, Reason::NothingToContinue);
                            }
                        }
                    }
                }
                _ => {
                    self.close(open);
                    open = Open::Line { start: self.text.len(), number: self.line };
                    let start = if self.refused.is_none() { Some(self.text.len()) } else { None };
                    let taken = self.take_line(start)?;
                    self.note_overflow(open, &taken);
                    if taken.blank {
                        open = Open::Nothing;
                        if !self.lines.is_empty() || self.refused.is_some() {
                            break;
                        }
                    }
                }
            }
        }
        self.close(open);
        Ok(())
    }

    /// UTF-8's mark is skipped; UTF-16 is recognised by its own and ends the reading.
    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        let start = self.input.fill_buf()?;
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            self.ended = true;
            self.refuse(1, Reason::Utf16);
        } else if start.starts_with(b"\xef\xbb\xbf") {
            self.input.consume(3);
        }
        Ok(())
    }

    /// Parses the logical line that is complete now.
    fn close(&mut self, open: Open) {
        let Open::Line { start, number } = open else { return };
        if self.refused.is_some() {
            self.text.truncate(start);
            return;
        }
        if self.lines.len() >= self.limits.record_lines {
            return self.refuse(number, Reason::TooManyLines);
        }
        match Line::parse(&mut self.text, start, number, &mut self.scratch) {
            Ok(line) => self.lines.push(line),
            Err(reason) => self.refuse(number, reason),
        }
    }

    fn refuse(&mut self, line: u64, reason: Reason) {
        self.refused.get_or_insert((line, reason));
    }

    fn note_overflow(&mut self, open: Open, taken: &Taken) {
        if let (Some(reason), Open::Line { number, .. }) = (taken.overflow, open) {
            self.refuse(number, reason);
        }
    }

    /// Consumes the rest of a physical line. With `start`, the beginning of its logical line in the text, the bytes
    /// are appended there as far as the limits allow; without, they are dropped.
    fn take_line(&mut self, start: Option<usize>) -> io::Result<Taken> {
        let before = self.text.len();
        let mut seen = 0_usize;
        let mut last = None;
        let mut overflow = None;
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                break;
            }
            let newline = memchr::memchr(b'\n', available);
            let part = newline.and_then(|at| available.get(..at)).unwrap_or(available);
            seen = seen.saturating_add(part.len());
            last = part.last().copied().or(last);
            if let (Some(start), None) = (start, overflow) {
                let end = self.text.len().saturating_add(part.len());
                if end.saturating_sub(start) > self.limits.line_bytes {
                    overflow = Some(Reason::LineTooLong);
                } else if end > self.limits.record_bytes {
                    overflow = Some(Reason::RecordTooLong);
                } else {
                    self.text.extend_from_slice(part);
                }
            }
            let used = part.len().saturating_add(usize::from(newline.is_some()));
            self.input.consume(used);
            if newline.is_some() {
                break;
            }
        }
        let carriage_return = last == Some(b'\r');
        if carriage_return && start.is_some() && self.text.len() > before {
            self.text.pop();
        }
        Ok(Taken { blank: seen == usize::from(carriage_return), overflow })
    }
}
