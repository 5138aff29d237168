//! Section `policy`: the system's account policy, which holds where a tenant has none of its own.
//!
//! Only reads the numbers; their meaning is the life cycle's, in `directory`.

use super::setting::{Kind, choice, section};
use std::path::PathBuf;
use std::time::Duration;

const YEAR: Duration = Duration::from_secs(365 * 86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);

section! {
    /// The account policy: one set of rules for every way of logging in.
    "policy" Policy;
    /// Failed logins that are forgiven; one more locks the account. 0 never locks: guessing is then only slowed down.
    attempts: u32, Kind::Count(0, 100), "10";
    /// Failures further apart than this are not counted together.
    failure_window: Duration, Kind::Span(Duration::from_secs(1), MONTH), "15m";
    /// How long a lock lasts. `0s` is until an administrator unlocks the account, which lets anyone who knows its name
    /// keep its owner out; fifteen minutes stop guessing as well.
    lock_duration: Duration, Kind::Span(Duration::ZERO, YEAR), "15m";
    /// Months without activity after which an account is dormant and may not log in. 0 is never.
    dormancy_months: u32, Kind::Count(0, 120), "12";
    /// Months from an account's deletion to its purge, when the deletion does not say. 0 purges at once.
    purge_months: u32, Kind::Count(0, 120), "1";
    /// Whose deletions free the account's names at once, instead of at the purge. Provisioning systems delete and
    /// create again under the same name, and take a refusal for a fault.
    names_freed: NamesFreed, Kind::Choice(NamesFreed::WORDS), "scim";
    /// Whether unlocking an account takes a new password.
    unlock_needs_password: bool, Kind::Flag, "true";
    /// Whether enabling a dormant or disabled account takes a new password.
    enable_needs_password: bool, Kind::Flag, "false";
    /// What an LDAP client gets that must change its password but does not know the password-policy control: refused,
    /// or let in to nothing but the change. Such a client cannot tell its user, so the default is the clear answer.
    change_without_control: ChangeWithoutControl, Kind::Choice(ChangeWithoutControl::WORDS), "refuse";
    /// Characters (Unicode code points) that a new password needs. There are no rules about kinds of characters, and
    /// passwords do not expire: both make passwords worse.
    password_min_length: u32, Kind::Count(8, 128), "12";
    /// Characters that a password may have at most; this bounds the work of hashing it.
    password_max_length: u32, Kind::Count(64, 1_024), "256";
    /// Earlier passwords that may not be used again.
    password_history: u32, Kind::Count(0, 24), "5";
    /// Whether common passwords are refused.
    password_blocklist: bool, Kind::Flag, "true";
    /// A file with further refused passwords, one to a line.
    password_blocklist_file: Option<PathBuf>, Kind::Path, "";
}

choice! {
    /// Deletions that free the account's names at once.
    NamesFreed {
        /// Those that arrive over SCIM.
        #[default]
        Scim = "scim",
        /// Every deletion.
        Always = "always",
        /// None.
        Never = "never",
    }
}

choice! {
    /// The answer to a bind that must be followed by a password change, without the password-policy control.
    ChangeWithoutControl {
        /// The bind is refused.
        #[default]
        Refuse = "refuse",
        /// The bind succeeds, and nothing but the change is allowed.
        Restrict = "restrict",
    }
}
