//! Cookies, all of the `__Host-` kind (RFC 6265bis §4.1.3.2): only this host sets them, only over TLS, for all its paths.
//!
//! Owns the four names and the attributes. Whoever asks twice for one name in one request gets nothing: a second cookie of a
//! `__Host-` name is no browser's doing.

use axum::http::{HeaderMap, HeaderValue, header};

/// The session's secret.
pub const SESSION: &str = "__Host-rollbook";
/// What binds a form to the browser that got it.
pub const FORM: &str = "__Host-rollbook-form";
/// How far a sign-in has come, sealed.
pub const STEP: &str = "__Host-rollbook-step";
/// The language and the colours that the browser's user chose.
pub const LOOK: &str = "__Host-rollbook-look";

/// How long a browser keeps a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Until the browser is closed.
    Visit,
    /// So many seconds.
    Seconds(u32),
    /// Not at all: it is taken back.
    Gone,
}

/// A cookie's value, of octets that need no quoting.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value).filter(|value| !value.is_empty())
}

/// The value of `Set-Cookie`. None when the value has octets that a cookie cannot hold.
pub fn write(name: &str, value: &str, keep: Keep) -> Option<HeaderValue> {
    if !value.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.')) {
        return None;
    }
    let end = match keep {
        Keep::Visit => String::new(),
        Keep::Seconds(seconds) => format!("; Max-Age={seconds}"),
        Keep::Gone => "; Max-Age=0".to_owned(),
    };
    HeaderValue::try_from(format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{end}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (header::COOKIE, HeaderValue::from_static(line))).collect()
    }

    /// Goal: a cookie is found among others and over several lines, never by a part of its name, and not at all when it is
    /// there twice.
    #[test]
    fn reading() {
        let one = headers(&["a=1; __Host-rollbook=secret;b=2", "__Host-rollbook-form=f"]);
        assert_eq!(read(&one, SESSION), Some("secret"));
        assert_eq!(read(&one, FORM), Some("f"));
        assert_eq!(read(&one, STEP), None);
        assert_eq!(read(&headers(&["__Host-rollbook=a; __Host-rollbook=b"]), SESSION), None);
        assert_eq!(read(&headers(&["__Host-rollbook=a", "__Host-rollbook=a"]), SESSION), None);
        assert_eq!(read(&headers(&["__Host-rollbook="]), SESSION), None);
    }

    /// Goal: every cookie has all five attributes, and no value can add one.
    #[test]
    fn writing() {
        let line = write(SESSION, "abc", Keep::Visit);
        assert_eq!(
            line.as_ref().map(HeaderValue::as_bytes),
            Some(&b"__Host-rollbook=abc; Path=/; Secure; HttpOnly; SameSite=Lax"[..])
        );
        assert!(write(SESSION, "a; Domain=example.com", Keep::Visit).is_none());
        assert!(write(SESSION, "a\r\nb", Keep::Visit).is_none());
    }
}
