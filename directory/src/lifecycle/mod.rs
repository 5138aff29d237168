//! The life cycle of an account: stored facts, a derived state, and one pure function that judges every event.
//!
//! Owns: what an [`Account`] is made of, which [`State`] it is in ([`state()`]), what an [`Event`] does to it
//! ([`decide()`]), the [`Policy`] that both ask, and what the sweep finds ([`due()`]). Knows no store, no clock, no
//! password and no door. Called by the gate (every login, token refresh and API token use), by the write path (what
//! administrators and provisioning do), and by the daily sweep. Who may do it is `access`' business, not this one's.
//!
//! ```text
//!                     good login, nothing to change
//!     ┌────────────┐ ──────────────────────────────▶ ┌────────┐ ◀───────────────┐
//!     │ UNVERIFIED │                                 │ ACTIVE │                 │ good login, nothing to change
//!     └────────────┘                                 └────────┘          ┌──────┴──┐
//!       │    │   │                                    │  │   │           │ ENABLED │ ◀─────────┐
//!       │    │   └── too many failures, admin lock ──┐│  │   │           └─────────┘           │
//!       │    │                                       ▼▼  │   │             │  │  │             │ unlock (new password)
//!       │    │ inactive              ┌────────┐ ◀────────┼───┼─────────────┘  │  │             │ enable (may take one)
//!       │    │                       │ LOCKED │ ─────────┼───┼────────────────┼──┼─────────────┤
//!       │    │                       └────────┘          │   │                │  │             │
//!       │    │     the lock's end: as before ↩  │ inactive   │ inactive       │  │ inactive    │
//!       │    │                                  ▼        ▼   │                │  ▼             │
//!       │    │                                ┌─────────┐ ◀──┼────────────────┼──┘             │
//!       │    │                                │ DORMANT │ ───┼────────────────┼────────────────┤
//!       │    ▼                                └─────────┘    ▼                ▼                │
//!       │  ┌──────────┐ ◀─── disable (from every state above; SCIM active:false) ──┘           │
//!       │  │ DISABLED │ ───────────────────────────────────────────────────────────────────────┘
//!       ▼  └──────────┘
//!     ┌─────────┐
//!     │ DELETED │ ◀─── delete (from every other state) ─── purge, after its months ──▶ gone
//!     └─────────┘
//! ```
//! What is not drawn is refused; a password is set in any state but DELETED and moves none. States are derived from facts at the moment of asking, so no sweeper can be late:
//! a lock ends and dormancy begins without a write. When an event meets an account whose period of inactivity has
//! passed, the finding is made a fact first ([`decide()`] settles), so that a longer period later does not undo it. Only
//! what touches the password alone leaves it to the next login or sweep.
#![deny(clippy::arithmetic_side_effects)]

mod account;
mod decide;
mod due;
mod event;
mod outcome;
mod policy;
mod state;

pub use account::{
    Account, Audience, Counters, Deletion, Failures, Hold, HoldCause, Lock, LockCause, Standing, UserType,
};
pub use decide::decide;
pub use due::{Due, due, due_at};
pub use event::{ChangePath, Event, Proof, Remover};
pub use outcome::{Denial, Effect, MustChange, Outcome, Rejection, Transition, Verdict};
pub use policy::{LockDuration, Names, Period, Policy, PolicyError, PolicyOverlay, Unprompted};
pub use state::{State, inactive_from, must_change, password_expires_at, purge_from, state};
