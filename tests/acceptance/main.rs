//! The promises of the product, each shown at the doors of a whole server with a hand-moved clock.
//!
//! One file per promise; a test is named by the number of the requirement that it shows (`r2_03_…` is line 2.3), or by
//! the row of hostile input (`c5_…`). States are reached by what leads there and looked at through logins, searches and
//! the journal. Every test ends with `verify()`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod activity;
mod built_in;
mod custom_schema;
mod delete;
mod disable;
mod doors_dormant;
mod doors_end;
mod doors_lock;
mod dormancy;
mod first_login;
mod forced_change;
mod held_password;
mod holding;
mod hostile_clock;
mod hostile_gate;
mod isolation;
mod last_administrator;
mod lock;
mod machine;
mod names;
mod same_act;
mod same_answer;
mod scim;
mod scim_bounds;
mod scim_changes;
mod scim_rules;
mod scim_smoke;
mod scim_tables;
mod smoke;
mod unlock_and_enable;
mod who_may;
