//! Operational attributes in a file: what OpenLDAP, 389 Directory Server and our own export write beside the entries.
//!
//! Owns which of them mean something here, and reading their values. What they make of an account is `facts`' business.
//! All that is not listed and that only a server sets is passed over and counted.

use crate::clock::Millis;
use crate::credential::PasswordHash;
use crate::credential::history::MAX_REMEMBERED;
use crate::credential::import::{Imported, import};
use crate::lifecycle::State;
use crate::schema::{AttributeType, Storage, Usage};
use uuid::Uuid;

/// What the operational attributes of an entry say.
#[derive(Debug, Default)]
pub struct Carried {
    /// `entryUUID`, or 389's `nsUniqueId`.
    pub uuid: Option<Uuid>,
    /// `createTimestamp`.
    pub created: Option<Millis>,
    /// `modifyTimestamp`.
    pub modified: Option<Millis>,
    /// `creatorsName`, DN text.
    pub creator: Option<Vec<u8>>,
    /// `modifiersName`, DN text.
    pub modifier: Option<Vec<u8>>,
    /// About the account.
    pub facts: Facts,
    /// `userPassword`.
    pub passwords: Vec<Vec<u8>>,
    /// `pwdHistory`, 389's `passwordHistory`: the time as it stands there, and the hash.
    pub history: Vec<(Vec<u8>, PasswordHash)>,
    /// Values of the history that cannot be verified.
    pub history_lost: usize,
}

/// What they say about the account. Times are `wall`.
#[derive(Debug, Default, Clone)]
pub struct Facts {
    /// `pwdChangedTime`, 389's `pwdUpdateTime`.
    pub password_changed: Option<Millis>,
    /// `pwdAccountLockedTime`.
    pub locked: Option<Locked>,
    /// When the lock ends: `pwdAccountTmpLockoutEnd`, 389's `accountUnlockTime`.
    pub lock_ends: Option<LockEnd>,
    /// `pwdFailureTime`: how many, and the last; 389's `passwordRetryCount`.
    pub failures: Option<(u16, Option<Millis>)>,
    /// `pwdReset`.
    pub reset: bool,
    /// `pwdLastSuccess`, `authTimestamp`, 389's `lastLoginTime`.
    pub last_login: Option<Millis>,
    /// 389's `passwordExpirationTime`.
    pub password_expires: Option<Millis>,
    /// 389's `nsAccountLock`.
    pub disabled: bool,
    /// Ours.
    pub state: Option<State>,
}

/// `pwdAccountLockedTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// `000001010000Z`: until an administrator unlocks.
    ByAdministrator,
    /// Since then, by wrong passwords.
    Since(Millis),
}

/// When a lock ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockEnd {
    /// Only by an administrator.
    Never,
    /// Then.
    At(Millis),
}

/// What is done with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It belongs to the entry: the ordinary rules decide.
    Entry,
    /// It has been read.
    Read,
    /// It means nothing here.
    Ignored,
}

