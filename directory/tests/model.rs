//! The directory against simple models: what a search finds is what a walk over everything finds, and what a change
//! does is what the rules say.
//!
//! `PROPTEST_CASES` sets how many cases each property runs; what fails is shrunk to the shortest story.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "common/account.rs"]
mod account;
#[expect(dead_code, reason = "other test programs use the rest")]
mod common;
#[expect(dead_code, reason = "other test programs use the rest")]
#[path = "common/disk.rs"]
mod disk;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "common/rules.rs"]
mod rules;
#[path = "common/searches.rs"]
mod searches;
#[path = "common/story.rs"]
mod story;

/// Cases per property, unless the environment says otherwise.
fn cases(default: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().map_or(default, |text| text.parse().unwrap())
}
