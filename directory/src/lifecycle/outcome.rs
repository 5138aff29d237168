//! What `decide` answers: the verdict, the facts afterwards, and what else has to happen.
//!
//! A denied login is a verdict, never an error. The reasons here are internal: peers are told one generic message
//! (requirement 2.9), the audit log and administrators the reason.

use super::account::Account;
use super::state::State;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    /// Yes or no, and why.
    pub verdict: Verdict,
    /// The facts afterwards; equal to those before when nothing changed.
    pub next: Account,
    /// The state before, as derived.
    pub before: State,
    /// The state afterwards.
    pub after: State,
    /// What the caller has to do in the write set of `next`, in this order. Empty for a quiet login.
    pub effects: Vec<Effect>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The login, or the use of what an earlier login granted, is good.
    Admitted,
    /// The login is good for changing the password and for nothing else.
    AdmittedMustChange(MustChange),
    /// The login is not.
    Denied(Denial),
    /// An act upon the account is carried out.
    Accepted,
    /// An act upon the account has nothing to do and is no mistake.
    Unchanged,
    /// An act upon the account is refused.
    Rejected(Rejection),
}

impl Verdict {
    /// Not a refusal.
    pub fn is_good(self) -> bool {
        !matches!(self, Verdict::Denied(_) | Verdict::Rejected(_))
    }

    /// A login or token is admitted, with or without a restriction.
    pub fn admits(self) -> bool {
        matches!(self, Verdict::Admitted | Verdict::AdmittedMustChange(_))
    }
}

/// Why the password has to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MustChange {
    /// Somebody said so (the draft's `changeAfterReset`).
    Forced,
    /// It has reached the policy's greatest age.
    Expired,
}

/// Why a login or the use of a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denial {
    /// The credential is wrong.
    WrongPassword,
    /// The credential is wrong, and with it the account has become LOCKED.
    WrongPasswordLocks,
    /// Nobody looked at the credential, though the state would have let them.
    Unchecked,
    /// LOCKED.
    Locked,
    /// DORMANT.
    Dormant,
    /// DISABLED.
    Disabled,
    /// DELETED.
    Deleted,
    /// The password is right but has to be changed, and this client cannot.
    MustChange(MustChange),
}

/// Why an act upon an account is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// The table of requirements §2 has no such cell for this state.
    NotInState(State),
    /// The built-in account (requirement 1.6).
    BuiltIn,
    /// The policy wants a new password with this act.
    PasswordRequired,
    /// The password is kept elsewhere.
    PasswordElsewhere,
    /// Passwords of applications are set by administrators (requirement 5.3).
    NotForApplications,
    /// The password is younger than the policy's least age.
    PasswordTooYoung,
    /// More months than a deletion may wait.
    TooManyMonths,
    /// The purge is not due, and the policy allows no earlier one.
    PurgeNotDue,
    /// The clock is in doubt; nothing irreversible is done by it.
    ClockInDoubt,
}

/// What else has to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// To be told in the audit record: the account changed its state by something else than the act itself asked for.
    Audit(Transition),
    /// The epoch rose: tell those who hold sessions and refresh tokens.
    EndSessions,
    /// Revoke the account's API tokens for good.
    EndTokens,
    /// Others may take the names.
    FreeNames,
    /// Remove the entry, its credentials and what remembers it, for good.
    Erase,
}

/// Changes of state that nobody asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transition {
    /// The first good login, or the first one after enabling.
    BecameActive,
    /// Too many failures.
    BecameLocked,
    /// The period of inactivity has passed.
    BecameDormant,
    /// The same, and the account had never been used.
    BecameDisabled,
}
