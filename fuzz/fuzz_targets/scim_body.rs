#![no_main]
//! See `targets::scim_body`.

#[path = "../targets.rs"]
#[expect(dead_code, reason = "one target of many")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::scim_body(data));
