//! Our extension of users: why an account can or cannot log in. Read-only: events change it, never a client's value.

use super::attribute::{boolean, text, time};
use super::{ACCOUNT_STATE, Attribute, Schema};

/// The schema.
pub(super) fn schema() -> Schema {
    let attributes = vec![
        text("state", "State of the life cycle").exact().canonical(&[
            "UNVERIFIED",
            "ACTIVE",
            "ENABLED",
            "LOCKED",
            "DORMANT",
            "DISABLED",
            "DELETED",
        ]),
        boolean("locked", "Whether failed attempts have locked the account"),
        time("lockedUntil", "When the lock lifts itself; absent when it does not"),
        boolean("dormant", "Whether the account was without activity for too long"),
        boolean("disabled", "Whether an administrator has disabled the account"),
        boolean("mustChangePassword", "Whether the next login must change the password"),
        time("lastActivity", "Last activity that keeps the account from dormancy"),
        time("purgeTime", "When the deleted account is purged"),
    ];
    let attributes = attributes.into_iter().map(Attribute::read_only).collect();
    Schema::new(ACCOUNT_STATE, "AccountState", "State of the account, as the directory keeps it", attributes)
}
