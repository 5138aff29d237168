//! Secrets: bytes that come from a file of their own and are never shown.
//!
//! Owns the checks on such a file (kind, owner, permissions, size) and the type that keeps the bytes out of logs. Used
//! for the TLS key, for the first administrator's password and for whatever secret a later section names.

use super::problem::Problem;
use rustix::fs::{FileType, Mode, OFlags};
use std::fmt;
use std::io::Read;
use std::path::Path;

/// The largest secret file, in bytes; a PEM chain of RSA keys is far below.
pub const LARGEST: u64 = 64 * 1024;

/// A secret's bytes. Prints as `Secret(…)`; overwritten when dropped.
pub struct Secret(Vec<u8>);

impl Secret {
    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The first line's text without its line end: for a password in a file.
    ///
    /// # Errors
    /// When it is empty or not UTF-8.
    pub fn password(&self) -> Result<&str, Problem> {
        let text = std::str::from_utf8(&self.0).map_err(|_| Problem::general("the password file is not UTF-8"))?;
        match text.lines().next() {
            Some(line) if !line.is_empty() => Ok(line),
            _ => Err(Problem::general("the password file's first line is empty")),
        }
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // The barrier keeps the compiler from dropping a write to memory that nobody reads again.
        std::hint::black_box(&self.0);
    }
}

/// How a secret's file may be read by others than its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An ordinary file: by nobody.
    File,
    /// In systemd's credentials directory: by its group, because the ACL by which systemd lets the service in shows
    /// there. The directory itself is closed to everyone else.
    Credentials,
}

/// Reads a secret's file. The file is checked after it was opened, so that it cannot be exchanged in between; symbolic
/// links are followed, because container platforms mount secrets through them.
///
/// # Errors
/// When it is missing, is no regular file, belongs to another user, is open to others, is empty or too large.
pub fn read(path: &Path, place: Place) -> Result<Secret, Problem> {
    let shown = path.display();
    let failed =
        |error: rustix::io::Errno| Problem::general(format!("cannot read {shown}: {}", std::io::Error::from(error)));
    // NONBLOCK: a FIFO put there must not stop the start.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    let stat = rustix::fs::fstat(&file).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Problem::general(format!("{shown} is not a regular file")));
    }
    check_access(path, place, stat.st_mode, stat.st_uid, rustix::process::geteuid().as_raw())?;
    let mut bytes = Vec::new();
    let mut bounded = std::fs::File::from(file).take(LARGEST + 1);
    let length = bounded.read_to_end(&mut bytes);
    // Wrapped first, so that the bytes are overwritten on every way out.
    let secret = Secret(bytes);
    length.map_err(|error| Problem::general(format!("cannot read {shown}: {error}")))?;
    match u64::try_from(secret.0.len()) {
        Ok(0) => Err(Problem::general(format!("{shown} is empty"))),
        Ok(length) if length <= LARGEST => Ok(secret),
        _ => Err(Problem::general(format!("{shown} is larger than {LARGEST} bytes"))),
    }
}

/// The rule about owner and permissions, apart from the file.
fn check_access(path: &Path, place: Place, mode: u32, owner: u32, user: u32) -> Result<(), Problem> {
    let shown = path.display();
    let forbidden = match place {
        Place::File => 0o077,
        Place::Credentials => 0o037,
    };
    if mode & forbidden != 0 {
        let message = format!("{shown} holds a secret but is open to others (mode {:04o})", mode & 0o777);
        return Err(Problem::general(message).with_hint(format!("chmod 600 {shown}")));
    }
    if owner != 0 && owner != user {
        let message = format!("{shown} holds a secret but belongs to user {owner}, not to root or to user {user}");
        return Err(Problem::general(message).with_hint(format!("chown {user} {shown}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(bytes: &[u8], mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    /// Goal: a closed file is read, directly and through a symbolic link.
    #[test]
    fn reads_a_closed_file() {
        let (dir, path) = file(b"correct horse\r\nrest\n", 0o600);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read(&path, Place::File).unwrap().password().unwrap(), "correct horse");
        assert_eq!(read(&link, Place::File).unwrap().password().unwrap(), "correct horse");
    }

    /// Goal: files open to others, missing, empty, too large or not regular are refused, with the way out.
    #[test]
    fn refuses_what_is_not_safe() {
        let large = vec![b'x'; usize::try_from(LARGEST).unwrap() + 1];
        let cases: [(&[u8], u32, Place, &str); 6] = [
            (b"x", 0o640, Place::File, "chmod 600"),
            (b"x", 0o604, Place::File, "open to others (mode 0604)"),
            (b"x", 0o620, Place::Credentials, "open to others"),
            (b"x", 0o444, Place::Credentials, "open to others"),
            (b"", 0o600, Place::File, "is empty"),
            (&large, 0o600, Place::File, "is larger"),
        ];
        for (bytes, mode, place, part) in cases {
            let (_dir, path) = file(bytes, mode);
            let problem = read(&path, place).expect_err(part).to_string();
            assert!(problem.contains(part), "{problem}");
        }
        let (dir, _) = file(b"x", 0o600);
        assert!(read(dir.path(), Place::File).unwrap_err().to_string().contains("not a regular file"));
        assert!(read(&dir.path().join("none"), Place::File).unwrap_err().to_string().contains("No such file"));
    }

    /// Goal: a credential that systemd shows as group-readable is accepted; another user's file is not.
    #[test]
    fn knows_credentials_and_owners() {
        let path = Path::new("f");
        assert!(check_access(path, Place::Credentials, 0o100_440, 0, 1000).is_ok());
        assert!(check_access(path, Place::File, 0o100_600, 1000, 1000).is_ok());
        assert!(check_access(path, Place::File, 0o100_400, 0, 1000).is_ok());
        let problem = check_access(path, Place::File, 0o100_600, 1001, 1000).unwrap_err().to_string();
        assert!(problem.contains("belongs to user 1001") && problem.contains("chown 1000 f"), "{problem}");
    }

    /// Goal: nothing that prints a secret prints its bytes.
    #[test]
    fn stays_silent() {
        assert_eq!(format!("{:?}", Secret::from(b"canary".to_vec())), "Secret(…)");
    }
}
