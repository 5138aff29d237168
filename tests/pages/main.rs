//! The pages, from outside: through TLS and the HTTP listener, with a browser's cookies and forms, on the real directory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

mod explain;
mod factor;
mod guard;
mod restart;
mod sign_in;
