//! What an attribute of a resource is: RFC 7643 §2 and §7.
//!
//! Owns the description of one attribute. Values are plain JSON; what a value may be is checked in
//! [`crate::protocol::accept`]. Called by everything that reads or writes an attribute.

use std::sync::Arc;

/// The data type of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A JSON string.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number with a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// A moment, written as `xsd:dateTime`.
    DateTime,
    /// Octets in base64.
    Binary,
    /// A URI; the names say what it may refer to: resource types, `external`, `uri`.
    Reference(Vec<String>),
    /// A JSON object of sub-attributes, none of which is complex.
    Complex(Vec<Arc<Attribute>>),
}

/// Who may change a value (RFC 7643 §7 `mutability`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Clients read and write it.
    ReadWrite,
    /// The service provider keeps it.
    ReadOnly,
    /// Given once, when the resource (or the element of a multi-valued attribute) is made.
    Immutable,
    /// Written, never read.
    WriteOnly,
}

/// When a value is in an answer (RFC 7643 §7 `returned`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// In every answer.
    Always,
    /// In none.
    Never,
    /// Unless the client asks for other attributes, or for all but this one.
    Default,
    /// When the client asks for it.
    Request,
}

/// What must differ between resources (RFC 7643 §7 `uniqueness`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// Nothing.
    None,
    /// The values of one service provider.
    Server,
    /// All values anywhere.
    Global,
}

/// One attribute, or sub-attribute (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name in the spelling of its schema. Clients may write it in any case.
    pub name: String,
    /// The data type.
    pub kind: Kind,
    /// Whether the value is an array.
    pub multi_valued: bool,
    /// Whether a resource (or an element) must have it.
    pub required: bool,
    /// Whether case matters when values are compared.
    pub case_exact: bool,
    /// Who may change it.
    pub mutability: Mutability,
    /// When it is in an answer.
    pub returned: Returned,
    /// What must differ.
    pub uniqueness: Uniqueness,
    /// The values that are usual (`work`, `home`); others are legal.
    pub canonical: Vec<String>,
    /// What it means, for people.
    pub description: String,
    /// Whether the values are edges between resources, kept apart from the resource: they may be a million.
    pub edges: bool,
}

impl Attribute {
    /// The sub-attribute of this name, in any case.
    pub fn sub(&self, name: &str) -> Option<&Arc<Attribute>> {
        self.subs().iter().find(|sub| sub.name.eq_ignore_ascii_case(name))
    }

    /// The sub-attributes; none when the attribute is not complex.
    pub fn subs(&self) -> &[Arc<Attribute>] {
        match &self.kind {
            Kind::Complex(subs) => subs,
            _ => &[],
        }
    }

    /// Whether the attribute has sub-attributes.
    pub fn is_complex(&self) -> bool {
        matches!(self.kind, Kind::Complex(_))
    }

    /// Whether values are compared as text without regard to case.
    pub fn folds_case(&self) -> bool {
        !self.case_exact && matches!(self.kind, Kind::String)
    }

    /// Whether no answer and no filter may tell its value.
    pub fn is_secret(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }
}

/// An attribute with the defaults of RFC 7643 §2.2 and this type, to be refined by the methods below.
pub(super) fn attribute(name: &str, kind: Kind, description: &str) -> Attribute {
    // References are URIs, binaries base64: case is part of the value (RFC 7643 §2.3.6, §2.3.7).
    let case_exact = matches!(kind, Kind::Reference(_) | Kind::Binary);
    Attribute {
        name: name.to_owned(),
        kind,
        multi_valued: false,
        required: false,
        case_exact,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        canonical: Vec::new(),
        description: description.to_owned(),
        edges: false,
    }
}

/// A string.
pub(super) fn text(name: &str, description: &str) -> Attribute {
    attribute(name, Kind::String, description)
}

/// A boolean.
pub(super) fn boolean(name: &str, description: &str) -> Attribute {
    attribute(name, Kind::Boolean, description)
}

/// A moment.
pub(super) fn time(name: &str, description: &str) -> Attribute {
    attribute(name, Kind::DateTime, description)
}

/// A whole number.
pub(super) fn integer(name: &str, description: &str) -> Attribute {
    attribute(name, Kind::Integer, description)
}

/// Octets.
pub(super) fn binary(name: &str, description: &str) -> Attribute {
    attribute(name, Kind::Binary, description)
}

/// A URI that refers to one of `types`.
pub(super) fn reference(name: &str, types: &[&str], description: &str) -> Attribute {
    attribute(name, Kind::Reference(types.iter().map(|&name| name.to_owned()).collect()), description)
}

/// An object of sub-attributes.
pub(super) fn complex(name: &str, description: &str, subs: Vec<Attribute>) -> Attribute {
    attribute(name, Kind::Complex(subs.into_iter().map(Arc::new).collect()), description)
}

impl Attribute {
    pub(super) fn many(self) -> Self {
        Attribute { multi_valued: true, ..self }
    }

    pub(super) fn required(self) -> Self {
        Attribute { required: true, ..self }
    }

    pub(super) fn exact(self) -> Self {
        Attribute { case_exact: true, ..self }
    }

    pub(super) fn immutable(self) -> Self {
        Attribute { mutability: Mutability::Immutable, ..self }
    }

    /// Kept by the service provider, with everything in it.
    pub(super) fn read_only(self) -> Self {
        let kind = match self.kind {
            Kind::Complex(subs) => {
                Kind::Complex(subs.into_iter().map(|sub| Arc::new(Arc::unwrap_or_clone(sub).read_only())).collect())
            }
            other => other,
        };
        Attribute { mutability: Mutability::ReadOnly, kind, ..self }
    }

    /// Written, never read, never compared.
    pub(super) fn secret(self) -> Self {
        Attribute { mutability: Mutability::WriteOnly, returned: Returned::Never, ..self }
    }

    pub(super) fn returned(self, returned: Returned) -> Self {
        Attribute { returned, ..self }
    }

    pub(super) fn unique(self, uniqueness: Uniqueness) -> Self {
        Attribute { uniqueness, ..self }
    }

    pub(super) fn canonical(self, values: &[&str]) -> Self {
        Attribute { canonical: values.iter().map(|&value| value.to_owned()).collect(), ..self }
    }

    pub(super) fn edges(self) -> Self {
        Attribute { edges: true, ..self }
    }
}
