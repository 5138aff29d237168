//! Keys, secrets, consents and revocations in the write path.

use super::{Why, authorize, ended_meanwhile, family, missing, only_the_system, tell};
use crate::change::apply::Applying;
use crate::clock::Millis;
use crate::error::{Reason, Refusal};
use crate::grant::consent::Consent;
use crate::grant::ended::Cause;
use crate::grant::keys::{self, StoredKey};
use crate::grant::revoked::Name;
use crate::grant::secret::{SECRETS, Secrets, Shown};
use crate::grant::{LIST, check_list};
use crate::id::EntryId;
use crate::store::codec;
use crate::store::tables::meta;
use crate::store::view::View;
use redb::ReadableTable;

pub(super) fn revoke(applying: &mut Applying<'_, '_>, name: &Name, until: Millis, once: bool) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let known = applying.tables.revoked.read()?.get(name.as_slice())?.map(|g| Millis(g.value()));
    if once && known.is_some_and(|until| applying.set.now.wall < until) {
        applying.grants.denied = Some(Why::Reused);
        return Ok(());
    }
    if known.is_none_or(|known| known < until) {
        applying.dirty = true;
        applying.tables.revoked.write()?.insert(name.as_slice(), until.0)?;
    }
    Ok(())
}

pub(super) fn purge_revoked(applying: &mut Applying<'_, '_>, names: &[Name]) -> Result<(), Refusal> {
    only_the_system(applying)?;
    for name in names {
        let until = applying.tables.revoked.read()?.get(name.as_slice())?.map(|g| Millis(g.value()));
        if until.is_some_and(|until| until <= applying.set.now.wall) {
            applying.dirty = true;
            applying.tables.revoked.write()?.remove(name.as_slice())?;
        }
    }
    Ok(())
}

pub(super) fn give_consent(
    applying: &mut Applying<'_, '_>,
    account: EntryId,
    client: EntryId,
    scopes: &[String],
) -> Result<(), Refusal> {
    only_the_system(applying)?;
    if applying.tables.account(account)?.is_none() || applying.tables.record(client)?.is_none() {
        return Err(ended_meanwhile());
    }
    let now = applying.set.now.wall;
    let key = (account.0, client.0);
    let stored = applying.tables.consents.read()?.get(key)?.map(|g| codec::decode::<Consent>(g.value())).transpose()?;
    let mut consent = stored.unwrap_or(Consent { client, scopes: Vec::new(), given: now, updated: now });
    let before = consent.scopes.len();
    for scope in scopes {
        if !consent.scopes.contains(scope) {
            consent.scopes.push(scope.clone());
        }
    }
    if consent.scopes.len() == before && before > 0 {
        return Ok(());
    }
    check_list(&consent.scopes)
        .map_err(|_| Refusal::new(Reason::Constraint, format!("a consent is to {LIST} scopes at most")))?;
    consent.updated = now;
    applying.dirty = true;
    applying.tables.consents.write()?.insert(key, codec::encode(&consent)?.as_slice())?;
    tell(applying, account, "consent".into(), Some(client), "give");
    Ok(())
}

pub(super) fn withdraw_consent(
    applying: &mut Applying<'_, '_>,
    account: EntryId,
    client: EntryId,
) -> Result<(), Refusal> {
    authorize(applying, account)?;
    if applying.tables.consents.write()?.remove((account.0, client.0))?.is_some() {
        applying.dirty = true;
        tell(applying, account, "consent".into(), Some(client), "withdraw");
    }
    for held in family::of_account(applying.tables, account)? {
        if held.client == client {
            family::remove(applying, &held, Cause::Revoked)?;
        }
    }
    Ok(())
}

/// Takes away what is kept for an account or an entry that goes for good.
pub(super) fn forget(applying: &mut Applying<'_, '_>, id: EntryId) -> Result<(), Refusal> {
    let mut consents = Vec::new();
    for item in applying.tables.consents.read()?.range(crate::store::membership::all_of(id))? {
        consents.push(item?.0.value());
    }
    for key in consents {
        applying.dirty = true;
        applying.tables.consents.write()?.remove(key)?;
    }
    if applying.tables.secrets.read()?.get(id.0)?.is_some() {
        applying.dirty = true;
        applying.tables.secrets.write()?.remove(id.0)?;
    }
    Ok(())
}

