//! `rollbook export`: the store as LDIF.
//!
//! Owns the arguments and the output: a file appears whole or not at all, and for its owner alone, because an export
//! holds what is said of people, and password hashes when asked for. Choosing entries is the directory's
//! (`directory::export`).

use super::{Exit, Failure, complain, configuration, store};
use crate::cli::Global;
use directory::export::{Options, Piece, Stopped};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Arguments of `export`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Only this entry and what is below it [default: every suffix]
    #[arg(long, value_name = "DN")]
    pub base: Option<String>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also what the server keeps: UUIDs, times, authors, states of accounts; for a backup
    #[arg(long)]
    pub operational: bool,
    /// Also the hashes of passwords, present and former ones; for a backup
    #[arg(long)]
    pub with_passwords: bool,
}

/// Exports, parents before their children.
///
/// # Errors
/// When the store cannot be opened, there is no such base, or the output cannot be written.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let directory = store::open(&configuration(global, &[])?)?;
    let mut output = Output::of(args)?;
    let options = Options {
        base: args.base.as_deref().map(str::as_bytes),
        operational: args.operational,
        passwords: args.with_passwords,
    };
    let mut writer = ldif::Writer::new(output.writer());
    let written = writer.version().map_err(Stopped::Taker).and_then(|()| {
        directory.export(options, |piece| match piece {
            Piece::Entry(dn) => writer.dn(dn.as_bytes()),
            Piece::Value(description, value) => writer.attribute(description, value),
            Piece::End => writer.end(),
        })
    });
    match written {
        Ok(entries) => {
            output.finish()?;
            complain(&format!("{entries} entries"));
            Ok(Exit::Done)
        }
        Err(Stopped::Refused(refusal)) => Err(store::refused(refusal)),
        Err(Stopped::Taker(error)) => Err(failed(Path::new("the export"), &error)),
    }
}

/// Where the LDIF goes.
pub struct Output {
    writer: BufWriter<Box<dyn Write + Send>>,
    /// The unfinished file and its name to be.
    names: Option<(PathBuf, PathBuf)>,
}

impl Output {
    /// Opens it.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn of(args: &Args) -> Result<Self, Failure> {
        let Some(path) = &args.output else {
            return Ok(Self { writer: BufWriter::new(Box::new(std::io::stdout())), names: None });
        };
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(".part");
        let unfinished = PathBuf::from(unfinished);
        _ = std::fs::remove_file(&unfinished);
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .map_err(|error| failed(&unfinished, &error))?;
        Ok(Self { writer: BufWriter::new(Box::new(file)), names: Some((unfinished, path.clone())) })
    }

    /// For the writer of LDIF.
    pub fn writer(&mut self) -> &mut impl Write {
        &mut self.writer
    }

    /// Ends it: the file gets its name when every byte is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), Failure> {
        let shown = self.names.as_ref().map_or(Path::new("standard output"), |(_, path)| path.as_path());
        self.writer.flush().map_err(|error| failed(shown, &error))?;
        let Some((unfinished, path)) = self.names.take() else { return Ok(()) };
        File::open(&unfinished)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .map_err(|error| failed(&path, &error))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((unfinished, _)) = &self.names {
            _ = std::fs::remove_file(unfinished);
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Goal: a finished export has its name, its bytes and closed permissions; an abandoned one leaves nothing.
    #[test]
    fn whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("all.ldif");
        let args = Args { output: Some(path.clone()), ..Args::default() };
        let mut abandoned = Output::of(&args).unwrap();
        abandoned.writer().write_all(b"half").unwrap();
        drop(abandoned);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let mut output = Output::of(&args).unwrap();
        output.writer().write_all(b"dn: o=a\n").unwrap();
        assert!(!path.exists());
        output.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "dn: o=a\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
