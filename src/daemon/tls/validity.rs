//! Until when a certificate is valid: the one fact that is read from its DER (RFC 5280 §4.1.2.5).
//!
//! A strict walk to the `validity` field and nothing else: the certificate is the administrator's own file and rustls
//! checks the rest. Used to warn in time, to renew the generated certificate and for the metric.
#![deny(clippy::arithmetic_side_effects)]

use crate::daemon::clock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate's validity; none when the bytes are no certificate.
pub fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        fields = element(fields, VERSION)?.1;
    }
    let (_, fields) = element(fields, INTEGER)?;
    let (_signature, fields) = element(fields, SEQUENCE)?;
    let (_issuer, fields) = element(fields, SEQUENCE)?;
    let (validity, _) = element(fields, SEQUENCE)?;
    let (_, rest) = time(validity)?;
    let (end, _) = time(rest)?;
    Some(end)
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    if *length < 0x80 {
        return rest.split_at_checked(usize::from(*length));
    }
    // Long form (X.690 §8.1.3.5); four bytes of length are more than any file we read.
    let count = usize::from(length & 0x7f);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (length, rest) = rest.split_at_checked(count)?;
    let length = length.iter().fold(0u64, |length, byte| (length << 8) | u64::from(*byte));
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// A UTCTime or GeneralizedTime in the only forms that RFC 5280 allows, and what follows it.
fn time(bytes: &[u8]) -> Option<(SystemTime, &[u8])> {
    let tag = *bytes.first()?;
    let (content, rest) = element(bytes, tag)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, text) = match (tag, text.len()) {
        (UTC_TIME, 12) => {
            let (year, text) = text.split_at_checked(2)?;
            let year: u64 = year.parse().ok()?;
            (year.checked_add(if year < 50 { 2000 } else { 1900 })?, text)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, text) = text.split_at_checked(4)?;
            (year.parse().ok()?, text)
        }
        _ => return None,
    };
    let pair = |index: usize| text.get(index..index.checked_add(2)?)?.parse::<u64>().ok();
    let seconds = clock::seconds(year, pair(0)?, pair(2)?, pair(4)?, pair(6)?, pair(8)?)?;
    Some((UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Goal: the end that a certificate was made with is read back, in both time forms (the year 2050 parts them).
    #[test]
    fn reads_what_was_written() {
        for (year, month, day) in [(2030, 2, 28), (2049, 12, 31), (2050, 1, 1), (2099, 7, 4)] {
            let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, month, day);
            let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            let expected = clock::seconds(u64::try_from(year).unwrap(), month.into(), day.into(), 0, 0, 0).unwrap();
            assert_eq!(not_after(certificate.der()), Some(UNIX_EPOCH + Duration::from_secs(expected)));
        }
    }

    /// Goal: a certificate that was cut anywhere before its validity is no certificate.
    #[test]
    fn refuses_cut_certificates() {
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        for length in 0..certificate.der().len() {
            assert_eq!(not_after(&certificate.der()[..length]), None, "{length}");
        }
    }

    proptest! {
        /// Goal: no bytes make it panic.
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            _ = not_after(&bytes);
            let mut nested = vec![SEQUENCE, 0x81, 0xff, SEQUENCE];
            nested.extend(bytes);
            _ = not_after(&nested);
        }
    }
}
