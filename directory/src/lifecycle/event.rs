//! What can happen to an account. Everything that the gate, the write path or the sweep brings to `decide` is one of
//! these; rights to do it have been checked before.

use crate::id::EntryId;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A login by any door: LDAP bind, password page, upstream provider.
    Login {
        /// What became of the credential; all factors that the policy asks for count as one.
        proof: Proof,
        /// How the client could change the password if it has to.
        change: ChangePath,
    },
    /// A running session or refresh token is used, or an API token (requirement 2.11).
    Activity,
    /// The owner sets a new password, having proven to be the owner, with the old password or by a link.
    ChangePassword {
        /// By an activation or reset link: the least age of a password does not bind.
        by_link: bool,
    },
    /// An administrator or provisioning sets the password, in any state but DELETED. No state changes by it.
    SetPassword {
        /// The owner must change it.
        force_change: bool,
    },
    /// An administrator or provisioning takes the password away: sessions end, no state changes.
    RemovePassword,
    /// An administrator forces a change without setting a password.
    ForceChange,
    /// An administrator ends all sessions and refresh tokens.
    SignOut,
    /// An administrator locks, until one unlocks.
    Lock,
    /// An administrator unlocks.
    Unlock {
        /// A new password is set in the same write set.
        new_password: bool,
    },
    /// An administrator disables.
    Disable {
        /// Who.
        by: Option<EntryId>,
    },
    /// An administrator enables.
    Enable {
        /// A new password is set in the same write set.
        new_password: bool,
    },
    /// An administrator or provisioning deletes.
    Delete {
        /// Purged so many months later; none: as the policy says.
        months: Option<u16>,
        /// Which of the policy's rules for names holds.
        remover: Remover,
        /// Who.
        by: Option<EntryId>,
    },
    /// SCIM writes `active`.
    ScimActive {
        /// The value written.
        active: bool,
        /// The provisioning client.
        by: Option<EntryId>,
    },
    /// An administrator asks for the purge.
    Purge,
    /// The daily sweep comes by.
    Sweep,
}

/// What became of the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It was right.
    Right,
    /// It was right, and it was not the password: a provider's word, a second factor. It says nothing about wrong
    /// passwords, so it clears none.
    Elsewhere,
    /// It was wrong.
    Wrong,
    /// It was wrong, and is the same that was counted a moment ago (policy `forgive_repeats`).
    WrongAgain,
    /// It was not looked at: the state or the throttle had spoken before.
    Unchecked,
}

/// How a client could change a password that has to be changed (requirement 2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangePath {
    /// An LDAP bind that sent the password-policy control.
    Control,
    /// A page that asks for the new password.
    Page,
    /// An LDAP bind without the control: the policy decides.
    None,
}

/// By which way a deletion arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remover {
    /// An administrator.
    Administrator,
    /// SCIM.
    Provisioning,
}

impl Event {
    /// It leaves the state alone, so whatever inactivity has done is left to be found by what moves states: that ends
    /// sessions and tokens, and tells the journal of it.
    pub(super) fn leaves_state(&self) -> bool {
        matches!(self, Event::SetPassword { .. } | Event::RemovePassword)
    }

    /// It comes from an administrator or from provisioning, so it is judged with findings made first even while the
    /// clock is in doubt.
    pub(super) fn is_administrative(&self) -> bool {
        !matches!(self, Event::Login { .. } | Event::Activity | Event::ChangePassword { .. } | Event::Sweep)
    }
}
