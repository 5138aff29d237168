//! Signing in at other providers, against one that can be told to lie about anything.
#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test stops at the first surprise")]

mod answer;
mod id_token;
mod identity;
mod learnt;
mod rig;
mod userinfo;
