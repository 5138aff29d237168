//! Whether the store holds together: everything that follows from the entries is made again and compared.
//!
//! Checks names and tree, child counts, both indexes, membership in both directions, claims, accounts, credentials and
//! tokens, sessions and refresh families, references by name, and the chain of the journal. Bounded in memory by one entry at a time and the sets of index
//! rows; `rollbook check` prints what it finds, every integration test ends with it.

mod grants;
mod lookup;

use super::staged::Staged;
use super::tables::Bytes;
use super::text::{self, Chunk};
use super::view::{Snapshot, View};
use super::{codec, indexes, membership};
use crate::change::account::is_usable;
use crate::change::project::Rows;
use crate::change::{add, references, user_type};
use crate::entry::dn::DnKey;
use crate::entry::record::{Draft, Record};
use crate::error::Refusal;
use crate::id::EntryId;
use crate::journal::record;
use crate::schema::Schema;
use crate::token::{Token, TokenId};
use redb::{ReadableTable, ReadableTableMetadata};
use std::collections::{BTreeMap, HashMap};

/// Findings beyond this number are not listed.
pub const FINDINGS: usize = 1_000;

/// One thing that does not hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: &'static str,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.table, self.what)
    }
}

/// Checks everything.
///
/// # Errors
/// `Store` when a table cannot be read at all.
pub fn verify(snapshot: &Snapshot, schema: &Schema) -> Result<Vec<Finding>, Refusal> {
    let stored = Staged::read(snapshot.staged_rows())?.whole();
    let mut check = Check { snapshot, schema, findings: Vec::new() };
    if snapshot.staged().stored() != stored {
        check.find("staged", "what is in memory is not what is stored");
    }
    let counted = check.entries()?;
    check.numbers(&counted)?;
    check.indexes(&counted)?;
    check.membership()?;
    check.graves()?;
    check.tokens()?;
    check.grants()?;
    check.journal()?;
    Ok(check.findings)
}

struct Check<'a> {
    snapshot: &'a Snapshot,
    schema: &'a Schema,
    findings: Vec<Finding>,
}

/// What the entries say that tables should hold.
#[derive(Default)]
pub(super) struct Counted {
    entries: u64,
    index: u64,
    claims: u64,
    accounts: u64,
    children: HashMap<u64, u64>,
    trigrams: BTreeMap<[u8; 7], Chunk>,
}

