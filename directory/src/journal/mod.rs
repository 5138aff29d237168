//! The order of all changes, and the memory of them.
//!
//! [`local`] is the journal of one machine: a lane that applies write sets one after another and commits many at once;
//! [`queue`] is what waits for it, [`batch`] what it takes together, [`worker`] its thread. [`record`] is what is remembered of each, chained so
//! that history cannot be edited unseen; [`since`] asks what has been touched after a moment.

pub mod batch;
pub mod local;
pub mod queue;
pub mod record;
pub mod since;
pub mod worker;
