//! Usernames.
//!
//! Owns the charset: letters and digits of one script, `.` `_` `-`, one `@`, a `$` at the end (machine accounts), and
//! in names with an `@` also `+` and `'` before it, because provisioning systems use addresses as usernames. What
//! has a meaning in a DN, a filter, a URL, HTML, a template or a shell is refused. The key is in the same charset.

use std::fmt::{self, Display, Formatter};

use super::{EmailKey, NameRefusal, SkeletonKey, text};

/// The longest username, and the longest key, in bytes (X.520's bound for a user id).
const MAX_BYTES: usize = 256;

/// What a deployment may decide about usernames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsernameRules {
    /// Whether a username may be a number (matriculation, staff numbers). Off: it could be taken for an id.
    pub numbers: bool,
}

/// The key of a username: two usernames are one when their keys are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsernameKey(String);

impl UsernameKey {
    /// The key of a new username, by the default rules.
    ///
    /// # Errors
    /// What is wrong with it. Spaces are not trimmed: a name with a space around it is refused.
    pub fn prepare(username: &str) -> Result<UsernameKey, NameRefusal> {
        UsernameKey::prepare_with(username, UsernameRules::default())
    }

    /// The same from bytes, as LDAP has them.
    ///
    /// # Errors
    /// As [`UsernameKey::prepare`], and [`NameRefusal::NotUtf8`].
    pub fn prepare_bytes(username: &[u8], rules: UsernameRules) -> Result<UsernameKey, NameRefusal> {
        if username.len() > MAX_BYTES {
            return Err(NameRefusal::TooLong);
        }
        UsernameKey::prepare_with(std::str::from_utf8(username).map_err(|_| NameRefusal::NotUtf8)?, rules)
    }

    /// The key of a new username.
    ///
    /// # Errors
    /// As [`UsernameKey::prepare`].
    pub fn prepare_with(username: &str, rules: UsernameRules) -> Result<UsernameKey, NameRefusal> {
        let UsernameKey(key) = UsernameKey::fold(username)?;
        check_characters(&key)?;
        check_form(&key)?;
        let parts = key.split('@');
        parts.clone().try_for_each(text::check_part)?;
        check_not_an_id(&key, rules)?;
        text::check_bidi(&parts)?;
        Ok(UsernameKey(key))
    }

    /// The key under which a username that someone typed is looked up: the same folding, without the rules for new
    /// names, which may have been others when the account was made. A name that never was allowed finds nothing.
    pub fn lookup(username: &str) -> Option<UsernameKey> {
        UsernameKey::fold(username).ok()
    }

    fn fold(username: &str) -> Result<UsernameKey, NameRefusal> {
        if username.is_empty() {
            return Err(NameRefusal::Empty);
        }
        if username.len() > MAX_BYTES {
            return Err(NameRefusal::TooLong);
        }
        let key = text::fold(username).ok_or(NameRefusal::Unassigned)?;
        if key.len() > MAX_BYTES { Err(NameRefusal::TooLong) } else { Ok(UsernameKey(key)) }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// What the username has in common with its look-alikes.
    pub fn skeleton(&self) -> SkeletonKey {
        SkeletonKey::of(self)
    }

    /// The address that this username is: nobody else may have it as theirs (hostile row "username equal to another
    /// user's e-mail").
    pub fn as_email(&self) -> Option<EmailKey> {
        EmailKey::prepare(&self.0).ok()
    }
}

impl Display for UsernameKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_characters(key: &str) -> Result<(), NameRefusal> {
    let local_end = key.find('@').unwrap_or(0);
    for (position, character) in key.char_indices() {
        match character {
            'a'..='z' | '0'..='9' | '.' | '_' | '-' | '@' | '$' => {}
            '+' | '\'' if position < local_end => {}
            ' ' => return Err(NameRefusal::Space),
            '\0'..='\x1f' | '\x7f' => return Err(NameRefusal::Control),
            ascii if ascii.is_ascii() => return Err(NameRefusal::Forbidden(ascii)),
            other => text::check_character(other)?,
        }
    }
    Ok(())
}

fn check_form(key: &str) -> Result<(), NameRefusal> {
    let (first, last) = (key.chars().next().unwrap_or(' '), key.chars().next_back().unwrap_or(' '));
    // Marks get their own refusal, from the check of the parts.
    if matches!(first, '.' | '-' | '@' | '$' | '+' | '\'') {
        return Err(NameRefusal::Start(first));
    }
    if matches!(last, '.' | '@') {
        return Err(NameRefusal::End(last));
    }
    if key.contains("..") {
        return Err(NameRefusal::DoubleDot);
    }
    if key.matches('@').count() > 1 {
        return Err(NameRefusal::AtSigns);
    }
    if key.strip_suffix('$').unwrap_or(key).contains('$') {
        return Err(NameRefusal::Dollar);
    }
    Ok(())
}

/// Technical ids are numbers; a name in their form could be mistaken for one by a client or by a reader of a log. A UUID may be a
/// name, for provisioning clients draw such names, unless it is an entry's own: that is for the claims to say.
fn check_not_an_id(key: &str, rules: UsernameRules) -> Result<(), NameRefusal> {
    if !rules.numbers && key.chars().all(char::is_numeric) {
        return Err(NameRefusal::Number);
    }
    Ok(())
}
