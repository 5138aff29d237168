//! A server in memory: made in a few milliseconds, asked through its doors, checked at its end.
//!
//! ```text
//! Setup ── start ──▶ Server { directory, clock, ldap, ldapi, (https) } ── verify ──▶ every table recomputed, nothing found
//!                      │  restart: stopped in order, opened again on the same octets
//!                      └─ crash: opened on a copy of the octets of this moment; what was in memory is gone
//! ```
//! HTTPS is opened when a test first asks for it: LDAP's tests pay nothing for its certificate.
//!
//! A server that is dropped without [`Server::verify`] fails its test, so no test forgets it.

use crate::{Client, HttpClient, RawHttp, SharedStore, Trust};
use directory::bootstrap;
use directory::clock::{ManualClock, Millis, Span};
use directory::credential::{Params, Secret, pool};
use directory::grant::seal::Place;
use directory::handle::{Backend, Directory, Options};
use directory::lifecycle::{Policy, PolicyOverlay};
use directory::random::Random;
use directory::schema::custom::Given;
use directory::store::staged::Limits;
use directory::store::verify::verify;
use directory::wal;
use ldap::{Gate, Listeners, Metrics, Settings, serve};
use rollbook::config::{Config, Sources};
use rollbook::daemon::shutdown::Stop;
use rollbook::daemon::store::turn_keys;
use rollbook::daemon::tls::TlsReload;
use rollbook::daemon::{clock as wall, doors, http};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The naming context.
pub const BASE: &str = "dc=example,dc=com";
/// A system administrator: DN and password.
pub const ADMIN: (&str, &str) = ("cn=admin,dc=example,dc=com", "only an administrator knows");
/// A service account that reads everything: DN and password.
pub const READER: (&str, &str) = ("uid=reader,ou=applications,dc=example,dc=com", "a service account reads");
/// The moment at which every server begins: 2026-09-21, noon of a Monday.
pub const START: Millis = Millis(1_790_000_000_000);

/// What a server is made from.
pub struct Setup {
    /// Rules over the defaults.
    pub policy: PolicyOverlay,
    /// The LDAP door's bounds.
    pub ldap: Settings,
    /// Cost of new hashes; the least by default.
    pub hashing: Params,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// The daemon's settings over its defaults, by key, for the HTTP doors.
    pub settings: Vec<(&'static str, String)>,
    /// What the schema files define.
    pub definitions: Vec<Given>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            policy: PolicyOverlay::default(),
            ldap: Settings { bind_by_username: true, ..Settings::default() },
            hashing: Params::new(8, 1, 1).unwrap(),
            seed: 7,
            settings: Vec::new(),
            definitions: Vec::new(),
        }
    }
}

impl Setup {
    /// The defaults with these rules over them.
    pub fn with(policy: PolicyOverlay) -> Setup {
        Setup { policy, ..Setup::default() }
    }

    /// With a public address, which the OpenID provider needs for its name.
    #[must_use]
    pub fn provider(mut self) -> Setup {
        self.settings.push(("http.public_url", "https://localhost".to_owned()));
        self
    }

    /// Starts a server on a new store, with the naming context, the administrator and the reader.
    pub async fn start(self) -> Server {
        let clock = Arc::new(ManualClock::at(START));
        let server = Server::open(self, SharedStore::new(), clock).await;
        server.blocking(|directory| bootstrap::suffix(&directory, BASE)).await.unwrap();
        bootstrap::administrator(&server.directory, ADMIN.0, Secret::from(ADMIN.1)).await.unwrap();
        bootstrap::reader(&server.directory, READER.0, Secret::from(READER.1)).await.unwrap();
        server
    }
}

/// A running server.
pub struct Server {
    /// What is behind the doors.
    pub directory: Directory,
    /// The hand.
    pub clock: Arc<ManualClock>,
    /// `ldap://`, on the loopback.
    pub ldap: SocketAddr,
    /// `ldapi://`.
    pub ldapi: PathBuf,
    setup: Setup,
    store: SharedStore,
    shutdown: CancellationToken,
    door: JoinHandle<std::io::Result<()>>,
    web: OnceCell<Web>,
    checked: bool,
    folder: tempfile::TempDir,
}

/// The HTTP doors.
struct Web {
    address: SocketAddr,
    plain: SocketAddr,
    trust: Trust,
    stop: Stop,
    pages: web::Web,
}

