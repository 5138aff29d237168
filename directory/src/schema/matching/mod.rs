//! Matching rules: when two values are the same, and which one comes first (RFC 4517 §4).
//!
//! Every rule turns a value into a *comparison key*: two values match exactly when their keys are equal, and for
//! ordering rules the order of the keys, byte by byte, is the order of the values. Indexes store keys, filters
//! compare keys, unique names are reserved by key. The few rules that no key can express (words in a text, bits in a
//! number) are answered by [`Schema::matches`].
//!
//! - [`prepare`]: the string preparation of RFC 4518.
//! - [`number`], [`time`], [`token`], [`name`]: keys of everything that is not a string.
//! - [`substring`]: whether the parts of a substring filter occur in a key.

#![deny(clippy::arithmetic_side_effects)]

mod evaluate;
mod name;
mod number;
mod prepare;
pub mod substring;
mod time;
mod token;

use super::{Schema, Syntax, SyntaxError, attribute::AttributeType};
use prepare::Case;

/// What a rule is for (RFC 4517 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// Two values are the same.
    Equality,
    /// One value comes before the other.
    Ordering,
    /// A value has the given parts.
    Substrings,
    /// Only in extensible filters: words, bits, chains.
    Special,
}

/// Which part of a substring assertion a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Before the first star.
    Initial,
    /// Between two stars.
    Any,
    /// After the last star.
    Final,
}

/// How a value becomes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text(Case),
    Ia5(Case),
    Numeric,
    Telephone,
    List,
    Integer,
    Boolean,
    Time,
    Identifier,
    Name,
    NameAndUid,
    Octets,
    Der,
    Uuid,
    Bits,
    FirstIdentifier,
    FirstInteger,
    FirstText,
}

/// Declares [`MatchingRule`]: one line per rule with its OID, name, assertion syntax, kind and form of key.
macro_rules! rules {
    ($($variant:ident $oid:literal $name:literal $syntax:ident $kind:ident $form:expr;)*) => {
        /// A matching rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum MatchingRule {
            $(#[doc = $name] $variant,)*
        }

        impl MatchingRule {
            /// Every rule, in the order of the table.
            pub const ALL: &'static [MatchingRule] = &[$(MatchingRule::$variant,)*];

            /// Dotted object identifier.
            pub fn oid(self) -> &'static str {
                match self { $(MatchingRule::$variant => $oid,)* }
            }

            /// The name.
            pub fn name(self) -> &'static str {
                match self { $(MatchingRule::$variant => $name,)* }
            }

            /// The syntax of assertion values.
            pub fn syntax(self) -> Syntax {
                match self { $(MatchingRule::$variant => Syntax::$syntax,)* }
            }

            /// What the rule is for.
            pub fn kind(self) -> RuleKind {
                match self { $(MatchingRule::$variant => RuleKind::$kind,)* }
            }

            fn form(self) -> Form {
                match self { $(MatchingRule::$variant => $form,)* }
            }
        }
    };
}

