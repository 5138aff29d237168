//! Look-alikes: what two names have in common when a person cannot tell them apart (UTS 39 §4).

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use super::{UsernameKey, text};

/// The skeleton of a username. Two different usernames with equal skeletons look alike, so the second is refused.
///
/// That includes ASCII: `paul1` and `paull`, `mo` and `m0`, `modern` and `modem`. A skeleton is for comparison only;
/// it is not a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SkeletonKey(String);

impl SkeletonKey {
    /// The skeleton of a username.
    pub fn of(username: &UsernameKey) -> SkeletonKey {
        // UTS 39 maps to capitals here and there (0 → O), and its table is not closed under folding.
        let mut bones: String = skeleton(username.as_str()).flat_map(char::to_lowercase).collect();
        for _ in 0..4 {
            let again: String = skeleton(&bones).flat_map(char::to_lowercase).collect();
            if again == bones {
                break;
            }
            bones = again;
        }
        SkeletonKey(without_soft_dots(&text::fold(&bones).unwrap_or(bones)))
    }

    /// The same where similarity within ASCII is accepted (imports of directories that have such names): only other
    /// characters are replaced by what they look like.
    pub fn across_scripts(username: &UsernameKey) -> SkeletonKey {
        if username.as_str().is_ascii() {
            return SkeletonKey(username.as_str().to_owned());
        }
        let mut bones = String::with_capacity(username.as_str().len());
        for character in username.as_str().nfd() {
            if character.is_ascii() {
                bones.push(character);
            } else {
                bones.extend(skeleton(character.encode_utf8(&mut [0; 4])));
            }
        }
        SkeletonKey(without_soft_dots(&text::fold(&bones).unwrap_or(bones)))
    }

    /// The skeleton.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The skeleton.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A dot above a letter that has one already is not seen (`i̇`, the lower case of `İ`).
fn without_soft_dots(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.nfd() {
        if character != '\u{307}' || !out.ends_with(['i', 'j']) {
            out.push(character);
        }
    }
    out
}
