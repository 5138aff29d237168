//! A frame: the write sets of one commit, and between which two heads of the journal they lead.
//!
//! ```text
//! magic 8 │ version 4 │ length 4 │ before: position 8, hash 32 │ after: position 8, hash 32 │ digest 32 │ code 32 │ write sets
//! ```
//!
//! Numbers are little-endian. The digest is the SHA-256 of the write sets, the code the HMAC-SHA-256 of all before it: a
//! header can be told from other octets before as many more are read as it says.

use super::layout::PAGE;
use crate::change::WriteSet;
use crate::change::apply::Head;
use crate::error::Refusal;
use crate::id::Position;
use aws_lc_rs::hmac;
use sha2::{Digest, Sha256};

const MAGIC: [u8; 8] = *b"rbframe\0";
/// The form of the write sets, which rises when one of their types changes.
pub const VERSION: u32 = 1;
/// Octets of a frame before its write sets.
pub const HEADER: usize = CODE + 32;
/// Where the code is in the header.
const CODE: usize = 128;

/// What the header of a sound frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The form of the write sets.
    pub version: u32,
    /// The octets of the write sets.
    pub length: usize,
    /// The journal's head before them.
    pub before: Head,
    /// The same after them.
    pub after: Head,
    /// SHA-256 of the write sets.
    digest: [u8; 32],
}

impl Frame {
    /// Octets of the log that it takes.
    pub fn takes(&self) -> u64 {
        pages(HEADER.saturating_add(self.length))
    }

    /// Whether these are its write sets.
    pub fn is_of(&self, body: &[u8]) -> bool {
        body.len() == self.length && Sha256::digest(body).as_slice() == self.digest
    }
}

/// As many octets, in whole pages.
pub fn pages(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX).div_ceil(PAGE).saturating_mul(PAGE)
}

/// Writes a frame in place of what `out` held, filled up to whole pages.
///
/// # Errors
/// `Store` when a write set has no such form.
pub fn write(
    out: &mut Vec<u8>,
    key: &[u8; 32],
    before: &Head,
    after: &Head,
    sets: &[&WriteSet],
) -> Result<(), Refusal> {
    out.clear();
    out.resize(HEADER, 0);
    *out = postcard::to_extend(sets, std::mem::take(out)).map_err(Refusal::store)?;
    let length = u32::try_from(out.len().saturating_sub(HEADER)).map_err(Refusal::store)?;
    let mut header = Vec::with_capacity(CODE);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&length.to_le_bytes());
    for head in [before, after] {
        header.extend_from_slice(&head.position.0.to_le_bytes());
        header.extend_from_slice(&head.hash);
    }
    header.extend_from_slice(&Sha256::digest(out.get(HEADER..).unwrap_or_default()));
    let code = hmac::sign(&code_key(key), &header);
    header.extend_from_slice(code.as_ref());
    if let Some(place) = out.get_mut(..HEADER) {
        place.copy_from_slice(&header);
    }
    out.resize(usize::try_from(pages(out.len())).map_err(Refusal::store)?, 0);
    Ok(())
}

/// What the header says that these octets begin with; none: they begin with no sound one.
pub fn read(octets: &[u8], key: &[u8; 32]) -> Option<Frame> {
    let (head, rest) = octets.split_at_checked(CODE)?;
    let fields = head.strip_prefix(&MAGIC)?;
    hmac::verify(&code_key(key), head, rest.get(..HEADER.saturating_sub(CODE))?).ok()?;
    let (version, fields) = fields.split_first_chunk::<4>()?;
    let (length, fields) = fields.split_first_chunk::<4>()?;
    let (before, fields) = head_of(fields)?;
    let (after, fields) = head_of(fields)?;
    let digest = *fields.first_chunk::<32>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    Some(Frame { version: u32::from_le_bytes(*version), length, before, after, digest })
}

/// The write sets of a frame.
///
/// # Errors
/// `Store` when they are of another form.
pub fn sets(body: &[u8]) -> Result<Vec<WriteSet>, Refusal> {
    postcard::from_bytes(body).map_err(|e| Refusal::store(format!("the log: {e}")))
}

fn head_of(fields: &[u8]) -> Option<(Head, &[u8])> {
    let (position, rest) = fields.split_first_chunk::<8>()?;
    let (hash, rest) = rest.split_first_chunk::<32>()?;
    Some((Head { position: Position(u64::from_le_bytes(*position)), hash: *hash }, rest))
}

fn code_key(key: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}