impl Server {
    /// Starts a server as [`Setup::default`] has it.
    pub async fn start() -> Server {
        Setup::default().start().await
    }

    /// Starts a server with these rules over the defaults.
    pub async fn with(policy: PolicyOverlay) -> Server {
        Setup::with(policy).start().await
    }

    async fn open(setup: Setup, store: SharedStore, clock: Arc<ManualClock>) -> Server {
        let mut options = Options::new(Backend::Other(Box::new(store.clone()))).unwrap();
        options.cache_bytes = 4 * 1024 * 1024;
        // So little may wait that every state of a late index is met.
        options.late = Limits { keys: 100, steps: 300, rows: 20, commits: 2 };
        options.wal = wal::Limits { frames: 5, octets: 64 * 1024 };
        options.clock = Box::new(Arc::clone(&clock));
        options.random = Random::from_seed(setup.seed);
        options.seal = Some(Place::Given([5; 32]));
        options.hashing = setup.hashing;
        options.policy = Policy::default().with(&setup.policy).expect("the rules of the test are within their bounds");
        options.definitions.clone_from(&setup.definitions);
        options.pool.threads = NonZeroUsize::MIN;
        // Thousands of logins at once are a question to the gate, not to the patience of this machine.
        options.pool = pool::Limits { queue: 16_384, wait: std::time::Duration::from_mins(5), ..options.pool };
        let directory = Directory::open(options).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let ldapi = folder.path().join("ldapi");
        let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ldap = plain.local_addr().unwrap();
        let local = UnixListener::bind(&ldapi).unwrap();
        let listeners = Listeners { plain: vec![plain], local: vec![local], ..Listeners::default() };
        let shutdown = CancellationToken::new();
        let metrics = Arc::new(Metrics::default());
        let serving = serve(setup.ldap.clone(), directory.clone(), listeners, None, [7; 32], metrics, shutdown.clone());
        let door = tokio::spawn(serving);
        let web = OnceCell::new();
        Server { directory, clock, ldap, ldapi, setup, store, shutdown, door, web, checked: false, folder }
    }

    /// Where HTTPS is.
    pub async fn https(&self) -> SocketAddr {
        self.web().await.address
    }

    /// Who is trusted over HTTPS.
    pub async fn trust(&self) -> Trust {
        self.web().await.trust.clone()
    }

    /// The pages behind HTTPS.
    pub async fn pages(&self) -> web::Web {
        self.web().await.pages.clone()
    }

    /// A connection in HTTP/1.1 over TLS.
    pub async fn http(&self) -> HttpClient {
        let web = self.web().await;
        HttpClient::connect(web.address, &web.trust).await
    }

    /// A connection in HTTP/1.1 in the clear.
    pub async fn http_in_the_clear(&self) -> HttpClient {
        HttpClient::connect_plain(self.web().await.plain).await
    }

    /// A connection in HTTP/2 over TLS.
    pub async fn http_two(&self) -> HttpClient {
        let web = self.web().await;
        HttpClient::connect_two(web.address, &web.trust).await
    }

    /// A connection over TLS for raw octets, after an agreement on `http/1.1` or `h2`.
    pub async fn raw_http(&self, protocol: &str) -> RawHttp {
        let web = self.web().await;
        RawHttp::connect(web.address, &web.trust, protocol).await
    }

    async fn web(&self) -> &Web {
        self.web.get_or_init(|| self.open_web()).await
    }

