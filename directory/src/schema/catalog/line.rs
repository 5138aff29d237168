//! One line of the catalog: constructors by syntax, then what is special about the type.
//!
//! The constructors are `const`, so that the tables are constants and a line reads like a row. Names of other types
//! and classes are plain text here; [`super::super::builder`] resolves them.

use crate::schema::{
    attribute::{Index, Storage, Usage},
    kind::ClassKind,
    matching::MatchingRule as Rule,
    syntax::Syntax,
};

/// The definitions of one source.
pub(in crate::schema) struct Table {
    /// `X-ORIGIN` of lines that do not say otherwise.
    pub origin: &'static str,
    pub attributes: &'static [AttributeLine],
    pub classes: &'static [ClassLine],
}

/// An attribute type as it is written down.
#[derive(Debug, Clone)]
pub struct AttributeLine {
    pub(in crate::schema) id: u16,
    pub(in crate::schema) oid: &'static str,
    pub(in crate::schema) names: &'static [&'static str],
    pub(in crate::schema) description: &'static str,
    pub(in crate::schema) supertype: &'static str,
    pub(in crate::schema) syntax: Option<Syntax>,
    pub(in crate::schema) max_length: u32,
    pub(in crate::schema) equality: Option<Rule>,
    pub(in crate::schema) ordering: Option<Rule>,
    pub(in crate::schema) substring: Option<Rule>,
    pub(in crate::schema) single_value: bool,
    pub(in crate::schema) no_user_modification: bool,
    pub(in crate::schema) usage: Usage,
    pub(in crate::schema) storage: Storage,
    pub(in crate::schema) index: Option<Index>,
    pub(in crate::schema) scim: Option<&'static str>,
    pub(in crate::schema) claim: Option<&'static str>,
    pub(in crate::schema) origin: &'static str,
}

/// An object class as it is written down; lists are names with spaces between them.
#[derive(Debug, Clone)]
pub struct ClassLine {
    pub(in crate::schema) id: u16,
    pub(in crate::schema) oid: &'static str,
    pub(in crate::schema) names: &'static [&'static str],
    pub(in crate::schema) description: &'static str,
    pub(in crate::schema) kind: ClassKind,
    pub(in crate::schema) superclasses: &'static str,
    pub(in crate::schema) must: &'static str,
    pub(in crate::schema) may: &'static str,
    pub(in crate::schema) naming: &'static str,
    pub(in crate::schema) stands_alone: bool,
    pub(in crate::schema) origin: &'static str,
}

type Names = &'static [&'static str];

/// A type that says nothing about its values; it inherits, or the caller adds.
pub(in crate::schema) const fn bare(
    id: u16,
    oid: &'static str,
    names: Names,
    description: &'static str,
) -> AttributeLine {
    AttributeLine {
        id,
        oid,
        names,
        description,
        supertype: "",
        syntax: None,
        max_length: 0,
        equality: None,
        ordering: None,
        substring: None,
        single_value: false,
        no_user_modification: false,
        usage: Usage::User,
        storage: Storage::Entry,
        index: None,
        scim: None,
        claim: None,
        origin: "",
    }
}

/// Declares constructors: name, syntax, equality, ordering and substring rule.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident: $syntax:ident, $equality:expr, $ordering:expr, $substring:expr;)*) => {
        $($(#[$doc])*
        pub(super) const fn $name(id: u16, oid: &'static str, names: Names, description: &'static str) -> AttributeLine {
            AttributeLine {
                syntax: Some(Syntax::$syntax),
                equality: $equality,
                ordering: $ordering,
                substring: $substring,
                ..bare(id, oid, names, description)
            }
        })*
    };
}

#[rustfmt::skip]
constructors! {
    /// Text for people, case ignored.
    text: DirectoryString, Some(Rule::CaseIgnoreMatch), None, Some(Rule::CaseIgnoreSubstringsMatch);
    /// Text in which case matters.
    exact: DirectoryString, Some(Rule::CaseExactMatch), None, Some(Rule::CaseExactSubstringsMatch);
    /// ASCII, case ignored.
    ia5: Ia5String, Some(Rule::CaseIgnoreIa5Match), None, Some(Rule::CaseIgnoreIa5SubstringsMatch);
    /// ASCII in which case matters.
    ia5_exact: Ia5String, Some(Rule::CaseExactIa5Match), None, None;
    /// ASCII in which case matters, searched by its parts.
    ia5_exact_parts: Ia5String, Some(Rule::CaseExactIa5Match), None, Some(Rule::CaseExactIa5SubstringsMatch);
    /// Printable characters, case ignored.
    printable: PrintableString, Some(Rule::CaseIgnoreMatch), None, Some(Rule::CaseIgnoreSubstringsMatch);
    /// A telephone number.
    telephone: TelephoneNumber, Some(Rule::TelephoneNumberMatch), None, Some(Rule::TelephoneNumberSubstringsMatch);
    /// A postal address, line by line.
    postal: PostalAddress, Some(Rule::CaseIgnoreListMatch), None, Some(Rule::CaseIgnoreListSubstringsMatch);
    /// Digits.
    numeric: NumericString, Some(Rule::NumericStringMatch), None, Some(Rule::NumericStringSubstringsMatch);
    /// A number.
    integer: Integer, Some(Rule::IntegerMatch), Some(Rule::IntegerOrderingMatch), None;
    /// TRUE or FALSE.
    boolean: Boolean, Some(Rule::BooleanMatch), None, None;
    /// A moment.
    time: GeneralizedTime, Some(Rule::GeneralizedTimeMatch), Some(Rule::GeneralizedTimeOrderingMatch), None;
    /// The name of an entry.
    dn: DistinguishedName, Some(Rule::DistinguishedNameMatch), None, None;
    /// An object identifier.
    oid: Oid, Some(Rule::ObjectIdentifierMatch), None, None;
    /// Bytes.
    octets: OctetString, Some(Rule::OctetStringMatch), None, None;
    /// Bits.
    bits: BitString, Some(Rule::BitStringMatch), None, None;
}

