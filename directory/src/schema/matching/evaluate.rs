//! One value against one assertion by any rule: what extensible filters and the rules without keys need.
//!
//! The fast ways (equal keys, ordered keys, substrings) are open to callers directly; this is the complete one.

use super::{MatchingRule, RuleKind, number};
use crate::schema::{Schema, SyntaxError};

impl Schema {
    /// Whether `value` satisfies `assertion` under `rule`, as an extensible filter asks (RFC 4511 §4.5.1.7.7).
    /// An ordering rule holds when the value comes before the assertion (RFC 4517 §4.1.3); a substrings rule takes
    /// its assertion in the form `initial*any*final`.
    ///
    /// # Errors
    /// When either has no key under the rule (Undefined), and for [`MatchingRule::InChain`], which is a question
    /// about the membership edges and not about one value.
    pub fn matches(&self, rule: MatchingRule, value: &[u8], assertion: &[u8]) -> Result<bool, SyntaxError> {
        match (rule, rule.kind()) {
            (MatchingRule::BitAnd, _) => {
                let mask = number::bits(assertion)?;
                Ok(number::bits(value)? & mask == mask)
            }
            (MatchingRule::BitOr, _) => Ok(number::bits(value)? & number::bits(assertion)? != 0),
            (MatchingRule::WordMatch | MatchingRule::KeywordMatch, _) => {
                let (value, assertion) = (self.key(rule, value)?, self.key(rule, assertion)?);
                Ok(words(&value).any(|word| word == assertion))
            }
            (MatchingRule::InChain, _) => Err(SyntaxError("a chain is not a property of one value")),
            (_, RuleKind::Ordering) => Ok(self.key(rule, value)? < self.key(rule, assertion)?),
            (_, RuleKind::Substrings) => self.matches_parts(rule, value, assertion),
            (_, RuleKind::Equality | RuleKind::Special) => Ok(self.key(rule, value)? == self.key(rule, assertion)?),
        }
    }

    /// The comparison key of a value in a buffer of its own.
    pub fn key(&self, rule: MatchingRule, value: &[u8]) -> Result<Vec<u8>, SyntaxError> {
        let mut key = Vec::with_capacity(value.len());
        self.normalize(rule, value, &mut key)?;
        Ok(key)
    }

    fn matches_parts(&self, rule: MatchingRule, value: &[u8], assertion: &[u8]) -> Result<bool, SyntaxError> {
        let parsed = super::substring::Pattern::parse(rule, assertion)?;
        Ok(parsed.matches(&self.key(rule, value)?))
    }
}

/// The words of a prepared text: stretches of letters and digits. Which characters part words is a local matter
/// (RFC 4517 §4.2.19, §4.2.34).
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}
