//! What each subcommand does, one file each, and what they share: exit codes, failures, the configuration.
//!
//! Commands that work on the store or through a door (`demo`, `init`, `check`, `import`, `export`, `account`, `token`) hold
//! their arguments and everything around that work; `cli` lists a command once the whole of it is there.

pub mod account;
pub mod application;
pub mod asking;
pub mod check;
pub mod config;
pub mod demo;
pub mod export;
pub mod grant;
pub mod import;
pub mod init;
pub mod keys;
pub mod login;
pub mod progress;
pub mod prompt;
pub mod provider;
pub mod serve;
pub mod session;
pub mod store;
pub mod token;

use crate::cli::Global;
use crate::config::{Config, Problem, Problems, Sources};
use std::io::Write;
use std::process::ExitCode;

/// How a command ends; the numbers are stated in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed, or `check` found something.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration or a secret's file is refused.
    Config = 3,
    /// The daemon does not answer, or another process has the data.
    Unreachable = 4,
    /// The directory refused the request, or there is no such entry.
    Refused = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended otherwise than done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// For the person at the terminal; may have several lines.
    pub message: String,
}

impl Failure {
    /// A failure with its exit code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::new(Exit::Config, problem.to_string())
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::new(Exit::Config, problems.to_string())
    }
}

/// The configuration of a command. `own` are settings that the command itself fixes; the user's flags win over them.
///
/// # Errors
/// Everything that is wrong with it.
pub fn configuration(global: &Global, own: &[(&str, String)]) -> Result<Config, Failure> {
    let mut flags: Vec<_> = own.iter().map(|(key, value)| ("this command", (*key).to_owned(), value.clone())).collect();
    if let Some(data) = &global.data {
        flags.push(("--data", "server.data_dir".to_owned(), data.display().to_string()));
    }
    flags.extend(global.set.iter().map(|(key, value)| ("--set", key.clone(), value.clone())));
    Ok(Config::load(&Sources::of_process(global.config.as_deref(), flags)?)?)
}

/// Writes to standard output. A closed pipe is the reader's wish, not a failure.
pub fn say(text: &str) {
    _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Writes an error to standard error, each line marked.
pub fn complain(message: &str) {
    let mut stderr = std::io::stderr().lock();
    for line in message.lines() {
        _ = writeln!(stderr, "rollbook: {line}");
    }
}
