//! Entries and their names.

pub mod name;
