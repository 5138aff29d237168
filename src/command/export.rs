//! `rollbook export`: the store as LDIF.
//!
//! Owns the arguments and the output: a file appears whole or not at all, and for its owner alone, because an export
//! holds password hashes. Choosing entries and writing LDIF is the directory's.

use super::{Exit, Failure};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Arguments of `export`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only this entry and what is below it [default: every suffix]
    #[arg(long, value_name = "DN")]
    pub base: Option<String>,
    /// Only entries that match this filter (RFC 4515)
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
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
        let args = Args { base: None, filter: None, output: Some(path.clone()) };
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