/// A type of a syntax whose values are compared by nothing.
pub(super) const fn opaque(
    id: u16,
    oid: &'static str,
    names: Names,
    description: &'static str,
    syntax: Syntax,
) -> AttributeLine {
    AttributeLine { syntax: Some(syntax), ..bare(id, oid, names, description) }
}

impl AttributeLine {
    /// The supertype, from which everything that the line leaves out is inherited.
    pub(super) const fn sup(self, supertype: &'static str) -> Self {
        AttributeLine { supertype, ..self }
    }
    /// A narrower syntax than that of the supertype.
    pub(super) const fn syntax(self, syntax: Syntax) -> Self {
        AttributeLine { syntax: Some(syntax), ..self }
    }
    /// At most one value.
    pub(super) const fn single(self) -> Self {
        AttributeLine { single_value: true, ..self }
    }
    /// The suggested bound on the length, in bytes.
    pub(super) const fn max(self, max_length: u32) -> Self {
        AttributeLine { max_length, ..self }
    }
    /// Another equality rule.
    pub(super) const fn eq(self, rule: Rule) -> Self {
        AttributeLine { equality: Some(rule), ..self }
    }
    /// An ordering rule.
    pub(super) const fn ord(self, rule: Rule) -> Self {
        AttributeLine { ordering: Some(rule), ..self }
    }
    /// Compared as a whole only.
    pub(super) const fn whole(self) -> Self {
        AttributeLine { substring: None, ..self }
    }
    /// `directoryOperation`.
    pub(super) const fn directory(self) -> Self {
        AttributeLine { usage: Usage::Directory, ..self }
    }
    /// `dSAOperation`.
    pub(super) const fn dsa(self) -> Self {
        AttributeLine { usage: Usage::Dsa, ..self }
    }
    /// `distributedOperation`.
    pub(super) const fn distributed(self) -> Self {
        AttributeLine { usage: Usage::Distributed, ..self }
    }
    /// `NO-USER-MODIFICATION`.
    pub(super) const fn fixed(self) -> Self {
        AttributeLine { no_user_modification: true, ..self }
    }
    /// Kept elsewhere than in the entry.
    pub(super) const fn stored(self, storage: Storage) -> Self {
        AttributeLine { storage, ..self }
    }
    /// Kept nowhere: made when asked for.
    pub(super) const fn computed(self) -> Self {
        self.stored(Storage::Computed)
    }
    /// Searched by parts: one of the few with trigrams.
    pub(super) const fn trigrams(self) -> Self {
        AttributeLine { index: Some(Index::Text), ..self }
    }
    /// Large, opaque or never searched.
    pub(super) const fn no_index(self) -> Self {
        AttributeLine { index: Some(Index::None), ..self }
    }
    /// The SCIM path.
    pub(super) const fn scim(self, path: &'static str) -> Self {
        AttributeLine { scim: Some(path), ..self }
    }
    /// The OIDC claim.
    pub(super) const fn claim(self, claim: &'static str) -> Self {
        AttributeLine { claim: Some(claim), ..self }
    }
    /// Another source than that of the table.
    pub(super) const fn from(self, origin: &'static str) -> Self {
        AttributeLine { origin, ..self }
    }
}

/// A class below `top`.
pub(in crate::schema) const fn class(
    id: u16,
    oid: &'static str,
    names: Names,
    description: &'static str,
    kind: ClassKind,
) -> ClassLine {
    ClassLine {
        id,
        oid,
        names,
        description,
        kind,
        superclasses: "top",
        must: "",
        may: "",
        naming: "cn",
        stands_alone: false,
        origin: "",
    }
}

/// A structural class below `top`.
pub(super) const fn structural(id: u16, oid: &'static str, names: Names, description: &'static str) -> ClassLine {
    class(id, oid, names, description, ClassKind::Structural)
}

/// An auxiliary class below `top`.
pub(super) const fn auxiliary(id: u16, oid: &'static str, names: Names, description: &'static str) -> ClassLine {
    class(id, oid, names, description, ClassKind::Auxiliary)
}

/// An abstract class below `top`.
pub(super) const fn abstraction(id: u16, oid: &'static str, names: Names, description: &'static str) -> ClassLine {
    class(id, oid, names, description, ClassKind::Abstract)
}

impl ClassLine {
    /// Other superclasses than `top`.
    pub(in crate::schema) const fn sup(self, superclasses: &'static str) -> Self {
        ClassLine { superclasses, ..self }
    }
    /// `MUST`.
    pub(super) const fn must(self, must: &'static str) -> Self {
        ClassLine { must, ..self }
    }
    /// `MAY`.
    pub(super) const fn may(self, may: &'static str) -> Self {
        ClassLine { may, ..self }
    }
    /// The attributes that usually name an entry, when it is not `cn`.
    pub(super) const fn rdn(self, naming: &'static str) -> Self {
        ClassLine { naming, ..self }
    }
    /// See [`crate::schema::ObjectClass::stands_alone`].
    pub(super) const fn stands_alone(self) -> Self {
        ClassLine { stands_alone: true, ..self }
    }
    /// Another source than that of the table.
    pub(super) const fn from(self, origin: &'static str) -> Self {
        ClassLine { origin, ..self }
    }
}
