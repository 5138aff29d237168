//! The command line from end to end: the built program against the built program's demo, through its Unix socket.
//!
//! One demo serves all tests that run at the same time, because filling one takes its time; every test works on accounts
//! and entries of its own. Whoever lets go of it last ends it, and then the store must be whole.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod account;
mod application;
mod demo;
mod fuse;
mod keys;
mod login;
mod provider;
mod session;
mod token;
