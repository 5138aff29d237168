//! `rollbook session`: who is signed in from where, and the end of it.

use super::account::find;
use super::grant::{Form, Wanted, ask, connect};
use super::{Exit, Failure};
use crate::cli::Global;
use std::path::PathBuf;

/// Arguments of `session`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// The daemon's Unix socket [default: listen.ldapi of the configuration]
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
}

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
pub fn run(global: &Global, args: Args) -> Result<Exit, Failure> {
    let client = &mut connect(global, args.socket)?;
    let quiet = Form { json: false };
    let (act, account, form) = match args.action {
        Action::End { id } => {
            return ask(client, "session end", Wanted::default().with("id", [&id]).details(), quiet);
        }
        Action::List { account, form } => ("session list", account, form),
        Action::EndAll { account } => ("session end-all", account, quiet),
    };
    let dn = find::account(client, &account, &[find::STATE])?.dn;
    ask(client, act, Wanted::default().with("account", [&dn]).details(), form)
}
