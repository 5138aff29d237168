//! Hostile input at the LDAP door: what is sent, and what must happen. The rows are named in each test's first line.
//!
//! Every test runs the door over a directory in memory and ends with the directory verified and the server alive.

#[cfg(test)]
mod binds;
#[cfg(test)]
mod client;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod framing;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod names;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tls;
