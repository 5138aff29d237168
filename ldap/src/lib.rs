//! The LDAP door.

pub mod wire;
