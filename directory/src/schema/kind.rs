//! What an object class is (RFC 4512 §4.1.1) and which kind of entry a set of classes makes.

use super::attribute::AttributeId;

/// The stable number of an object class; the same promise as [`AttributeId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub u16);

/// RFC 4512 §2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassKind {
    /// Only a superclass of others.
    Abstract,
    /// The one that an entry is of.
    Structural,
    /// Added to a structural one.
    Auxiliary,
}

/// One object class.
#[derive(Debug, Clone)]
pub struct ObjectClass {
    /// The stable number.
    pub id: ClassId,
    /// Dotted object identifier.
    pub oid: &'static str,
    /// The names, the canonical one first.
    pub names: &'static [&'static str],
    /// `DESC`.
    pub description: &'static str,
    /// Direct superclasses.
    pub superclasses: Vec<ClassId>,
    /// Abstract, structural or auxiliary.
    pub kind: ClassKind,
    /// `MUST`, without those of the superclasses.
    pub must: Vec<AttributeId>,
    /// `MAY`, without those of the superclasses.
    pub may: Vec<AttributeId>,
    /// The attributes that usually name an entry of this class, the best first; a hint for forms and imports.
    pub naming: Vec<AttributeId>,
    /// An auxiliary class that counts as the structural one in an entry that has no other. `posixGroup` is
    /// structural in RFC 2307 and auxiliary in 2307bis; with this both kinds of entry are accepted.
    pub stands_alone: bool,
    /// Where the definition comes from (`RFC 4519`): the `X-ORIGIN` of the subschema.
    pub origin: &'static str,
}

impl ObjectClass {
    /// The canonical name.
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or(self.oid)
    }
}

/// What an entry is to the directory, recognised by its object classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Anything else: containers, devices, documents.
    Other = 0,
    /// A person who logs in (`person` and its subclasses, `posixAccount`).
    Person = 1,
    /// An application that binds (`account`, `simpleSecurityObject`, `rollbookAccount`).
    ApiAccount = 2,
    /// `groupOfNames`, `groupOfUniqueNames`, `posixGroup`.
    Group = 3,
    /// `organizationalRole`, our `rollbookRole`.
    Role = 4,
    /// Our `rollbookTenant` on any container.
    Tenant = 5,
    /// Our `rollbookApplication`.
    Application = 6,
    /// Our `rollbookPolicy`.
    Policy = 7,
    /// Our `rollbookProvider`.
    Provider = 8,
}

impl Kind {
    /// The kind of a stored code; an unknown one is [`Kind::Other`].
    pub fn from_code(code: u8) -> Kind {
        match code {
            1 => Kind::Person,
            2 => Kind::ApiAccount,
            3 => Kind::Group,
            4 => Kind::Role,
            5 => Kind::Tenant,
            6 => Kind::Application,
            7 => Kind::Policy,
            8 => Kind::Provider,
            _ => Kind::Other,
        }
    }

    /// Which kind an entry is of when its classes speak for several: the highest. An organisation that is a tenant
    /// is a tenant; a person with a private `posixGroup` is a person; an `organizationalRole` with a password (the
    /// usual `cn=admin`) is an account.
    pub(super) fn precedence(self) -> u8 {
        match self {
            Kind::Other => 0,
            Kind::Group => 1,
            Kind::Role => 2,
            Kind::ApiAccount => 3,
            Kind::Person => 4,
            Kind::Application => 5,
            Kind::Policy => 6,
            Kind::Provider => 7,
            Kind::Tenant => 8,
        }
    }

    /// Accounts are the kinds that can log in.
    pub fn is_account(self) -> bool {
        matches!(self, Kind::Person | Kind::ApiAccount)
    }
}
