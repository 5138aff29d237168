//! What administrators ask for: applications and providers made with what belongs to them, and those that they see.

use super::{Application, Provider, address};
use crate::access::{Sight, class_key};
use crate::bootstrap;
use crate::change::{Change, Request};
use crate::clock::Span;
use crate::context::Context;
use crate::credential::Secret as Password;
use crate::entry::dn::{Ava, DnKey, Rdn};
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::schema::kind::Kind;
use crate::schema::known::{attribute, class};
use crate::store::view::View;
use crate::token::Secret;

/// The most applications that are listed.
const LISTED: usize = 10_000;

/// A new application or provider.
#[derive(Debug, Default)]
pub struct NewEntry<'a> {
    /// Its name (`cn`).
    pub name: &'a str,
    /// Name or DN of its tenant; none: the only naming context.
    pub tenant: Option<&'a str>,
    /// Attribute descriptions and values, without name and class.
    pub attributes: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
}

impl NewEntry<'_> {
    fn dn(&self, container: &str) -> Result<String, Refusal> {
        if self.name.is_empty() {
            return Err(Refusal::new(Reason::InvalidName, "it needs a name"));
        }
        let rdn = Rdn { avas: vec![Ava { attribute: "cn".to_owned(), value: self.name.as_bytes().to_vec() }] };
        Ok(format!("{rdn},{container}"))
    }

    fn classed(self, class: &str) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
        let mut attributes = self.attributes;
        attributes.push((b"objectClass".to_vec(), vec![class.as_bytes().to_vec()]));
        attributes
    }
}

impl Directory {
    /// Makes an application below `ou=applications` of its tenant. One without a client identifier gets one; one that
    /// keeps a secret gets that, shown here and never again.
    ///
    /// # Errors
    /// `NameTaken` when another application has the client identifier, `Constraint` for an address that nobody can be sent
    /// to and for a group that is not there; whatever an addition is refused for.
    pub async fn make_application(
        &self,
        context: &Context,
        mut new: NewEntry<'_>,
    ) -> Result<(Application, Option<Secret>), Refusal> {
        let (_, tenant) = self.tenant(context, new.tenant)?;
        address::check(&new.attributes)?;
        self.check_groups(context, &new.attributes)?;
        let container = format!("ou=applications,{tenant}");
        if !new.attributes.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"rollbookClientId")) {
            let drawn = format!("app-{}", String::from_utf8_lossy(self.make_password().expose()));
            new.attributes.push((b"rollbookClientId".to_vec(), vec![drawn.into_bytes()]));
        }
        let mut changes = Vec::new();
        if !bootstrap::exists(self, &container)? {
            let attributes = vec![(b"objectClass".to_vec(), vec![b"organizationalUnit".to_vec()])];
            changes.push(Change::Add { dn: container.clone().into_bytes(), attributes });
        }
        let dn = new.dn(&container)?.into_bytes();
        changes.push(Change::Add { dn, attributes: new.classed("rollbookApplication") });
        let receipt = self.carry(context, Request { changes, expected: Vec::new() }).await?;
        let id = receipt.entry.unwrap_or(EntryId::NONE);
        let unfit = || Refusal::new(Reason::Constraint, "the entry was made, but what it says is no application");
        let application = self.application_of(id)?.ok_or_else(unfit)?;
        let keeps_secret = !application.is_public() && application.key_set.is_none();
        let secret = if keeps_secret { Some(self.make_client_secret(context, id, Span::ZERO).await?) } else { None };
        Ok((application, secret))
    }

    /// Who may enter is said by groups and roles that are there and that the actor sees: a name that means nothing would
    /// keep everybody out.
    fn check_groups(&self, context: &Context, attributes: &[(Vec<u8>, Vec<Vec<u8>>)]) -> Result<(), Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        let named = attributes.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"rollbookAllowedGroup"));
        for dn in named.flat_map(|(_, values)| values) {
            let key = DnKey::parse(self.schema(), dn).ok();
            let id = key.map(|key| snapshot.as_ref().id_of(key.as_bytes())).transpose()?.flatten();
            let guard = id.map(|id| snapshot.record(id)).transpose()?.flatten();
            let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
            let seen = id.zip(record).filter(|(id, record)| rights.sight(*id, record) != Sight::None);
            if !seen.is_some_and(|(_, record)| matches!(record.header().kind, Kind::Group | Kind::Role)) {
                let why = format!("rollbookAllowedGroup: there is no group or role {}", String::from_utf8_lossy(dn));
                return Err(Refusal::new(Reason::Constraint, why));
            }
        }
        Ok(())
    }

    /// Makes a provider below `ou=system` of its tenant, with the secret that we show to it.
    ///
    /// # Errors
    /// `EntryExists` when there is one of this name, `Constraint` for an issuer that is no https address; whatever an
    /// addition is refused for.
    pub async fn make_provider(
        &self,
        context: &Context,
        new: NewEntry<'_>,
        secret: Option<&Password>,
    ) -> Result<Option<Provider>, Refusal> {
        let (_, tenant) = self.tenant(context, new.tenant)?;
        address::check(&new.attributes)?;
        if self.provider(new.name)?.is_some() {
            return Err(Refusal::new(Reason::EntryExists, "there is a provider of this name"));
        }
        let dn = new.dn(&format!("ou=system,{tenant}"))?.into_bytes();
        let receipt = self.change(context, Change::Add { dn, attributes: new.classed("rollbookProvider") }).await?;
        let id = receipt.entry.unwrap_or(EntryId::NONE);
        if let Some(secret) = secret {
            self.keep_secret(context, id, secret).await?;
        }
        self.provider_of(id)
    }

    /// The applications that the actor administers, in the order of their making.
    ///
    /// # Errors
    /// `Store`.
    pub fn applications(&self, context: &Context) -> Result<Vec<Application>, Refusal> {
        let snapshot = self.snapshot()?;
        let key = class_key(class::ROLLBOOK_APPLICATION);
        let mut out = Vec::new();
        for id in snapshot.as_ref().holders(attribute::OBJECT_CLASS, &key, LISTED)? {
            if self.administers(context, id)? {
                out.extend(self.application_of(id)?);
            }
        }
        Ok(out)
    }

    /// The providers that the actor administers, in the order of their making.
    ///
    /// # Errors
    /// `Store`.
    pub fn administered_providers(&self, context: &Context) -> Result<Vec<Provider>, Refusal> {
        let mut out = Vec::new();
        for provider in self.providers()? {
            if self.administers(context, provider.id)? {
                out.push(provider);
            }
        }
        Ok(out)
    }

    fn administers(&self, context: &Context, id: EntryId) -> Result<bool, Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        let guard = snapshot.record(id)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        Ok(record.is_some_and(|record| rights.sight(id, &record) == Sight::Administrative))
    }
}
