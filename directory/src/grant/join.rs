//! Who somebody could be whom a provider has signed in and nobody has linked: the account of an address, or a new one.
//!
//! Owns which accounts a provider may sign in at all, and making one with its link in one write set. Whether either is done
//! is the provider's policy, which the door asks.

use super::apply::GrantOp;
use super::factor::policy_of;
use super::link::NewLink;
use crate::access::{is_privileged, tenant_key};
use crate::application::Provider;
use crate::bootstrap;
use crate::change::{Change, Op, Request, Subject, claims, prepare, user_type};
use crate::context::{Actor, Context};
use crate::entry::dn::{Ava, Rdn};
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::schema::kind::Kind;
use crate::schema::known::attribute as known;
use crate::store::view::{Snapshot, View};

/// How often a username that is taken gets another number.
const NUMBERS: usize = 20;

/// The account of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addressed {
    /// Which.
    pub account: EntryId,
    /// The address is known to be its owner's.
    pub verified: bool,
    /// It may do more here than be itself.
    pub privileged: bool,
}

/// Somebody who gets an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPerson {
    /// The username, to which a number is added when it is taken.
    pub username: String,
    /// An address that is known to be the person's.
    pub address: Option<String>,
    /// What the person is called.
    pub name: Option<String>,
    /// The first name.
    pub given_name: Option<String>,
    /// The last name.
    pub family_name: Option<String>,
}

impl Directory {
    /// The account of this address; none that is deleted.
    ///
    /// # Errors
    /// `Store`.
    pub fn addressed(&self, address: &str) -> Result<Option<Addressed>, Refusal> {
        let snapshot = self.snapshot()?;
        let view = snapshot.as_ref();
        let Some(account) = claims::holder_of_email(view, address)? else { return Ok(None) };
        let Some(guard) = view.record(account)? else { return Ok(None) };
        let Ok(record) = Record::parse(guard.value()) else { return Ok(None) };
        Ok(Some(Addressed { account, verified: is_verified(&record), privileged: is_privileged(view, account)? }))
    }

