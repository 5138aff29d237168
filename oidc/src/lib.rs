//! The OpenID Connect door: applications sign people in here (OpenID Connect Core, RFC 6749, RFC 9700).
//!
//! Owns the words of the protocol: signed tokens, the endpoints of the provider, what a client may ask and what it is told.
//! Who may log in and what is remembered is decided in the crate `directory`; pages are made by the crate `web`.
//!
//! - [`jose`] is signing and checking, pure: RFC 7515, 7517, 7518, 7519, 8037, 8725.
//! - [`keys`] says which key signs and which ones check.
//! - [`claims`] says what of an account goes into which token, by the `claim` face of the schema's catalog.
//! - [`fetch`] asks other servers, guarded.
//! - [`provider`] is the endpoints.
//! - [`upstream`] is signing in at other providers.

#![deny(clippy::arithmetic_side_effects)]

pub mod claims;
pub mod fetch;
pub mod jose;
pub mod keys;
pub mod provider;
pub mod upstream;
