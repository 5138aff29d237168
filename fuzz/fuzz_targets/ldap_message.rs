#![no_main]
//! See `targets::ldap_message`.

#[path = "../targets.rs"]
#[expect(dead_code, reason = "one target of many")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::ldap_message(data));
