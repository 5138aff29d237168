//! Credentials: what an account proves itself with. For now passwords; links, tokens, TOTP and passkeys join here.
//!
//! ```text
//!  cleartext ── secret ──▶ quality ── may it be set? ──▶ history ── used before? ──▶ pool ──▶ password::hash ──▶ store
//!                 │
//!                 └─ login ──▶ pool::prove ──▶ cheap: at once │ expensive: a hashing thread │ unknown: the decoy
//!                                                 └────────── password::verify ── scheme::* ──▶ Verification
//!  userPassword of another server ──▶ import ──▶ kept hash, upgraded at the first login │ cleartext, hashed at once
//! ```
//!
//! Owns password hashes, their checking and the threads for it, and the rules about new passwords. Does not know
//! accounts, states, attempts or policies' storage (`lifecycle`, `authenticate`), reads no clock, draws no randomness:
//! salts and times come in as values. A wrong password is an answer, not an error; a stored hash that cannot be used is
//! an answer too, with a [`Defect`] to raise an alarm.
//!
//! Time: an unknown name, a wrong password and an unusable hash all cost one argon2 run with the present parameters
//! ([`Pool::prove`]); where the stored hash is lighter, the rest is made up. Known exception, until the account's first
//! successful login: a stored hash that costs more than that costs what it costs.

pub mod decoy;
pub mod history;
pub mod import;
pub mod password;
pub mod pool;
pub mod prepare;
pub mod quality;
mod scheme;
pub mod secret;

pub use decoy::Decoy;
pub use password::{Arena, HashError, Params, PasswordHash, Verification};
pub use pool::{Busy, Check, Pool};
pub use prepare::{MAX_PASSWORD_BYTES, Unfit};
pub use quality::Refused;
pub use scheme::{Cost, Defect};
pub use secret::Secret;
