//! The running process around the doors: runtime, certificate, telemetry, signals, the end.
//!
//! Owns the order of start and end. Start: harden, data directory, certificate, metrics and health, doors, ready. End:
//! not ready, doors drain, store closes, metrics last. Opens no door itself: `doors` does, and gets the [`House`].
//! Called by the commands `serve` and `demo`.

pub mod clock;
pub mod doors;
pub mod http;
pub mod ldap;
pub mod notify;
pub mod oidc;
pub mod process;
pub mod schema;
pub mod scim;
pub mod shutdown;
pub mod sockets;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod web;

use crate::config::{Config, Problem};
use doors::Doors;
use shutdown::{Ended, Signal, Stop};
use std::sync::Arc;
use std::time::Duration;
use telemetry::health::{Health, Phase};
use telemetry::metrics::Metrics;
use tls::TlsReload;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long the last scrape of the metrics may hold up the end.
const LAST_SCRAPE: Duration = Duration::from_secs(1);

/// What every door gets.
#[derive(Clone)]
pub struct House {
    /// The settings.
    pub config: Arc<Config>,
    /// The certificate.
    pub tls: Arc<TlsReload>,
    /// When to stop, and the list of tasks to wait for.
    pub stop: Stop,
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// The health.
    pub health: Arc<Health>,
    /// Connections at once, all doors together: the setting, reduced to what the limit of open files allows.
    pub connections: usize,
    /// Processors of the machine.
    pub processors: usize,
}

