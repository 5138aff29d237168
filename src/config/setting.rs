//! What a setting is: its key, the kind of value it takes, its default and its text for the manual.
//!
//! Owns the `section!` macro, by which every section states each of its settings once. The struct field, the TOML
//! key, the environment variable, the default, the bounds and the page of the manual all come from that one line.
//! Does not read anything: `value` parses, `file` and `mod` collect.

use super::problem::Problem;
use super::value::{FromValue, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// The form of a value, with its bounds (both inclusive).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A file or directory path; empty means none.
    Path,
    /// The path of a file that holds a secret; may come from the systemd credential named like the key.
    SecretFile,
    /// Socket addresses, `HOST:PORT` or `[HOST]:PORT`.
    Addresses,
    /// A list of texts.
    Names,
    /// A list of ranges of addresses.
    Networks,
    /// A text; empty means none.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count(u64, u64),
    /// A whole number, or this word.
    CountOr(&'static str, u64, u64),
    /// A number of bytes; with a suffix KiB, MiB or GiB, or none.
    Bytes(u64, u64),
    /// A span of time: a number and its unit (ms, s, m, h, d), several may follow one another.
    Span(Duration, Duration),
    /// A span of time, or this word.
    SpanOr(&'static str, Duration, Duration),
    /// Permission bits in octal.
    Mode,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The dotted key in the file, `section.name`.
    pub key: &'static str,
    /// The form of its value.
    pub kind: Kind,
    /// Its default, as one would write it in the environment.
    pub default: &'static str,
    /// What it does and why the default is what it is.
    pub about: &'static str,
}

impl Setting {
    /// The environment variable that overrides it: `ROLLBOOK_` and the key in capitals.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.key.replace('.', "_").to_ascii_uppercase())
    }
}

/// What every environment variable of ours begins with.
pub const VARIABLE_PREFIX: &str = "ROLLBOOK_";

/// A table of the file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The table's name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its settings, in the order of the manual.
    pub settings: &'static [Setting],
}

/// Hands parsed values to the sections.
pub struct Reader<'a> {
    values: &'a BTreeMap<&'static str, Value>,
    defects: RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    /// A reader of these values: one for every setting there is.
    pub fn new(values: &'a BTreeMap<&'static str, Value>) -> Self {
        Self { values, defects: RefCell::new(Vec::new()) }
    }

    /// The value of a setting. A type that does not fit the setting's kind is a defect of this program: it is
    /// reported by [`Reader::finish`] (and a test reads every default, so that it cannot come that far).
    pub fn value<T: FromValue + Default>(&self, key: &'static str) -> T {
        if let Some(value) = self.values.get(key).and_then(T::from_value) {
            return value;
        }
        self.defects.borrow_mut().push(Problem::defect(format!("the value of {key} has an unexpected type")));
        T::default()
    }

    /// What went wrong.
    pub fn finish(self) -> Vec<Problem> {
        self.defects.into_inner()
    }
}

/// States a section: its name, its struct, and one line for each setting.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $section:literal $name:ident;
        $( $(#[doc = $doc:literal])+ $field:ident: $type:ty, $kind:expr, $default:literal; )+
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )+
        }

        impl $name {
            /// The settings of this section.
            pub const SECTION: $crate::config::setting::Section = $crate::config::setting::Section {
                name: $section,
                about: concat!($($about, "\n"),+),
                settings: &[$(
                    $crate::config::setting::Setting {
                        key: concat!($section, ".", stringify!($field)),
                        kind: $kind,
                        default: $default,
                        about: concat!($($doc, "\n"),+),
                    },
                )+],
            };

            pub(crate) fn read(reader: &$crate::config::setting::Reader<'_>) -> Self {
                Self { $( $field: reader.value(concat!($section, ".", stringify!($field))), )+ }
            }
        }
    };
}
pub(crate) use section;

/// A setting with a closed set of words, each an enum variant.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        $name:ident { $( $(#[$attribute:meta])+ $variant:ident = $word:literal, )+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { $( $(#[$attribute])+ $variant, )+ }

        impl $name {
            /// The words, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl $crate::config::value::FromValue for $name {
            fn from_value(value: &$crate::config::value::Value) -> Option<Self> {
                match value {
                    $crate::config::value::Value::Word(word) => match *word { $( $word => Some(Self::$variant), )+ _ => None },
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use choice;
