//! `rollbook check`: recompute the store's indexes, uniqueness, memberships and audit chain, and print what differs.
//!
//! Owns the arguments and the rule of the exit code; recomputing is the directory's `verify`. Changes nothing, but needs
//! the store for itself: a running daemon has it locked.

use super::{Exit, Failure, configuration, say, store};
use crate::cli::Global;
use directory::store::verify::{FINDINGS, verify};

/// Arguments of `check`: none of its own.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Checks, and prints one line for each finding.
///
/// # Errors
/// When the store cannot be opened or read at all.
pub fn run(global: &Global, _args: &Args) -> Result<Exit, Failure> {
    let directory = store::open(&configuration(global, &[])?)?;
    let snapshot = directory.snapshot().map_err(store::refused)?;
    let findings = verify(&snapshot, directory.schema()).map_err(store::refused)?;
    for finding in &findings {
        say(&format!("{}\n", finding.to_string().escape_debug()));
    }
    let more = if findings.len() >= FINDINGS { " or more; the rest is not listed" } else { "" };
    say(&format!("{} findings{more}\n", findings.len()));
    Ok(exit(findings.len()))
}

/// Done when nothing was found, failed otherwise.
pub fn exit(findings: usize) -> Exit {
    if findings == 0 { Exit::Done } else { Exit::Failed }
}
