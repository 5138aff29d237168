//! The first entries of a new store: naming contexts with their containers, the predefined roles, an administrator.
//!
//! Called by `rollbook init` and by the demo. Everything is ordinary write sets of the system, so a directory that is
//! not new refuses what is there already.

use crate::change::{AddOp, Change, Modification, ModificationKind, Op, Subject, Target, prepare};
use crate::clock::{Now, Span};
use crate::context::{Actor, Context, Door, Origin};
use crate::credential::Secret;
use crate::entry::dn::{Dn, Rdn};
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::store::tables::meta;
use crate::store::view::View;
use crate::token::{self, NewToken};

/// The role whose members administer everything.
pub const SYSTEM_ROLE: &str = "SYSTEM_ADMIN";
/// The role whose members read everything.
pub const READER_ROLE: &str = "DIRECTORY_READER";

/// The predefined roles (requirement 3.5): name, rank in the family `automation`, description.
pub const ROLES: &[(&str, u32, &str)] = &[
    (SYSTEM_ROLE, 0, "Administers everything, in every tenant"),
    ("TENANT_ADMIN", 1, "Administers its tenant"),
    ("USER_ADMIN", 2, "Writes the accounts of its tenant"),
    (token::PROVISIONER_ROLE, token::PROVISIONER_RANK, token::PROVISIONER_DESCRIPTION),
    ("WORKFLOW_ADMIN", 3, "Administers workflows"),
    ("AGENT_ADMIN", 3, "Administers agents"),
    ("MONITORING", 4, "Reads"),
    (READER_ROLE, 4, "Reads the directory, for service accounts of applications"),
    ("TENANT_USER", 5, "Uses the tenant's applications"),
];

/// The containers of a naming context and of a tenant.
pub const CONTAINERS: &[&str] = &["people", "groups", "roles", "applications", "system"];

/// Usernames of the built-in account (requirement 1.6), the first that is free. It lies below `ou=system` of the first
/// naming context.
pub const SYSTEM_ACCOUNT: [&str; 2] = ["system", "rollbook-system"];

/// Makes a naming context: its top, its containers and its roles. The first one's roles SYSTEM_ADMIN and
/// DIRECTORY_READER are those that hold everywhere, and it gets the built-in account.
///
/// # Errors
/// `InvalidName`, `EntryExists`, and `Unwilling` for a suffix below another one.
pub fn suffix(directory: &Directory, dn: &str) -> Result<(), Refusal> {
    begin(directory, dn)?;
    complete(directory, dn)
}

/// Makes the top of a naming context alone, for an import that brings the rest.
///
/// # Errors
/// As [`suffix`].
pub fn begin(directory: &Directory, dn: &str) -> Result<(), Refusal> {
    let key = prepare::dn_key(directory.schema(), dn.as_bytes())?;
    let snapshot = directory.snapshot()?;
    for id in snapshot.as_ref().meta_ids(meta::SUFFIXES)? {
        let Some(guard) = snapshot.record(id)? else { continue };
        let Ok(other) = crate::entry::record::Record::parse(guard.value()) else { continue };
        if key.as_bytes().starts_with(other.key()) || other.key().starts_with(key.as_bytes()) {
            return Err(Refusal::new(Reason::Unwilling, "one naming context would lie below another"));
        }
    }
    let parsed = Dn::parse(dn.as_bytes()).map_err(|e| Refusal::new(Reason::InvalidName, e.to_string()))?;
    let op = AddOp { suffix: true, rdn: parsed.to_string(), ..add(directory, dn, top(&parsed)?)? };
    directory.carry_out(&operator(directory), vec![Op::Add(Box::new(op))])?;
    Ok(())
}

/// Whether there is an entry of this DN.
///
/// # Errors
/// `InvalidName`, `Store`.
pub fn exists(directory: &Directory, dn: &str) -> Result<bool, Refusal> {
    let key = prepare::dn_key(directory.schema(), dn.as_bytes())?;
    Ok(directory.snapshot()?.id_of(key.as_bytes())?.is_some())
}

/// Adds the containers and roles that a naming context does not have yet.
///
/// # Errors
/// `Store`, and whatever adding refuses.
pub fn complete(directory: &Directory, dn: &str) -> Result<(), Refusal> {
    let snapshot = directory.snapshot()?;
    let mut ops = Vec::new();
    let mut missing = |dn: String, attributes: Vec<(&str, &str)>| -> Result<(), Refusal> {
        let key = prepare::dn_key(directory.schema(), dn.as_bytes())?;
        if snapshot.id_of(key.as_bytes())?.is_none() {
            ops.push(Op::Add(Box::new(add(directory, &dn, attributes)?)));
        }
        Ok(())
    };
    for container in CONTAINERS {
        let attributes = vec![("objectClass", "organizationalUnit"), ("ou", *container)];
        missing(format!("ou={container},{dn}"), attributes)?;
    }
    for (name, rank, description) in ROLES {
        let rank = rank.to_string();
        let attributes = vec![
            ("objectClass", "rollbookRole"),
            ("cn", *name),
            ("rollbookRoleFamily", "automation"),
            ("rollbookRoleRank", rank.as_str()),
            ("description", *description),
        ];
        missing(format!("cn={name},ou=roles,{dn}"), attributes)?;
    }
    if !ops.is_empty() {
        directory.carry_out(&operator(directory), ops)?;
    }
    if snapshot.as_ref().meta_u64(meta::SYSTEM_ACCOUNT)?.is_none() {
        built_in(directory, dn)?;
    }
    mark_roles(directory, dn)
}

