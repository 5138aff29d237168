//! The store: tables, their keys and values, and the two ways to look at them.

pub mod codec;
pub mod file;
pub mod indexes;
pub mod keys;
mod late;
pub mod membership;
pub mod migrate;
pub mod rows;
pub mod staged;
pub mod tables;
pub mod text;
pub mod trigrams;
pub mod unwritten;
pub mod verify;
pub mod view;
