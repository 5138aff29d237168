//! From an entry to claims: the `claim` face of the catalog, read once at start; then one walk over the record.
//!
//! Owns the form that each claim has in JSON (OpenID Connect Core §5.1), and the claims that stand in no attribute: groups,
//! roles and tenant, from the edges and the tree as they are now.

use directory::access::tenant_key;
use directory::clock::Millis;
use directory::entry::dn::Dn;
use directory::entry::record::Record;
use directory::error::{Reason, Refusal};
use directory::id::EntryId;
use directory::schema::syntax::Syntax;
use directory::schema::{AttributeId, Kind, Schema};
use directory::store::membership;
use directory::store::view::{Snapshot, View};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Groups, and roles, of one account that a token can show; whoever has more gets none, for a part of them would be taken
/// for the whole.
pub const MOST: usize = 2_000;

/// Claims that say something about the token and not about the account: no attribute may be shown under these names.
const RESERVED: [&str; 34] = [
    "acr",
    "act",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "entitlements",
    "events",
    "exp",
    "fam",
    "groups",
    "iat",
    "iss",
    "jti",
    "may_act",
    "nbf",
    "nonce",
    "orig",
    "roles",
    "s_hash",
    "scope",
    "sid",
    "sub",
    "sub_id",
    "tenant",
    "toe",
    "txn",
    "typ",
    "updated_at",
    "vc",
];

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Boolean,
    Integer,
    Moment,
    Postal,
}

/// An attribute that is shown as a claim.
#[derive(Debug, Clone)]
struct Face {
    attribute: AttributeId,
    claim: &'static str,
    /// The member, of a claim that is an object (`address.region`).
    member: Option<&'static str>,
    form: Form,
    /// All values as a list; otherwise the first one.
    list: bool,
}

/// What the schema shows of accounts.
#[derive(Debug, Clone, Default)]
pub struct Faces {
    faces: Vec<Face>,
}

impl Faces {
    /// The faces of a schema. A definition made at run time cannot take a name that means something in tokens.
    pub fn of(schema: &Schema) -> Faces {
        let mut faces = Vec::new();
        for attribute in schema.attributes() {
            let Some(whole) = attribute.claim else { continue };
            let (claim, member) = match whole.split_once('.') {
                Some((claim, member)) => (claim, Some(member)),
                None => (whole, None),
            };
            let form = match attribute.syntax {
                Syntax::Boolean => Form::Boolean,
                Syntax::Integer => Form::Integer,
                Syntax::GeneralizedTime => Form::Moment,
                Syntax::PostalAddress => Form::Postal,
                _ => Form::Text,
            };
            if !RESERVED.contains(&claim) {
                let standard = super::scope::SCOPES.iter().any(|(_, claims)| claims.contains(&claim));
                let list = !attribute.single_value && !standard;
                faces.push(Face { attribute: attribute.id, claim, member, form, list });
            }
        }
        Faces { faces }
    }

    /// Every claim that there is, for the metadata.
    pub fn names(&self) -> BTreeSet<&'static str> {
        let own = ["sub", "updated_at", "email_verified", "groups", "roles", "tenant"];
        self.faces.iter().map(|face| face.claim).chain(own).collect()
    }

    /// The claims of an account, those that are wanted; `sub` is the caller's.
    ///
    /// # Errors
    /// `Store`.
    pub fn claims(
        &self,
        snapshot: &Snapshot,
        id: EntryId,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut out = Map::new();
        let Some(guard) = snapshot.record(id)? else { return Ok(out) };
        let record = parse(guard.value())?;
        for face in self.faces.iter().filter(|face| wanted(face.claim)) {
            let mut values = record.values(face.attribute).filter_map(|value| shown(value, face.form));
            let value = if face.list {
                let values: Vec<Value> = values.collect();
                if values.is_empty() { None } else { Some(Value::Array(values)) }
            } else {
                values.next()
            };
            let Some(value) = value else { continue };
            match face.member {
                None => _ = out.insert(face.claim.to_owned(), value),
                Some(member) => {
                    let object = out.entry(face.claim).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(object) = object {
                        object.insert(member.to_owned(), value);
                    }
                }
            }
        }
        if wanted("updated_at") {
            out.insert("updated_at".into(), seconds(record.header().modified).into());
        }
        // An address of which nothing is known has not been verified.
        if wanted("email_verified") && out.contains_key("email") {
            out.entry("email_verified").or_insert(Value::Bool(false));
        }
        if !out.contains_key("email") {
            out.remove("email_verified");
        }
        if wanted("groups") || wanted("roles") {
            let (groups, roles) = memberships(snapshot, id)?;
            let mut show = |name: &str, names: Vec<String>| {
                if wanted(name) && names.len() <= MOST {
                    out.insert(name.to_owned(), names.into());
                }
            };
            show("groups", groups);
            show("roles", roles);
        }
        if wanted("tenant")
            && let Some(tenant) = tenant(snapshot, record.parent())?
        {
            out.insert("tenant".into(), tenant.into());
        }
        Ok(out)
    }
}

