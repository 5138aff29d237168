//! Sessions in the write path.

use super::{authorize, ended_meanwhile, family, is_current, missing, only_the_system, tell, tell_ended};
use crate::change::apply::Applying;
use crate::clock::Millis;
use crate::error::{Reason, Refusal};
use crate::grant::ended::{Cause, What};
use crate::grant::session::Session;
use crate::grant::{CLIENTS, SESSIONS, SessionId};
use crate::id::EntryId;
use crate::store::view::View;
use crate::store::{codec, membership, rows};
use redb::ReadableTable;

pub(super) fn start(applying: &mut Applying<'_, '_>, session: &Session) -> Result<(), Refusal> {
    only_the_system(applying)?;
    if !is_current(applying.tables, session.account, session.epoch)? {
        return Err(ended_meanwhile());
    }
    if load(applying.tables, session.id)?.is_some() {
        return Err(Refusal::new(Reason::EntryExists, "the session's id is taken"));
    }
    let held = of_account(applying.tables, session.account)?;
    let surplus = held.len().saturating_add(1).saturating_sub(SESSIONS);
    for oldest in held.iter().take(surplus) {
        end_with_families(applying, oldest, Cause::Crowded)?;
    }
    write(applying, session)?;
    rows::put(applying.tables.session_owners.write()?, (session.account.0, session.id.0), ())?;
    tell(applying, session.account, format!("session {}", session.id), None, "start");
    applying.entry = Some(session.account);
    Ok(())
}

pub(super) fn renew(applying: &mut Applying<'_, '_>, former: &[u8; 32], session: &Session) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let stored = load(applying.tables, session.id)?.filter(|stored| stored.digest == *former);
    let stored = stored.ok_or_else(|| missing("session"))?;
    if stored.account != session.account || !is_current(applying.tables, session.account, session.epoch)? {
        return Err(ended_meanwhile());
    }
    // Applications may have been entered since the caller looked.
    write(applying, &Session { clients: stored.clients, ..session.clone() })?;
    tell(applying, session.account, format!("session {}", session.id), None, "renew");
    applying.entry = Some(session.account);
    Ok(())
}

pub(super) fn end(applying: &mut Applying<'_, '_>, id: SessionId, cause: Cause) -> Result<(), Refusal> {
    let Some(session) = load(applying.tables, id)? else { return Ok(()) };
    authorize(applying, session.account).map_err(|refusal| match refusal.reason {
        Reason::NotAllowed => missing("session"),
        _ => refusal,
    })?;
    applying.entry = Some(session.account);
    end_with_families(applying, &session, cause)
}

pub(super) fn seen(applying: &mut Applying<'_, '_>, uses: &[(SessionId, Millis)]) -> Result<(), Refusal> {
    only_the_system(applying)?;
    for (id, at) in uses {
        let Some(mut session) = load(applying.tables, *id)? else { continue };
        if session.seen < *at {
            session.seen = *at;
            write(applying, &session)?;
        }
    }
    Ok(())
}

pub(super) fn expire(applying: &mut Applying<'_, '_>, sessions: &[SessionId]) -> Result<(), Refusal> {
    for id in sessions {
        match load(applying.tables, *id)? {
            Some(session) if session.is_expired(applying.set.now.wall) => {
                end_with_families(applying, &session, Cause::Expired)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The session remembers an application that was entered with it.
pub(super) fn enter(applying: &mut Applying<'_, '_>, mut session: Session, client: EntryId) -> Result<(), Refusal> {
    if session.clients.contains(&client) {
        return Ok(());
    }
    if session.clients.len() >= CLIENTS {
        session.clients.remove(0);
    }
    session.clients.push(client);
    write(applying, &session)
}

pub(super) fn end_with_families(
    applying: &mut Applying<'_, '_>,
    session: &Session,
    cause: Cause,
) -> Result<(), Refusal> {
    for family in family::of_account(applying.tables, session.account)? {
        if family.bound_to() == Some(session.id) {
            family::remove(applying, &family, cause)?;
        }
    }
    remove(applying, session, cause)
}

/// Takes a session out of its tables; what it has granted is the caller's.
pub(super) fn remove(applying: &mut Applying<'_, '_>, session: &Session, cause: Cause) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.sessions.write()?.remove(session.id.0)?;
    rows::take(applying.tables.session_owners.write()?, (session.account.0, session.id.0))?;
    let what = What::Session { id: session.id, clients: session.clients.clone() };
    tell_ended(applying, session.account, what, cause)
}

/// The sessions of an account, the oldest first.
pub(super) fn of_account(view: &impl View, account: EntryId) -> Result<Vec<Session>, Refusal> {
    let mut out = Vec::new();
    for item in view.session_owners()?.range(membership::all_of(account))? {
        out.extend(load(view, SessionId(item?.0.value().1))?);
    }
    Ok(out)
}

/// The session of this id.
pub(super) fn load(view: &impl View, id: SessionId) -> Result<Option<Session>, Refusal> {
    let guard = view.sessions()?.get(id.0)?;
    guard.map(|g| codec::decode(g.value())).transpose()
}

fn write(applying: &mut Applying<'_, '_>, session: &Session) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.sessions.write()?.insert(session.id.0, codec::encode(session)?.as_slice())?;
    Ok(())
}
