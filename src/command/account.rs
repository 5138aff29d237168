//! `rollbook account`: an administrator's everyday acts on accounts, over `ldapi://` to the running daemon.
//!
//! Owns the arguments and the way of every subcommand: connect, find the account, warn and ask, act, say what became of
//! it. What an act is in LDAP is in `act`, so that any administrator's tool can do the same; whether it may be done is the
//! directory's decision.

mod act;
pub(super) mod find;
mod list;
mod show;
pub(super) mod text;

use super::{Exit, Failure, prompt};
use crate::client::Client;
use crate::config::secret::Secret;
use act::Act;
use std::path::PathBuf;

/// The subcommands of `account`. NAME is a user name, an e-mail address or a DN.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// Show an account: its state, and why it is so
    Show(Show),
    /// List accounts
    List(List),
    /// Stop an account's logins; what it is already logged in to goes on
    Lock(Named),
    /// Let a locked account log in again, with a new password that it must change
    Unlock(Unlock),
    /// Let a disabled or dormant account log in again, with its last password or a new one
    Enable(Enable),
    /// Stop an account at once: logins, sessions, refresh tokens and API tokens
    Disable(Certain),
    /// Delete an account; its names stay reserved until the purge
    Delete(Delete),
    /// Set an account's password
    Passwd(Passwd),
    /// Make an account change its password at its next login
    ForceChange(Named),
}

/// One account.
#[derive(Clone, Debug, clap::Args)]
pub struct Named {
    /// User name, e-mail address or DN
    name: String,
}

/// One account to look at.
#[derive(Clone, Debug, clap::Args)]
pub struct Show {
    #[command(flatten)]
    account: Named,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// One account, and that the question is answered already.
#[derive(Clone, Debug, clap::Args)]
pub struct Certain {
    #[command(flatten)]
    account: Named,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// One account to delete.
#[derive(Clone, Debug, clap::Args)]
pub struct Delete {
    #[command(flatten)]
    account: Named,
    /// Months until it is purged; 0: by the next sweep [default: policy.purge_months]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=120))]
    purge_after_months: Option<u16>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// One account to unlock.
#[derive(Clone, Debug, clap::Args)]
pub struct Unlock {
    #[command(flatten)]
    account: Named,
    /// A file with the new password in its first line, or - for standard input [default: ask at the terminal]
    #[arg(long, value_name = "FILE", conflicts_with = "keep_password")]
    password_file: Option<PathBuf>,
    /// The last password stays, where the policy allows it or the password is kept elsewhere
    #[arg(long)]
    keep_password: bool,
}

/// One account to enable.
#[derive(Clone, Debug, clap::Args)]
pub struct Enable {
    #[command(flatten)]
    account: Named,
    /// Ask for a new password, which the account must change at its next login
    #[arg(long)]
    new_password: bool,
    /// The same, from a file's first line, or - for standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// One account and where its new password comes from.
#[derive(Clone, Debug, clap::Args)]
pub struct Passwd {
    #[command(flatten)]
    account: Named,
    /// A file with the new password in its first line, or - for standard input [default: ask at the terminal]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The account need not change this password at its next login
    #[arg(long)]
    keep: bool,
}

/// Which accounts to list, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct List {
    /// Only accounts in this state
    #[arg(long, value_parser = ["unverified", "active", "enabled", "locked", "dormant", "disabled"])]
    state: Option<String>,
    /// Only accounts that this LDAP filter matches, such as '(mail=*@example.com)'
    #[arg(long, value_name = "LDAPFILTER")]
    filter: Option<String>,
    /// Only accounts below this entry
    #[arg(long, value_name = "DN")]
    base: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = list::Format::Table)]
    format: list::Format,
}

/// Runs a subcommand.
///
/// # Errors
/// With the exit code of the help.
pub fn run(client: &mut Client, action: Action) -> Result<Exit, Failure> {
    match action {
        Action::Show(args) => show::run(client, &args.account.name, args.json),
        Action::List(args) => list::run(client, &args),
        Action::Lock(args) => act::run(client, &args.name, Act::Lock),
        Action::Unlock(args) => act::run_with(client, &args.account.name, || {
            let keep = args.keep_password;
            let password = if keep { None } else { Some(prompt::new_password(args.password_file.as_deref())?) };
            Ok(Act::Unlock(password))
        }),
        Action::Enable(args) => act::run_with(client, &args.account.name, || {
            let wanted = args.new_password || args.password_file.is_some();
            let password = if wanted { Some(prompt::new_password(args.password_file.as_deref())?) } else { None };
            Ok(Act::Enable(password))
        }),
        Action::Disable(args) => act::run_certain(client, &args.account.name, args.yes, &Act::Disable),
        Action::Delete(args) => {
            act::run_certain(client, &args.account.name, args.yes, &Act::Delete(args.purge_after_months))
        }
        Action::Passwd(args) => act::run_with(client, &args.account.name, || {
            let new: Secret = prompt::new_password(args.password_file.as_deref())?;
            Ok(Act::Password { new, force_change: !args.keep })
        }),
        Action::ForceChange(args) => act::run(client, &args.name, Act::ForceChange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::asking::Asking;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Asking<Action>,
    }

    fn parse(line: &str) -> Result<Asking<Action>, String> {
        let words = std::iter::once("account").chain(line.split(' '));
        Line::try_parse_from(words).map(|line| line.args).map_err(|error| error.to_string())
    }

    /// Goal: each line is its subcommand, and a wrong one is refused before anything is asked.
    #[test]
    fn lines_are_read() {
        assert!(matches!(parse("lock ada").unwrap().action, Action::Lock(named) if named.name == "ada"));
        let deleted = parse("delete ada --purge-after-months 0 --yes").unwrap().action;
        assert!(matches!(deleted, Action::Delete(Delete { purge_after_months: Some(0), yes: true, .. })));
        let listed = parse("list --state locked --format csv --socket /s").unwrap();
        assert_eq!(listed.socket, Some("/s".into()));
        assert!(matches!(listed.action, Action::List(List { format: list::Format::Csv, .. })));
        for line in [
            "lock",
            "list --state open",
            "list --state deleted",
            "list --format xml",
            "delete ada --purge-after-months 121",
            "passwd ada --password x",
            "unlock ada --keep-password --password-file f",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
