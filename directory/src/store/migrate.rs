//! Formats of the store: a new one is made, an older one is brought up to date, a later one is refused.
//!
//! [`FORMAT`] rises with every change of a table, key or value that an older program could not read. Each step from one
//! format to the next is a function in [`STEPS`], run in the transaction that also writes the new number.

use super::codec;
use super::tables::meta;
use super::view::{Tables, View};
use crate::change::claims::Claims;
use crate::change::user_type;
use crate::entry::record::{DamagedRecord, Record};
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::lifecycle::{Account, UserType};
use crate::random::Random;
use crate::schema::kind::Kind;
use crate::schema::known;
use redb::ReadableTable;

/// The present format.
pub const FORMAT: u32 = 7;

type Step = fn(&mut Tables<'_>) -> Result<(), Refusal>;

/// `STEPS[n]` brings format `n + 1` to `n + 2`.
const STEPS: &[Step] = &[
    // 2: the tables of API tokens, made empty. A program that does not know them would let the
    // tokens of a disabled account live.
    |_| Ok(()),
    // 3: the tables of sessions and refresh families, likewise.
    |_| Ok(()),
    // 4: a client identifier is claimed. A program that does not know it would let a second application have it.
    claim_client_identifiers,
    // 5: the facts of an account know the type sso, and a link what its mapping gave; no link was made before. A program
    // that does not know them would take a password, or let what was mapped outlive its link.
    know_sso,
    // 6: codes are sealed, and stand in the store when they have been used. Those that do not were good for a minute.
    |tables| Ok(tables.codes.write()?.retain(|_, _| false)?),
    // 7: the indexes lag behind. A program that does not know `staged` would not find what is written there.
    |_| Ok(()),
];

/// What `rollbookUserType` said had no effect until now.
fn know_sso(tables: &mut Tables<'_>) -> Result<(), Refusal> {
    let mut found = Vec::new();
    for item in tables.entries.range::<u64>(..)? {
        let (id, record) = item?;
        let record = Record::parse(record.value()).map_err(damaged)?;
        let mut types = record.values(known::attribute::ROLLBOOK_USER_TYPE);
        if record.kind().is_account() && types.any(|value| value.eq_ignore_ascii_case(user_type::SSO.as_bytes())) {
            found.push(EntryId(id.value()));
        }
    }
    for id in found {
        let Some(facts) = tables.account(id)? else { continue };
        let facts = Account { user_type: UserType::Sso, epoch: facts.epoch.saturating_add(1), ..facts };
        tables.accounts.write().insert(id.0, codec::encode(&facts)?.as_slice())?;
        tables.credentials.write().remove(id.0)?;
    }
    Ok(())
}

fn damaged(error: DamagedRecord) -> Refusal {
    Refusal::new(Reason::Store, "the store failed").with_detail(error.to_string())
}

/// Of several applications with one identifier the oldest keeps it; [`verify`](super::verify) names the others.
fn claim_client_identifiers(tables: &mut Tables<'_>) -> Result<(), Refusal> {
    let mut claims = Vec::new();
    for item in tables.entries.range::<u64>(..)? {
        let (id, record) = item?;
        let record = Record::parse(record.value()).map_err(damaged)?;
        if record.kind() == Kind::Application {
            let owned = Claims::of_clients(record.values(known::attribute::ROLLBOOK_CLIENT_ID));
            claims.extend(owned.rows(EntryId(id.value())));
        }
    }
    for (key, holder) in claims {
        if tables.claims.get(key.as_slice())?.is_none() {
            tables.claims.write().insert(key.as_slice(), holder)?;
        }
    }
    Ok(())
}

/// Brings the store to [`FORMAT`]. True: something was written.
///
/// # Errors
/// `Store` when the format is later than this program's.
pub fn bring_up_to_date(tables: &mut Tables<'_>, random: &Random) -> Result<bool, Refusal> {
    let stored =
        tables.meta.get(meta::FORMAT)?.and_then(|g| g.value().first_chunk::<4>().map(|b| u32::from_le_bytes(*b)));
    let from = match stored {
        None => {
            tables.meta.write().insert(meta::STORE_ID, random.bytes::<16>().as_slice())?;
            FORMAT
        }
        Some(format) if format > FORMAT => {
            let why = format!("the store has format {format}, this program knows formats up to {FORMAT}");
            return Err(Refusal::new(Reason::Store, why.clone()).with_detail(why));
        }
        Some(FORMAT) => return Ok(false),
        Some(format) => format,
    };
    for step in STEPS.iter().skip(usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX)) {
        step(tables)?;
    }
    tables.make()?;
    tables.meta.write().insert(meta::FORMAT, FORMAT.to_le_bytes().as_slice())?;
    Ok(true)
}
