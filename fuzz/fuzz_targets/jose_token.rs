#![no_main]
//! See `targets::jose_token`.

#[path = "../targets.rs"]
#[expect(dead_code, reason = "one target of many")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::jose_token(data));