fn parse(bytes: &[u8]) -> Result<Record<'_>, Refusal> {
    Record::parse(bytes).map_err(|e| Refusal::new(Reason::Store, "the store failed").with_detail(e.to_string()))
}

/// Seconds since 1970, as tokens say times.
pub fn seconds(at: Millis) -> i64 {
    at.0.div_euclid(1_000)
}

/// A stored value in JSON; none: it is nothing that the form can show.
fn shown(value: &[u8], form: Form) -> Option<Value> {
    let text = std::str::from_utf8(value).ok()?;
    match form {
        Form::Text => Some(text.into()),
        Form::Boolean => match text {
            "TRUE" => Some(true.into()),
            "FALSE" => Some(false.into()),
            _ => None,
        },
        Form::Integer => Some(text.parse::<i64>().map_or_else(|_| text.into(), Value::from)),
        Form::Moment => Millis::from_generalized_time(value).ok().map(|at| seconds(at).into()),
        // RFC 4517 §3.3.28; lines as OpenID Connect Core §5.1.1 has them.
        Form::Postal => {
            let line = |line: &str| line.replace("\\24", "$").replace("\\5C", "\\").replace("\\5c", "\\");
            Some(text.split('$').map(line).collect::<Vec<_>>().join("\n").into())
        }
    }
}

/// The names of the groups and of the roles that hold an account, directly or through others; sorted, each once.
fn memberships(snapshot: &Snapshot, id: EntryId) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let (mut groups, mut roles) = (BTreeSet::new(), BTreeSet::new());
    for group in membership::closure(snapshot, id)? {
        let Some(guard) = snapshot.record(group)? else { continue };
        let record = parse(guard.value())?;
        let into = match record.kind() {
            Kind::Group => &mut groups,
            Kind::Role => &mut roles,
            _ => continue,
        };
        into.extend(name_of(&record));
    }
    Ok((groups.into_iter().collect(), roles.into_iter().collect()))
}

/// The name of the nearest tenant; none above all tenants.
fn tenant(snapshot: &Snapshot, parent: EntryId) -> Result<Option<String>, Refusal> {
    let key = tenant_key(snapshot, parent)?;
    let Some(id) = snapshot.id_of(&key)? else { return Ok(None) };
    let Some(guard) = snapshot.record(id)? else { return Ok(None) };
    let record = parse(guard.value())?;
    Ok(if record.kind() == Kind::Tenant { name_of(&record) } else { None })
}

/// The value of the first RDN.
fn name_of(record: &Record<'_>) -> Option<String> {
    let dn = Dn::parse(record.dn().as_bytes()).ok()?;
    let ava = dn.rdn()?.avas.first()?;
    String::from_utf8(ava.value.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Goal: the catalog shows the standard claims, each by a scope, and nothing under a name that tokens use themselves.
    #[test]
    fn the_catalog_has_the_standard_claims() {
        let faces = Faces::of(&Schema::standard());
        let names = faces.names();
        for standard in [
            "name",
            "family_name",
            "given_name",
            "preferred_username",
            "locale",
            "zoneinfo",
            "email",
            "email_verified",
            "address",
            "phone_number",
            "updated_at",
            "groups",
            "roles",
            "tenant",
            "sub",
        ] {
            assert!(names.contains(standard), "{standard}");
            assert!(super::super::scope::SCOPES.iter().any(|(_, claims)| claims.contains(&standard)), "{standard}");
        }
        assert!(faces.faces.iter().all(|face| !RESERVED.contains(&face.claim)));
        assert!(RESERVED.is_sorted());
    }

    /// Goal: every form of a value, and what none of them can show.
    #[test]
    fn forms() {
        assert_eq!(shown("Ü".as_bytes(), Form::Text), Some(json!("Ü")));
        assert_eq!(shown(b"\xff", Form::Text), None);
        assert_eq!(shown(b"TRUE", Form::Boolean), Some(json!(true)));
        assert_eq!(shown(b"maybe", Form::Boolean), None);
        assert_eq!(shown(b"-7", Form::Integer), Some(json!(-7)));
        assert_eq!(shown(b"99999999999999999999", Form::Integer), Some(json!("99999999999999999999")));
        assert_eq!(shown(b"19700101000001Z", Form::Moment), Some(json!(1)));
        assert_eq!(shown(b"1 Main St\\24\\5C$Town", Form::Postal), Some(json!("1 Main St$\\\nTown")));
        assert_eq!(seconds(Millis(-1)), -1);
    }
}
