//! The store's file comes into being whole: made under another name, and given its own when it is on the disk.
//!
//! Cut off in the middle of making it, redb leaves a file that it never opens again; and a new file whose directory is
//! not synced can be gone after a power cut, with everything that was acknowledged in it. Called by `handle` before a
//! file is opened.

use redb::Builder;
use redb::backends::FileBackend;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Makes an empty store at `path` unless something is there. Nobody but its owner may read the file: it holds password
/// hashes.
///
/// # Errors
/// What the file system or redb says.
pub fn make(builder: &Builder, path: &Path) -> Result<(), redb::Error> {
    if path.try_exists()? {
        return Ok(());
    }
    let unfinished = unfinished(path);
    match std::fs::remove_file(&unfinished) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&unfinished)?;
    drop(builder.create_with_backend(FileBackend::new(file)?)?);
    File::open(&unfinished)?.sync_all()?;
    std::fs::rename(&unfinished, path)?;
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
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_an_interrupted_making_left_is_in_nobodys_way() {
        // Goal: after a power cut during the first start, the next start makes the store; an existing one stays.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        std::fs::write(unfinished(&path), vec![0; 70_000]).unwrap();
        make(&Builder::new(), &path).unwrap();
        assert!(!unfinished(&path).exists());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(Builder::new().create(&path).unwrap());
        let made = std::fs::read(&path).unwrap();
        make(&Builder::new(), &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), made);
    }
}
