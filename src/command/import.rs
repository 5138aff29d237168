//! `rollbook import`: LDIF into the store.
//!
//! Owns the arguments, the inputs as one stream after another with their total length for the progress, and the report
//! of refused records. Reading LDIF and making entries is the directory's.

use super::{Exit, Failure};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// Arguments of `import`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// LDIF files, in the order given; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write every refused record's file, line and reason there [default: standard error]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// One input.
pub struct Input {
    /// For messages.
    pub name: String,
    /// Its bytes.
    pub reader: BufReader<Box<dyn Read + Send>>,
}

/// All inputs and the report, opened before anything is read: a missing third file is found before the first import.
pub struct Opened {
    /// In the order given.
    pub inputs: Vec<Input>,
    /// Bytes of all of them together; none when one is a pipe.
    pub total: Option<u64>,
    /// Where refusals go.
    pub report: Report,
}

impl Opened {
    /// Opens them.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn of(args: &Args) -> Result<Self, Failure> {
        let mut inputs = Vec::new();
        let mut total = Some(0u64);
        for path in &args.files {
            let (input, length) = open(path)?;
            total = total.zip(length).and_then(|(sum, length)| sum.checked_add(length));
            inputs.push(input);
        }
        Ok(Self { inputs, total, report: Report::new(args.report.as_deref())? })
    }
}

fn open(path: &Path) -> Result<(Input, Option<u64>), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, format!("cannot read {}: {error}", path.display()));
    let (name, reader, length): (String, Box<dyn Read + Send>, _) = if path == Path::new("-") {
        ("standard input".to_owned(), Box::new(std::io::stdin()), None)
    } else {
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(Failure::new(Exit::Failed, format!("{} is a directory", path.display())));
        }
        (path.display().to_string(), Box::new(file), metadata.is_file().then_some(metadata.len()))
    };
    Ok((Input { name, reader: BufReader::with_capacity(BUFFER, reader) }, length))
}

/// The report of refused records, one line each: `FILE:LINE: DN: REASON`.
pub struct Report {
    writer: BufWriter<Box<dyn Write + Send>>,
    refused: u64,
}

impl Report {
    fn new(path: Option<&Path>) -> Result<Self, Failure> {
        let writer: Box<dyn Write + Send> = match path {
            None => Box::new(std::io::stderr()),
            Some(path) => Box::new(
                File::create(path)
                    .map_err(|error| Failure::new(Exit::Failed, format!("cannot write {}: {error}", path.display())))?,
            ),
        };
        Ok(Self { writer: BufWriter::new(writer), refused: 0 })
    }

    /// Notes one refusal. The DN comes from the file, so it is escaped.
    ///
    /// # Errors
    /// When it cannot be written: a report with holes would mislead.
    pub fn refused(&mut self, input: &str, line: u64, dn: &str, reason: &str) -> Result<(), Failure> {
        self.refused = self.refused.saturating_add(1);
        writeln!(self.writer, "{input}:{line}: {}: {reason}", dn.escape_debug())
            .map_err(|error| Failure::new(Exit::Failed, format!("cannot write the report: {error}")))
    }

    /// Ends it; returns how many were refused.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<u64, Failure> {
        self.writer.flush().map_err(|error| Failure::new(Exit::Failed, format!("cannot write the report: {error}")))?;
        Ok(self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: inputs are opened all or none, with their total length; refusals are written with their places.
    #[test]
    fn inputs_and_report() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a.ldif"), "dn: o=a\n").unwrap();
        std::fs::write(path("b.ldif"), "dn: o=b\n\n").unwrap();
        let args = |files: &[&str]| Args {
            files: files.iter().map(|name| path(name)).collect(),
            report: Some(path("report")),
        };
        let mut opened = Opened::of(&args(&["a.ldif", "b.ldif"])).unwrap();
        assert_eq!(opened.total, Some(17));
        let mut text = String::new();
        for input in &mut opened.inputs {
            input.reader.read_to_string(&mut text).unwrap();
        }
        assert_eq!(text, "dn: o=a\ndn: o=b\n\n");
        opened.report.refused("a.ldif", 1, "o=a\nforged", "no such parent").unwrap();
        assert_eq!(opened.report.finish().unwrap(), 1);
        assert_eq!(std::fs::read_to_string(path("report")).unwrap(), "a.ldif:1: o=a\\nforged: no such parent\n");
        assert!(Opened::of(&args(&["a.ldif", "none"])).is_err());
        assert!(Opened::of(&args(&["."])).is_err());
    }
}
