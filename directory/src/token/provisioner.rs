//! The account of a provisioning client: an application of its tenant that holds the role [`ROLE`] there.
//!
//! Owns which entries are made when the tenant has none, and how a tenant is named. The token itself is `issue`'s.

use crate::access::{Sight, class_key};
use crate::change::{Change, Target};
use crate::context::Context;
use crate::entry::dn::{Ava, Rdn};
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::schema::known;
use crate::store::tables::meta;
use crate::store::view::View;

/// The role whose holders provision their tenant.
pub const ROLE: &str = "SCIM_PROVISIONER";
/// What the role is for.
pub const DESCRIPTION: &str = "Provisions the accounts and groups of its tenant, for identity providers";
/// Its rank in the family `automation`.
pub const RANK: u32 = 3;
/// The most tenants that are looked at for a name.
const TENANTS: usize = 100_000;

/// A DN, and the attributes with their values.
type Wanted<'a> = (&'a str, &'a [(&'a str, &'a [&'a str])]);

impl Directory {
    /// The tenant of this DN or name (`rollbookTenantName`, or the value that its RDN gives it): its id and DN. Without a
    /// name: the only naming context. What the actor may not see is not there.
    ///
    /// # Errors
    /// `Unwilling` when there is none, or several.
    pub fn tenant(&self, context: &Context, name: Option<&str>) -> Result<(EntryId, String), Refusal> {
        let snapshot = self.snapshot()?;
        let view = snapshot.as_ref();
        let rights = self.rights(view, context.actor)?;
        let Some(name) = name else {
            return match view.meta_ids(meta::SUFFIXES)?.as_slice() {
                [only] => {
                    let record = view.record(*only)?;
                    let dn = record.as_ref().and_then(|g| Record::parse(g.value()).ok()).map(|r| r.dn().to_owned());
                    Ok((*only, dn.unwrap_or_default()))
                }
                _ => Err(Refusal::new(Reason::Unwilling, "there are several naming contexts; name the tenant")),
            };
        };
        let own_name = self.schema().find_attribute(b"rollbookTenantName").map(|a| a.id);
        let mut found = Vec::new();
        for id in view.holders(known::attribute::OBJECT_CLASS, &class_key(known::class::ROLLBOOK_TENANT), TENANTS)? {
            let Some(guard) = view.record(id)? else { continue };
            let Ok(record) = Record::parse(guard.value()) else { continue };
            if rights.sight(id, &record) == Sight::None {
                continue;
            }
            let called = |value: &[u8]| value.eq_ignore_ascii_case(name.as_bytes());
            let is_it = called(record.dn().as_bytes())
                || own_name.is_some_and(|own| record.values(own).any(called))
                || crate::entry::dn::Dn::parse(record.dn().as_bytes())
                    .is_ok_and(|dn| dn.rdn().is_some_and(|rdn| rdn.avas.iter().any(|ava| called(&ava.value))));
            if is_it {
                found.push((id, record.dn().to_owned()));
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(tenant), true) => Ok(tenant),
            (Some(_), false) => {
                Err(Refusal::new(Reason::Unwilling, "several tenants are called so; give the DN of one"))
            }
            (None, _) => Err(Refusal::new(Reason::Unwilling, "there is no such tenant")),
        }
    }

    /// The account of a provisioning client of a tenant, and the changes that make what is missing of it.
    ///
    /// # Errors
    /// `InvalidName`, `Store`.
    pub fn provisioner(&self, tenant: &str, label: &str) -> Result<(Target, Vec<Change>), Refusal> {
        let name = Rdn { avas: vec![Ava { attribute: "cn".into(), value: label.as_bytes().to_vec() }] };
        let [applications, roles] = ["applications", "roles"].map(|container| format!("ou={container},{tenant}"));
        let (account, role) = (format!("{name},{applications}"), format!("cn={ROLE},{roles}"));
        let rank = RANK.to_string();
        let family = "automation";
        let wanted: [Wanted<'_>; 4] = [
            (&applications, &[("objectClass", &["organizationalUnit"])]),
            (&roles, &[("objectClass", &["organizationalUnit"])]),
            (
                &role,
                &[
                    ("objectClass", &["rollbookRole"]),
                    ("rollbookRoleFamily", &[family]),
                    ("rollbookRoleRank", &[rank.as_str()]),
                    ("description", &[DESCRIPTION]),
                ],
            ),
            (&account, &[("objectClass", &["applicationProcess", "rollbookAccount"])]),
        ];
        let mut changes = Vec::new();
        for (dn, attributes) in wanted {
            if crate::bootstrap::exists(self, dn)? {
                continue;
            }
            let bytes = |text: &&str| text.as_bytes().to_vec();
            let attributes = attributes.iter().map(|(n, values)| (bytes(n), values.iter().map(bytes).collect()));
            changes.push(Change::Add { dn: dn.as_bytes().to_vec(), attributes: attributes.collect() });
        }
        let account = Target::Dn(account.into_bytes());
        let target = Target::Dn(role.into_bytes());
        changes.push(Change::Members { target, add: vec![account.clone()], remove: Vec::new() });
        Ok((account, changes))
    }
}
