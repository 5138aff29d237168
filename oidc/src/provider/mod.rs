//! The endpoints of the provider.
//!
//! ```text
//! authorize ─▶ table (is it a good request?) ─▶ decide (who, how, when?) ─▶ sign-in page ⟲ | consent ⟲ | code
//! token ─▶ who asks? ─▶ code | refresh token | the client itself ─▶ tokens
//! ```
//! Steps never call each other: whoever has to act is sent to a page, whose end leads back to authorize, which decides
//! again from what is stored.

pub mod client;
pub mod decide;
pub mod error;
pub mod parameters;
pub mod table;

#[cfg(test)]
mod table_tests;