    /// Whether the address of an account is known to be its owner's.
    ///
    /// # Errors
    /// `Store`.
    pub fn is_address_verified(&self, account: EntryId) -> Result<bool, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = snapshot.record(account)?;
        Ok(guard.as_ref().and_then(|g| Record::parse(g.value()).ok()).is_some_and(|record| is_verified(&record)))
    }

    /// The providers in use that the sign-in page of a tenant offers: its own, and those of the naming contexts.
    ///
    /// # Errors
    /// `Store`.
    pub fn offered(&self, tenant: Option<&str>) -> Result<Vec<Provider>, Refusal> {
        let mut out = Vec::new();
        for provider in self.providers()?.into_iter().filter(|provider| provider.enabled) {
            let own = self.tenant_name(provider.id)?;
            if own.is_none() || own.as_deref() == tenant {
                out.push(provider);
            }
        }
        Ok(out)
    }

    /// The name of the tenant that an entry is of; none for the naming contexts themselves.
    ///
    /// # Errors
    /// `Store`.
    pub fn tenant_name(&self, id: EntryId) -> Result<Option<String>, Refusal> {
        let snapshot = self.snapshot()?;
        let view = snapshot.as_ref();
        let Some(top) = view.id_of(&tenant_key(view, id)?)? else { return Ok(None) };
        let guard = view.record(top)?;
        let Some(record) = guard.as_ref().and_then(|g| Record::parse(g.value()).ok()) else { return Ok(None) };
        if record.parent() == EntryId::NONE {
            return Ok(None);
        }
        let said = record.values(known::ROLLBOOK_TENANT_NAME).next();
        let said = said.and_then(|name| std::str::from_utf8(name).ok()).map(str::to_owned);
        let rdn = || record.dn().split(',').next()?.split_once('=').map(|(_, name)| name.to_owned());
        Ok(said.or_else(rdn))
    }

    /// Why the provider may not sign this account in; none: it may. The account's state is another question.
    ///
    /// # Errors
    /// `Store`.
    pub fn bars(&self, provider: &Provider, account: EntryId) -> Result<Option<&'static str>, Refusal> {
        let snapshot = self.snapshot()?;
        let view = snapshot.as_ref();
        let Some(guard) = view.record(account)? else { return Ok(Some("there is no such account")) };
        let Ok(record) = Record::parse(guard.value()) else { return Ok(Some("there is no such account")) };
        if record.kind() != Kind::Person || view.account(account)?.is_some_and(|facts| facts.system) {
            return Ok(Some("the account is no person's"));
        }
        if !record.key().starts_with(&tenant_key(view, provider.id)?) {
            return Ok(Some("the account is of another tenant than the provider"));
        }
        if user_type::is_system_administrator(view, account)? {
            return Ok(Some("system administrators do not sign in through a provider"));
        }
        let mail = record.values(known::MAIL).next().and_then(|mail| std::str::from_utf8(mail).ok());
        self.policy_bars(view, account, mail)
    }

    /// What the policy of an account or its tenant says about types and domains (requirement 4.4).
    fn policy_bars(&self, view: &Snapshot, from: EntryId, mail: Option<&str>) -> Result<Option<&'static str>, Refusal> {
        let Some(policy) = policy_of(view, self.schema(), from)? else { return Ok(None) };
        let Some(guard) = view.record(policy)? else { return Ok(None) };
        let Ok(policy) = Record::parse(guard.value()) else { return Ok(None) };
        let mut types = policy.values(known::ROLLBOOK_ALLOWED_USER_TYPE).peekable();
        if types.peek().is_some() && !types.any(|name| name.eq_ignore_ascii_case(user_type::SSO.as_bytes())) {
            return Ok(Some("the policy does not allow the user type sso"));
        }
        let mut domains = policy.values(known::ROLLBOOK_ALLOWED_SSO_DOMAIN).peekable();
        let own = mail.and_then(|mail| mail.rsplit_once('@')).map_or("", |(_, domain)| domain);
        if domains.peek().is_some() && !domains.any(|domain| domain.eq_ignore_ascii_case(own.as_bytes())) {
            return Ok(Some("the policy does not allow sign-in through a provider from this mail domain"));
        }
        Ok(None)
    }

    /// Makes an account of the type sso with its link, below `ou=people` of the provider's tenant: both or neither. A
    /// username that is taken gets a number; nobody is ever taken for somebody who is there.
    ///
    /// # Errors
    /// `NameTaken` for an address or too many names, `Unwilling` where the policy does not allow it.
    pub async fn make_linked(
        &self,
        context: &Context,
        provider: &Provider,
        person: &NewPerson,
        new: NewLink,
    ) -> Result<EntryId, Refusal> {
        new.check()?;
        let tenant = self.tenant_of(provider)?;
        let (container, top) = (format!("ou=people,{}", tenant.1), tenant.0);
        if let Some(why) = self.policy_bars(self.snapshot()?.as_ref(), top, person.address.as_deref())? {
            return Err(Refusal::new(Reason::Unwilling, why));
        }
        let context = Context { actor: Actor::System, ..*context };
        for number in 1..=NUMBERS {
            let username = match number {
                1 => person.username.clone(),
                _ => format!("{}-{number}", person.username),
            };
            match self.add_linked(&context, provider, &container, &username, person, &new).await {
                Err(Refusal { reason: Reason::NameTaken { what: "username", .. } | Reason::EntryExists, .. }) => {}
                outcome => return outcome,
            }
        }
        Err(Refusal::new(Reason::EntryExists, "the username is taken, and so are those with a number"))
    }

    async fn add_linked(
        &self,
        context: &Context,
        provider: &Provider,
        container: &str,
        username: &str,
        person: &NewPerson,
        new: &NewLink,
    ) -> Result<EntryId, Refusal> {
        let rdn = Rdn { avas: vec![Ava { attribute: "uid".to_owned(), value: username.as_bytes().to_vec() }] };
        let dn = format!("{rdn},{container}").into_bytes();
        let mut changes = Vec::new();
        if !bootstrap::exists(self, container)? {
            let attributes = vec![(b"objectClass".to_vec(), vec![b"organizationalUnit".to_vec()])];
            changes.push(Change::Add { dn: container.as_bytes().to_vec(), attributes });
        }
        let key = prepare::dn_key(self.schema(), &dn)?.into_bytes();
        changes.push(Change::Add { dn, attributes: attributes(provider, username, person, &new.key) });
        let link = GrantOp::Link { account: Subject::Key(key), new: Box::new(new.clone()) };
        let request = Request { changes, expected: Vec::new() };
        let receipt = self.carry_with(context, &request, vec![Op::Grant(Box::new(link))]).await?;
        receipt.entry.ok_or_else(|| Refusal::new(Reason::Store, "the store failed"))
    }

    /// The nearest tenant at or above a provider; without one, its naming context.
    fn tenant_of(&self, provider: &Provider) -> Result<(EntryId, String), Refusal> {
        let snapshot = self.snapshot()?;
        let gone = || Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "there is no such provider");
        let id = snapshot.id_of(&tenant_key(snapshot.as_ref(), provider.id)?)?.ok_or_else(gone)?;
        let guard = snapshot.record(id)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok()).ok_or_else(gone)?;
        Ok((id, record.dn().to_owned()))
    }
}

fn is_verified(record: &Record<'_>) -> bool {
    record.values(known::ROLLBOOK_MAIL_VERIFIED).any(|value| value.eq_ignore_ascii_case(b"TRUE"))
}

/// What a new person's entry says.
fn attributes(provider: &Provider, username: &str, person: &NewPerson, key: &str) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let name = person.name.as_deref().unwrap_or(username);
    let mut said = vec![
        ("cn", name),
        ("sn", person.family_name.as_deref().unwrap_or(name)),
        ("displayName", name),
        ("rollbookUserType", user_type::SSO),
        ("rollbookOrigin", provider.name.as_str()),
        ("rollbookUpstream", provider.name.as_str()),
        ("rollbookUpstreamSubject", key),
    ];
    said.extend(person.given_name.as_deref().map(|given| ("givenName", given)));
    if let Some(address) = &person.address {
        said.extend([("mail", address.as_str()), ("rollbookMailVerified", "TRUE")]);
    }
    let one = |(name, value): (&str, &str)| (name.as_bytes().to_vec(), vec![value.as_bytes().to_vec()]);
    let mut out: Vec<_> = said.into_iter().map(one).collect();
    out.push((b"objectClass".to_vec(), vec![b"inetOrgPerson".to_vec(), b"rollbookAccount".to_vec()]));
    out
}
