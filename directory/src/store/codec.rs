//! The stored form of facts and credentials: a version byte, then postcard.
//!
//! Entries have a layout of their own (`entry::record`), because they are read in place.

use crate::error::{Reason, Refusal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Version of every value written here. A reader accepts the present one; `store::migrate` rewrites older ones.
const VERSION: u8 = 1;

/// What proves an account: the present hash and the ones before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The stored form of the password; none: no password login.
    pub password: Option<String>,
    /// Earlier ones, the latest first.
    pub history: Vec<String>,
}

/// The stored form.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Refusal> {
    postcard::to_extend(value, vec![VERSION])
        .map_err(|e| Refusal::new(Reason::Store, "the store failed").with_detail(e.to_string()))
}

/// The value of a stored form.
///
/// # Errors
/// `Store` when it does not decode.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let damaged = |why: String| Refusal::new(Reason::Store, "the store failed").with_detail(why);
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|e| damaged(e.to_string())),
        Some((version, _)) => Err(damaged(format!("a value of version {version}"))),
        None => Err(damaged("an empty value".into())),
    }
}
