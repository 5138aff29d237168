//! Reading the store: the same questions to a read snapshot and to a write transaction.
//!
//! [`Snapshot`] is one consistent state with its tables held open; [`Tables`] are those of the write lane's transaction.
//! [`View`] is what both can answer. Rules that must hold at apply time are written against it, so that they can be
//! asked before, too.

use super::late::{Late, LateReadOnly};
use super::staged::{Limits, Staged, Staging, gather};
use super::tables::{self, Bytes};
use super::unwritten::Unwritten;
use super::{indexes, membership};
use crate::access::Remembered;
use crate::error::Refusal;
use crate::id::{EntryId, Position};
use crate::lifecycle::Account;
use crate::schema::attribute::AttributeId;
use redb::{AccessGuard, ReadOnlyTable, ReadTransaction, ReadableTable, Table, WriteTransaction};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What can be asked of a state of the store. Tables that are opened late fail as the store does.
pub trait View {
    /// `entries`.
    fn entries(&self) -> &impl ReadableTable<u64, Bytes>;
    /// `names`, as it is written: ask [`View::id_of`].
    fn names(&self) -> &impl ReadableTable<Bytes, u64>;
    /// `children`, as it is written: ask a snapshot.
    fn children(&self) -> &impl ReadableTable<(u64, u64), ()>;
    /// `counts`, as it is written: ask [`View::child_count`].
    fn counts(&self) -> &impl ReadableTable<u64, u64>;
    /// `index`, as it is written: ask with [`View::staged`].
    fn index(&self) -> &impl ReadableTable<Bytes, ()>;
    /// `text`, as it is written: ask with [`View::staged`].
    fn text(&self) -> &impl ReadableTable<Bytes, Bytes>;
    /// `members`.
    fn members(&self) -> &impl ReadableTable<(u64, u64), u8>;
    /// `groups`.
    fn groups(&self) -> &impl ReadableTable<(u64, u64), u8>;
    /// `claims`, as it is written: ask [`View::claim`].
    fn claims(&self) -> &impl ReadableTable<Bytes, u64>;
    /// `accounts`, as it is written: ask [`View::account`].
    fn accounts(&self) -> &impl ReadableTable<u64, Bytes>;
    /// `credentials`.
    fn credentials(&self) -> &impl ReadableTable<u64, Bytes>;
    /// `tokens`.
    fn tokens(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `owners`.
    fn owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal>;
    /// `sessions`.
    fn sessions(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `session_owners`.
    fn session_owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal>;
    /// `families`.
    fn families(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `family_owners`.
    fn family_owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal>;
    /// `notices`.
    fn notices(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal>;
    /// `revoked`.
    fn revoked(&self) -> Result<&impl ReadableTable<Bytes, i64>, Refusal>;
    /// `consents`.
    fn consents(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal>;
    /// `signing_keys`.
    fn signing_keys(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `secrets`.
    fn secrets(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `factors`.
    fn factors(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `links`.
    fn links(&self) -> Result<&impl ReadableTable<Bytes, Bytes>, Refusal>;
    /// `link_owners`.
    fn link_owners(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal>;
    /// `meta`.
    fn meta(&self) -> &impl ReadableTable<&'static str, Bytes>;

    /// What earlier commits have done to `index` and `text` and does not stand there yet.
    fn staged(&self) -> &Staged;
    /// What this transaction has done and does not stand in its tables yet.
    fn unwritten(&self) -> Option<&Unwritten>;

    /// The record of an entry, to be parsed in place.
    fn record(&self, id: EntryId) -> Result<Option<AccessGuard<'_, Bytes>>, Refusal> {
        Ok(self.entries().get(id.0)?)
    }

    /// The entry of a DN key.
    fn id_of(&self, key: &[u8]) -> Result<Option<EntryId>, Refusal> {
        if let Some(entry) = self.unwritten().and_then(|unwritten| unwritten.name(key)) {
            return Ok(entry.map(EntryId));
        }
        Ok(self.names().get(key)?.map(|g| EntryId(g.value())))
    }

    /// The number of an entry's children.
    fn child_count(&self, id: EntryId) -> Result<u64, Refusal> {
        if let Some(count) = self.unwritten().and_then(|unwritten| unwritten.count(id)) {
            return Ok(count);
        }
        Ok(self.counts().get(id.0)?.map_or(0, |g| g.value()))
    }

    /// The facts of an account.
    fn account(&self, id: EntryId) -> Result<Option<Account>, Refusal> {
        if let Some(facts) = self.unwritten().and_then(|unwritten| unwritten.account(id)) {
            return facts.map(super::codec::decode).transpose();
        }
        let Some(guard) = self.accounts().get(id.0)? else { return Ok(None) };
        super::codec::decode(guard.value()).map(Some)
    }

    /// Who holds a name, by the whole key of the claim.
    fn claim(&self, key: &[u8]) -> Result<Option<u64>, Refusal> {
        if let Some(holder) = self.unwritten().and_then(|unwritten| unwritten.claim(key)) {
            return Ok(holder);
        }
        Ok(self.claims().get(key)?.map(|g| g.value()))
    }

    /// The claims whose keys begin with `prefix`, at most `limit`.
    fn claims_below(&self, prefix: &[u8], limit: usize) -> Result<BTreeMap<Vec<u8>, u64>, Refusal> {
        let own: Vec<(&[u8], Option<u64>)> =
            self.unwritten().map(|unwritten| unwritten.claims_below(prefix).collect()).unwrap_or_default();
        let going = own.iter().filter(|(_, holder)| holder.is_none()).count();
        let end = indexes::after(prefix).unwrap_or_default();
        let mut found = BTreeMap::new();
        for item in self.claims().range::<&[u8]>(prefix..end.as_slice())?.take(limit.saturating_add(going)) {
            let (key, holder) = item?;
            found.insert(key.value().to_vec(), holder.value());
        }
        for (key, holder) in own {
            match holder {
                Some(holder) => found.insert(key.to_vec(), holder),
                None => found.remove(key),
            };
        }
        while found.len() > limit {
            found.pop_last();
        }
        Ok(found)
    }

    /// The credential of an account.
    fn credential(&self, id: EntryId) -> Result<Option<super::codec::Credential>, Refusal> {
        let Some(guard) = self.credentials().get(id.0)? else { return Ok(None) };
        super::codec::decode(guard.value()).map(Some)
    }

    /// A value of `meta` that is one u64.
    fn meta_u64(&self, name: &'static str) -> Result<Option<u64>, Refusal> {
        Ok(self.meta().get(name)?.and_then(|g| g.value().first_chunk::<8>().map(|b| u64::from_le_bytes(*b))))
    }

    /// A value of `meta` that is a list of ids.
    fn meta_ids(&self, name: &'static str) -> Result<Vec<EntryId>, Refusal> {
        let Some(guard) = self.meta().get(name)? else { return Ok(Vec::new()) };
        let ids = guard.value().chunks_exact(8).filter_map(|b| b.first_chunk::<8>());
        Ok(ids.map(|b| EntryId(u64::from_le_bytes(*b))).collect())
    }

    /// The entries that hold exactly this normalised value, at most `limit`.
    fn holders(&self, attribute: AttributeId, value: &[u8], limit: usize) -> Result<Vec<EntryId>, Refusal> {
        let mut prefix = Vec::with_capacity(64);
        indexes::value_prefix(attribute, value, &mut prefix);
        let end = indexes::after(&prefix).unwrap_or_default();
        let range = prefix.as_slice()..end.as_slice();
        let own = self.unwritten().map(Unwritten::keys).filter(|keys| !keys.is_empty());
        let own = own.map(|keys| keys.range(&range)).unwrap_or_default();
        let going = own.iter().filter(|(_, comes)| !*comes).count();
        let mut ids = Vec::new();
        gather(&mut self.staged().holders(self.index(), range.clone())?, limit.saturating_add(going), &mut ids)?;
        for (key, comes) in own {
            let Some(id) = indexes::id_of(&key) else { continue };
            match (ids.binary_search(&id), comes) {
                (Ok(at), false) => drop(ids.remove(at)),
                (Err(at), true) => ids.insert(at, id),
                (Ok(_), true) | (Err(_), false) => {}
            }
        }
        ids.truncate(limit);
        Ok(ids)
    }

    /// Whether `member` is directly in `group`.
    fn is_member(&self, group: EntryId, member: EntryId) -> Result<bool, Refusal> {
        Ok(self.members().get((group.0, member.0))?.is_some())
    }

    /// The members that `group` holds directly, by ascending id, those after `after`, at most `limit`.
    fn members_of(&self, group: EntryId, after: EntryId, limit: usize) -> Result<Vec<EntryId>, Refusal> {
        let from = (group.0, after.0.saturating_add(1));
        let mut out = Vec::new();
        for item in self.members().range(from..=(group.0, u64::MAX))?.take(limit) {
            out.push(EntryId(item?.0.value().1));
        }
        Ok(out)
    }

    /// The groups that hold `member` directly, at most `limit`.
    fn groups_of(&self, member: EntryId, limit: usize) -> Result<Vec<EntryId>, Refusal> {
        let mut out = Vec::new();
        for item in self.groups().range(membership::all_of(member))?.take(limit) {
            out.push(EntryId(item?.0.value().1));
        }
        Ok(out)
    }
}

macro_rules! store_tables {
    (
        open { $($field:ident: $key:ty => $value:ty, $definition:ident;)* }
        late { $($late:ident: $late_key:ty => $late_value:ty, $late_definition:ident;)* }
    ) => {
        /// One consistent state, its tables held open. Cheap to ask, shared by all requests until the next commit.
        pub struct Snapshot {
            position: Position,
            staged: Arc<Staged>,
            /// What actors may do in this state, as far as somebody has asked.
            pub rights: Remembered,
            $($field: ReadOnlyTable<$key, $value>,)*
            $($late: LateReadOnly<$late_key, $late_value>,)*
        }

        impl Snapshot {
            /// Opens the tables of a read transaction.
            ///
            /// # Errors
            /// A failing store, or one that was never initialised.
            pub fn open(txn: ReadTransaction, staging: &Staging) -> Result<Snapshot, Refusal> {
                $(let $field = txn.open_table(tables::$definition)?;)*
                let txn = Arc::new(txn);
                $(let $late = LateReadOnly::new(&txn, tables::$late_definition);)*
                let (position, staged, rights) = (Position(0), Arc::default(), Remembered::default());
                let mut snapshot = Snapshot { position, staged, rights, $($field,)* $($late,)* };
                snapshot.staged = staging.of(&snapshot.staged_rows)?;
                snapshot.position = Position(snapshot.meta_u64(tables::meta::POSITION)?.unwrap_or(0));
                Ok(snapshot)
            }

            /// The last write set that this state holds.
            pub fn position(&self) -> Position {
                self.position
            }

            $(
                /// The table itself, for iterators that outlive a borrow.
                pub fn $field(&self) -> &ReadOnlyTable<$key, $value> {
                    &self.$field
                }
            )*
            $(
                /// The table itself, for iterators that outlive a borrow.
                ///
                /// # Errors
                /// A failing store.
                pub fn $late(&self) -> Result<&ReadOnlyTable<$late_key, $late_value>, Refusal> {
                    self.$late.read()
                }
            )*
        }

        /// The open tables of a write transaction.
        pub struct Tables<'t> {
            /// What the transaction has yet to do: see [`Tables::settle`].
            pub unwritten: Unwritten,
            /// What earlier commits have yet to do to the indexes.
            pub(super) staged: Staged,
            /// How much may wait.
            pub(super) limits: Limits,
            $(
                #[doc = concat!("`", stringify!($field), "`.")]
                pub $field: Table<'t, $key, $value>,
            )*
            $(
                #[doc = concat!("`", stringify!($late), "`.")]
                pub $late: Late<'t, $late_key, $late_value>,
            )*
        }

        impl<'t> Tables<'t> {
            /// Opens the tables, and on the first use makes them.
            ///
            /// # Errors
            /// A failing store.
            pub fn open(txn: &'t WriteTransaction, staging: &Staging) -> Result<Tables<'t>, Refusal> {
                let mut tables = Tables {
                    unwritten: Unwritten::default(),
                    staged: Staged::default(),
                    limits: staging.limits(),
                    $($field: txn.open_table(tables::$definition)?,)*
                    $($late: Late::new(txn, tables::$late_definition),)*
                };
                tables.staged = Staged::clone(&*staging.of(&tables.staged_rows)?);
                Ok(tables)
            }

            /// Makes every table that is not there yet, so that whoever reads finds it.
            ///
            /// # Errors
            /// A failing store.
            pub fn make(&self) -> Result<(), Refusal> {
                $(self.$late.read()?;)*
                Ok(())
            }
        }
    };
}

store_tables! {
    open {
        entries: u64 => Bytes, ENTRIES;
        names: Bytes => u64, NAMES;
        children: (u64, u64) => (), CHILDREN;
        counts: u64 => u64, COUNTS;
        index: Bytes => (), INDEX;
        text: Bytes => Bytes, TEXT;
        staged_rows: u64 => Bytes, STAGED;
        members: (u64, u64) => u8, MEMBERS;
        groups: (u64, u64) => u8, GROUPS;
        claims: Bytes => u64, CLAIMS;
        accounts: u64 => Bytes, ACCOUNTS;
        credentials: u64 => Bytes, CREDENTIALS;
        journal: u64 => Bytes, JOURNAL;
        receipts: u128 => u64, RECEIPTS;
        meta: &'static str => Bytes, META;
    }
    late {
        graves: u64 => Bytes, GRAVES;
        tokens: u64 => Bytes, TOKENS;
        owners: (u64, u64) => (), OWNERS;
        sessions: u64 => Bytes, SESSIONS;
        session_owners: (u64, u64) => (), SESSION_OWNERS;
        families: u64 => Bytes, FAMILIES;
        family_owners: (u64, u64) => (), FAMILY_OWNERS;
        codes: Bytes => Bytes, CODES;
        notices: (u64, u64) => Bytes, NOTICES;
        revoked: Bytes => i64, REVOKED;
        consents: (u64, u64) => Bytes, CONSENTS;
        signing_keys: u64 => Bytes, SIGNING_KEYS;
        secrets: u64 => Bytes, SECRETS;
        factors: u64 => Bytes, FACTORS;
        links: Bytes => Bytes, LINKS;
        link_owners: (u64, u64) => Bytes, LINK_OWNERS;
    }
}

macro_rules! answer_from {
    ($($type:ty: $self:ident => $unwritten:expr),*) => {$(
        impl View for $type {
            fn unwritten(&$self) -> Option<&Unwritten> { $unwritten }
            fn staged(&$self) -> &Staged { &$self.staged }
            fn entries(&self) -> &impl ReadableTable<u64, Bytes> { &self.entries }
            fn names(&self) -> &impl ReadableTable<Bytes, u64> { &self.names }
            fn children(&self) -> &impl ReadableTable<(u64, u64), ()> { &self.children }
            fn counts(&self) -> &impl ReadableTable<u64, u64> { &self.counts }
            fn index(&self) -> &impl ReadableTable<Bytes, ()> { &self.index }
            fn text(&self) -> &impl ReadableTable<Bytes, Bytes> { &self.text }
            fn members(&self) -> &impl ReadableTable<(u64, u64), u8> { &self.members }
            fn groups(&self) -> &impl ReadableTable<(u64, u64), u8> { &self.groups }
            fn claims(&self) -> &impl ReadableTable<Bytes, u64> { &self.claims }
            fn accounts(&self) -> &impl ReadableTable<u64, Bytes> { &self.accounts }
            fn credentials(&self) -> &impl ReadableTable<u64, Bytes> { &self.credentials }
            fn tokens(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { self.tokens.read() }
            fn owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal> { self.owners.read() }
            fn sessions(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { self.sessions.read() }
            fn session_owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal> { self.session_owners.read() }
            fn families(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { self.families.read() }
            fn family_owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal> { self.family_owners.read() }
            fn notices(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal> { self.notices.read() }
            fn revoked(&self) -> Result<&impl ReadableTable<Bytes, i64>, Refusal> { self.revoked.read() }
            fn consents(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal> { self.consents.read() }
            fn signing_keys(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { self.signing_keys.read() }
            fn secrets(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { self.secrets.read() }
            fn factors(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { self.factors.read() }
            fn links(&self) -> Result<&impl ReadableTable<Bytes, Bytes>, Refusal> { self.links.read() }
            fn link_owners(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal> { self.link_owners.read() }
            fn meta(&self) -> &impl ReadableTable<&'static str, Bytes> { &self.meta }
        }
    )*};
}

answer_from!(Snapshot: self => None, Tables<'_>: self => Some(&self.unwritten));
