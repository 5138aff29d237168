#![no_main]
//! See `targets::scim_cursor`.

#[path = "../targets.rs"]
#[expect(dead_code, reason = "one target of many")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::scim_cursor(data));
