//! `rollbook check`: recompute the store's indexes, uniqueness, memberships and audit chain, and print what differs.
//!
//! Owns the arguments and the rule of the exit code; recomputing is the directory's `verify`.

use super::Exit;

/// Arguments of `check`: none of its own.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Done when nothing was found, failed otherwise.
pub fn exit(findings: usize) -> Exit {
    if findings == 0 { Exit::Done } else { Exit::Failed }
}
