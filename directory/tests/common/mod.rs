//! A directory in memory with one naming context, and short words for what tests do to it.

pub mod shared;

use directory::authenticate::{Login, LoginName, Verdict};
use directory::bootstrap;
use directory::change::{Act, Change, Modification, ModificationKind, Receipt, Target};
use directory::clock::{ManualClock, Millis};
use directory::credential::Params;
use directory::entry::dn::DnKey;
use directory::error::Refusal;
use directory::filter::Filter;
use directory::handle::{Backend, Directory, Options};
use directory::id::EntryId;
use directory::lifecycle::{ChangePath, State};
use directory::random::Random;
use directory::search::{self, Deref, Scope, SearchRequest};
use directory::store::staged::Limits;
use directory::store::verify::verify;
use directory::store::view::View;
use directory::wal;
use directory::wal::layout::{Layout, Pages};
use redb::{Database, StorageBackend};
use std::num::NonZeroUsize;
use std::sync::Arc;

pub struct World {
    pub directory: Directory,
    pub clock: Arc<ManualClock>,
}

/// The tables of a closed store, for whoever reads or edits them behind its back.
pub fn database(under: impl StorageBackend) -> Database {
    let layout = Layout::read(&under).unwrap();
    Database::builder().create_with_backend(Pages::new(Arc::new(under), &layout, Arc::default())).unwrap()
}

impl World {
    pub async fn new() -> World {
        let world = World::open(Backend::Memory).unwrap();
        world.begin().await;
        world
    }

    /// Opens a store as it is; every run draws the same random bytes.
    pub fn open(backend: Backend) -> Result<World, Refusal> {
        World::open_with(backend, |_| {})
    }

    /// The same, with other options than the tests' own.
    pub fn open_with(backend: Backend, change: impl FnOnce(&mut Options)) -> Result<World, Refusal> {
        let clock = Arc::new(ManualClock::at(Millis(1_790_000_000_000)));
        let mut options = Options::new(backend).unwrap();
        options.clock = Box::new(clock.clone());
        options.random = Random::from_seed(7);
        options.hashing = Params::new(8, 1, 1).unwrap();
        options.pool.threads = NonZeroUsize::MIN;
        // So little may wait that every state of a late index is met.
        options.late = Limits { keys: 100, steps: 300, rows: 20, commits: 2 };
        options.wal = wal::Limits { frames: 5, octets: 64 * 1024 };
        change(&mut options);
        Ok(World { directory: Directory::open(options)?, clock })
    }

    /// Makes the naming context of a new store.
    pub async fn begin(&self) {
        let handle = self.directory.clone();
        tokio::task::spawn_blocking(move || bootstrap::suffix(&handle, "dc=example,dc=com")).await.unwrap().unwrap();
    }

    pub async fn change(&self, change: Change) -> Result<Receipt, Refusal> {
        self.directory.change(&bootstrap::operator(&self.directory), change).await
    }

    pub async fn add(&self, dn: &str, attributes: &[(&str, &str)]) -> Result<Receipt, Refusal> {
        let mut grouped: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        for (name, value) in attributes {
            match grouped.iter_mut().find(|(n, _)| n == name.as_bytes()) {
                Some((_, values)) => values.push(value.as_bytes().to_vec()),
                None => grouped.push((name.as_bytes().to_vec(), vec![value.as_bytes().to_vec()])),
            }
        }
        self.change(Change::Add { dn: dn.as_bytes().to_vec(), attributes: grouped }).await
    }

    pub async fn person(&self, uid: &str, parent: &str) -> Result<Receipt, Refusal> {
        self.person_at(uid, &format!("uid={uid},{parent}")).await
    }

    pub async fn person_at(&self, uid: &str, dn: &str) -> Result<Receipt, Refusal> {
        self.add(dn, &[("objectClass", "inetOrgPerson"), ("uid", uid), ("cn", uid), ("sn", uid)]).await
    }

    pub async fn modify(
        &self,
        dn: &str,
        kind: ModificationKind,
        attribute: &str,
        values: &[&str],
    ) -> Result<Receipt, Refusal> {
        let values = values.iter().map(|v| v.as_bytes().to_vec()).collect();
        let modifications = vec![Modification { kind, attribute: attribute.as_bytes().to_vec(), values }];
        self.change(Change::Modify { target: Target::Dn(dn.as_bytes().to_vec()), modifications }).await
    }

    pub async fn delete(&self, dn: &str, subtree: bool) -> Result<Receipt, Refusal> {
        self.change(Change::Delete { target: Target::Dn(dn.as_bytes().to_vec()), subtree }).await
    }

    pub async fn set_password(&self, dn: &str, password: &str) {
        let target = Target::Dn(dn.as_bytes().to_vec());
        self.change(Change::Password { target, old: None, new: Some(password.into()) }).await.unwrap();
    }

    pub async fn act(&self, dn: &str, act: Act) -> Result<Receipt, Refusal> {
        self.change(Change::Account { target: Target::Dn(dn.as_bytes().to_vec()), act }).await
    }

    pub async fn login(&self, dn: &str, password: &str) -> Verdict {
        self.login_as(LoginName::Dn(dn.as_bytes().to_vec()), password).await
    }

    pub async fn login_as(&self, name: LoginName, password: &str) -> Verdict {
        let mut context = bootstrap::operator(&self.directory);
        context.actor = directory::context::Actor::Anonymous;
        self.directory.authenticate(&context, Login { name, password: password.into(), change: ChangePath::None }).await
    }

    pub fn id(&self, dn: &str) -> EntryId {
        let key = DnKey::parse(self.directory.schema(), dn.as_bytes()).unwrap();
        self.directory.snapshot().unwrap().id_of(key.as_bytes()).unwrap().expect("the entry is there")
    }

    pub fn state(&self, dn: &str) -> State {
        self.directory.state_of(self.id(dn)).unwrap().expect("an account")
    }

    pub async fn search(&self, base: &str, scope: Scope, attribute: &str, value: &str) -> Vec<String> {
        self.find(base, scope, &Filter::Equal(attribute.as_bytes().to_vec(), value.as_bytes().to_vec())).await
    }

    pub async fn find(&self, base: &str, scope: Scope, filter: &Filter) -> Vec<String> {
        let snapshot = self.directory.snapshot().unwrap();
        let rights = self.directory.rights(&snapshot, directory::context::Actor::System).unwrap();
        let request = SearchRequest {
            base: base.as_bytes(),
            scope,
            deref: Deref::Never,
            filter,
            size_limit: 0,
            time_limit_seconds: 0,
            after: None,
        };
        let reading = self.directory.reading(&snapshot, &rights, self.directory.now());
        let mut cursor = search::begin(reading, &request).unwrap();
        let mut out = Vec::new();
        while let Some(found) = cursor.next().unwrap() {
            out.push(found.dn().to_owned());
        }
        out
    }

    pub fn verify(&self) {
        let snapshot = self.directory.snapshot().unwrap();
        let findings = verify(&snapshot, self.directory.schema()).unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
    }
}
