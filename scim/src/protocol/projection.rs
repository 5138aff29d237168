//! Which attributes are in an answer: RFC 7644 §3.4.2.5, §3.9, RFC 7643 §7 `returned`.
//!
//! Owns the decision. It is made once per request; resources are then thinned in place. What an answer does not hold need not
//! be loaded: ask [`Projection::wants`] first.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ScimError;
use super::path::AttrPath;
use super::tree::{Object, Tree};
use crate::schema::{Attribute, ResourceType, Returned};

/// The most names in `attributes` or `excludedAttributes`.
pub const MAX_NAMES: usize = 256;

/// What is kept of resources of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    core: Kept,
    extensions: BTreeMap<String, Kept>,
}

/// Attributes by name, and what is kept of each.
type Kept = BTreeMap<String, Keep>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Keep {
    All,
    Subs(BTreeSet<String>),
}

/// What the client said.
enum Said {
    Nothing,
    Only(Vec<AttrPath>),
    Without(Vec<AttrPath>),
}

impl Projection {
    /// Reads the query parameters, names divided by commas. Names that nothing has are left out.
    ///
    /// # Errors
    /// 400 `invalidValue` when both are given, or too many names.
    pub fn parse(
        kind: &ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Projection, ScimError> {
        let split = |text: Option<&str>| text.unwrap_or_default().split(',').map(str::to_owned).collect::<Vec<_>>();
        Projection::of(kind, &split(attributes), &split(excluded))
    }

    /// As [`Projection::parse`], from the arrays of a search request.
    ///
    /// # Errors
    /// As [`Projection::parse`].
    pub fn of(kind: &ResourceType, attributes: &[String], excluded: &[String]) -> Result<Projection, ScimError> {
        let (only, without) = (names(attributes)?, names(excluded)?);
        let said = match (only, without) {
            (None, None) => Said::Nothing,
            (Some(only), None) => Said::Only(only),
            (None, Some(without)) => Said::Without(without),
            (Some(_), Some(_)) => {
                let detail = "`attributes` and `excludedAttributes` exclude each other";
                return Err(ScimError::invalid_value(detail));
            }
        };
        let core = kept(kind.attributes().map(AsRef::as_ref), None, kind.uri(), &said);
        let extensions = kind.extensions.iter().map(|extension| {
            let (id, schema) = (&extension.schema.id, &extension.schema);
            (id.clone(), kept(schema.attributes.iter().map(AsRef::as_ref), Some(id), id, &said))
        });
        Ok(Projection { core, extensions: extensions.filter(|(_, kept)| !kept.is_empty()).collect() })
    }

    /// Whether anything of an attribute is kept: `members`, `URN:manager`, or a whole extension by its URN.
    pub fn wants(&self, path: &str) -> bool {
        let equal = |known: &String, name: &str| known.eq_ignore_ascii_case(name);
        let in_core = self.core.keys().any(|known| equal(known, path));
        in_core
            || self.extensions.iter().any(|(uri, kept)| {
                equal(uri, path)
                    || path
                        .rsplit_once(':')
                        .is_some_and(|(urn, name)| equal(uri, urn) && kept.keys().any(|known| equal(known, name)))
            })
    }

    /// Removes what is not kept.
    pub fn apply(&self, resource: &mut Object<'_>) {
        resource.retain(|name, value| match self.core.get(name) {
            Some(keep) => keep.thin(value),
            None => match (self.extensions.get(name), value) {
                (Some(kept), Tree::Object(inside)) => {
                    inside.retain(|name, value| kept.get(name).is_some_and(|keep| keep.thin(value)));
                    !inside.is_empty()
                }
                _ => false,
            },
        });
    }
}

impl Keep {
    /// Removes the sub-attributes that are not kept; whether anything is left.
    fn thin(&self, value: &mut Tree<'_>) -> bool {
        let Keep::Subs(subs) = self else { return true };
        match value {
            Tree::Object(object) => {
                object.retain(|name, _| subs.contains(name));
                !object.is_empty()
            }
            Tree::List(elements) => {
                elements.retain_mut(|element| self.thin(element));
                !elements.is_empty()
            }
            _ => true,
        }
    }
}

fn names(given: &[String]) -> Result<Option<Vec<AttrPath>>, ScimError> {
    let named: Vec<&str> = given.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
    if named.len() > MAX_NAMES {
        return Err(ScimError::invalid_value(format!("at most {MAX_NAMES} attributes are named")));
    }
    // A parameter without names is none.
    Ok((!named.is_empty()).then(|| named.into_iter().filter_map(AttrPath::read).collect()))
}

fn kept<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    extension: Option<&str>,
    schema: &str,
    said: &Said,
) -> Kept {
    let decide = |attribute| Some((attribute, keep(attribute, extension, schema, said)?));
    attributes.filter_map(decide).map(|(attribute, keep): (&Attribute, Keep)| (attribute.name.clone(), keep)).collect()
}

