//! The two states that can be looked at: a snapshot, and the write lane's transaction.

use super::late::{Late, LateReadOnly, Watched};
use super::merged::Layered;
use super::pending::{Pending, Staging};
use super::staged::{Limits, Staged};
use super::tables::{self, Bytes};
use super::unwritten::{Layer, Unwritten};
use super::view::View;
use crate::access::Remembered;
use crate::error::Refusal;
use crate::id::Position;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, WriteTransaction};
use std::sync::Arc;

/// What only the store can make: who has it knows of the layers.
pub struct Inside(pub(super) ());

/// The tables that layers lie over, as they are written: for the answers of [`View`], which know the layers.
pub trait Under {
    /// `entries`.
    fn entries(&self, inside: Inside) -> &impl ReadableTable<u64, Bytes>;
    /// `names`.
    fn names(&self, inside: Inside) -> &impl ReadableTable<Bytes, u64>;
    /// `counts`.
    fn counts(&self, inside: Inside) -> &impl ReadableTable<u64, u64>;
    /// `claims`.
    fn claims(&self, inside: Inside) -> &impl ReadableTable<Bytes, u64>;
    /// `accounts`.
    fn accounts(&self, inside: Inside) -> &impl ReadableTable<u64, Bytes>;
}

macro_rules! store_tables {
    (
        layered { $($layered:ident: $layered_key:ty => $layered_value:ty, $layered_definition:ident;)* }
        open { $($field:ident: $key:ty => $value:ty, $definition:ident;)* }
        late { $($late:ident: $late_key:ty => $late_value:ty, $late_definition:ident;)* }
    ) => {
        /// The tables of one state, held open. States that differ by what is in memory share them.
        pub struct Base {
            $($layered: ReadOnlyTable<$layered_key, $layered_value>,)*
            $($field: ReadOnlyTable<$key, $value>,)*
            $($late: LateReadOnly<$late_key, $late_value>,)*
        }

        impl Base {
            /// Opens the tables of a read transaction.
            ///
            /// # Errors
            /// A failing store, or one that was never initialised.
            pub fn open(txn: ReadTransaction) -> Result<Base, Refusal> {
                $(let $layered = txn.open_table(tables::$layered_definition)?;)*
                $(let $field = txn.open_table(tables::$definition)?;)*
                let txn = Arc::new(txn);
                $(let $late = LateReadOnly::new(&txn, tables::$late_definition);)*
                Ok(Base { $($layered,)* $($field,)* $($late,)* })
            }
        }

        impl Snapshot {
            $(
                /// The table, with what is in memory.
                pub fn $layered(&self) -> Layered<'_, $layered_key, $layered_value> {
                    Layered { table: &self.base.$layered, layers: &self.pending.layers, of: |layer| &layer.$layered }
                }
            )*
            $(
                /// The table itself, for iterators that outlive a borrow.
                pub fn $field(&self) -> &ReadOnlyTable<$key, $value> {
                    &self.base.$field
                }
            )*
            $(
                /// The table itself, for iterators that outlive a borrow.
                ///
                /// # Errors
                /// A failing store.
                pub fn $late(&self) -> Result<&ReadOnlyTable<$late_key, $late_value>, Refusal> {
                    self.base.$late.read()
                }
            )*
        }

        /// The open tables of a write transaction.
        pub struct Tables<'t> {
            /// What the transaction has yet to do: see [`Tables::settle`].
            pub unwritten: Unwritten,
            /// What earlier commits have yet to do.
            pub(super) pending: Pending,
            /// How much may wait.
            pub(super) limits: Limits,
            /// See [`Tables::is_torn`].
            pub(super) is_torn: bool,
            $(
                #[doc = concat!("`", stringify!($layered), "`.")]
                pub $layered: Watched<'t, $layered_key, $layered_value>,
            )*
            $(
                #[doc = concat!("`", stringify!($field), "`.")]
                pub $field: Watched<'t, $key, $value>,
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
                    pending: Pending::over(Position(0), Staged::default()),
                    limits: staging.limits(),
                    is_torn: false,
                    $($layered: Watched::open(txn, tables::$layered_definition)?,)*
                    $($field: Watched::open(txn, tables::$definition)?,)*
                    $($late: Late::new(txn, tables::$late_definition),)*
                };
                tables.pending = Pending::clone(&*staging.of(&*tables.meta, &*tables.staged_rows)?);
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

            /// Somebody has asked to write one of the tables.
            pub(super) fn is_touched(&self) -> bool {
                $(self.$layered.is_touched() ||)* $(self.$field.is_touched() ||)* $(self.$late.is_touched() ||)* false
            }
        }
    };
}

