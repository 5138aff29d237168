//! The wiring: which doors there are, opened on the directory.
//!
//! This is the one file of the daemon that names the other crates. [`open`] opens the store, hands each door its sockets
//! (`daemon::sockets`), the certificate and the stop signals, plugs the crates' counters and checks into
//! `House::metrics` and `House::health`, and says what is open. [`Doors::close`] runs after the last connection.

use super::House;
use crate::config::Problem;

/// What is open.
pub struct Doors {
    /// For the log and for people: each door's URL.
    pub urls: Vec<String>,
    /// Closes the store, on a blocking thread, after all connections have ended: the last flush.
    pub close: Box<dyn FnOnce() + Send>,
}

impl Default for Doors {
    fn default() -> Self {
        Self { urls: Vec::new(), close: Box::new(|| ()) }
    }
}

/// Opens every configured door. There is none in this build yet, and the daemon refuses to serve nothing.
///
/// # Errors
/// Why the store or a door cannot be opened.
pub async fn open(_house: &House) -> Result<Doors, Problem> {
    Ok(Doors::default())
}
