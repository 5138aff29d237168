//! What the path of an operation means in a resource type.

use std::sync::Arc;

use super::Target;
use crate::protocol::error::{ScimError, echo};
use crate::protocol::filter::{Filter, Mode, Resolved, element};
use crate::protocol::normal::Normal;
use crate::protocol::rules::Coercion;
use crate::schema::{Attribute, Mutability, ResourceType, Schema};

/// A target whose names are found.
#[derive(Debug, Clone)]
pub(super) enum Found<'a> {
    /// A whole extension, or none for the core schema.
    Schema(Option<&'a Arc<Schema>>),
    /// An attribute, perhaps some of its elements, perhaps one sub-attribute of them.
    Attribute {
        extension: Option<Arc<Schema>>,
        attribute: Arc<Attribute>,
        select: Option<Box<Select>>,
        sub: Option<Arc<Attribute>>,
    },
}

/// Elements, by what they hold.
#[derive(Debug, Clone)]
pub(super) struct Select {
    pub filter: Resolved,
    /// As it was written: an element that is missing is made from it.
    pub written: Filter,
}

/// Finds what `target` names.
pub(super) fn find<'a>(
    kind: &'a ResourceType,
    target: &Target,
    index: usize,
    normal: &mut Normal<'_>,
) -> Result<Found<'a>, ScimError> {
    let wrong = |why: String| ScimError::invalid_path(format!("operation {index}: {why}"));
    if let Some(uri) = target.path.extension(kind).filter(|_| target.filter.is_none()) {
        return Ok(Found::Schema(kind.extension(uri).map(|extension| &extension.schema)));
    }
    let unknown = || wrong(format!("a {} has no `{}`", kind.name, echo(&target.path.to_string())));
    let place = target.path.place(kind).ok_or_else(unknown)?;
    let select = match &target.filter {
        None => None,
        Some(written) => {
            let filter = match element(written, &place.attribute, Mode::Strict) {
                Err(_) if normal.rules.lenient_filter => {
                    element(written, &place.attribute, Mode::Lenient).inspect(|_| normal.note(Coercion::LenientFilter))
                }
                other => other,
            };
            let filter = filter.map_err(|error| wrong(format!("in brackets: {}", error.detail)))?;
            Some(Box::new(Select { filter, written: written.clone() }))
        }
    };
    let sub = match &target.sub {
        None => place.sub,
        Some(name) => {
            let sub = place.attribute.sub(name);
            Some(Arc::clone(sub.ok_or_else(|| wrong(format!("`{}` has no `{}`", place.attribute.name, echo(name))))?))
        }
    };
    Ok(Found::Attribute { extension: place.extension, attribute: place.attribute, select, sub })
}

/// 400 `mutability` for what clients do not write.
pub(super) fn writable(attribute: &Attribute, sub: Option<&Arc<Attribute>>) -> Result<(), ScimError> {
    let kept = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
    if kept(attribute) || sub.is_some_and(|sub| kept(sub)) || attribute.name == "schemas" {
        let name = sub.map_or(attribute.name.clone(), |sub| format!("{}.{}", attribute.name, sub.name));
        return Err(ScimError::mutability(format!("`{name}` is kept by the service provider")));
    }
    Ok(())
}
