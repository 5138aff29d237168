//! Look-alikes: what two names have in common when a person cannot tell them apart (UTS 39 §4).

use std::sync::LazyLock;

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
        let name = username.as_str();
        let known = name.bytes().map(|byte| ASCII.get(usize::from(byte))?.as_deref());
        SkeletonKey(known.collect::<Option<String>>().unwrap_or_else(|| bones(name)))
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

/// What ASCII characters look like, each by itself; those are left out whose look is no ASCII.
static ASCII: LazyLock<[Option<String>; 128]> = LazyLock::new(|| {
    std::array::from_fn(|code| {
        let character = u8::try_from(code).map(char::from).unwrap_or('\0');
        Some(bones(character.encode_utf8(&mut [0; 4]))).filter(|bones| bones.is_ascii())
    })
});

fn bones(name: &str) -> String {
    // UTS 39 maps to capitals here and there (0 → O), and its table is not closed under folding.
    let mut bones: String = skeleton(name).flat_map(char::to_lowercase).collect();
    for _ in 0..4 {
        let again: String = skeleton(&bones).flat_map(char::to_lowercase).collect();
        if again == bones {
            break;
        }
        bones = again;
    }
    without_soft_dots(&text::fold(&bones).unwrap_or(bones))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ascii_is_looked_at_letter_by_letter(name in "[ -~]{0,24}") {
            // Goal: of ASCII, what the letters look like by themselves is what they look like together.
            let known = name.bytes().map(|byte| ASCII.get(usize::from(byte)).and_then(Option::as_deref));
            if let Some(known) = known.collect::<Option<String>>() {
                prop_assert_eq!(known, bones(&name));
            }
        }
    }

    #[test]
    fn letters_and_digits_are_known() {
        // Goal: the names of nearly everybody are answered from the table.
        for byte in b"abcdefghijklmnopqrstuvwxyz0123456789.-_@" {
            assert!(ASCII[usize::from(*byte)].is_some(), "{}", char::from(*byte));
        }
    }
}