/// Reads an attribute of a file, given its name without options and its type when there is one here.
///
/// # Errors
/// A value that cannot be what the name says.
pub fn read(
    name: &[u8],
    kind: Option<&AttributeType>,
    values: &mut Vec<Vec<u8>>,
    carried: &mut Carried,
) -> Result<Use, String> {
    if kind.is_some_and(|k| k.usage == Usage::User && matches!(k.storage, Storage::Entry | Storage::Edge)) {
        return Ok(Use::Entry);
    }
    let canonical = kind.map_or(name, |k| k.name().as_bytes());
    let lower = String::from_utf8_lossy(canonical).to_ascii_lowercase();
    let facts = &mut carried.facts;
    match lower.as_str() {
        "userpassword" => carried.passwords.append(values),
        "entryuuid" => carried.uuid = Some(uuid(single(values)?)?),
        "nsuniqueid" => carried.uuid = carried.uuid.or(Some(unique_id(single(values)?)?)),
        "createtimestamp" => carried.created = Some(time(single(values)?)?),
        "modifytimestamp" => carried.modified = Some(time(single(values)?)?),
        "creatorsname" => carried.creator = Some(single(values)?.to_vec()),
        "modifiersname" => carried.modifier = Some(single(values)?.to_vec()),
        "pwdchangedtime" => facts.password_changed = Some(time(single(values)?)?),
        "pwdupdatetime" => facts.password_changed = facts.password_changed.or(Some(time(single(values)?)?)),
        "pwdaccountlockedtime" => facts.locked = Some(locked(single(values)?)?),
        "pwdaccounttmplockoutend" => facts.lock_ends = Some(LockEnd::At(time(single(values)?)?)),
        "accountunlocktime" => facts.lock_ends = Some(unlock_time(single(values)?)?),
        "pwdfailuretime" => facts.failures = failures(values)?,
        "passwordretrycount" => facts.failures = facts.failures.or(retry_count(single(values)?)?),
        "pwdreset" => facts.reset = truth(single(values)?)?,
        "pwdlastsuccess" | "authtimestamp" | "lastlogintime" => {
            facts.last_login = facts.last_login.max(Some(time(single(values)?)?));
        }
        "passwordexpirationtime" => facts.password_expires = Some(time(single(values)?)?),
        "nsaccountlock" => facts.disabled = truth(single(values)?)?,
        "rollbookstate" => facts.state = Some(state(single(values)?)?),
        "pwdhistory" | "passwordhistory" => history(values, carried),
        _ if is_ignored(&lower) => return Ok(Use::Ignored),
        // Known here, and kept by the server alone.
        _ if kind.is_some_and(|k| k.storage != Storage::Entry) => return Ok(Use::Ignored),
        _ => return Ok(Use::Entry),
    }
    Ok(Use::Read)
}

/// What other servers keep in entries for themselves and what this one does not know.
fn is_ignored(lower: &str) -> bool {
    const NAMES: &[&str] = &[
        "aci",
        "auditcontext",
        "contextcsn",
        "dsentrydn",
        "entrycsn",
        "entryid",
        "entryttl",
        "entryusn",
        "nsaccountlockreason",
        "nscpentrydn",
        "nsidletimeout",
        "nslookthroughlimit",
        "nsparentuniqueid",
        "nsrole",
        "nsroledn",
        "nssizelimit",
        "nstimelimit",
        "nstombstonecsn",
        "parentid",
        "passwordallowchangetime",
        "passwordexpwarned",
        "passwordgraceusertime",
        "retrycountresettime",
        "tombstonenumsubordinates",
    ];
    NAMES.binary_search(&lower).is_ok() || lower.starts_with("nsds")
}

fn single(values: &[Vec<u8>]) -> Result<&[u8], String> {
    match values {
        [value] => Ok(value),
        _ => Err("only one value is allowed".into()),
    }
}

fn time(value: &[u8]) -> Result<Millis, String> {
    Millis::from_generalized_time(value).map_err(|e| e.to_string())
}

fn truth(value: &[u8]) -> Result<bool, String> {
    if value.eq_ignore_ascii_case(b"true") {
        Ok(true)
    } else if value.eq_ignore_ascii_case(b"false") {
        Ok(false)
    } else {
        Err("neither TRUE nor FALSE".into())
    }
}

fn uuid(value: &[u8]) -> Result<Uuid, String> {
    Uuid::try_parse_ascii(value).map_err(|_| "not a UUID".into())
}

/// 389's form: the 32 digits of a UUID in four groups of eight.
fn unique_id(value: &[u8]) -> Result<Uuid, String> {
    let digits: Vec<u8> = value.iter().copied().filter(|b| *b != b'-').collect();
    uuid(&digits)
}

fn state(value: &[u8]) -> Result<State, String> {
    std::str::from_utf8(value).ok().and_then(State::from_name).ok_or_else(|| "not a state of an account".into())
}

fn locked(value: &[u8]) -> Result<Locked, String> {
    // Year 0, in every precision that servers write.
    if value.starts_with(b"000001010000") && value.ends_with(b"Z") {
        return Ok(Locked::ByAdministrator);
    }
    Ok(Locked::Since(time(value)?))
}

/// 389 writes the beginning of 1970 for "until unlocked".
fn unlock_time(value: &[u8]) -> Result<LockEnd, String> {
    let at = time(value)?;
    Ok(if at == Millis(0) { LockEnd::Never } else { LockEnd::At(at) })
}

fn failures(values: &[Vec<u8>]) -> Result<Option<(u16, Option<Millis>)>, String> {
    let mut last = None;
    for value in values {
        last = last.max(Some(time(value)?));
    }
    Ok(Some((u16::try_from(values.len()).unwrap_or(u16::MAX), last)))
}

