//! Addresses that an application or a provider is made with: one that no browser can be sent to, or that this server would
//! never ask, is refused at once, and not at the first sign-in.
//!
//! Who writes the entry by hand is not checked here; the doors that use an address look at it again.

use crate::error::{Reason, Refusal};

type Rule = (&'static str, fn(&str) -> bool, &'static str);

const BACK: &str =
    "an https address, an http address of this machine, or an app's own scheme with a dot in it; no fragment";
const ASKED: &str = "an https address without user and fragment";

/// The attributes, and what their values have to be.
const RULES: [Rule; 5] = [
    ("rollbookRedirectUri", leads_back, BACK),
    ("rollbookPostLogoutUri", leads_back, BACK),
    ("rollbookBackChannelLogoutUri", is_asked, ASKED),
    ("rollbookKeySetUri", is_asked, ASKED),
    ("rollbookIssuer", is_asked, ASKED),
];

/// Checks the addresses among attributes.
///
/// # Errors
/// `Constraint`, with the attribute and what it has to be.
pub(super) fn check(attributes: &[(Vec<u8>, Vec<Vec<u8>>)]) -> Result<(), Refusal> {
    for (name, values) in attributes {
        let Some((name, fits, what)) = RULES.iter().find(|(known, ..)| name.eq_ignore_ascii_case(known.as_bytes()))
        else {
            continue;
        };
        if !values.iter().all(|value| std::str::from_utf8(value).is_ok_and(fits)) {
            return Err(Refusal::new(Reason::Constraint, format!("{name} has to be {what}")));
        }
    }
    Ok(())
}

/// Where a browser may be sent back to (RFC 6749 §3.1.2, RFC 8252 §7).
fn leads_back(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    let plain =
        address.bytes().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'#' | b'\\' | b'"' | b'<' | b'>'));
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'));
    plain
        && is_scheme
        && match scheme.to_ascii_lowercase().as_str() {
            "https" => host(rest).is_some(),
            "http" => host(rest).is_some_and(|host| matches!(host, "127.0.0.1" | "[::1]" | "localhost")),
            own => own.contains('.'),
        }
}

/// What this server asks, or is told its name by.
fn is_asked(address: &str) -> bool {
    leads_back(address) && address.strip_prefix("https:").is_some_and(|rest| !authority(rest).contains('@'))
}

/// `//authority/…`: the authority.
fn authority(rest: &str) -> &str {
    rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default()
}

/// The host of `//host:port/…`; none: there is none.
fn host(rest: &str) -> Option<&str> {
    let authority = authority(rest);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let end = if authority.starts_with('[') {
        authority.find(']').map(|at| at.saturating_add(1))
    } else {
        authority.find(':')
    };
    authority.get(..end.unwrap_or(authority.len())).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what a browser can be sent to is taken as it is written; scripts, fragments, paths and other people's machines in
    /// the clear are not.
    #[test]
    fn addresses() {
        for (address, back, asked) in [
            ("https://app.example/cb?a=b", true, true),
            ("HTTPS://app.example", true, false),
            ("https://[2001:db8::1]:8443/x", true, true),
            ("https://user@app.example/", true, false),
            ("http://127.0.0.1/cb", true, false),
            ("http://127.0.0.1:4711/cb", true, false),
            ("http://[::1]:4711", true, false),
            ("http://localhost:3000/cb", true, false),
            ("com.example.app:/callback", true, false),
            ("http://app.example/cb", false, false),
            ("http://127.0.0.1.evil.example/", false, false),
            ("http://localhost@evil.example/", false, false),
            ("https://app.example/#x", false, false),
            ("https:///cb", false, false),
            ("https:/cb", false, false),
            ("/cb", false, false),
            ("javascript:alert(1)", false, false),
            ("data:text/html,x", false, false),
            ("https://app.example/a b", false, false),
            ("https://\u{e9}.example/", false, false),
            ("1a.b:/x", false, false),
            ("", false, false),
        ] {
            assert_eq!((leads_back(address), is_asked(address)), (back, asked), "{address}");
        }
    }

    /// Goal: every value of an address's attribute is looked at, whatever the case of its name; the refusal names it.
    #[test]
    fn attributes() {
        let of = |name: &str, values: &[&str]| {
            check(&[(name.into(), values.iter().map(|value| value.as_bytes().to_vec()).collect())])
        };
        assert!(of("ROLLBOOKREDIRECTURI", &["https://a.example/", "com.example:/cb"]).is_ok());
        let refusal = of("rollbookredirecturi", &["https://a.example/", "/cb"]).unwrap_err();
        assert!(refusal.message.starts_with("rollbookRedirectUri has to be an https address"), "{}", refusal.message);
        assert!(of("rollbookIssuer", &["http://127.0.0.1/"]).is_err());
        assert!(of("description", &["/cb"]).is_ok());
    }
}
