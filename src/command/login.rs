//! `rollbook login`: what happened in a login, for whoever is asked why it did not work.

use super::grant::{Form, Wanted, ask};
use super::{Exit, Failure};
use crate::client::Client;

/// The subcommands of `login`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// Tell a login step by step, with the rule that refused it
    Explain {
        /// Any request of it: the reference on the page, or `X-Request-Id` of an answer
        #[arg(value_name = "REQUEST_ID")]
        request: String,
        /// How to show it.
        #[command(flatten)]
        form: Form,
    },
}

/// Runs a subcommand.
///
/// # Errors
/// With the exit code of the help.
pub fn run(client: &mut Client, action: Action) -> Result<Exit, Failure> {
    match action {
        Action::Explain { request, form } => {
            let wanted = Wanted::default().with("request", [&request]);
            ask(client, "login explain", wanted.details(), form)
        }
    }
}