store_tables! {
    layered {
        entries: u64 => Bytes, ENTRIES;
        names: Bytes => u64, NAMES;
        children: (u64, u64) => (), CHILDREN;
        counts: u64 => u64, COUNTS;
        claims: Bytes => u64, CLAIMS;
        accounts: u64 => Bytes, ACCOUNTS;
        journal: u64 => Bytes, JOURNAL;
        receipts: u128 => u64, RECEIPTS;
    }
    open {
        index: Bytes => (), INDEX;
        text: Bytes => Bytes, TEXT;
        staged_rows: u64 => Bytes, STAGED;
        members: (u64, u64) => u8, MEMBERS;
        groups: (u64, u64) => u8, GROUPS;
        credentials: u64 => Bytes, CREDENTIALS;
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

/// One consistent state, its tables held open. Cheap to ask, shared by all requests until the next commit.
pub struct Snapshot {
    base: Arc<Base>,
    pending: Arc<Pending>,
    position: Position,
    /// What actors may do in this state, as far as somebody has asked.
    pub rights: Arc<Remembered>,
}

impl Snapshot {
    /// The present state of the tables of a read transaction.
    ///
    /// # Errors
    /// A failing store, or one that was never initialised.
    pub fn open(txn: ReadTransaction, staging: &Staging) -> Result<Snapshot, Refusal> {
        Snapshot::over(Arc::new(Base::open(txn)?), staging, Arc::default())
    }

    /// The present state over these tables, in which actors have these rights.
    ///
    /// # Errors
    /// A failing store.
    pub fn over(base: Arc<Base>, staging: &Staging, rights: Arc<Remembered>) -> Result<Snapshot, Refusal> {
        let pending = staging.of(&base.meta, &base.staged_rows)?;
        let mut snapshot = Snapshot { base, pending, position: Position(0), rights };
        snapshot.position = snapshot.head()?.position;
        Ok(snapshot)
    }

    /// The last write set that this state holds.
    pub fn position(&self) -> Position {
        self.position
    }
}

macro_rules! answer_from {
    ($type:ty, $self:ident: $tables:expr, $unwritten:expr, [$($readable:tt)*]) => {
        impl Under for $type {
            fn entries(&$self, _: Inside) -> &impl ReadableTable<u64, Bytes> { $($readable)* $tables.entries }
            fn names(&$self, _: Inside) -> &impl ReadableTable<Bytes, u64> { $($readable)* $tables.names }
            fn counts(&$self, _: Inside) -> &impl ReadableTable<u64, u64> { $($readable)* $tables.counts }
            fn claims(&$self, _: Inside) -> &impl ReadableTable<Bytes, u64> { $($readable)* $tables.claims }
            fn accounts(&$self, _: Inside) -> &impl ReadableTable<u64, Bytes> { $($readable)* $tables.accounts }
        }

        impl View for $type {
            fn unwritten(&$self) -> Option<&Unwritten> { $unwritten }
            fn layers(&$self) -> &[Arc<Layer>] { &$self.pending.layers }
            fn staged(&$self) -> &Staged { &$self.pending.staged }
            fn index(&$self) -> &impl ReadableTable<Bytes, ()> { $($readable)* $tables.index }
            fn text(&$self) -> &impl ReadableTable<Bytes, Bytes> { $($readable)* $tables.text }
            fn members(&$self) -> &impl ReadableTable<(u64, u64), u8> { $($readable)* $tables.members }
            fn groups(&$self) -> &impl ReadableTable<(u64, u64), u8> { $($readable)* $tables.groups }
            fn credentials(&$self) -> &impl ReadableTable<u64, Bytes> { $($readable)* $tables.credentials }
            fn meta(&$self) -> &impl ReadableTable<&'static str, Bytes> { $($readable)* $tables.meta }
            fn tokens(&$self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { $tables.tokens.read() }
            fn owners(&$self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal> { $tables.owners.read() }
            fn sessions(&$self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { $tables.sessions.read() }
            fn session_owners(&$self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal> { $tables.session_owners.read() }
            fn families(&$self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { $tables.families.read() }
            fn family_owners(&$self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal> { $tables.family_owners.read() }
            fn notices(&$self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal> { $tables.notices.read() }
            fn revoked(&$self) -> Result<&impl ReadableTable<Bytes, i64>, Refusal> { $tables.revoked.read() }
            fn consents(&$self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal> { $tables.consents.read() }
            fn signing_keys(&$self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { $tables.signing_keys.read() }
            fn secrets(&$self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { $tables.secrets.read() }
            fn factors(&$self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal> { $tables.factors.read() }
            fn links(&$self) -> Result<&impl ReadableTable<Bytes, Bytes>, Refusal> { $tables.links.read() }
            fn link_owners(&$self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal> { $tables.link_owners.read() }
        }
    };
}

answer_from!(Snapshot, self: self.base, None, [&]);
answer_from!(Tables<'_>, self: self, Some(&self.unwritten), [&*]);
