//! Whether an entry obeys its object classes (RFC 4512 §2.4 and §4.1.1).
//!
//! Owns the rules about classes and the attributes that they demand or allow. Values are checked by
//! [`super::syntax`], single values and immutability by the change path, which calls this for every entry it writes.

use super::{
    Schema, Usage,
    attribute::AttributeId,
    kind::{ClassId, ClassKind, ObjectClass},
    known::class,
};

/// Which rule an entry breaks. Doors answer with objectClassViolation (RFC 4511 §A.2, 65).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SchemaViolation {
    /// A class that this schema does not have.
    #[error("unknown object class")]
    UnknownClass(ClassId),
    /// No class at all, or none that is structural.
    #[error("no structural object class")]
    NoStructuralClass,
    /// Two structural classes of which neither is above the other.
    #[error("more than one structural object class")]
    TwoStructuralClasses(ClassId, ClassId),
    /// An attribute that a class demands is absent.
    #[error("a required attribute is missing")]
    Missing(AttributeId),
    /// An attribute that no class allows is present.
    #[error("an attribute is not allowed by the object classes")]
    NotAllowed(AttributeId),
}

impl SchemaViolation {
    /// The message for the client, with the names that it knows.
    pub fn describe(self, schema: &Schema) -> String {
        let class = |id| schema.class(id).map_or("?", ObjectClass::name);
        match self {
            SchemaViolation::UnknownClass(_) | SchemaViolation::NoStructuralClass => self.to_string(),
            SchemaViolation::TwoStructuralClasses(one, other) => {
                format!("an entry cannot be both of {} and of {}", class(one), class(other))
            }
            SchemaViolation::Missing(id) => format!("{} is required", schema.attribute(id).name()),
            SchemaViolation::NotAllowed(id) => {
                format!("{} is not allowed by the object classes", schema.attribute(id).name())
            }
        }
    }
}