pub(super) fn add_key(applying: &mut Applying<'_, '_>, key: &StoredKey, retire: Millis) -> Result<(), Refusal> {
    only_system_administrators(applying)?;
    if applying.tables.signing_keys.read()?.get(key.id)?.is_some() {
        return Err(Refusal::new(Reason::EntryExists, "the key's id is taken"));
    }
    for mut former in keys::stored_keys(applying.tables)? {
        if former.algorithm == key.algorithm {
            former.retire_at = Some(former.retire_at.map_or(retire, |at| at.min(retire)));
            write_key(applying, &former)?;
        }
    }
    write_key(applying, key)?;
    remove_retired(applying)?;
    let kid = format!("key {}", crate::token::TokenId(key.id));
    tell(applying, EntryId::NONE, kid, None, key.algorithm.name());
    turn(applying)
}

pub(super) fn retire_keys(applying: &mut Applying<'_, '_>) -> Result<(), Refusal> {
    only_system_administrators(applying)?;
    if remove_retired(applying)? { turn(applying) } else { Ok(()) }
}

fn remove_retired(applying: &mut Applying<'_, '_>) -> Result<bool, Refusal> {
    let mut removed = false;
    for key in keys::stored_keys(applying.tables)? {
        if keys::is_retired(&key, &applying.set.now) {
            applying.dirty = true;
            applying.tables.signing_keys.write()?.remove(key.id)?;
            tell(applying, EntryId::NONE, format!("key {}", crate::token::TokenId(key.id)), None, "retire");
            removed = true;
        }
    }
    Ok(removed)
}

/// The keys have changed: whoever keeps them opened looks again.
fn turn(applying: &mut Applying<'_, '_>) -> Result<(), Refusal> {
    let generation = applying.tables.meta_u64(meta::KEYS)?.unwrap_or(0).saturating_add(1);
    applying.tables.meta.write().insert(meta::KEYS, generation.to_le_bytes().as_slice())?;
    Ok(())
}

fn write_key(applying: &mut Applying<'_, '_>, key: &StoredKey) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.signing_keys.write()?.insert(key.id, codec::encode(key)?.as_slice())?;
    Ok(())
}

pub(super) fn add_secret(
    applying: &mut Applying<'_, '_>,
    entry: EntryId,
    shown: &Shown,
    until: Millis,
) -> Result<(), Refusal> {
    let mut secrets = governed(applying, entry, "application")?;
    let now = applying.set.now.wall;
    for former in &mut secrets.shown {
        former.expires = Some(former.expires.map_or(until, |at| at.min(until)));
    }
    secrets.shown.retain(|former| former.expires.is_none_or(|at| now < at));
    let surplus = secrets.shown.len().saturating_add(1).saturating_sub(SECRETS);
    secrets.shown.drain(..surplus);
    secrets.shown.push(shown.clone());
    write_secrets(applying, entry, &secrets)?;
    tell(applying, entry, "client secret".into(), Some(entry), "make");
    Ok(())
}

pub(super) fn keep_secret(applying: &mut Applying<'_, '_>, entry: EntryId, sealed: &[u8]) -> Result<(), Refusal> {
    let mut secrets = governed(applying, entry, "provider")?;
    secrets.sealed = Some(sealed.to_vec());
    write_secrets(applying, entry, &secrets)?;
    tell(applying, entry, "secret".into(), None, "keep");
    Ok(())
}

/// The secrets of an entry that the actor may write.
fn governed(applying: &mut Applying<'_, '_>, entry: EntryId, what: &str) -> Result<Secrets, Refusal> {
    if applying.tables.record(entry)?.is_none() {
        return Err(missing(what));
    }
    let allowed = applying.with_record(entry, |r| applying.rights.may_govern(applying.tables, entry, r))?;
    if !allowed {
        return Err(Refusal::not_allowed());
    }
    applying.entry = Some(entry);
    let stored = applying.tables.secrets.read()?.get(entry.0)?.map(|g| codec::decode(g.value())).transpose()?;
    Ok(stored.unwrap_or_default())
}

fn write_secrets(applying: &mut Applying<'_, '_>, entry: EntryId, secrets: &Secrets) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.secrets.write()?.insert(entry.0, codec::encode(secrets)?.as_slice())?;
    Ok(())
}

fn only_system_administrators(applying: &Applying<'_, '_>) -> Result<(), Refusal> {
    if applying.rights.is_system() { Ok(()) } else { Err(Refusal::not_allowed()) }
}
