//! The store's file comes into being whole: made under another name, and given its own when it is on the disk.
//!
//! Cut off in the middle of making it, redb leaves a file that it never opens again; and a new file whose directory is
//! not synced can be gone after a power cut, with everything that was acknowledged in it. A store of an earlier version
//! becomes one with a log in the same way.

use crate::random::Random;
use crate::wal::layout::{Layout, UNDIVIDED};
use crate::wal::{Limits, Wal};
use redb::Builder;
use redb::backends::FileBackend;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Opens the store at `path`; makes it when nothing is there, and divides one that an earlier version made. Nobody but its
/// owner may read the file: it holds password hashes. A log that is made takes so many `octets`.
///
/// # Errors
/// What the file system or redb says.
pub fn open(builder: &Builder, path: &Path, octets: u64, random: &Random) -> Result<FileBackend, redb::Error> {
    // A link stays a link.
    let real = std::fs::canonicalize(path);
    let path = real.as_deref().unwrap_or(path);
    if !path.try_exists()? || std::fs::metadata(path)?.len() == 0 {
        make(builder, path, octets, random)?;
    } else if is_undivided(path)? {
        divide(builder, path, octets, random)?;
    }
    Ok(FileBackend::new(OpenOptions::new().read(true).write(true).open(path)?)?)
}

/// Makes an empty store.
fn make(builder: &Builder, path: &Path, octets: u64, random: &Random) -> Result<(), redb::Error> {
    let (unfinished, file) = begin(path)?;
    let (_, pages) = Wal::open(Box::new(FileBackend::new(file)?), Limits { frames: 0, octets }, random)?;
    drop(builder.create_with_backend(pages)?);
    finish(&unfinished, path)
}

/// Whether redb's part begins with the file, and there is no log.
fn is_undivided(path: &Path) -> io::Result<bool> {
    let mut start = [0; UNDIVIDED.len()];
    match File::open(path)?.read_exact(&mut start) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| start == UNDIVIDED),
    }
}

/// Puts a log in front of redb's part: into another file, which then takes the name.
fn divide(builder: &Builder, path: &Path, octets: u64, random: &Random) -> Result<(), redb::Error> {
    // As long as it is open here, no earlier version opens it.
    let held = builder.open(path)?;
    let mut old = File::open(path)?;
    let (unfinished, mut file) = begin(path)?;
    let layout = Layout::new(octets, random);
    file.write_all(&layout.encode())?;
    file.seek(SeekFrom::Start(layout.pages_at))?;
    io::copy(&mut old, &mut file)?;
    // Whoever does this, the file stays its owner's.
    let owner = old.metadata()?;
    if owner.uid() != file.metadata()?.uid() {
        std::os::unix::fs::fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    finish(&unfinished, path)?;
    drop(held);
    Ok(())
}

/// The file under another name, empty.
fn begin(path: &Path) -> io::Result<(PathBuf, File)> {
    let unfinished = unfinished(path);
    match std::fs::remove_file(&unfinished) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&unfinished)?;
    Ok((unfinished, file))
}

/// Gives the file its name, when all of it is on the disk.
fn finish(unfinished: &Path, path: &Path) -> Result<(), redb::Error> {
    File::open(unfinished)?.sync_all()?;
    std::fs::rename(unfinished, path)?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()?;
    Ok(())
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::ReadableDatabase;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_an_interrupted_making_left_is_in_nobodys_way() {
        // Goal: after a power cut during the first start, the next start makes the store; an existing one stays.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let random = Random::from_seed(1);
        std::fs::write(unfinished(&path), vec![0; 70_000]).unwrap();
        drop(open(&Builder::new(), &path, Limits::default().octets, &random).unwrap());
        assert!(!unfinished(&path).exists());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let made = std::fs::read(&path).unwrap();
        drop(open(&Builder::new(), &path, Limits::default().octets, &random).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), made);
    }

    #[test]
    fn a_store_of_an_earlier_version_gets_its_log() {
        // Goal: what was in it is there afterwards, closed in order or not; nobody else may read it; an interrupted
        // division leaves the old file, and one that is open elsewhere stays as it is.
        const ROWS: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("rows");
        let folder = tempfile::tempdir().unwrap();
        let (path, random) = (folder.path().join("store.redb"), Random::from_seed(1));
        let old = Builder::new().create(&path).unwrap();
        let mut txn = old.begin_write().unwrap();
        txn.set_quick_repair(true);
        txn.open_table(ROWS).unwrap().insert(1, 2).unwrap();
        txn.commit().unwrap();
        assert!(open(&Builder::new(), &path, Limits::default().octets, &random).is_err());
        let crashed = std::fs::read(&path).unwrap();
        drop(old);
        for octets in [crashed, std::fs::read(&path).unwrap()] {
            std::fs::write(&path, &octets).unwrap();
            std::fs::write(unfinished(&path), vec![7; 70_000]).unwrap();
            let backend = open(&Builder::new(), &path, Limits::default().octets, &random).unwrap();
            let (_, pages) = Wal::open(Box::new(backend), Limits::default(), &random).unwrap();
            let database = Builder::new().create_with_backend(pages).unwrap();
            let txn = database.begin_read().unwrap();
            assert_eq!(txn.open_table(ROWS).unwrap().get(1).unwrap().unwrap().value(), 2);
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(!unfinished(&path).exists() && !is_undivided(&path).unwrap());
        }
    }
}