fn retry_count(value: &[u8]) -> Result<Option<(u16, Option<Millis>)>, String> {
    let count = std::str::from_utf8(value).ok().and_then(|t| t.parse::<u16>().ok());
    let count = count.ok_or("not a small number")?;
    Ok((count > 0).then_some((count, None)))
}

/// OpenLDAP: `time # syntax OID # length # hash`; 389: the time, and the hash right behind it.
fn history(values: &[Vec<u8>], carried: &mut Carried) {
    for value in values {
        let parts = value.splitn(4, |b| *b == b'#').collect::<Vec<_>>();
        let (time, hash) = match parts.as_slice() {
            [time, _, _, hash] => (*time, *hash),
            _ => {
                match value.iter().position(|b| *b == b'Z').and_then(|at| value.split_at_checked(at.saturating_add(1)))
                {
                    Some(halves) => halves,
                    None => (&[][..], &value[..]),
                }
            }
        };
        match import(hash) {
            Ok(Imported::Hash(hash)) => carried.history.push((time.to_vec(), hash)),
            _ => carried.history_lost = carried.history_lost.saturating_add(1),
        }
    }
    // The latest first, as they are kept.
    carried.history.sort_by(|(a, _), (b, _)| b.cmp(a));
    let lost = carried.history.len().saturating_sub(MAX_REMEMBERED);
    carried.history_lost = carried.history_lost.saturating_add(lost);
    carried.history.truncate(MAX_REMEMBERED);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn the_list_is_sorted() {
        // Goal: the binary search finds every name of the list, and nothing that is not in it.
        for name in ["aci", "nsrole", "tombstonenumsubordinates", "nsds5replconflict", "entrycsn", "parentid"] {
            assert!(is_ignored(name), "{name}");
        }
        for name in ["cn", "nsfoo", "zzz", ""] {
            assert!(!is_ignored(name), "{name}");
        }
    }

    #[test]
    fn attributes_are_told_apart() {
        // Goal: what belongs to the entry, what is read and what is passed over, by name and by type.
        let schema = Schema::standard();
        for (name, value, expected) in [
            ("cn", "x", Ok(Use::Entry)),
            ("member", "cn=x", Ok(Use::Entry)),
            ("memberOf", "cn=x", Ok(Use::Ignored)),
            ("hasSubordinates", "TRUE", Ok(Use::Ignored)),
            ("structuralObjectClass", "person", Ok(Use::Ignored)),
            ("entryCSN", "x", Ok(Use::Ignored)),
            ("noSuchThing", "x", Ok(Use::Entry)),
            ("userPassword", "x", Ok(Use::Read)),
            ("pwdReset", "true", Ok(Use::Read)),
            ("pwdReset", "perhaps", Err(())),
            ("createTimestamp", "yesterday", Err(())),
            ("nsUniqueId", "8f6a2c01-1dd211b2-80c5a3f1-2f0c0000", Ok(Use::Read)),
            ("nsUniqueId", "8f6a", Err(())),
            ("passwordRetryCount", "3", Ok(Use::Read)),
            ("rollbookState", "asleep", Err(())),
        ] {
            let kind = schema.find_attribute(name.as_bytes());
            let found = read(name.as_bytes(), kind, &mut vec![value.into()], &mut Carried::default());
            assert_eq!(found.map_err(|_| ()), expected, "{name}: {value}");
        }
    }

    #[test]
    fn histories_of_both_servers() {
        // Goal: the hashes are found, the latest first; what is none is counted.
        let mut carried = Carried::default();
        let hash = "{SSHA}6HL2uk6/TdJw5zPHYqoCxXyXtLUUNQpU";
        let values = vec![
            format!("20200101000000Z#1.3.6.1.4.1.1466.115.121.1.40#38#{hash}").into_bytes(),
            format!("20240101000000Z{hash}").into_bytes(),
            b"20210101000000Z#1.3.6.1.4.1.1466.115.121.1.40#6#secret".to_vec(),
        ];
        history(&values, &mut carried);
        let times: Vec<_> = carried.history.iter().map(|(t, _)| t.as_slice()).collect();
        assert_eq!(times, [b"20240101000000Z", b"20200101000000Z"]);
        assert_eq!(carried.history_lost, 1);
    }
}
