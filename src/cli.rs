//! The command line: its words, help and flags. What a command does is in `command`.
//!
//! Adding a command is one variant here and one arm in [`run`]; a golden file holds the help of all of them.

use crate::command::asking::Asking;
use crate::command::{self, Exit, Failure};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::path::PathBuf;

/// A directory server: one account state, enforced at every login.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Every setting can also be given by an environment variable: ROLLBOOK_POLICY_ATTEMPTS for policy.attempts.

Exit codes:
  0  done
  1  failed, or `check` found something
  2  the command line is wrong
  3  the configuration or a secret's file is refused
  4  the daemon does not answer, or another process has the data
  5  the directory refused the request, or there is no such entry";

/// Flags of every command.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// Configuration file [default: /etc/rollbook/rollbook.toml if it exists]
    #[arg(long, global = true, value_name = "FILE", env = "ROLLBOOK_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Data directory; overrides server.data_dir
    #[arg(long, global = true, value_name = "DIR", env = "ROLLBOOK_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,
    /// Override a setting, such as policy.attempts=5; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the directory server until a signal ends it
    Serve(command::serve::Args),
    /// Start a filled directory with all doors open, to point an application at
    Demo(command::demo::Args),
    /// Make a store with its naming contexts and its first administrator
    Init(command::init::Args),
    /// Bring entries from LDIF files into the store, while no daemon has it
    Import(command::import::Args),
    /// Write the store as LDIF, while no daemon has it
    Export(command::export::Args),
    /// Recompute everything that follows from the entries, and print what differs
    Check(command::check::Args),
    /// Look at accounts and act on them, through the running daemon
    Account(Asking<command::account::Action>),
    /// Make, list, replace and revoke API tokens, through the running daemon
    Token(Asking<command::token::Action>),
    /// Make, list and delete the applications that sign people in here, through the running daemon
    Application(Asking<command::application::Action>),
    /// The providers that sign people in for us, through the running daemon
    Provider(Asking<command::provider::Action>),
    /// List and roll the keys that tokens are signed with, through the running daemon
    Keys(Asking<command::keys::Action>),
    /// Tell what happened in a login, through the running daemon
    Login(Asking<command::login::Action>),
    /// List and end the sessions of an account, through the running daemon
    Session(Asking<command::session::Action>),
    /// Look at the configuration without starting
    #[command(subcommand)]
    Config(command::config::Action),
}

/// Runs the command of this process' arguments; the process ends with what is returned.
pub fn main() -> std::process::ExitCode {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version arrive as errors as well, and are no failure.
            _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    match Cli::from_arg_matches(&matches).map_err(|error| Failure::new(Exit::Usage, error.to_string())).and_then(run) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            command::complain(&failure.message);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Serve(args) => command::serve::run(global, &args),
        Command::Demo(args) => command::demo::run(global, &args),
        Command::Init(args) => command::init::run(global, &args),
        Command::Import(args) => command::import::run(global, &args),
        Command::Export(args) => command::export::run(global, &args),
        Command::Check(args) => command::check::run(global, &args),
        Command::Account(asking) => asking.ask(global, command::account::run),
        Command::Token(asking) => asking.ask(global, command::token::run),
        Command::Application(asking) => asking.ask(global, command::application::run),
        Command::Provider(asking) => asking.ask(global, command::provider::run),
        Command::Keys(asking) => asking.ask(global, command::keys::run),
        Command::Login(asking) => asking.ask(global, command::login::run),
        Command::Session(asking) => asking.ask(global, command::session::run),
        Command::Config(action) => command::config::run(global, action),
    }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a setting is KEY=VALUE, such as policy.attempts=5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn help(command: &mut clap::Command, path: &str, page: &mut String) {
        _ = write!(page, "$ {path} --help\n{}\n\n", command.render_long_help().to_string().trim_end());
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        for name in names.iter().filter(|name| *name != "help") {
            help(command.find_subcommand_mut(name).unwrap(), &format!("{path} {name}"), page);
        }
    }

    /// Goal: the help of every command is what its golden file says.
    #[test]
    fn the_help_is_golden() {
        let mut command = Cli::command().term_width(100);
        command.build();
        command.clone().debug_assert();
        let mut page = String::new();
        help(&mut command, "rollbook", &mut page);
        // Subcommands are indented by clap only at the ends of lines.
        let page: String = page.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        crate::testing::golden("tests/golden/help.txt", &page);
    }

    /// Goal: global flags stand before or after the command; a malformed setting is a usage error.
    #[test]
    fn global_flags_are_global() {
        for line in ["rollbook --data /d --set a.b=c=d serve", "rollbook serve --data /d --set a.b=c=d"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.global.data, Some("/d".into()));
            assert_eq!(cli.global.set, [("a.b".to_owned(), "c=d".to_owned())]);
        }
        for line in ["rollbook serve --set nothing", "rollbook serve --set =x", "rollbook", "rollbook sevre"] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
