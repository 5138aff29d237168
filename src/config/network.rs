//! A range of addresses in the notation of RFC 4632 §3.1 and RFC 4291 §2.3: `10.0.0.0/8`, `2001:db8::/32`, `127.0.0.1`.
//!
//! Text to value, value to text, and the question whether an address lies within. An IPv4 address that arrives mapped into
//! IPv6 (`::ffff:a.b.c.d`) is the IPv4 address. Used by the settings and by the door that believes a proxy.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Its first address.
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// The bits that all its addresses share.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether an address lies within.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                ((first.to_bits() ^ address.to_bits()) & mask(self.bits, 32)) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                ((first.to_bits() ^ address.to_bits()) & wide_mask(self.bits)) == 0
            }
            _ => false,
        }
    }
}

fn mask(bits: u8, width: u32) -> u32 {
    u32::MAX.checked_shl(width.saturating_sub(u32::from(bits))).unwrap_or(0)
}

fn wide_mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(bits))).unwrap_or(0)
}

impl FromStr for Network {
    type Err = ();

    /// One address, or a range that begins at its first address: `10.0.0.1/8` is a slip and refused.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| ())?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
                digits.parse().ok().filter(|bits| *bits <= width).ok_or(())?
            }
            Some(_) => return Err(()),
        };
        let outside = match first {
            IpAddr::V4(first) => first.to_bits() & !mask(bits, 32) != 0,
            IpAddr::V6(first) => first.to_bits() & !wide_mask(bits) != 0,
        };
        if outside { Err(()) } else { Ok(Self { first, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = if self.first.is_ipv4() { 32 } else { 128 };
        if self.bits == width { write!(f, "{}", self.first) } else { write!(f, "{}/{}", self.first, self.bits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: ranges hold what lies in them and nothing beside, mapped addresses included.
    #[test]
    fn ranges_hold_what_lies_in_them() {
        let cases = [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "203.0.113.9", false),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("fe80::1/128", "fe80::1", true),
        ];
        for (network, address, held) in cases {
            let range: Network = network.parse().unwrap();
            assert_eq!(range.contains(address.parse().unwrap()), held, "{network} {address}");
            assert_eq!(range.to_string().parse(), Ok(range), "{network}");
        }
    }

    /// Goal: what is no range, or does not begin at its first address, is refused.
    #[test]
    fn slips_are_refused() {
        for text in
            ["", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::1/129", "a/8", "10.0.0.0/+8", "10.0.0.0/8/8", "1.2.3"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
