//! Keys of distinguished names.
//!
//! Owns the bridge from the matching rules to the canonical form of names.

use crate::schema::{
    MatchingRule, Schema, SyntaxError,
    syntax::{Avas, split_uid},
};

/// Appends the key of a name: for each RDN from the leaf on, its assertions sorted, each the type's number and the
/// key of the value by the type's equality rule.
pub(super) fn dn_key(schema: &Schema, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let mut rdn: Vec<Vec<u8>> = Vec::new();
    for ava in Avas::of(value) {
        let ava = ava?;
        if ava.starts_rdn {
            finish_rdn(&mut rdn, out);
        }
        let attribute =
            schema.find_attribute(ava.attribute).ok_or(SyntaxError("a type that the schema does not know"))?;
        let mut plain = Vec::new();
        ava.value.unescape(&mut plain)?;
        let mut key = attribute.id.0.to_be_bytes().to_vec();
        schema.normalize(attribute.equality.unwrap_or(MatchingRule::OctetStringMatch), &plain, &mut key)?;
        rdn.push(key);
    }
    finish_rdn(&mut rdn, out);
    Ok(())
}

fn finish_rdn(rdn: &mut Vec<Vec<u8>>, out: &mut Vec<u8>) {
    if rdn.is_empty() {
        return;
    }
    rdn.sort_unstable();
    out.extend_from_slice(&u32::try_from(rdn.len()).unwrap_or(u32::MAX).to_be_bytes());
    for key in rdn.drain(..) {
        out.extend_from_slice(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(&key);
    }
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