/// Makes the built-in account. An import may have brought somebody of its name: then it has the second one.
fn built_in(directory: &Directory, dn: &str) -> Result<(), Refusal> {
    let why = "The system itself: cannot be changed, and nobody logs in as it";
    for name in SYSTEM_ACCOUNT {
        let attributes = vec![("objectClass", "account"), ("uid", name), ("description", why)];
        let op = add(directory, &format!("uid={name},ou=system,{dn}"), attributes)?;
        let mark = Op::MarkBuiltIn { subject: Subject::Key(op.key.clone()) };
        match directory.carry_out(&operator(directory), vec![Op::Add(Box::new(op)), mark]) {
            Err(Refusal { reason: Reason::NameTaken { .. } | Reason::EntryExists, .. }) => {}
            outcome => return outcome.map(|_| ()),
        }
    }
    Err(Refusal::new(Reason::EntryExists, "the usernames of the system account are taken"))
}

/// The classes and attributes of a naming context's top, by its RDN.
fn top(dn: &Dn) -> Result<Vec<(&'static str, &str)>, Refusal> {
    let unfit = || Refusal::new(Reason::NamingViolation, "a naming context begins with dc=, o=, ou= or c=");
    let ava = dn.rdn().and_then(|r: &Rdn| r.avas.first()).ok_or_else(unfit)?;
    let value = std::str::from_utf8(&ava.value).map_err(|_| unfit())?;
    let tenant = ("objectClass", "rollbookTenant");
    match ava.attribute.to_ascii_lowercase().as_str() {
        "dc" => Ok(vec![("objectClass", "domain"), tenant, ("dc", value)]),
        "o" => Ok(vec![("objectClass", "organization"), tenant, ("o", value)]),
        "ou" => Ok(vec![("objectClass", "organizationalUnit"), tenant, ("ou", value)]),
        "c" => Ok(vec![("objectClass", "country"), tenant, ("c", value)]),
        _ => Err(unfit()),
    }
}

/// Makes an administrator with this DN, or gives the right to the account that has it, and the password to it.
///
/// The parent must exist. `cn=…` becomes an `organizationalRole` with a password, as other servers have it; `uid=…`
/// an `account`.
///
/// # Errors
/// `Password` when it is too weak, and whatever adding refuses.
pub async fn administrator(directory: &Directory, dn: &str, password: Secret) -> Result<EntryId, Refusal> {
    account(directory, dn, password, SYSTEM_ROLE).await
}

/// Makes a reading service account, or gives the right and the password to the account that has this DN.
///
/// # Errors
/// As [`administrator`].
pub async fn reader(directory: &Directory, dn: &str, password: Secret) -> Result<EntryId, Refusal> {
    account(directory, dn, password, READER_ROLE).await
}

async fn account(directory: &Directory, dn: &str, password: Secret, role: &str) -> Result<EntryId, Refusal> {
    let context = operator(directory);
    let key = prepare::dn_key(directory.schema(), dn.as_bytes())?;
    if directory.snapshot()?.id_of(key.as_bytes())?.is_none() {
        let classes = classes_for(dn)?.into_iter().map(|c| c.as_bytes().to_vec()).collect();
        let password = vec![password.expose().to_vec()];
        let attributes = vec![(b"objectClass".to_vec(), classes), (b"userPassword".to_vec(), password)];
        directory.change(&context, Change::Add { dn: dn.as_bytes().to_vec(), attributes }).await?;
    } else {
        let target = Target::Dn(dn.as_bytes().to_vec());
        directory.change(&context, Change::Password { target, old: None, new: Some(password) }).await?;
    }
    let snapshot = directory.snapshot()?;
    let missing = || Refusal::new(Reason::Store, "the store failed");
    let id = snapshot.id_of(key.as_bytes())?.ok_or_else(missing)?;
    let role = match role {
        SYSTEM_ROLE => snapshot.as_ref().meta_u64(meta::SYSTEM_ADMIN)?.map(EntryId),
        _ => snapshot.as_ref().meta_ids(meta::READERS)?.first().copied(),
    };
    let role = role.ok_or_else(|| Refusal::new(Reason::Unwilling, "there is no naming context yet"))?;
    if !snapshot.as_ref().is_member(role, id)? {
        let values = vec![dn.as_bytes().to_vec()];
        let member = Modification { kind: ModificationKind::Add, attribute: b"member".to_vec(), values };
        directory.change(&context, Change::Modify { target: Target::Id(role), modifications: vec![member] }).await?;
    }
    Ok(id)
}

