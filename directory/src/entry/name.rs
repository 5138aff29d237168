//! Names that people type: usernames and e-mail addresses, as keys that are equal when the names are the same.
//!
//! Owns what a username and an address may be, when two of them are one name, and when two look alike. Whether a name
//! is taken is a question to the store, which keeps three sets of keys: [`UsernameKey`], [`SkeletonKey`] and
//! [`EmailKey`]. A username that is an address competes with addresses too: [`UsernameKey::as_email`].
//!
//! A username's key is made as by RFC 8265's UsernameCaseMapped with two stronger steps: compatibility forms are
//! folded, not refused or kept (NFKC), and case is folded fully (`ß` is `ss`). On top of RFC 8264's IdentifierClass
//! stand UTS 39's restrictions: recommended characters only, one script, one kind of digits.
//!
//! Called by the change path (create, rename, import), by every login, and by the console's live check.

#![deny(clippy::arithmetic_side_effects)]

mod email;
mod skeleton;
mod text;
mod username;

#[cfg(test)]
mod tests;

pub use email::EmailKey;
pub use skeleton::SkeletonKey;
pub use username::{UsernameKey, UsernameRules};

/// Why a name is refused. The texts may be shown to whoever typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameRefusal {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// More than 256 bytes (username), 254 (address) or 64 (its local part).
    #[error("it is too long")]
    TooLong,
    /// Bytes that are not UTF-8, encoded surrogates among them.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A space, wherever it is, of whatever width.
    #[error("it contains a space")]
    Space,
    /// A control character: tab, line end, NUL.
    #[error("it contains a control character")]
    Control,
    /// A character that cannot be seen: zero width, soft hyphen, direction mark.
    #[error("it contains an invisible character")]
    Invisible,
    /// A character without a meaning that is the same everywhere.
    #[error("it contains a character that Unicode does not define")]
    Unassigned,
    /// A character that names do not contain, in ASCII or beyond: punctuation, symbols, emoji, archaic letters.
    #[error("it contains '{0}', which is not allowed")]
    Forbidden(char),
    /// Letters of several scripts in one part.
    #[error("it mixes letters of different scripts")]
    MixedScripts,
    /// Digits of several kinds.
    #[error("it mixes digits of different kinds")]
    MixedDigits,
    /// Letters that run in both directions (RFC 5893 §2).
    #[error("it mixes directions of writing")]
    Bidi,
    /// An accent on nothing, or a heap of them.
    #[error("it contains accents that are not on a letter")]
    Marks,
    /// The first character is not a letter, a digit or `_`.
    #[error("it begins with '{0}'")]
    Start(char),
    /// The last character is `.` or `@`.
    #[error("it ends with '{0}'")]
    End(char),
    /// `..`
    #[error("it contains two dots in a row")]
    DoubleDot,
    /// More than one `@`.
    #[error("it contains more than one '@'")]
    AtSigns,
    /// `$` elsewhere than at the end.
    #[error("'$' is only allowed at the end")]
    Dollar,
    /// Digits only: it would be taken for an id.
    #[error("it is a number, as ids are")]
    Number,
    /// No `@`, or nothing on one side of it, or dots at a wrong place.
    #[error("it is not of the form name@domain")]
    NotAnAddress,
    /// A quoted local part that is more than a quoted usual one.
    #[error("a quoted name before '@' is not supported")]
    Quoted,
    /// `user@[192.0.2.1]`, or the same without brackets.
    #[error("an address literal is not supported; a domain is expected")]
    Literal,
    /// Not a domain name (RFC 5890 §2.3.2, UTS 46).
    #[error("the domain is not valid")]
    Domain,
}
