//! The domain: entries, accounts, rules and history in one embedded store. Knows no protocol.

pub mod clock;
pub mod id;
pub mod lifecycle;
