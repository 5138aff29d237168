//! What of an account goes into which token: by the `claim` face of the schema's catalog, never more than was granted.
//!
//! - [`project`] reads an entry; [`request`] reads what is asked for by name; [`scope`] what is asked for by scope.

pub mod project;
pub mod request;
pub mod scope;
