//! The acts, each as the modification that any LDAP tool could send, and what is said before and after it.

use super::find::{self, STATE};
use super::text::shown;
use crate::client::{Client, Entry, Modification};
use crate::command::{Exit, Failure, prompt, say};
use crate::config::secret::Secret;
use ldap::wire::message::ChangeKind;

/// The draft's mark of a lock that no time lifts (draft-behera-ldap-password-policy-10 §5.3.3).
const UNTIL_UNLOCKED: &[u8] = b"000001010000Z";

/// What ends with an account that is disabled or deleted (requirement 2.6).
const WARNING: &str = "sessions, refresh tokens and API tokens end with it";

/// What is to be done to an account.
#[derive(Debug)]
pub enum Act {
    /// No logins until it is unlocked.
    Lock,
    /// The end of a lock, with a new password or without.
    Unlock(Option<Secret>),
    /// The end of dormancy or of a hold, with a new password or the last one.
    Enable(Option<Secret>),
    /// At once, for good.
    Disable,
    /// Months to the purge; none: the policy's.
    Delete(Option<u16>),
    /// A new password.
    Password {
        /// The password.
        new: Secret,
        /// It must be changed at the next login.
        force_change: bool,
    },
    /// The present password must be changed at the next login.
    ForceChange,
}

/// Carries out an act.
///
/// # Errors
/// `Refused` when there is no such account or the directory refuses.
pub fn run(client: &mut Client, name: &str, act: Act) -> Result<Exit, Failure> {
    run_with(client, name, || Ok(act))
}

/// The same, with something to be asked for once the account is found.
///
/// # Errors
/// As [`run`], and those of `ask`.
pub fn run_with(client: &mut Client, name: &str, ask: impl FnOnce() -> Result<Act, Failure>) -> Result<Exit, Failure> {
    let account = find::account(client, name, &[STATE])?;
    let act = ask()?;
    carry_out(client, &account, &act)
}

/// The same, after a warning and a yes.
///
/// # Errors
/// As [`run`]; `Failed` for a no.
pub fn run_certain(client: &mut Client, name: &str, yes: bool, act: &Act) -> Result<Exit, Failure> {
    let account = find::account(client, name, &[STATE])?;
    if !yes {
        let (what, more) = match act {
            Act::Delete(_) => ("Delete", "; it cannot be restored"),
            _ => ("Disable", ""),
        };
        prompt::confirm(&format!("{what} {}? {WARNING}{more}.", shown(&account.dn)))?;
    }
    carry_out(client, &account, act)
}

fn carry_out(client: &mut Client, account: &Entry, act: &Act) -> Result<Exit, Failure> {
    let dn = shown(&account.dn);
    let months;
    let written: Vec<(ChangeKind, &str, Vec<&[u8]>)> = match act {
        Act::Lock => vec![(ChangeKind::Replace, "pwdAccountLockedTime", vec![UNTIL_UNLOCKED])],
        Act::Unlock(new) => with_password((ChangeKind::Replace, "pwdAccountLockedTime", Vec::new()), new.as_ref()),
        Act::Enable(new) => with_password((ChangeKind::Replace, STATE, vec![b"ENABLED"]), new.as_ref()),
        Act::Disable => vec![(ChangeKind::Replace, STATE, vec![b"DISABLED"])],
        Act::Delete(None) => vec![(ChangeKind::Replace, STATE, vec![b"DELETED"])],
        Act::Delete(Some(number)) => {
            months = number.to_string();
            vec![
                (ChangeKind::Replace, STATE, vec![b"DELETED"]),
                (ChangeKind::Replace, "rollbookPurgeMonths", vec![months.as_bytes()]),
            ]
        }
        Act::Password { new, force_change: true } => {
            with_password((ChangeKind::Replace, "pwdReset", vec![b"TRUE"]), Some(new))
        }
        Act::Password { new, force_change: false } => {
            vec![(ChangeKind::Replace, "userPassword", vec![new.expose()])]
        }
        Act::ForceChange => vec![(ChangeKind::Replace, "pwdReset", vec![b"TRUE"])],
    };
    let modifications: Vec<Modification<'_>> =
        written.iter().map(|(kind, attribute, values)| Modification { kind: *kind, attribute, values }).collect();
    client.modify(&account.dn, &modifications).map_err(|error| {
        let failure = Failure::from(error);
        Failure::new(failure.exit, format!("{dn}: {}", failure.message))
    })?;
    say(&format!("{dn}: {}\n", done(client, account, act)?));
    Ok(Exit::Done)
}

fn with_password<'a>(
    first: (ChangeKind, &'a str, Vec<&'a [u8]>),
    new: Option<&'a Secret>,
) -> Vec<(ChangeKind, &'a str, Vec<&'a [u8]>)> {
    let password = new.map(|new| (ChangeKind::Replace, "userPassword", vec![new.expose()]));
    std::iter::once(first).chain(password).collect()
}

/// What became of the account, as the daemon sees it now.
fn done(client: &mut Client, account: &Entry, act: &Act) -> Result<String, Failure> {
    if let Act::Delete(_) = act {
        return Ok("DELETED".to_owned());
    }
    let now = find::account(client, &account.dn, &[STATE, "pwdReset"])?;
    let state = shown(now.value(STATE).unwrap_or_default());
    let must_change = now.value("pwdReset") == Some("TRUE");
    let and = if must_change { ", must change the password at the next login" } else { "" };
    Ok(match act {
        Act::Password { .. } => format!("the password is set; {state}{and}"),
        Act::Unlock(_) | Act::Enable(_) | Act::ForceChange => format!("{state}{and}"),
        Act::Lock | Act::Disable | Act::Delete(_) => state,
    })
}
