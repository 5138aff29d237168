//! The attributes that every resource has and no schema lists: RFC 7643 §3 and §3.1.

use std::sync::Arc;

use super::Kind;
use super::attribute::{Attribute, Returned, Uniqueness, attribute, complex, reference, text, time};

/// `schemas`, `id`, `externalId`, `meta`.
pub(super) fn attributes() -> Vec<Arc<Attribute>> {
    let schemas = attribute("schemas", Kind::Reference(vec!["uri".to_owned()]), "URIs of the schemas of the resource")
        .many()
        .required()
        .returned(Returned::Always);
    let id = text("id", "Identifier of the resource, given by the service provider; never used again")
        .exact()
        .required()
        .read_only()
        .returned(Returned::Always)
        .unique(Uniqueness::Global);
    let external_id = text("externalId", "Identifier that the provisioning client gave to the resource").exact();
    let meta = complex(
        "meta",
        "Facts about the resource that the service provider keeps",
        vec![
            text("resourceType", "Name of the resource type").exact(),
            time("created", "When the resource was made"),
            time("lastModified", "When the resource was changed last"),
            reference("location", &["uri"], "URI of the resource"),
            text("version", "Version of the resource, as in the header ETag").exact(),
        ],
    )
    .read_only();
    [schemas, id, external_id, meta].map(Arc::new).into()
}