impl Check<'_> {
    fn find(&mut self, table: &'static str, what: impl Into<String>) {
        if self.findings.len() < FINDINGS {
            self.findings.push(Finding { table, what: what.into() });
        }
    }

    fn entries(&mut self) -> Result<Counted, Refusal> {
        let mut counted = Counted::default();
        for item in self.snapshot.entries().range(..)? {
            let (id, bytes) = item?;
            let id = EntryId(id);
            counted.entries = counted.entries.saturating_add(1);
            match references::draft_of(bytes.value()) {
                Ok(draft) => self.entry(id, &draft, &mut counted)?,
                Err(_) => self.find("entries", format!("{}: the record does not decode", id.0)),
            }
        }
        Ok(counted)
    }

    fn entry(&mut self, id: EntryId, draft: &Draft, counted: &mut Counted) -> Result<(), Refusal> {
        self.place(id, draft)?;
        if draft.header.version > self.snapshot.position() {
            self.find("journal", format!("{} was changed later than the journal ends", draft.dn));
        }
        let parent = draft.header.parent;
        let children = counted.children.entry(parent.0).or_default();
        *children = children.saturating_add(1);
        if self.snapshot.children().get(&(parent.0, id.0))?.is_none() {
            self.find("children", format!("{} does not stand under its parent {}", id.0, parent.0));
        }

        let rows = Rows::of(self.schema, id, draft);
        counted.index = counted.index.saturating_add(rows.keys.len() as u64);
        for key in &rows.keys {
            let stands = match self.snapshot.staged().find(key) {
                Some(comes) => comes,
                None => self.snapshot.index().get(key.as_slice())?.is_some(),
            };
            if !stands {
                self.find("index", format!("{}: a key is missing", draft.dn));
            }
        }
        let (chunk, offset) = text::place(id);
        for trigram in &rows.trigrams {
            counted.trigrams.entry(text::key(*trigram, chunk)).or_default().insert(offset);
        }
        self.claims(id, draft, counted)?;
        self.account(id, draft, counted)?;
        self.references(draft)
    }

    fn place(&mut self, id: EntryId, draft: &Draft) -> Result<(), Refusal> {
        if self.snapshot.id_of(&draft.key)? != Some(id) {
            self.find("names", format!("{} does not lead to its entry", draft.dn));
        }
        match DnKey::parse(self.schema, draft.dn.as_bytes()) {
            Ok(key) if key.as_bytes() == draft.key => {}
            _ => self.find("entries", format!("{}: DN and key differ", draft.dn)),
        }
        let parent = draft.header.parent;
        if parent == EntryId::NONE {
            return Ok(());
        }
        let guard = self.snapshot.record(parent)?;
        let above = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        let fits = above.is_some_and(|p| draft.key.starts_with(p.key()) && draft.dn.ends_with(p.dn()));
        if !fits {
            self.find("entries", format!("{} does not lie below its parent", draft.dn));
        }
        Ok(())
    }

    fn claims(&mut self, id: EntryId, draft: &Draft, counted: &mut Counted) -> Result<(), Refusal> {
        let Ok(claims) = add::claims_of(draft) else {
            self.find("claims", format!("{}: a name that cannot be claimed", draft.dn));
            return Ok(());
        };
        for (key, value) in claims.rows(id) {
            counted.claims = counted.claims.saturating_add(1);
            if self.snapshot.claim(&key)? != Some(value) {
                self.find("claims", format!("{}: a name is not its own", draft.dn));
            }
        }
        Ok(())
    }

    fn account(&mut self, id: EntryId, draft: &Draft, counted: &mut Counted) -> Result<(), Refusal> {
        let account = self.snapshot.account(id);
        match (draft.header.kind.is_account(), account) {
            (true, Ok(Some(facts))) => {
                counted.accounts = counted.accounts.saturating_add(1);
                if facts.user_type != user_type::of(&draft.attributes) {
                    self.find("accounts", format!("{}: the type of the facts is not the entry's", draft.dn));
                }
            }
            (false, Ok(None)) => {
                if self.snapshot.credentials().get(id.0)?.is_some() {
                    self.find("credentials", format!("{} has a password and is no account", draft.dn));
                }
            }
            (true, Ok(None)) => self.find("accounts", format!("{} is an account without facts", draft.dn)),
            (false, Ok(Some(_))) => self.find("accounts", format!("{} has facts and is no account", draft.dn)),
            (_, Err(_)) => self.find("accounts", format!("{}: the facts do not decode", draft.dn)),
        }
        if self.snapshot.credential(id).is_err() {
            self.find("credentials", format!("{}: the credential does not decode", draft.dn));
        }
        Ok(())
    }

    fn references(&mut self, draft: &Draft) -> Result<(), Refusal> {
        for name in references::NAMES {
            let Some(kind) = self.schema.find_attribute(name) else { continue };
            for value in draft.attributes.iter().filter(|a| a.id == kind.id).flat_map(|a| &a.values) {
                if DnKey::parse(self.schema, value).is_err() {
                    self.find("entries", format!("{}: {} is not a DN", draft.dn, kind.name()));
                }
            }
        }
        Ok(())
    }

    fn numbers(&mut self, counted: &Counted) -> Result<(), Refusal> {
        let snapshot = self.snapshot;
        let rows = [
            ("names", snapshot.names().count()?, counted.entries),
            ("children", snapshot.children().count()?, counted.entries),
        ];
        for (table, found, expected) in rows {
            if found != expected {
                self.find(table, format!("{found} rows, {expected} expected"));
            }
        }
        for item in snapshot.counts().range(..)? {
            let (id, count) = item?;
            if counted.children.get(&id) != Some(&count) {
                self.find("counts", format!("{id} has not {count} children"));
            }
        }
        if snapshot.counts().count()? != counted.children.len() as u64 {
            self.find("counts", "a parent is missing");
        }
        Ok(())
    }

    fn membership(&mut self) -> Result<(), Refusal> {
        let snapshot = self.snapshot;
        for item in snapshot.members().range::<(u64, u64)>(..)? {
            let (key, by) = item?;
            let (group, member) = key.value();
            if snapshot.groups().get((member, group))?.map(|g| g.value()) != Some(by.value()) {
                self.find("groups", format!("the edge {group} → {member} has no way back"));
            }
            for end in [group, member] {
                if snapshot.record(EntryId(end))?.is_none() {
                    self.find("members", format!("an edge leads to {end}, which is not there"));
                }
            }
            let known = membership::MEMBER | membership::UNIQUE_MEMBER;
            if by.value() == 0 || by.value() & !known != 0 {
                self.find("members", format!("the edge {group} → {member} is of no attribute"));
            }
        }
        if snapshot.members().len()? != snapshot.groups().len()? {
            self.find("groups", "the two directions differ in number");
        }
        self.cycles()
    }

    /// Takes away again and again what holds nobody that is left: what remains stands on a cycle, or above one.
    fn cycles(&mut self) -> Result<(), Refusal> {
        let mut holds: HashMap<u64, u64> = HashMap::new();
        for item in self.snapshot.members().range::<(u64, u64)>(..)? {
            let group = holds.entry(item?.0.value().0).or_default();
            *group = group.saturating_add(1);
        }
        let mut free = Vec::new();
        let mut last = None;
        for item in self.snapshot.groups().range::<(u64, u64)>(..)? {
            let member = item?.0.value().0;
            if last.replace(member) != Some(member) && !holds.contains_key(&member) {
                free.push(EntryId(member));
            }
        }
        while let Some(member) = free.pop() {
            for group in self.snapshot.groups_of(member, usize::MAX)? {
                let Some(left) = holds.get_mut(&group.0) else { continue };
                *left = left.saturating_sub(1);
                if *left == 0 {
                    holds.remove(&group.0);
                    free.push(group);
                }
            }
        }
        for group in holds.into_keys() {
            self.find("members", format!("{group} holds itself through other groups"));
        }
        Ok(())
    }

    fn graves(&mut self) -> Result<(), Refusal> {
        for item in self.snapshot.graves()?.range::<u64>(..)? {
            let id = EntryId(item?.0.value());
            let deleted = self.snapshot.account(id).ok().flatten().is_some_and(|a| a.deletion.is_some());
            if !deleted || self.snapshot.record(id)?.is_some() {
                self.find("graves", format!("{} is buried and not deleted", id.0));
            }
        }
        let names = self.snapshot.claims().count()?;
        let mut claimed = 0_u64;
        for item in self.snapshot.claims().range(..)? {
            let (key, value) = item?;
            let owner = claim_owner(&key, value);
            let known = self.snapshot.record(owner)?.is_some() || self.snapshot.graves()?.get(owner.0)?.is_some();
            claimed = claimed.saturating_add(u64::from(known));
        }
        if claimed != names {
            self.find("claims", format!("{} names belong to nobody", names.saturating_sub(claimed)));
        }
        Ok(())
    }

    fn tokens(&mut self) -> Result<(), Refusal> {
        let snapshot = self.snapshot;
        let mut tokens = 0_u64;
        for item in snapshot.tokens()?.range::<u64>(..)? {
            let (id, stored) = item?;
            tokens = tokens.saturating_add(1);
            let token = match codec::decode::<Token>(stored.value()) {
                Ok(token) if token.id == TokenId(id.value()) => token,
                _ => {
                    self.find("tokens", "a token does not decode, or is another one");
                    continue;
                }
            };
            if snapshot.owners()?.get((token.account.0, token.id.0))?.is_none() {
                self.find("owners", format!("token {} does not stand with its account", token.id));
            }
            let lives = snapshot.account(token.account).ok().flatten().is_some_and(|a| is_usable(&a));
            if !lives || snapshot.record(token.account)?.is_none() {
                self.find("tokens", format!("token {} outlives its account {}", token.id, token.account.0));
            }
        }
        if snapshot.owners()?.len()? != tokens {
            self.find("owners", "a token is missing");
        }
        Ok(())
    }

    fn journal(&mut self) -> Result<(), Refusal> {
        let (head, broken) = record::read(&self.snapshot.journal(), |_, _| {})?;
        if let Some(position) = broken {
            self.find("journal", format!("the record at {} does not follow the one before", position.0));
        } else if head != crate::change::apply::Head::read(self.snapshot)? {
            self.find("journal", "the last record is not the one that the store names");
        }
        Ok(())
    }
}

/// Skeleton rows hold the owner in the key, the others in the value.
fn claim_owner(key: &[u8], value: u64) -> EntryId {
    if key.first() == Some(&b's') { indexes::id_of(key).unwrap_or(EntryId::NONE) } else { EntryId(value) }
}

/// The number of rows of a table, for statistics.
pub fn rows(table: &impl ReadableTable<u64, Bytes>) -> Result<u64, Refusal> {
    Ok(table.len()?)
}
