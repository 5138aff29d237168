//! Second factors in the write path: each step and each code once, by the journal's order.

use super::{Why, authorize, missing, only_the_system, tell};
use crate::change::apply::Applying;
use crate::error::Refusal;
use crate::grant::factor::{Stored, Totp};
use crate::id::EntryId;
use crate::store::codec;
use crate::store::view::View;
use redb::ReadableTable;

/// A factor that was proven.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Used {
    /// A code of the app, by its step.
    Step(u64),
    /// A recovery code, by its digest.
    Code([u8; 32]),
}

pub(super) fn begin(applying: &mut Applying<'_, '_>, account: EntryId, totp: &Totp) -> Result<(), Refusal> {
    only_the_system(applying)?;
    if applying.tables.account(account)?.is_none() || applying.tables.record(account)?.is_none() {
        return Err(missing("account"));
    }
    let mut stored = load(applying, account)?;
    stored.pending = Some(totp.clone());
    write(applying, account, &stored)
}

pub(super) fn confirm(
    applying: &mut Applying<'_, '_>,
    account: EntryId,
    sealed: &[u8],
    step: u64,
) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let mut stored = load(applying, account)?;
    match stored.pending.take() {
        Some(pending) if pending.sealed == sealed => {
            stored.totp = Some(Totp { last_step: step, ..pending });
            stored.failures = 0;
            write(applying, account, &stored)?;
            tell(applying, account, "second factor".into(), None, "enrol");
        }
        // Another has been begun meanwhile.
        _ => applying.grants.denied = Some(Why::Unknown),
    }
    Ok(())
}

pub(super) fn set_codes(
    applying: &mut Applying<'_, '_>,
    account: EntryId,
    codes: &[[u8; 32]],
    salt: [u8; 16],
) -> Result<(), Refusal> {
    only_the_system(applying)?;
    if applying.tables.account(account)?.is_none() || applying.tables.record(account)?.is_none() {
        return Err(missing("account"));
    }
    let mut stored = load(applying, account)?;
    stored.codes = codes.to_vec();
    stored.salt = salt;
    write(applying, account, &stored)?;
    tell(applying, account, "recovery codes".into(), None, "make");
    Ok(())
}

pub(super) fn used(applying: &mut Applying<'_, '_>, account: EntryId, used: &Used) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let mut stored = load(applying, account)?;
    let fresh = match used {
        Used::Step(step) => match stored.totp.as_mut().filter(|totp| totp.last_step < *step) {
            Some(totp) => {
                totp.last_step = *step;
                true
            }
            None => false,
        },
        Used::Code(digest) => {
            let before = stored.codes.len();
            stored.codes.retain(|code| code != digest);
            stored.codes.len() < before
        }
    };
    if !fresh {
        applying.grants.denied = Some(Why::Reused);
        return Ok(());
    }
    stored.failures = 0;
    if let Used::Code(_) = used {
        tell(applying, account, "recovery code".into(), None, "use");
    }
    write(applying, account, &stored)
}

pub(super) fn failed(applying: &mut Applying<'_, '_>, account: EntryId) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let mut stored = load(applying, account)?;
    stored.failures = stored.failures.saturating_add(1);
    stored.failed = applying.set.now.wall;
    write(applying, account, &stored)
}

pub(super) fn remove(applying: &mut Applying<'_, '_>, account: EntryId) -> Result<(), Refusal> {
    authorize(applying, account)?;
    if forget(applying, account)? {
        tell(applying, account, "second factor".into(), None, "remove");
    }
    Ok(())
}

/// Takes away what is stored. False: there was nothing.
pub(super) fn forget(applying: &mut Applying<'_, '_>, account: EntryId) -> Result<bool, Refusal> {
    if applying.tables.factors.read()?.get(account.0)?.is_none() {
        return Ok(false);
    }
    applying.dirty = true;
    applying.tables.factors.write()?.remove(account.0)?;
    Ok(true)
}

fn load(applying: &Applying<'_, '_>, account: EntryId) -> Result<Stored, Refusal> {
    let guard = applying.tables.factors.read()?.get(account.0)?;
    Ok(guard.map(|g| codec::decode(g.value())).transpose()?.unwrap_or_default())
}

fn write(applying: &mut Applying<'_, '_>, account: EntryId, stored: &Stored) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.factors.write()?.insert(account.0, codec::encode(stored)?.as_slice())?;
    Ok(())
}