/// Makes a SCIM token for a tenant, or for a naming context, and the account that it is for: `rollbook token create --scim`
/// without anybody asking for it.
///
/// # Errors
/// `Unwilling` when there is no such tenant, and whatever making refuses.
pub async fn scim_token(directory: &Directory, tenant: &str, label: &str, life: Span) -> Result<String, Refusal> {
    let context = operator(directory);
    let (base, dn) = directory.tenant(&context, Some(tenant))?;
    let (account, changes) = directory.provisioner(&dn, label)?;
    let scope = token::Scope { base: Some(base), write: true, ..token::Scope::default() };
    let new = NewToken { account, label: label.to_owned(), scope, life };
    Ok(directory.create_token(&context, changes, new).await?.secret.expose().to_owned())
}

/// Makes an application that signs people in here, if it is not there, and a secret for it.
///
/// # Errors
/// What the entry or the secret is refused for.
pub async fn application(directory: &Directory, dn: &str, attributes: &[(&str, &str)]) -> Result<String, Refusal> {
    let context = operator(directory);
    if !exists(directory, dn)? {
        let mut grouped: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        for (name, value) in attributes {
            match grouped.iter_mut().find(|(known, _)| known == name.as_bytes()) {
                Some((_, values)) => values.push(value.as_bytes().to_vec()),
                None => grouped.push((name.as_bytes().to_vec(), vec![value.as_bytes().to_vec()])),
            }
        }
        let dn = dn.as_bytes().to_vec();
        directory.change(&context, crate::change::Change::Add { dn, attributes: grouped }).await?;
    }
    let key = prepare::dn_key(directory.schema(), dn.as_bytes())?;
    let id = directory.snapshot()?.id_of(key.as_bytes())?;
    let id = id.ok_or_else(|| Refusal::new(Reason::Store, "the application is not there"))?;
    Ok(directory.make_client_secret(&context, id, Span::ZERO).await?.expose().to_owned())
}

fn classes_for(dn: &str) -> Result<Vec<&'static str>, Refusal> {
    let parsed = Dn::parse(dn.as_bytes()).map_err(|e| Refusal::new(Reason::InvalidName, e.to_string()))?;
    let name = parsed.rdn().and_then(|r| r.avas.first()).map(|a| a.attribute.to_ascii_lowercase());
    match name.as_deref() {
        Some("uid") => Ok(vec!["account", "simpleSecurityObject"]),
        Some("cn") => Ok(vec!["organizationalRole", "simpleSecurityObject"]),
        _ => Err(Refusal::new(Reason::NamingViolation, "the DN of an administrator begins with cn= or uid=")),
    }
}

fn mark_roles(directory: &Directory, dn: &str) -> Result<(), Refusal> {
    let snapshot = directory.snapshot()?;
    let role = |name: &str| {
        let key = prepare::dn_key(directory.schema(), format!("cn={name},ou=roles,{dn}").as_bytes())?;
        snapshot.id_of(key.as_bytes())?.ok_or_else(|| Refusal::new(Reason::Store, "the store failed"))
    };
    let mut marks = Vec::new();
    if snapshot.as_ref().meta_u64(meta::SYSTEM_ADMIN)?.is_none() {
        marks.push(Op::MarkRole { role: role(SYSTEM_ROLE)?, reader: false });
    }
    if snapshot.as_ref().meta_ids(meta::READERS)?.is_empty() {
        marks.push(Op::MarkRole { role: role(READER_ROLE)?, reader: true });
    }
    if !marks.is_empty() {
        directory.carry_out(&operator(directory), marks)?;
    }
    Ok(())
}

fn add(directory: &Directory, dn: &str, attributes: Vec<(&str, &str)>) -> Result<AddOp, Refusal> {
    let mut grouped: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
    for (name, value) in attributes {
        let value = value.as_bytes().to_vec();
        match grouped.iter_mut().find(|(n, _)| n == name.as_bytes()) {
            Some((_, values)) => values.push(value),
            None => grouped.push((name.as_bytes().to_vec(), vec![value])),
        }
    }
    let now: Now = directory.now();
    let (op, _) = prepare::add(directory.schema(), &directory.inner().random, &now, dn.as_bytes(), &grouped)?;
    Ok(op)
}

/// The circumstances of the operator's work on the machine.
pub fn operator(directory: &Directory) -> Context {
    let origin = Origin { door: Door::Operator, address: None, confidential: true };
    Context { actor: Actor::System, origin, now: directory.now(), request_id: directory.next_request_id() }
}
