//! `rollbook import`: LDIF into the store, while no daemon has it.
//!
//! Owns the arguments, the inputs as one stream after another with their total length for the progress, the records of
//! LDIF as entries, and the report. What an entry must be, and making it, is the directory's (`directory::import`).

use super::progress::{Bar, Done};
use super::{Exit, Failure, complain, configuration, say, store};
use crate::cli::Global;
use directory::bootstrap;
use directory::import::{Entry, Finding, FindingKind, Import, Options, Place, Summary};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// Arguments of `import`.
///
/// The good entries are imported and the others reported, all in one transaction: when the command is interrupted, the
/// store is what it was. Into a new store goes only what `rollbook export` wrote; for other files, `rollbook init` first.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// LDIF files, in the order given; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write every refused record's file, line and reason there [default: standard error]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Drop attributes and classes that the schema does not know, instead of refusing their entries
    #[arg(long)]
    pub lenient: bool,
    /// Import nothing, and fail, when anything is refused or left out
    #[arg(long)]
    pub all_or_nothing: bool,
}

/// Imports.
///
/// # Errors
/// When a file cannot be read, the report not be written, the store not be opened; when the directory refuses.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let config = configuration(global, &[])?;
    let opened = Opened::of(args)?;
    // A store that is not there is made: our own export restores it. The directory refuses any other file for that.
    let directory = store::open_or_make(&config)?;
    let options = Options {
        lenient: args.lenient,
        all_or_nothing: args.all_or_nothing,
        spill: Some(config.server.data_dir.clone()),
        ..Options::default()
    };
    let outcome = import(&directory, options, opened);
    directory.stop();
    let (summary, line) = outcome?;
    say(&told(&summary, &line));
    let failed =
        args.all_or_nothing && summary.position.is_none() && summary.refused.saturating_add(summary.left_out) > 0;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn import(
    directory: &directory::handle::Directory,
    options: Options,
    opened: Opened,
) -> Result<(Summary, String), Failure> {
    let Opened { inputs, total, report, bytes } = opened;
    let names: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let report = Arc::new(Mutex::new(report));
    let told = report.clone();
    let tell = move |finding: Finding| {
        let name = usize::try_from(finding.place.file).ok().and_then(|file| names.get(file));
        told.lock().unwrap_or_else(PoisonError::into_inner).note(name.map_or("", String::as_str), &finding);
    };
    let mut import = directory.import(&bootstrap::operator(directory), options, tell).map_err(store::refused)?;
    let mut bar = Bar::new(Instant::now());
    let mut done = Done { total, ..Done::default() };
    for (file, input) in inputs.into_iter().enumerate() {
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        let fed = feed(&mut import, file, input, |entries| {
            done = Done { entries, bytes: bytes.load(Ordering::Relaxed), ..done };
            bar.show(Instant::now(), done);
        });
        match fed {
            Ok(()) => {}
            // The import's own end says why.
            Err(Stopped::Ended) => break,
            Err(Stopped::Failed(failure)) => return Err(failure),
        }
    }
    let summary = import.finish().map_err(store::refused)?;
    report.lock().unwrap_or_else(PoisonError::into_inner).finish()?;
    let line = bar.finish(Instant::now(), Done { entries: summary.entries, refused: summary.refused, ..done });
    Ok((summary, line))
}

/// Imports LDIF that the program carries with it; what is there already stays.
///
/// # Errors
/// When the directory refuses the whole.
pub fn built_in(directory: &directory::handle::Directory, name: &str, ldif: &'static [u8]) -> Result<Summary, Failure> {
    let tell = |finding: Finding| {
        if finding.kind != FindingKind::AlreadyThere {
            tracing::warn!(line = finding.place.line, dn = finding.dn, why = finding.reason, "left out");
        }
    };
    let options = Options::default();
    let mut import = directory.import(&bootstrap::operator(directory), options, tell).map_err(store::refused)?;
    let reader: Box<dyn Read + Send> = Box::new(ldif);
    let input = Input { name: name.to_owned(), reader: BufReader::new(reader) };
    match feed(&mut import, 0, input, |_| ()) {
        Ok(()) | Err(Stopped::Ended) => import.finish().map_err(store::refused),
        Err(Stopped::Failed(failure)) => Err(failure),
    }
}

/// Why reading stopped.
enum Stopped {
    /// The import takes no more.
    Ended,
    /// The file.
    Failed(Failure),
}

/// Hands over every record of one input.
fn feed(import: &mut Import, file: u32, input: Input, mut progress: impl FnMut(u64)) -> Result<(), Stopped> {
    let name = input.name;
    let mut reader = ldif::Reader::new(input.reader);
    let mut entries = 0_u64;
    while let Some(record) = reader.next_record() {
        let handed = match record {
            Ok(record) => match entry(file, &record) {
                Ok(entry) => import.push(entry),
                Err(why) => {
                    let dn = String::from_utf8_lossy(record.dn).into_owned();
                    import.refuse(Place { file, line: record.line }, dn, why)
                }
            },
            Err(ldif::Error::Refused(refusal)) => {
                let dn = refusal.dn.map(|dn| String::from_utf8_lossy(&dn).into_owned()).unwrap_or_default();
                import.refuse(Place { file, line: refusal.line }, dn, refusal.reason.to_string())
            }
            Err(ldif::Error::Io(error)) => {
                return Err(Stopped::Failed(Failure::new(Exit::Failed, format!("cannot read {name}: {error}"))));
            }
        };
        handed.map_err(|_| Stopped::Ended)?;
        entries = entries.saturating_add(1);
        if entries.is_multiple_of(1_000) {
            progress(entries);
        }
    }
    Ok(())
}

