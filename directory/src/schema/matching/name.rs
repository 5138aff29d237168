//! Keys of distinguished names: those of [`crate::entry::dn`], and the identifier that may follow a name.

use crate::{
    entry::dn::DnKey,
    schema::{Schema, SyntaxError, syntax::split_uid},
};

/// What parts a name from its identifier in a key. The number 0 is no attribute type's, so no longer name begins so.
const UID: [u8; 3] = [0, 0, b'#'];

/// Appends the key of a name.
pub(super) fn dn_key(schema: &Schema, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let key = DnKey::parse(schema, value).map_err(|_| SyntaxError("not a name that the schema can compare"))?;
    out.extend_from_slice(key.as_bytes());
    Ok(())
}

/// The key of the name, then the identifier, so that members without one keep the plain key of their name.
pub(super) fn name_and_uid(schema: &Schema, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let (name, uid) = split_uid(value);
    dn_key(schema, name, out)?;
    if let Some(uid) = uid {
        out.extend_from_slice(&UID);
        out.extend_from_slice(uid);
    }
    Ok(())
}
