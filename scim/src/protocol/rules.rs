//! The switches for clients that depart from the RFCs, and the names of what they let pass.
//!
//! Owns the list. A dialect is a value of [`Rules`]; whatever is accepted only because of a switch is reported as a
//! [`Coercion`], so that it can be logged and counted. Called by everything that reads what a client sends.

use crate::schema::Attribute;

/// What a PATCH `replace` does when its value path finds no element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Makes the element that the path describes.
    Create,
    /// 400 `noTarget` (RFC 7644 §3.5.2.3).
    NoTarget,
}

/// Declares [`Rules`] with its two ends, and [`Coercion`]: one line per switch.
macro_rules! switches {
    ($($field:ident $coercion:ident $strict:literal $lenient:literal $doc:literal;)*) => {
        /// What is accepted beyond the RFCs, each by its name.
        #[derive(Debug, Clone, Copy)]
        pub struct Rules {
            /// What `replace` does when its value path finds no element.
            pub patch_replace_missing: Missing,
            /// Whether two texts are one value of an attribute, beyond the attribute's own `caseExact`.
            pub same: fn(&Attribute, &str, &str) -> bool,
            $(#[doc = $doc] pub $field: bool,)*
        }

        impl Rules {
            /// The RFCs and nothing else.
            pub const STRICT: Rules =
                Rules { patch_replace_missing: Missing::NoTarget, same: same_text, $($field: $strict,)* };

            /// Everything that clients are known to send.
            pub const LENIENT: Rules =
                Rules { patch_replace_missing: Missing::Create, same: same_text, $($field: $lenient,)* };

            /// The switches by name, as they are set.
            pub fn switches(&self) -> Vec<(&'static str, bool)> {
                vec![
                    ("patch_replace_missing", self.patch_replace_missing == Missing::Create),
                    $((stringify!($field), self.$field),)*
                ]
            }

            /// Sets a switch by its name; false when there is none of that name.
            pub fn set(&mut self, name: &str, on: bool) -> bool {
                match name {
                    "patch_replace_missing" => {
                        self.patch_replace_missing = if on { Missing::Create } else { Missing::NoTarget };
                    }
                    $(stringify!($field) => self.$field = on,)*
                    _ => return false,
                }
                true
            }
        }

        /// Something that was accepted only because a switch says so.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Coercion {
            /// `patch_replace_missing`: an element was made for a `replace` that found none.
            PatchReplaceMissing,
            $(#[doc = concat!("`", stringify!($field), "`: ", $doc)] $coercion,)*
        }

        impl Coercion {
            /// The name of the switch.
            pub fn name(self) -> &'static str {
                match self {
                    Coercion::PatchReplaceMissing => "patch_replace_missing",
                    $(Coercion::$coercion => stringify!($field),)*
                }
            }
        }
    };
}

#[rustfmt::skip]
switches! {
    // field                coercion            strict lenient
    op_any_case             OpAnyCase           true   true   "`Replace` for `replace`.";
    schemas_missing         SchemasMissing      false  true   "A resource without its `schemas`.";
    beyond_canonical        BeyondCanonical     true   true   "A value besides the canonical ones.";
    patch_without_schema    PatchWithoutSchema  false  true   "A PATCH body without its `schemas`.";
    lenient_filter          LenientFilter       false  true   "A filter or value path beyond the grammar: `externalId eq bare`.";
    boolean_text            BooleanText         false  true   "`\"True\"` for `true`.";
    number_text             NumberText          false  true   "`\"7\"` for `7`.";
    value_number            ValueNumber         false  true   "`7` for `\"7\"`.";
    path_keys               PathKeys            false  true   "`name.givenName` and `URN:name` as keys of an object.";
    plain_complex           PlainComplex        false  true   "`\"x\"` for `{\"value\": \"x\"}`.";
    packed_complex          PackedComplex       false  true   "JSON in a string for an object: `\"{\\\"value\\\": …}\"`.";
    one_for_many            OneForMany          true   true   "`x` for `[x]` where many values are allowed.";
    many_for_one            ManyForOne          false  true   "`[x]` for `x` where one value is allowed.";
    remove_listed           RemoveListed        false  true   "`remove` with a value removes only the values that it lists.";
    remove_absent           RemoveAbsent        false  true   "`remove` with a value path that finds nothing is no error.";
    empty_clears            EmptyClears         false  true   "`\"\"` is no value.";
    null_in_patch           NullInPatch         true   true   "`null` given to `add` is nothing, to `replace` is no value.";
    same_read_only          SameReadOnly        true   true   "A read-only attribute given with the value that it has.";
    drop_read_only          DropReadOnly        false  true   "A read-only attribute inside the value of a PATCH is left out.";
    drop_unknown            DropUnknown         false  true   "An attribute or schema that is not known is left out.";
}

/// Two texts are one value: as they are, or in another case where case does not matter.
fn same_text(attribute: &Attribute, one: &str, other: &str) -> bool {
    one == other || (attribute.folds_case() && one.to_lowercase() == other.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_is_reached_by_its_name() {
        // Goal: a dialect file can set each switch, and no name sets two.
        for (name, lenient) in Rules::LENIENT.switches() {
            let mut rules = Rules::LENIENT;
            assert!(rules.set(name, !lenient), "{name}");
            let changed: Vec<_> =
                rules.switches().into_iter().filter(|now| !Rules::LENIENT.switches().contains(now)).collect();
            assert_eq!(changed, [(name, !lenient)]);
        }
        assert!(!{ Rules::STRICT }.set("no_such_switch", true));
        assert_eq!(Coercion::PlainComplex.name(), "plain_complex");
    }
}
