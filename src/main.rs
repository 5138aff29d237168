//! The daemon: see the crate documentation of `rollbook`.

fn main() {}
