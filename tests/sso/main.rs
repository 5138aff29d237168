//! Signing in through another provider, from the sign-in page to the session: the whole server before a provider that can be
//! told to lie.
//!
//! `rules` are those of the bridge that the flow owns (R1, R8 to R13, R16, R19), `hostile` the rows of hostile input F1 to F8,
//! each a test by its name.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod hostile;
mod rig;
mod rules;
