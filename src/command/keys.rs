//! `rollbook keys`: the keys that tokens are signed with. They are made and rolled by themselves; this is for looking, and
//! for the day on which one has been stolen.

use super::grant::{Form, Wanted, ask};
use super::{Exit, Failure};
use crate::client::Client;

/// The subcommands of `keys`.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub enum Action {
    /// List them: since when they sign, until when they are published
    List(Form),
    /// Make successors now: they sign in a day, the others are published two days longer
    Roll {
        /// They sign at once and the others are gone at once: every token signed before is worth nothing
        #[arg(long)]
        emergency: bool,
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
        Action::List(form) => ask(client, "keys list", Vec::new(), form),
        Action::Roll { emergency, form } => {
            let wanted = Wanted::default().when(emergency, "emergency", "yes");
            ask(client, "keys roll", wanted.details(), form)
        }
    }
}
