//! The store: tables, their keys and values, and the two ways to look at them.

pub mod codec;
pub mod file;
mod filter;
pub mod indexes;
pub mod keys;
mod late;
pub mod membership;
pub mod merged;
pub mod migrate;
pub mod pending;
pub mod rows;
mod settle;
pub mod staged;
mod state;
pub mod tables;
pub mod text;
pub mod trigrams;
pub mod unwritten;
pub mod verify;
pub mod view;
