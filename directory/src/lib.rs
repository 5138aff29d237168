//! The domain: entries, accounts, rules and history in one embedded store. Knows no protocol.

pub mod access;
pub mod application;
pub mod authenticate;
pub mod bootstrap;
pub mod change;
pub mod clock;
pub mod context;
pub mod credential;
pub mod entry;
pub mod error;
pub mod export;
pub mod filter;
pub mod grant;
pub mod handle;
pub mod id;
pub mod import;
pub mod journal;
pub mod lifecycle;
pub mod random;
pub mod schema;
pub mod search;
pub mod store;
pub mod sweep;
pub mod throttle;
pub mod token;
pub mod trail;