impl Schema {
    /// Checks the classes of an entry and the types of its attributes, and answers its structural class.
    ///
    /// `classes` are the values of `objectClass`; superclasses may be left out. `present` are the types with at
    /// least one value, options ignored, in any order. Operational attributes are the server's own affair and are
    /// always allowed.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check_entry(&self, classes: &[ClassId], present: &[AttributeId]) -> Result<ClassId, SchemaViolation> {
        let structural = self.structural_class(classes)?;
        for id in classes {
            for required in self.required(*id) {
                if !present.contains(required) {
                    return Err(SchemaViolation::Missing(*required));
                }
            }
        }
        if classes.contains(&class::EXTENSIBLE_OBJECT) {
            return Ok(structural);
        }
        for attribute in present {
            let operational = self.attribute(*attribute).usage != Usage::User;
            let allowed = || classes.iter().any(|id| self.allowed(*id).binary_search(attribute).is_ok());
            if !operational && !allowed() {
                return Err(SchemaViolation::NotAllowed(*attribute));
            }
        }
        Ok(structural)
    }

    /// The one structural class that the others are above of. An auxiliary class that
    /// [stands alone](super::ObjectClass::stands_alone) is it when there is no other.
    ///
    /// # Errors
    /// When there is none, or two that do not lie on one line.
    pub fn structural_class(&self, classes: &[ClassId]) -> Result<ClassId, SchemaViolation> {
        let mut lowest: Option<ClassId> = None;
        let mut alone: Option<ClassId> = None;
        for id in classes {
            let definition = self.class(*id).ok_or(SchemaViolation::UnknownClass(*id))?;
            match (definition.kind, lowest) {
                (ClassKind::Structural, None) => lowest = Some(*id),
                (ClassKind::Structural, Some(other)) if self.superclasses(*id).contains(&other) => lowest = Some(*id),
                (ClassKind::Structural, Some(other)) if self.superclasses(other).contains(id) => {}
                (ClassKind::Structural, Some(other)) => {
                    return Err(SchemaViolation::TwoStructuralClasses(other, *id));
                }
                (ClassKind::Auxiliary, _) if definition.stands_alone => alone = alone.or(Some(*id)),
                (ClassKind::Auxiliary | ClassKind::Abstract, _) => {}
            }
        }
        lowest.or(alone).ok_or(SchemaViolation::NoStructuralClass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Kind;

    fn classes(names: &str) -> Vec<ClassId> {
        let schema = Schema::standard();
        names.split_whitespace().map(|name| schema.find_class(name.as_bytes()).unwrap().id).collect()
    }

    fn attributes(names: &str) -> Vec<AttributeId> {
        let schema = Schema::standard();
        names.split_whitespace().map(|name| schema.find_attribute(name.as_bytes()).unwrap().id).collect()
    }

    #[test]
    fn the_structural_class_is_the_lowest_of_one_chain() {
        // Goal: RFC 4512 §2.4.2: exactly one chain of structural classes, and posixGroup of both RFC 2307 forms.
        let schema = Schema::standard();
        let cases = [
            ("inetOrgPerson", Some("inetOrgPerson")),
            ("top person organizationalPerson inetOrgPerson posixAccount", Some("inetOrgPerson")),
            ("inetOrgPerson person top", Some("inetOrgPerson")),
            ("organizationalPerson residentialPerson", None),
            ("person groupOfNames", None),
            ("top", None),
            ("posixAccount", None),
            ("", None),
            ("posixGroup", Some("posixGroup")),
            ("top posixGroup", Some("posixGroup")),
            ("posixGroup groupOfNames", Some("groupOfNames")),
            ("organization dcObject rollbookTenant", Some("organization")),
        ];
        for (names, expected) in cases {
            let found = schema.structural_class(&classes(names)).ok();
            assert_eq!(found.and_then(|id| schema.class(id)).map(ObjectClass::name), expected, "{names}");
        }
    }

    #[test]
    fn entries_have_what_they_must_and_only_what_they_may() {
        // Goal: MUST and MAY of all classes and their superclasses; operational attributes are not theirs to say.
        let schema = Schema::standard();
        let id = |name: &str| attributes(name)[0];
        let cases = [
            ("inetOrgPerson", "objectClass cn sn mail uid entryUUID pwdReset", Ok("inetOrgPerson")),
            ("inetOrgPerson", "objectClass cn mail", Err(SchemaViolation::Missing(id("sn")))),
            ("inetOrgPerson", "objectClass cn sn uidNumber", Err(SchemaViolation::NotAllowed(id("uidNumber")))),
            ("inetOrgPerson", "objectClass cn sn name", Err(SchemaViolation::NotAllowed(id("name")))),
            ("account extensibleObject", "objectClass uid dc jpegPhoto", Ok("account")),
            ("account extensibleObject", "objectClass dc", Err(SchemaViolation::Missing(id("uid")))),
            ("groupOfNames", "objectClass cn", Ok("groupOfNames")),
            ("groupOfNames posixGroup", "objectClass cn gidNumber memberUid member", Ok("groupOfNames")),
            ("posixGroup", "objectClass cn gidNumber memberUid", Ok("posixGroup")),
            ("posixGroup", "objectClass cn", Err(SchemaViolation::Missing(id("gidNumber")))),
            ("domain", "dc", Err(SchemaViolation::Missing(id("objectClass")))),
            ("dcObject", "objectClass dc", Err(SchemaViolation::NoStructuralClass)),
        ];
        for (names, present, expected) in cases {
            let found = schema.check_entry(&classes(names), &attributes(present));
            let expected = expected.map(|name: &str| classes(name)[0]);
            assert_eq!(found, expected, "{names}: {present}");
        }
        let missing = SchemaViolation::Missing(id("sn"));
        assert_eq!(missing.describe(&schema), "sn is required");
        let unknown = ClassId(0x7fff);
        assert_eq!(schema.check_entry(&[unknown], &[]), Err(SchemaViolation::UnknownClass(unknown)));
    }

    #[test]
    fn classes_make_the_kind_of_an_entry() {
        // Goal: subclasses inherit the kind, and the more telling kind wins.
        let cases = [
            ("top person organizationalPerson inetOrgPerson posixAccount", Kind::Person),
            ("residentialPerson", Kind::Person),
            ("account posixAccount", Kind::Person),
            ("inetOrgPerson simpleSecurityObject", Kind::Person),
            ("account", Kind::ApiAccount),
            ("organizationalRole simpleSecurityObject", Kind::ApiAccount),
            ("applicationProcess rollbookAccount", Kind::ApiAccount),
            ("applicationProcess", Kind::Other),
            ("groupOfNames posixGroup", Kind::Group),
            ("groupOfUniqueNames", Kind::Group),
            ("organizationalRole", Kind::Role),
            ("rollbookRole", Kind::Role),
            ("organization dcObject rollbookTenant", Kind::Tenant),
            ("rollbookPolicy", Kind::Policy),
            ("rollbookApplication simpleSecurityObject", Kind::Application),
            ("organizationalUnit", Kind::Other),
            ("", Kind::Other),
        ];
        for (names, expected) in cases {
            assert_eq!(Schema::standard().kind_of(&classes(names)), expected, "{names}");
        }
    }
}
