//! Entries: how they are stored and how they are named.

pub mod dn;
pub mod name;
pub mod record;
