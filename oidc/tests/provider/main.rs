//! The provider as a relying party and a browser see it: the real pages, the real directory, a clock that is moved by hand.
//!
//! `modules` reproduces the modules of the OpenID Foundation's plans for Basic, Config, RP-initiated and back-channel logout;
//! `hostile` the rows of hostile input; `state` what the state of the account does to what was granted.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod back_channel;
mod browser;
mod hostile;
mod logout;
mod modules;
mod rig;
mod state;