/// Runs the daemon until a signal ends it. `open` opens the doors (normally [`doors::open`]).
///
/// # Errors
/// Why it cannot start.
pub fn run(config: Arc<Config>, open: impl AsyncFnOnce(&House) -> Result<Doors, Problem>) -> Result<Ended, Problem> {
    process::harden();
    process::data_dir(&config.server.data_dir)?;
    let house = House {
        tls: Arc::new(TlsReload::open(&config, clock::wall())?),
        stop: Stop::default(),
        metrics: Arc::new(Metrics::default()),
        health: Arc::new(Health::default()),
        connections: process::connections(config.limits.connections),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        config,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(house.config.server.worker_threads(house.processors))
        .thread_name("rollbook-worker")
        .enable_all()
        .build()
        .map_err(|error| Problem::general(format!("cannot start the runtime: {error}")))?;
    let ended = runtime.block_on(async {
        // Before the doors: a signal during the start must end it in order as well.
        let signals = shutdown::signals().map_err(|error| Problem::general(format!("cannot take signals: {error}")))?;
        serve(house, signals, notify::Notify::of_process(), open).await
    });
    // Tasks that did not obey are left behind; the store is closed already.
    runtime.shutdown_background();
    ended
}

/// The daemon inside its runtime, with its signals handed in.
async fn serve(
    house: House,
    signals: mpsc::Receiver<Signal>,
    notify: notify::Notify,
    open: impl AsyncFnOnce(&House) -> Result<Doors, Problem>,
) -> Result<Ended, Problem> {
    let last = CancellationToken::new();
    let health_door = open_health_door(&house, &last)?;
    let doors = open(&house).await?;
    if doors.urls.is_empty() {
        return Err(Problem::general("no door is open").with_hint("every address in [listen] is empty"));
    }
    let interval = house.config.tls.reload_interval;
    house.stop.tasks.spawn(Arc::clone(&house.tls).watch(interval, clock::wall, house.stop.drain.clone()));
    house.health.enter(Phase::Serving);
    notify.send("READY=1");
    tracing::info!(doors = doors.urls.join(" "), version = env!("CARGO_PKG_VERSION"), "serving");

    let driving = shutdown::drive(
        signals,
        &house.stop,
        house.config.server.drain,
        || house.tls.reload_and_log(clock::wall()),
        || {
            house.health.enter(Phase::Stopping);
            notify.send("STOPPING=1");
            tracing::info!("stopping");
        },
    );
    let ended = with_watchdog(&notify, driving).await;
    // A panic in there is in the log already; the end goes on.
    _ = tokio::task::spawn_blocking(doors.close).await;
    tracing::info!(?ended, "stopped");
    last.cancel();
    for door in health_door {
        _ = tokio::time::timeout(LAST_SCRAPE, door).await;
    }
    Ok(ended)
}

/// Tells systemd that the runtime is alive while something runs on it.
async fn with_watchdog<T>(notify: &notify::Notify, running: impl Future<Output = T>) -> T {
    let Some(interval) = notify.watchdog_interval() else { return running.await };
    let mut ticks = tokio::time::interval(interval);
    tokio::pin!(running);
    loop {
        tokio::select! {
            result = &mut running => return result,
            _ = ticks.tick() => notify.send("WATCHDOG=1"),
        }
    }
}

fn open_health_door(house: &House, last: &CancellationToken) -> Result<Vec<tokio::task::JoinHandle<()>>, Problem> {
    let tls = Arc::clone(&house.tls);
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit into 53 bits")]
    house.metrics.gauge(
        "rollbook_tls_certificate_end_seconds",
        "End of the certificate's validity, since 1970",
        move || tls.not_after() as f64,
    );
    let mut open = Vec::new();
    for address in &house.config.listen.metrics {
        let listener = sockets::tcp("listen.metrics", *address)?;
        let serving =
            telemetry::health::serve(listener, Arc::clone(&house.metrics), Arc::clone(&house.health), last.clone());
        open.push(tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the metrics door failed");
            }
        }));
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;
    use std::sync::Mutex;

    fn house(data: &std::path::Path) -> House {
        let set = |key: &str, value: &str| ("--set", key.to_owned(), value.to_owned());
        let flags = vec![set("server.data_dir", &data.display().to_string()), set("listen.metrics", "127.0.0.1:0")];
        let config = Arc::new(Config::load(&Sources { flags, ..Sources::default() }).unwrap());
        House {
            tls: Arc::new(TlsReload::open(&config, clock::wall()).unwrap()),
            stop: Stop::default(),
            metrics: Arc::default(),
            health: Arc::default(),
            connections: 10,
            processors: 1,
            config,
        }
    }

    /// Goal: doors open before ready; at the end, not ready comes before the drain and the store closes after the last
    /// connection.
    #[tokio::test]
    async fn the_order_of_start_and_end() {
        let dir = tempfile::tempdir().unwrap();
        let house = house(dir.path());
        let story = Arc::new(Mutex::new(Vec::new()));
        let (sender, signals) = mpsc::channel(2);
        let (health, told) = (Arc::clone(&house.health), Arc::clone(&story));
        let open = async move |house: &House| {
            told.lock().unwrap().push(format!("open while {:?}", health.phase()));
            let (stop, connection_told, close_told) = (house.stop.drain.clone(), Arc::clone(&told), Arc::clone(&told));
            house.stop.tasks.spawn(async move {
                sender.send(Signal::Reload).await.unwrap();
                sender.send(Signal::Stop).await.unwrap();
                stop.cancelled().await;
                connection_told.lock().unwrap().push(format!("drain while {:?}", health.phase()));
            });
            let close = Box::new(move || close_told.lock().unwrap().push("close".to_owned()));
            Ok(Doors { urls: vec!["test:".to_owned()], close })
        };
        let health = Arc::clone(&house.health);
        let ended = serve(house, signals, notify::Notify::default(), open).await.unwrap();
        assert_eq!(ended, Ended::Drained);
        assert_eq!(health.phase(), Phase::Stopping);
        assert_eq!(*story.lock().unwrap(), ["open while Starting", "drain while Stopping", "close"]);
    }

    /// Goal: a daemon without a door, or whose door cannot be opened, does not start, and says why.
    #[tokio::test]
    async fn a_start_without_doors_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (result, part) in
            [(Ok(Doors::default()), "no door is open"), (Err(Problem::general("port taken")), "port taken")]
        {
            let (_sender, signals) = mpsc::channel(1);
            let refused =
                serve(house(dir.path()), signals, notify::Notify::default(), async move |_: &House| result).await;
            assert!(refused.unwrap_err().to_string().contains(part));
        }
    }
}
