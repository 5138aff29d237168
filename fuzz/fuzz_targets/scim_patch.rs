#![no_main]
//! See `targets::scim_patch`.

#[path = "../targets.rs"]
#[expect(dead_code, reason = "one target of many")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::scim_patch(data));
