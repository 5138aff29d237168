//! `rollbook account`: an administrator's everyday acts on accounts, over `ldapi://` to the running daemon.
//!
//! Owns the arguments, and turns them into an [`Act`] with everything that must be asked for before the daemon is
//! spoken to. Who one is, the operating system says through the socket; there is no password. Saying the act in LDAP is
//! the wiring's part.

use super::{Failure, prompt};
use crate::config::secret::Secret;
use std::path::PathBuf;

/// The subcommands of `account`. NAME is a user name, an e-mail address or a DN.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// Show an account's state, and why it is so
    Show(Named),
    /// List accounts
    List(List),
    /// Stop an account's logins; what it is already logged in to goes on
    Lock(Named),
    /// Let a locked account log in again, with a new password that it must change
    Unlock(WithPassword),
    /// Let a disabled or dormant account log in again
    Enable(Named),
    /// Stop an account at once: logins, sessions and tokens
    Disable(Named),
    /// Delete an account; its names stay reserved until the purge
    Delete(Delete),
    /// Set an account's password
    Passwd(WithPassword),
}

/// One account.
#[derive(Clone, Debug, clap::Args)]
pub struct Named {
    /// User name, e-mail address or DN
    pub name: String,
}

/// One account and where its new password comes from.
#[derive(Clone, Debug, clap::Args)]
pub struct WithPassword {
    /// User name, e-mail address or DN
    pub name: String,
    /// A file with the new password in its first line [default: ask at the terminal]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The account need not change this password at its next login
    #[arg(long)]
    pub keep: bool,
}

/// Which accounts to list.
#[derive(Clone, Debug, clap::Args)]
pub struct List {
    /// Only accounts in this state
    #[arg(long, value_parser = ["unverified", "active", "enabled", "locked", "dormant", "disabled"])]
    pub state: Option<String>,
    /// Only accounts below this entry
    #[arg(long, value_name = "DN")]
    pub base: Option<String>,
}

/// One account to delete.
#[derive(Clone, Debug, clap::Args)]
pub struct Delete {
    /// User name, e-mail address or DN
    pub name: String,
    /// Months until it is purged; 0 purges at once [default: policy.purge_months]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=120))]
    pub purge_after_months: Option<u32>,
}

/// What the daemon is to be asked.
#[derive(Debug)]
pub enum Act {
    /// Read one.
    Show(String),
    /// Read many.
    List(List),
    /// Lock.
    Lock(String),
    /// Unlock with a new password; whether it must be changed at the next login.
    Unlock(String, Secret, bool),
    /// Enable.
    Enable(String),
    /// Disable.
    Disable(String),
    /// Delete; months to the purge.
    Delete(String, Option<u32>),
    /// Set the password; whether it must be changed at the next login.
    Password(String, Secret, bool),
}

impl Act {
    /// Asks for what is missing.
    ///
    /// # Errors
    /// When a password cannot be had.
    pub fn of(action: Action) -> Result<Self, Failure> {
        let password = |args: &WithPassword| prompt::new_password(args.password_file.as_deref());
        Ok(match action {
            Action::Show(args) => Self::Show(args.name),
            Action::List(args) => Self::List(args),
            Action::Lock(args) => Self::Lock(args.name),
            Action::Unlock(args) => {
                let new = password(&args)?;
                Self::Unlock(args.name, new, !args.keep)
            }
            Action::Enable(args) => Self::Enable(args.name),
            Action::Disable(args) => Self::Disable(args.name),
            Action::Delete(args) => Self::Delete(args.name, args.purge_after_months),
            Action::Passwd(args) => {
                let new = password(&args)?;
                Self::Password(args.name, new, !args.keep)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        action: Action,
    }

    fn act(line: &str) -> Result<Act, String> {
        let parsed = Line::try_parse_from(std::iter::once("account").chain(line.split(' ')))
            .map_err(|error| error.to_string())?;
        Act::of(parsed.action).map_err(|failure| failure.message)
    }

    /// Goal: each line is its act, and a wrong one is refused before anything is asked.
    #[test]
    fn lines_are_acts() {
        assert!(matches!(act("lock ada"), Ok(Act::Lock(name)) if name == "ada"));
        assert!(matches!(act("delete ada --purge-after-months 0"), Ok(Act::Delete(_, Some(0)))));
        assert!(matches!(act("delete ada"), Ok(Act::Delete(_, None))));
        assert!(matches!(act("list --state locked"), Ok(Act::List(List { state: Some(_), .. }))));
        for line in ["lock", "list --state open", "delete ada --purge-after-months 121", "passwd ada --password x"] {
            assert!(act(line).is_err(), "{line}");
        }
        assert!(act("passwd ada --password-file /nowhere").unwrap_err().contains("/nowhere"));
    }
}