#[rustfmt::skip]
rules! {
    // RFC 4517 §4.2
    BitStringMatch                     "2.5.13.16" "bitStringMatch"                     BitString          Equality   Form::Bits;
    BooleanMatch                       "2.5.13.13" "booleanMatch"                       Boolean            Equality   Form::Boolean;
    CaseExactIa5Match                  "1.3.6.1.4.1.1466.109.114.1" "caseExactIA5Match" Ia5String          Equality   Form::Ia5(Case::Kept);
    CaseExactMatch                     "2.5.13.5"  "caseExactMatch"                     DirectoryString    Equality   Form::Text(Case::Kept);
    CaseExactOrderingMatch             "2.5.13.6"  "caseExactOrderingMatch"             DirectoryString    Ordering   Form::Text(Case::Kept);
    CaseExactSubstringsMatch           "2.5.13.7"  "caseExactSubstringsMatch"           SubstringAssertion Substrings Form::Text(Case::Kept);
    CaseIgnoreIa5Match                 "1.3.6.1.4.1.1466.109.114.2" "caseIgnoreIA5Match" Ia5String         Equality   Form::Ia5(Case::Folded);
    CaseIgnoreIa5SubstringsMatch       "1.3.6.1.4.1.1466.109.114.3" "caseIgnoreIA5SubstringsMatch" SubstringAssertion Substrings Form::Ia5(Case::Folded);
    CaseIgnoreListMatch                "2.5.13.11" "caseIgnoreListMatch"                PostalAddress      Equality   Form::List;
    CaseIgnoreListSubstringsMatch      "2.5.13.12" "caseIgnoreListSubstringsMatch"      SubstringAssertion Substrings Form::List;
    CaseIgnoreMatch                    "2.5.13.2"  "caseIgnoreMatch"                    DirectoryString    Equality   Form::Text(Case::Folded);
    CaseIgnoreOrderingMatch            "2.5.13.3"  "caseIgnoreOrderingMatch"            DirectoryString    Ordering   Form::Text(Case::Folded);
    CaseIgnoreSubstringsMatch          "2.5.13.4"  "caseIgnoreSubstringsMatch"          SubstringAssertion Substrings Form::Text(Case::Folded);
    DirectoryStringFirstComponentMatch "2.5.13.31" "directoryStringFirstComponentMatch" DirectoryString    Equality   Form::FirstText;
    DistinguishedNameMatch             "2.5.13.1"  "distinguishedNameMatch"             DistinguishedName  Equality   Form::Name;
    GeneralizedTimeMatch               "2.5.13.27" "generalizedTimeMatch"               GeneralizedTime    Equality   Form::Time;
    GeneralizedTimeOrderingMatch       "2.5.13.28" "generalizedTimeOrderingMatch"       GeneralizedTime    Ordering   Form::Time;
    IntegerFirstComponentMatch         "2.5.13.29" "integerFirstComponentMatch"         Integer            Equality   Form::FirstInteger;
    IntegerMatch                       "2.5.13.14" "integerMatch"                       Integer            Equality   Form::Integer;
    IntegerOrderingMatch               "2.5.13.15" "integerOrderingMatch"               Integer            Ordering   Form::Integer;
    KeywordMatch                       "2.5.13.33" "keywordMatch"                       DirectoryString    Special    Form::Text(Case::Folded);
    NumericStringMatch                 "2.5.13.8"  "numericStringMatch"                 NumericString      Equality   Form::Numeric;
    NumericStringOrderingMatch         "2.5.13.9"  "numericStringOrderingMatch"         NumericString      Ordering   Form::Numeric;
    NumericStringSubstringsMatch       "2.5.13.10" "numericStringSubstringsMatch"       SubstringAssertion Substrings Form::Numeric;
    ObjectIdentifierFirstComponentMatch "2.5.13.30" "objectIdentifierFirstComponentMatch" Oid              Equality   Form::FirstIdentifier;
    ObjectIdentifierMatch              "2.5.13.0"  "objectIdentifierMatch"              Oid                Equality   Form::Identifier;
    OctetStringMatch                   "2.5.13.17" "octetStringMatch"                   OctetString        Equality   Form::Octets;
    OctetStringOrderingMatch           "2.5.13.18" "octetStringOrderingMatch"           OctetString        Ordering   Form::Octets;
    TelephoneNumberMatch               "2.5.13.20" "telephoneNumberMatch"               TelephoneNumber    Equality   Form::Telephone;
    TelephoneNumberSubstringsMatch     "2.5.13.21" "telephoneNumberSubstringsMatch"     SubstringAssertion Substrings Form::Telephone;
    UniqueMemberMatch                  "2.5.13.23" "uniqueMemberMatch"                  NameAndOptionalUid Equality   Form::NameAndUid;
    WordMatch                          "2.5.13.32" "wordMatch"                          DirectoryString    Special    Form::Text(Case::Folded);
    // X.520 §8.2, and what OpenLDAP adds for RFC 2307
    OctetStringSubstringsMatch         "2.5.13.19" "octetStringSubstringsMatch"         OctetString        Substrings Form::Octets;
    CaseExactIa5SubstringsMatch        "1.3.6.1.4.1.4203.1.2.1" "caseExactIA5SubstringsMatch" SubstringAssertion Substrings Form::Ia5(Case::Kept);
    // RFC 4530 §2.2, §2.3
    UuidMatch                          "1.3.6.1.1.16.2" "uuidMatch"                     Uuid               Equality   Form::Uuid;
    UuidOrderingMatch                  "1.3.6.1.1.16.3" "uuidOrderingMatch"             Uuid               Ordering   Form::Uuid;
    // RFC 4523 §3: compared byte by byte; an assertion in the GSER form is therefore Undefined
    CertificateExactMatch              "2.5.13.34" "certificateExactMatch"     CertificateExactAssertion     Equality Form::Der;
    CertificatePairExactMatch          "2.5.13.36" "certificatePairExactMatch" CertificatePairExactAssertion Equality Form::Der;
    CertificateListExactMatch          "2.5.13.38" "certificateListExactMatch" CertificateListExactAssertion Equality Form::Der;
    AlgorithmIdentifierMatch           "2.5.13.40" "algorithmIdentifierMatch"  AlgorithmIdentifier           Equality Form::Der;
    // Active Directory's, which clients of every server have come to ask for
    BitAnd                             "1.2.840.113556.1.4.803"  "integerBitAndMatch"   Integer            Special    Form::Integer;
    BitOr                              "1.2.840.113556.1.4.804"  "integerBitOrMatch"    Integer            Special    Form::Integer;
    InChain                            "1.2.840.113556.1.4.1941" "distinguishedNameMatchInChain" DistinguishedName Special Form::Name;
}

