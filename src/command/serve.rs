//! `rollbook serve`: the daemon.

use super::{Exit, Failure, configuration};
use crate::cli::Global;
use crate::daemon::{self, clock, doors, telemetry};
use std::sync::Arc;

/// Arguments of `serve`: none of its own.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Runs the daemon until a signal ends it.
///
/// # Errors
/// When it cannot start.
pub fn run(global: &Global, _args: &Args) -> Result<Exit, Failure> {
    let config = Arc::new(configuration(global, &[])?);
    telemetry::install(&config.log, clock::wall);
    for warning in &config.warnings {
        tracing::warn!(%warning, "configuration");
    }
    daemon::run(config, doors::open).map_err(|problem| Failure::new(Exit::Failed, problem.to_string()))?;
    Ok(Exit::Done)
}
