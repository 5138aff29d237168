//! The schema: one table of attribute types and object classes, projected to every door.

pub mod attribute;
pub mod kind;
