//! Hostile input at the LDAP door: what is sent, and what must happen. The rows are named in each test's first line.
//!
//! Every test runs the door over a directory in memory and ends with the directory verified and the server alive.

mod client;
mod fixture;
mod framing;
mod limits;
mod server;
mod tls;
