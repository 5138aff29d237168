//! `rollbook session`: who is signed in from where, and the end of it.

use super::account::find;
use super::grant::{Form, Wanted, ask};
use super::{Exit, Failure};
use crate::client::Client;

/// The subcommands of `session`. ACCOUNT is a user name, an e-mail address or a DN.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// List the sessions of an account
    List {
        /// Whose
        account: String,
        /// How to show it.
        #[command(flatten)]
        form: Form,
    },
    /// End a session, with what applications hold by it
    End {
        /// Its id
        id: String,
    },
    /// End all sessions and refresh tokens of an account
    EndAll {
        /// Whose
        account: String,
    },
}

/// Runs a subcommand.
///
/// # Errors
/// With the exit code of the help.
pub fn run(client: &mut Client, action: Action) -> Result<Exit, Failure> {
    let quiet = Form { json: false };
    let (act, account, form) = match action {
        Action::End { id } => {
            return ask(client, "session end", Wanted::default().with("id", [&id]).details(), quiet);
        }
        Action::List { account, form } => ("session list", account, form),
        Action::EndAll { account } => ("session end-all", account, quiet),
    };
    let dn = find::account(client, &account, &[find::STATE])?.dn;
    ask(client, act, Wanted::default().with("account", [&dn]).details(), form)
}
