//! The process itself: what it denies itself at the start, and how many files it may open.
//!
//! Called once by `serve` and `demo` before anything else is opened. Everything here is best effort but the data
//! directory's permissions: a container may forbid any of it, and the daemon is then no worse than without.

use crate::config::Problem;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

/// Files that the daemon needs beside its clients' sockets: the store, listeners, logs, the runtime's own.
const RESERVED: u64 = 64;

/// Files are made for this user alone; no memory image of the process, which holds passwords, is ever written; other
/// processes of the same user cannot read its memory.
pub fn harden() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = rustix::process::setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps could not be switched off");
    }
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the process could not be made undumpable");
    }
}

/// Raises the limit of open files as far as it goes, and returns how many connections of the wanted number fit in.
pub fn connections(wanted: usize) -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // A refusal leaves the limit as it is, which is what is then read.
    _ = rustix::process::setrlimit(Resource::Nofile, raised);
    let allowed = rustix::process::getrlimit(Resource::Nofile).current;
    let fitting = fit(wanted, allowed);
    if fitting < wanted {
        tracing::warn!(wanted, fitting, "limits.connections is more than the limit of open files; raise LimitNOFILE");
    }
    fitting
}

fn fit(wanted: usize, allowed: Option<u64>) -> usize {
    let Some(allowed) = allowed else { return wanted };
    wanted.min(usize::try_from(allowed.saturating_sub(RESERVED)).unwrap_or(usize::MAX)).max(1)
}

/// Makes the data directory, or checks that nobody else may write to it.
///
/// # Errors
/// When it cannot be made, is no directory, or is open to others.
pub fn data_dir(path: &Path) -> Result<(), Problem> {
    let shown = path.display();
    let failed = |error: std::io::Error| Problem::general(format!("server.data_dir: cannot use {shown}: {error}"));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    let metadata = std::fs::metadata(path).map_err(failed)?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o022 != 0 {
        let message = format!("server.data_dir: others may write to {shown} (mode {mode:04o})");
        return Err(Problem::general(message).with_hint(format!("chmod 700 {shown}")));
    }
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        // Above all root working on the daemon's directory: the daemon could not open the files made so.
        let message = format!("server.data_dir: {shown} belongs to user {owner}, and this is user {user}");
        return Err(Problem::general(message).with_hint(format!("run as that user: sudo -u '#{owner}'")));
    }
    if mode & 0o055 != 0 {
        tracing::warn!(path = %shown, mode = format!("{mode:04o}"), "others may look into the data directory; chmod 700 is better");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Goal: connections fit into the limit of open files, with a reserve, and are never none.
    #[test]
    fn connections_fit() {
        for (wanted, allowed, expected) in
            [(10_000, Some(65_536), 10_000), (10_000, Some(1_024), 960), (10, Some(8), 1), (10, None, 10)]
        {
            assert_eq!(fit(wanted, allowed), expected);
        }
    }

    /// Goal: the data directory is made closed, and one that others may write to is refused with the way out.
    #[test]
    fn the_data_directory_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        data_dir(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o077, 0);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o770)).unwrap();
        assert!(data_dir(&path).unwrap_err().to_string().contains("chmod 700"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(data_dir(&path).is_ok());
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(data_dir(&dir.path().join("file")).is_err());
    }
}
