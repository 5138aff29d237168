//! Keys of distinguished names.
//!
//! Owns the bridge from the matching rules to the canonical form of names.

use crate::entry::dn::DnKey;
use crate::schema::{Schema, SyntaxError, syntax::split_uid};

/// Appends the key of a name: that of `entry::dn`, root first.
pub(super) fn dn_key(schema: &Schema, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let key = DnKey::parse(schema, value).map_err(|_| SyntaxError("not a distinguished name of known types"))?;
    out.extend_from_slice(key.as_bytes());
    Ok(())
}

/// The key of the name, then the identifier, so that members without one keep the plain key of their name.
pub(super) fn name_and_uid(schema: &Schema, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let (name, uid) = split_uid(value);
    dn_key(schema, name, out)?;
    if let Some(uid) = uid {
        out.push(b'#');
        out.extend_from_slice(uid);
    }
    Ok(())
}
