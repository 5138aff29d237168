//! What of an account goes into which token: by the `claim` face of the schema's catalog, never more than was granted.
//!
//! - [`request`] reads what is asked for by name; [`scope`] what is asked for by scope.

pub mod request;
pub mod scope;
