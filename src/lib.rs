//! The daemon: arguments in, doors open, signals obeyed; no rules of its own.
//!
//! `cli` is the command line, `command` what each subcommand does, `client` how one speaks to the running daemon,
//! `config` the settings, `daemon` the running process around the doors. What a directory does is in the crate
//! `directory`, what LDAP says in `ldap`.

pub mod cli;
pub mod client;
pub mod command;
pub mod config;
pub mod daemon;

#[cfg(test)]
mod testing;