/// A content record as an entry.
fn entry(file: u32, record: &ldif::Record<'_>) -> Result<Entry, String> {
    let ldif::Body::Content(lines) = record.body else {
        return Err("'changetype:' is for changes to a running server; an import takes entries".to_owned());
    };
    let mut entry = Entry::new(Place { file, line: record.line }, record.dn);
    for line in lines {
        entry.push(line.description, line.value);
    }
    Ok(entry)
}

/// The summary for people.
fn told(summary: &Summary, line: &str) -> String {
    let mut text = format!("{line}\n");
    let mut more = |what: &str, count: u64| {
        if count > 0 {
            text.push_str(&format!("{count} {what}\n"));
        }
    };
    more("values left out of imported entries, see the report", summary.left_out);
    more("containers that were there already are as they were", summary.already_there);
    for (what, counts) in [("passed over", &summary.ignored), ("unknown and dropped", &summary.dropped)] {
        for (name, count) in counts {
            more(&format!("values of {} {what}", name.escape_debug()), *count);
        }
    }
    if summary.position.is_none() {
        text.push_str("nothing was imported\n");
    }
    text
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
    /// Where findings go.
    pub report: Report,
    /// Bytes that have been read.
    bytes: Arc<AtomicU64>,
}

impl Opened {
    /// Opens them.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn of(args: &Args) -> Result<Self, Failure> {
        let (mut inputs, mut total, bytes) = (Vec::new(), Some(0u64), Arc::default());
        for path in &args.files {
            let (input, length) = open(path, &bytes)?;
            total = total.zip(length).and_then(|(sum, length)| sum.checked_add(length));
            inputs.push(input);
        }
        Ok(Self { inputs, total, report: Report::new(args.report.as_deref())?, bytes })
    }
}

/// A reader that counts.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.fetch_add(u64::try_from(read).unwrap_or(0), Ordering::Relaxed);
        Ok(read)
    }
}

fn open(path: &Path, bytes: &Arc<AtomicU64>) -> Result<(Input, Option<u64>), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, format!("cannot read {}: {error}", path.display()));
    let bytes = Arc::clone(bytes);
    let (name, reader, length): (String, Box<dyn Read + Send>, _) = if path == Path::new("-") {
        ("standard input".to_owned(), Box::new(Counted { inner: std::io::stdin(), bytes }), None)
    } else {
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(Failure::new(Exit::Failed, format!("{} is a directory", path.display())));
        }
        let length = metadata.is_file().then_some(metadata.len());
        (path.display().to_string(), Box::new(Counted { inner: file, bytes }), length)
    };
    Ok((Input { name, reader: BufReader::with_capacity(BUFFER, reader) }, length))
}

/// The report, one line for each finding: `FILE:LINE: DN: refused: REASON`.
pub struct Report {
    writer: BufWriter<Box<dyn Write + Send>>,
    /// The first failure to write; the rest is not tried.
    failed: Option<std::io::Error>,
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
        Ok(Self { writer: BufWriter::new(writer), failed: None })
    }

    /// Notes one. What comes from the file is escaped.
    pub fn note(&mut self, input: &str, finding: &Finding) {
        if self.failed.is_some() {
            return;
        }
        let Finding { place, dn, kind, reason } = finding;
        let line =
            format!("{input}:{}: {}: {}: {}\n", place.line, dn.escape_debug(), kind.name(), reason.escape_debug());
        self.failed = self.writer.write_all(line.as_bytes()).err();
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it could not be written: a report with holes would mislead.
    pub fn finish(&mut self) -> Result<(), Failure> {
        match self.failed.take().or(self.writer.flush().err()) {
            None => Ok(()),
            Some(error) => {
                complain("the import is done, but its report is not whole");
                Err(Failure::new(Exit::Failed, format!("cannot write the report: {error}")))
            }
        }
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
            ..Args::default()
        };
        let mut opened = Opened::of(&args(&["a.ldif", "b.ldif"])).unwrap();
        assert_eq!(opened.total, Some(17));
        let mut text = String::new();
        for input in &mut opened.inputs {
            input.reader.read_to_string(&mut text).unwrap();
        }
        assert_eq!(text, "dn: o=a\ndn: o=b\n\n");
        assert_eq!(opened.bytes.load(Ordering::Relaxed), 17);
        let finding = Finding {
            place: Place { file: 0, line: 1 },
            dn: "o=a\nforged".into(),
            kind: directory::import::FindingKind::Refused,
            reason: "no such parent".into(),
        };
        opened.report.note("a.ldif", &finding);
        opened.report.finish().unwrap();
        let text = std::fs::read_to_string(path("report")).unwrap();
        assert_eq!(text, "a.ldif:1: o=a\\nforged: refused: no such parent\n");
        assert!(Opened::of(&args(&["a.ldif", "none"])).is_err());
        assert!(Opened::of(&args(&["."])).is_err());
    }
}