fn keep(attribute: &Attribute, extension: Option<&str>, schema: &str, said: &Said) -> Option<Keep> {
    if attribute.is_secret() {
        return None;
    }
    let whole_schema = |path: &AttrPath| path.urn.is_some() && path.to_string().eq_ignore_ascii_case(schema);
    let about = |path: &AttrPath| {
        let urn = path.urn.as_deref();
        let here = match extension {
            None => urn.is_none_or(|urn| urn.eq_ignore_ascii_case(schema)),
            Some(uri) => urn.is_some_and(|urn| urn.eq_ignore_ascii_case(uri)),
        };
        here && path.name.eq_ignore_ascii_case(&attribute.name)
    };
    let by_default = matches!(attribute.returned, Returned::Always | Returned::Default);
    let always = attribute.returned == Returned::Always;
    match said {
        Said::Nothing => by_default.then(|| subs(attribute, |sub| shown(sub, false))),
        Said::Only(paths) => {
            let meant: Vec<&AttrPath> = paths.iter().filter(|path| about(path)).collect();
            let whole = paths.iter().any(whole_schema) && by_default;
            if whole || always || meant.iter().any(|path| path.sub.is_none()) {
                return Some(subs(attribute, |sub| shown(sub, false) || named(&meant, sub)));
            }
            if meant.is_empty() {
                return None;
            }
            let found = meant.iter().any(|path| path.sub.as_deref().is_some_and(|sub| attribute.sub(sub).is_some()));
            found.then(|| subs(attribute, |sub| shown(sub, true) || named(&meant, sub)))
        }
        Said::Without(paths) => {
            let meant: Vec<&AttrPath> = paths.iter().filter(|path| about(path)).collect();
            let whole = paths.iter().any(whole_schema) || meant.iter().any(|path| path.sub.is_none());
            if !always && (whole || !by_default) {
                return None;
            }
            Some(subs(attribute, |sub| shown(sub, true) || (shown(sub, false) && !named(&meant, sub))))
        }
    }
}

fn shown(sub: &Attribute, always: bool) -> bool {
    match sub.returned {
        Returned::Always => true,
        Returned::Default => !always && !sub.is_secret(),
        Returned::Never | Returned::Request => false,
    }
}

fn named(paths: &[&AttrPath], sub: &Attribute) -> bool {
    !sub.is_secret()
        && paths.iter().any(|path| path.sub.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&sub.name)))
}

