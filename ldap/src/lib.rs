//! The LDAP door.
