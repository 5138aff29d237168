//! Whether an entry obeys its object classes (RFC 4512 §2.4 and §4.1.1).
//!
//! Owns the rules about classes and the attributes that they demand or allow. Values are checked by
//! [`super::syntax`], single values and immutability by the change path, which calls this for every entry it writes.

use super::{
    Schema, Usage,
    attribute::AttributeId,
    kind::{ClassId, ClassKind},
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