fn subs(attribute: &Attribute, kept: impl Fn(&Attribute) -> bool) -> Keep {
    if attribute.subs().iter().all(|sub| kept(sub)) {
        return Keep::All;
    }
    Keep::Subs(attribute.subs().iter().filter(|sub| kept(sub)).map(|sub| sub.name.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ENTERPRISE_USER as E, Schemas, USER};
    use serde_json::{Value, json};

    fn after(attributes: &str, excluded: &str) -> Value {
        let schemas = Schemas::of(&directory::schema::Schema::standard());
        let user = schemas.resource_type("User").unwrap();
        let projection = Projection::parse(user, Some(attributes), Some(excluded)).unwrap();
        let resource = json!({
            "schemas": [USER, E], "id": "u-1", "userName": "b", "password": "secret", "unknown": 1,
            "name": {"familyName": "J", "givenName": "B"},
            "emails": [{"value": "a", "type": "work"}, {"value": "b"}],
            E: {"employeeNumber": "7", "manager": {"value": "u-9", "displayName": "Boss", "$ref": "r"}}
        });
        let mut resource = Object::from(resource.as_object().cloned().unwrap());
        projection.apply(&mut resource);
        Value::Object(resource.into_map())
    }

    #[test]
    fn resources_are_thinned() {
        // Goal: RFC 7644 §3.9 with every `returned`, in any case, by name and by URN; the password is in no answer.
        let always = |mut more: Value| {
            let map = more.as_object_mut().unwrap();
            map.insert("schemas".into(), json!([USER, E]));
            map.insert("id".into(), json!("u-1"));
            more
        };
        let all = always(json!({
            "userName": "b", "name": {"familyName": "J", "givenName": "B"},
            "emails": [{"value": "a", "type": "work"}, {"value": "b"}],
            E: {"employeeNumber": "7", "manager": {"value": "u-9", "$ref": "r"}}
        }));
        let core_urn = format!("{USER}:name.givenname");
        let manager = format!("{E}:manager.value");
        let manager_name = format!("{E}:manager.displayName");
        let number = format!("{}:employeeNumber", E.to_uppercase());
        let rows = [
            ("", "", all.clone()),
            (" , ", "", all.clone()),
            ("userName", "", always(json!({"userName": "b"}))),
            ("USERNAME, nobody,roles[0]", "", always(json!({"userName": "b"}))),
            ("password", "", always(json!({}))),
            ("name.familyName", "", always(json!({"name": {"familyName": "J"}}))),
            ("name.nobody", "", always(json!({}))),
            (&core_urn, "", always(json!({"name": {"givenName": "B"}}))),
            ("emails.type", "", always(json!({"emails": [{"type": "work"}]}))),
            (E, "", always(json!({E: {"employeeNumber": "7", "manager": {"value": "u-9", "$ref": "r"}}}))),
            (&manager, "", always(json!({E: {"manager": {"value": "u-9"}}}))),
            (&manager_name, "", always(json!({E: {"manager": {"displayName": "Boss"}}}))),
            (&number, "", always(json!({E: {"employeeNumber": "7"}}))),
            ("employeeNumber", "", always(json!({}))),
            (
                USER,
                "",
                always(json!({
                    "userName": "b", "name": {"familyName": "J", "givenName": "B"},
                    "emails": [{"value": "a", "type": "work"}, {"value": "b"}]
                })),
            ),
            (
                "",
                "userName,emails,name.givenName,id,schemas",
                always(json!({
                    "name": {"familyName": "J"}, E: {"employeeNumber": "7", "manager": {"value": "u-9", "$ref": "r"}}
                })),
            ),
            ("", &format!("{E},emails,name"), always(json!({"userName": "b"}))),
            (
                "",
                &format!("{manager},{number},emails.type,name"),
                always(json!({
                    "userName": "b", "emails": [{"value": "a"}, {"value": "b"}], E: {"manager": {"$ref": "r"}}
                })),
            ),
        ];
        for (attributes, excluded, wanted) in rows {
            assert_eq!(after(attributes, excluded), wanted, "attributes={attributes} excludedAttributes={excluded}");
        }
    }

    #[test]
    fn what_is_not_wanted_need_not_be_loaded() {
        // Goal: a group can be read without its members, whatever the spelling (Entra asks so at every cycle).
        let schemas = Schemas::of(&directory::schema::Schema::standard());
        let group = schemas.resource_type("Group").unwrap();
        let wants = |attributes, excluded| Projection::parse(group, attributes, excluded).unwrap().wants("members");
        assert!(wants(None, None));
        assert!(wants(Some("displayName,members.value"), None));
        assert!(wants(None, Some("members.display")));
        assert!(!wants(None, Some("MEMBERS")));
        assert!(!wants(None, Some("urn:ietf:params:scim:schemas:core:2.0:Group:members")));
        assert!(!wants(Some("id"), None));
        let user = schemas.resource_type("User").unwrap();
        let asked = Projection::parse(user, Some(&format!("{E}:manager")), None).unwrap();
        assert!(asked.wants(E) && asked.wants(&format!("{E}:MANAGER")) && !asked.wants(&format!("{E}:division")));
    }

    #[test]
    fn contradictions_and_floods_are_refused() {
        // Goal: the two parameters exclude each other (RFC 7644 §3.9), and the number of names is bounded.
        let schemas = Schemas::of(&directory::schema::Schema::standard());
        let user = schemas.resource_type("User").unwrap();
        assert!(Projection::parse(user, Some("id"), Some("name")).is_err());
        assert!(Projection::parse(user, Some(&"a,".repeat(MAX_NAMES + 1)), None).is_err());
    }
}
