//! What the load generators share: arguments, HTTP over kept connections, threads that send, and the report.
//!
//! One thread per connection, one request outstanding on each. What is sent and what counts as a right answer is the
//! [`Job`] of a connection.

pub mod args;
pub mod client;
pub mod run;

pub use args::Args;
pub use client::{Answer, Client, Request, Target};
pub use run::{Job, Outcome, run};

use std::process::ExitCode;

/// Runs a generator: one line of JSON, or what is wrong.
pub fn program(name: &str, run: impl FnOnce(&Args) -> Result<String, String>) -> ExitCode {
    match Args::read().and_then(|args| run(&args)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{name}: {problem}");
            ExitCode::FAILURE
        }
    }
}
