//! What a token must say to be good for a purpose (RFC 7519 §4.1, RFC 8725 §3.8 to §3.12).
//!
//! One struct says what is expected; a purpose that forgets a check cannot be written, because every field must be given.

use super::Flaw;
use directory::clock::{Millis, Span};
use serde_json::{Map, Value};

/// Clocks of two machines may differ by so much.
pub const SKEW: Span = Span::from_secs(60);

/// How old a token may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// `exp` must be there and not have passed.
    Good,
    /// As `Good`, and from `iat` (or now) to `exp` may be no more than this.
    AtMost(Span),
    /// `exp` may have passed (a hint, RP-initiated logout §2), but must be there.
    MayHaveEnded,
}

/// What a purpose expects.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// `iss`, exactly.
    pub issuer: &'a str,
    /// What must be among `aud`; none: the caller looks at the audience itself.
    pub audience: Option<&'a str>,
    /// How old.
    pub lifetime: Lifetime,
    /// When it is looked at.
    pub now: Millis,
}

/// Checks issuer, audience and times.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Flaw> {
    if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
        return Err(Flaw::Issuer);
    }
    let audience = audience(claims)?;
    if expected.audience.is_some_and(|wanted| !audience.contains(&wanted)) {
        return Err(Flaw::Audience);
    }
    let now = expected.now;
    let ends = moment(claims, "exp")?.ok_or(Flaw::Expired)?;
    if expected.lifetime != Lifetime::MayHaveEnded && ends.saturating_add(SKEW) <= now {
        return Err(Flaw::Expired);
    }
    let issued = moment(claims, "iat")?;
    for early in [moment(claims, "nbf")?, issued].into_iter().flatten() {
        if early > now.saturating_add(SKEW) {
            return Err(Flaw::Early);
        }
    }
    if let Lifetime::AtMost(most) = expected.lifetime {
        let from = issued.unwrap_or(now).max(Millis(now.0.saturating_sub(most.millis())));
        if ends.since(from) > Span::from_millis(most.millis().saturating_add(SKEW.millis())) {
            return Err(Flaw::Long);
        }
    }
    Ok(())
}

/// For whom a token is: a text or a list of texts (RFC 7519 §4.1.3).
///
/// # Errors
/// [`Flaw::Audience`] when it says it in another way.
pub fn audience(claims: &Map<String, Value>) -> Result<Vec<&str>, Flaw> {
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one.as_str()]),
        Some(Value::Array(many)) => many.iter().map(|one| one.as_str().ok_or(Flaw::Audience)).collect(),
        _ => Err(Flaw::Audience),
    }
}

/// A claim that is a text, not an empty one.
///
/// # Errors
/// [`Flaw::Claim`].
pub fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, Flaw> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or(Flaw::Claim)
}

/// A claim that is a moment: seconds since 1970, whole or with a fraction, of this age of the world (RFC 7519 §2).
///
/// # Errors
/// [`Flaw::Claim`] when it is there and is no such number.
pub fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<Millis>, Flaw> {
    /// 9999-12-31.
    const LAST: i64 = 253_402_300_799;
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = match (value.as_i64(), value.as_f64()) {
        (Some(whole), _) => whole,
        #[expect(clippy::cast_possible_truncation, reason = "the bound is checked first")]
        (None, Some(fraction)) if fraction.is_finite() && (0.0..1e12).contains(&fraction) => fraction as i64,
        _ => return Err(Flaw::Claim),
    };
    if !(0..=LAST).contains(&seconds) {
        return Err(Flaw::Claim);
    }
    Ok(Some(Millis(seconds.saturating_mul(1_000))))
}