impl Schema {
    /// Appends the comparison key of a value. Values of the attribute and assertion values go the same way.
    ///
    /// # Errors
    /// When the value has no key under the rule: a filter that asserts it is Undefined (RFC 4511 §4.5.1.7), a write
    /// that stores it is refused. What was appended before the error is then meaningless; truncate it.
    pub fn normalize(&self, rule: MatchingRule, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        match rule.form() {
            Form::Text(case) => prepare::text(case, value, out),
            Form::Ia5(case) => prepare::ia5(case, value, out),
            Form::Numeric => prepare::numeric(value, out),
            Form::Telephone => prepare::telephone(value, out),
            Form::List => prepare::list(value, out),
            Form::Integer => number::integer(value, out),
            Form::Boolean => token::boolean(value, out),
            Form::Time => time::generalized_time(value, out),
            Form::Identifier => token::identifier(self, value, out),
            Form::Name => name::dn_key(self, value, out),
            Form::NameAndUid => name::name_and_uid(self, value, out),
            Form::Octets => token::octets(value, out),
            Form::Der => token::der(value, out),
            Form::Uuid => token::uuid(value, out),
            Form::Bits => token::bits(value, out),
            Form::FirstIdentifier => token::identifier(self, token::first(value), out),
            Form::FirstInteger => number::integer(token::first(value), out),
            Form::FirstText => prepare::text(Case::Folded, token::first(value), out),
        }
    }
}

impl MatchingRule {
    /// Whether an extensible match by this rule can be evaluated on values of a type: it is one of the type's own rules,
    /// or the type's syntax is one that the rule compares (RFC 4517 §4.1: rules for directory strings also compare the
    /// string types that a directory string can be).
    pub fn applies_to(self, kind: &AttributeType) -> bool {
        if [kind.equality, kind.ordering, kind.substring].contains(&Some(self)) {
            return true;
        }
        match self.form() {
            Form::Text(_) => matches!(
                kind.syntax,
                Syntax::DirectoryString | Syntax::PrintableString | Syntax::CountryString | Syntax::TelephoneNumber
            ),
            Form::Ia5(_) => kind.syntax == Syntax::Ia5String,
            Form::Der => false,
            _ => kind.syntax == self.syntax(),
        }
    }

    /// Appends the comparison form of one part of a substring assertion, to be looked for in keys of the same rule
    /// by [`substring::matches`] (RFC 4518 §2.6).
    ///
    /// # Errors
    /// When the rule has no substrings, or the part cannot occur in any value.
    pub fn normalize_substring(self, part: Part, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        match self.form() {
            Form::Text(case) => prepare::text_part(case, part, value, out),
            Form::Ia5(case) => prepare::ia5_part(case, part, value, out),
            Form::List => prepare::text_part(Case::Folded, part, value, out),
            Form::Numeric => prepare::numeric(value, out),
            Form::Telephone => prepare::telephone(value, out),
            Form::Octets => token::octets(value, out),
            Form::Integer
            | Form::Boolean
            | Form::Time
            | Form::Identifier
            | Form::Name
            | Form::NameAndUid
            | Form::Der
            | Form::Uuid
            | Form::Bits
            | Form::FirstIdentifier
            | Form::FirstInteger
            | Form::FirstText => Err(SyntaxError("the matching rule has no substrings")),
        }
    }
}

#[cfg(test)]
mod tests;
