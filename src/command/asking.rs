//! What the commands share that ask the running daemon over its Unix socket: the flag, the connection, the exit codes.
//!
//! Who one is, the operating system says through the socket; there is no password.

use super::account::text::shown;
use super::{Exit, Failure, configuration};
use crate::cli::Global;
use crate::client::{self, Client};
use ldap::wire::ResultCode;
use std::path::PathBuf;

/// A command that asks the running daemon.
#[derive(Clone, Debug, clap::Args)]
pub struct Asking<A: clap::Subcommand> {
    /// What for.
    #[command(subcommand)]
    pub action: A,
    /// The daemon's Unix socket [default: listen.ldapi of the configuration]
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

impl<A: clap::Subcommand> Asking<A> {
    /// Asks as whoever the operating system says one is.
    ///
    /// # Errors
    /// `Config`, `Unreachable`, not let in; and what `run` says.
    pub fn ask(
        self,
        global: &Global,
        run: impl FnOnce(&mut Client, A) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let closed = || Failure::new(Exit::Config, "listen.ldapi is switched off; this command goes through it");
        let socket = match self.socket {
            Some(path) => path,
            None => configuration(global, &[])?.listen.ldapi.ok_or_else(closed)?,
        };
        let mut client = Client::connect(&socket)?;
        client.bind_external().map_err(|error| match error {
            client::Error::Refused { code: ResultCode::INVALID_CREDENTIALS, .. } => {
                let message = format!("{} lets only root and the daemon's own user do this", socket.display());
                Failure::new(Exit::Refused, message)
            }
            other => other.into(),
        })?;
        run(&mut client, self.action)
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        let exit = match error {
            client::Error::Unreachable(_) => Exit::Unreachable,
            client::Error::Protocol(_) => Exit::Failed,
            client::Error::Refused { .. } => Exit::Refused,
        };
        Failure::new(exit, shown(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what the daemon says ends with the exit code of the help, and cannot play with the terminal.
    #[test]
    fn answers_have_exit_codes() {
        let refused = |words: &str| client::Error::Refused {
            code: ResultCode::UNWILLING_TO_PERFORM,
            diagnostic: words.to_owned(),
        };
        for (error, exit) in
            [(client::Error::Unreachable("x".into()), 4), (client::Error::Protocol("x".into()), 1), (refused("x"), 5)]
        {
            assert_eq!(Failure::from(error).exit as u8, exit);
        }
        assert_eq!(Failure::from(refused("no\u{1b}[2J")).message, "no\\u{1b}[2J");
        let action = crate::command::keys::Action::List(crate::command::grant::Form { json: false });
        let nowhere = Asking { action, socket: Some("/nowhere/at/all".into()) };
        let asked = nowhere.ask(&Global::default(), |_, _| Ok(Exit::Done));
        assert_eq!(asked.unwrap_err().exit, Exit::Unreachable);
    }
}
