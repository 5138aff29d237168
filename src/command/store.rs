//! The store as the offline commands open it: the file must be there (or must not be), and no daemon may have it.

use super::{Exit, Failure};
use crate::config::Config;
use crate::daemon::{process, store};
use directory::error::Refusal;
use directory::handle::Directory;

/// Opens a store that is there.
///
/// # Errors
/// When there is none, another process has it, or it does not open.
pub fn open(config: &Config) -> Result<Directory, Failure> {
    let file = store::path(&config.server.data_dir);
    if !file.is_file() {
        let message = format!("there is no store at {}: make one with rollbook init", file.display());
        return Err(Failure::new(Exit::Failed, message));
    }
    open_or_make(config)
}

/// Opens the store, and makes it when there is none.
///
/// # Errors
/// When another process has it, or it does not open.
pub fn open_or_make(config: &Config) -> Result<Directory, Failure> {
    process::data_dir(&config.server.data_dir)?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    store::open(config, processors).map_err(|problem| {
        let message = problem.to_string();
        let exit = if message.contains(store::HELD) { Exit::Unreachable } else { Exit::Failed };
        Failure::new(exit, message)
    })
}

/// What the directory refuses, in words.
pub fn refused(refusal: Refusal) -> Failure {
    let message = match (refusal.message, refusal.detail) {
        (message, Some(detail)) if !message.is_empty() => format!("{message}: {detail}"),
        (message, None) if !message.is_empty() => message,
        (_, Some(detail)) => detail,
        (_, None) => format!("{:?}", refusal.reason),
    };
    Failure::new(Exit::Refused, message)
}
