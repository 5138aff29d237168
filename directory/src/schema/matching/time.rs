//! Keys of times: the UTC instant, ordered byte by byte, whatever form and zone it was written in.

use crate::schema::{SyntaxError, syntax::parse_generalized_time};

/// Five bytes of minutes, one of seconds, then the digits of the fraction. `…00Z`, `…00.0Z` and `…00+0000` give
/// the same key.
pub(super) fn generalized_time(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let instant = parse_generalized_time(value)?;
    let [_, _, _, minutes @ ..] = instant.minutes.to_be_bytes(); // 9999-12-31 needs 33 bits
    out.extend_from_slice(&minutes);
    out.push(instant.second);
    out.extend_from_slice(&instant.fraction);
    Ok(())
}
