//! Who asks: an extension of every request that the door gets. The type belongs to all HTTP doors.

pub use ::peer::Peer;
