//! Attributes that stand in no record: what the header, the tree, the edges and the account facts say.

use crate::access::{Rights, Sight};
use crate::entry::record::Record;
use crate::error::Refusal;
use crate::filter::evaluate::Evaluation;
use crate::id::EntryId;
use crate::lifecycle::{self, Account, HoldCause, LockCause, State};
use crate::schema::AttributeId;
use crate::store::membership;
use crate::store::view::View;

/// The DN of the subschema subentry.
pub const SUBSCHEMA_DN: &str = "cn=Subschema";

/// What the system's own acts are signed with in `creatorsName` and `modifiersName`. No entry has this name.
pub const SYSTEM_DN: &str = "cn=rollbook";

/// Hands every value of a computed or projected attribute to `each`.
///
/// # Errors
/// `Store`.
pub fn values<V: View>(
    evaluation: &Evaluation<'_, V>,
    attribute: AttributeId,
    id: EntryId,
    record: &Record<'_>,
    each: &mut dyn FnMut(&[u8]),
) -> Result<(), Refusal> {
    let view = evaluation.view;
    match evaluation.schema.attribute(attribute).name() {
        "entryUUID" => each(record.uuid().to_string().as_bytes()),
        "entryDN" => each(record.dn().as_bytes()),
        "createTimestamp" => each(record.header().created.to_generalized_seconds().as_bytes()),
        "modifyTimestamp" => each(record.header().modified.to_generalized_seconds().as_bytes()),
        "creatorsName" => author(view, record.header().creator, each)?,
        "modifiersName" => author(view, record.header().modifier, each)?,
        "structuralObjectClass" => {
            if let Some(class) = evaluation.schema.class(record.header().structural) {
                each(class.name().as_bytes());
            }
        }
        "subschemaSubentry" => each(SUBSCHEMA_DN.as_bytes()),
        "hasSubordinates" => each(if view.child_count(id)? > 0 { b"TRUE" } else { b"FALSE" }),
        "numSubordinates" => each(view.child_count(id)?.to_string().as_bytes()),
        name => {
            if record.kind().is_account()
                && let Some(account) = view.account(id)?
            {
                facts(evaluation, name, &account, each);
            }
        }
    }
    Ok(())
}

fn author(view: &impl View, id: EntryId, each: &mut dyn FnMut(&[u8])) -> Result<(), Refusal> {
    if id == EntryId::NONE {
        each(SYSTEM_DN.as_bytes());
        return Ok(());
    }
    // An author that is gone has no name to show.
    if let Some(guard) = view.record(id)?
        && let Ok(record) = Record::parse(guard.value())
    {
        each(record.dn().as_bytes());
    }
    Ok(())
}

/// The account facts under their LDAP names (password-policy draft §5.3).
fn facts<V>(evaluation: &Evaluation<'_, V>, name: &str, account: &Account, each: &mut dyn FnMut(&[u8])) {
    let counters = &account.counters;
    let mut time = |at: Option<crate::clock::Millis>| {
        if let Some(at) = at {
            each(at.to_generalized_time().as_bytes());
        }
    };
    match name {
        "pwdChangedTime" => time(account.password_changed_at),
        "pwdLastSuccess" | "authTimestamp" => time(counters.last_login),
        "pwdFailureTime" if counters.failures.count > 0 => time(Some(counters.failures.last)),
        "pwdAccountLockedTime" => {
            if let Some(lock) = counters.standing_lock(evaluation.now.steady) {
                match lock.cause {
                    // The draft's mark of a lock that no time lifts.
                    LockCause::Administrator => each(b"000001010000Z"),
                    LockCause::Failures => time(Some(lock.at)),
                }
            }
        }
        "pwdReset" if account.force_change => each(b"TRUE"),
        "rollbookState" => {
            each(lifecycle::state(account, evaluation.policy, evaluation.now).name().as_bytes());
        }
        "rollbookLastActivity" => time(counters.last_activity),
        // Where the account is dormant or disabled already, no such time is to come.
        "rollbookDormancyTime" if lifecycle::state(account, evaluation.policy, evaluation.now).may_continue() => {
            time(lifecycle::inactive_from(account, evaluation.policy));
        }
        "rollbookHold" => {
            if let Some(hold) = hold(evaluation, account) {
                each(hold.as_bytes());
            }
        }
        _ => {}
    }
}

/// Why nobody logs in: the state, by what, since when. The state alone says it to those who only ask whether.
fn hold<V>(evaluation: &Evaluation<'_, V>, account: &Account) -> Option<String> {
    let state = lifecycle::state(account, evaluation.policy, evaluation.now);
    let found = lifecycle::inactive_from(account, evaluation.policy);
    let (cause, since) = match state {
        State::Locked => {
            let lock = account.counters.standing_lock(evaluation.now.steady)?;
            match lock.cause {
                LockCause::Failures => ("failures", Some(lock.at)),
                LockCause::Administrator => ("administrator", Some(lock.at)),
            }
        }
        State::Dormant => ("inactivity", account.dormant_at.or(found)),
        State::Disabled => match account.hold.map(|hold| (hold.cause, hold.at)) {
            Some((HoldCause::Administrator, at)) => ("administrator", Some(at)),
            Some((HoldCause::Provisioning, at)) => ("provisioning", Some(at)),
            Some((HoldCause::NeverUsed, at)) => ("never-used", Some(at)),
            None => ("never-used", found),
        },
        State::Deleted | State::Unverified | State::Enabled | State::Active => return None,
    };
    let since = since.map(|at| format!(" {}", at.to_generalized_seconds())).unwrap_or_default();
    Some(format!("{} {cause}{since}", state.name()))
}

/// Hands the DNs of all members by an attribute (a mask of [`membership`]) to `each`, as far as they may be seen.
///
/// # Errors
/// `Store`.
pub fn members(
    view: &impl View,
    rights: &Rights,
    group: EntryId,
    by: u8,
    each: &mut dyn FnMut(&[u8]),
) -> Result<bool, Refusal> {
    use redb::ReadableTable;
    let mut any = false;
    for item in view.members().range(membership::all_of(group))? {
        let (key, held) = item?;
        if held.value() & by == 0 {
            continue;
        }
        if let Some(guard) = view.record(EntryId(key.value().1))?
            && let Ok(record) = Record::parse(guard.value())
            && rights.sight(EntryId(key.value().1), &record) != Sight::None
        {
            any = true;
            each(record.dn().as_bytes());
        }
    }
    Ok(any)
}

/// Hands the DNs of the groups that hold an entry directly to `each`.
///
/// # Errors
/// `Store`.
pub fn groups<V: View>(
    evaluation: &Evaluation<'_, V>,
    rights: &Rights,
    member: EntryId,
    each: &mut dyn FnMut(&[u8]),
) -> Result<bool, Refusal> {
    let view = evaluation.view;
    let mut any = false;
    for group in view.groups_of(member, membership::CLOSURE)? {
        if let Some(guard) = view.record(group)?
            && let Ok(record) = Record::parse(guard.value())
            // One's own groups are one's own business; other tenants' groups are nobody's here.
            && (rights.is_self(member) || rights.sight(group, &record) != Sight::None)
        {
            any = true;
            each(record.dn().as_bytes());
        }
    }
    Ok(any)
}