    async fn open_web(&self) -> Web {
        let set = |(key, value): &(&str, String)| ("--set", (*key).to_owned(), value.clone());
        let mut flags: Vec<_> = self.setup.settings.iter().map(set).collect();
        let data = self.folder.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        flags.push(("--data", "server.data_dir".to_owned(), data.display().to_string()));
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let tls = TlsReload::open(&config, wall::wall()).unwrap();
        turn_keys(&self.directory).await;
        let pages = rollbook::daemon::web::open(&self.directory, &config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clear = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plain = clear.local_addr().unwrap();
        let served = http::Doors {
            settings: http::Settings::of(&config, config.limits.connections),
            router: doors::routes(&self.directory, &config, &pages).unwrap(),
            gate: Arc::new(Gate::default()),
            figures: Arc::default(),
            seed: self.directory.random_bytes(),
            tls: Some(tls.server_config_with(&http::PROTOCOLS).unwrap()),
        };
        let stop = Stop::default();
        let listeners = http::Listeners { tls: vec![listener], plain: vec![clear], ..http::Listeners::default() };
        http::serve(served, listeners, &stop);
        Web { address, plain, trust: Trust::file(&tls.authority_file().unwrap()), stop, pages }
    }

    /// A connection over TCP.
    pub async fn client(&self) -> Client {
        Client::connect(self.ldap).await
    }

    /// A connection over the local socket.
    pub async fn local(&self) -> Client {
        Client::connect_local(&self.ldapi).await
    }

    /// A connection of the administrator.
    pub async fn admin(&self) -> Client {
        self.bound(ADMIN.0, ADMIN.1).await
    }

    /// A connection of the operator of the machine, who is never dormant.
    pub async fn operator(&self) -> Client {
        let mut client = self.local().await;
        assert!(client.external().await.is_good());
        client
    }

    /// A connection of the reader.
    pub async fn reader(&self) -> Client {
        self.bound(READER.0, READER.1).await
    }

    /// A connection with a login that has to be good.
    pub async fn bound(&self, dn: &str, password: &str) -> Client {
        let mut client = self.client().await;
        let outcome = client.bind(dn, password).await;
        assert!(outcome.is_good(), "{dn}: {outcome:?}");
        client
    }

    /// Time passes.
    pub fn pass(&self, span: Span) {
        self.clock.advance(span);
    }

    /// So many calendar months pass, to the millisecond.
    pub fn pass_months(&self, months: u16) {
        self.pass_to_months_from(self.directory.now().wall, months);
    }

    /// Time passes until so many calendar months after a moment.
    pub fn pass_to_months_from(&self, from: Millis, months: u16) {
        let until = from.add_months(months).expect("a date that can be told");
        self.pass(until.since(self.directory.now().wall));
    }

    /// Jobs of the hash pool so far, and verifications on the spot. An answer may be quicker than its count, so this waits
    /// until the pool is at rest.
    pub async fn hash_jobs(&self) -> (u64, u64) {
        loop {
            let figures = self.directory.pool_figures();
            if (figures.queued, figures.running) == (0, 0) {
                return (figures.done, figures.inline);
            }
            tokio::task::yield_now().await;
        }
    }

    /// What the daemon does every second.
    pub async fn tick(&self) {
        self.directory.flush(false).await.unwrap();
    }

    /// Ends the server in order and starts it again on the same store.
    pub async fn restart(mut self) -> Server {
        self.directory.flush(true).await.unwrap();
        self.blocking(|directory| directory.stop()).await;
        self.again().await
    }

    /// The same, with other schema files.
    pub async fn restart_defining(mut self, definitions: Vec<Given>) -> Server {
        self.setup.definitions = definitions;
        self.restart().await
    }

    /// The machine stops at this moment, without warning, and comes back: what was only in memory is gone.
    pub async fn crash(mut self) -> Server {
        self.again().await
    }

    async fn again(&mut self) -> Server {
        let store = self.store.copy();
        self.checked = true;
        let clock = Arc::clone(&self.clock);
        let mut setup = std::mem::take(&mut self.setup);
        // Another run draws other ids; the same ones would look like write sets that have been carried out.
        setup.seed = setup.seed.wrapping_add(1);
        Server::open(setup, store, clock).await
    }

    /// All octets of the store, as they are now.
    pub fn octets(&self) -> Vec<u8> {
        self.store.octets()
    }

    /// Work that waits for the write lane, away from the runtime's threads.
    pub(crate) async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(Directory) -> T + Send + 'static) -> T {
        let directory = self.directory.clone();
        tokio::task::spawn_blocking(move || work(directory)).await.unwrap()
    }

    /// Everything that the store says twice is recomputed and must agree: indexes, names, membership, references, the
    /// audit chain. To be called at the end of every test.
    ///
    /// # Panics
    /// When something is found.
    pub async fn verify(mut self) {
        self.directory.flush(true).await.unwrap();
        let snapshot = self.directory.snapshot().unwrap();
        let findings = verify(&snapshot, self.directory.schema()).unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
        let lost = self.directory.pool_figures().panicked;
        assert_eq!(lost, 0, "hashing jobs that panicked");
        self.checked = true;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.door.abort();
        if let Some(web) = self.web.get() {
            web.stop.drain.cancel();
            web.stop.abort.cancel();
        }
        assert!(self.checked || std::thread::panicking(), "the test ended without `verify()`");
    }
}
