//! Whether the daemon lives and whether it should get requests, and the small HTTP door that says so.
//!
//! Live: the runtime answers. Ready: every door is open, the daemon is not stopping, and every check that a part has
//! handed in passes. The door serves `/metrics`, `/healthz` and `/readyz`, has no login and tells nothing of any account.

use super::metrics::{MEDIA_TYPE, Metrics};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Where the daemon is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Opening the store and the doors.
    #[default]
    Starting,
    /// Serving.
    Serving,
    /// Finishing what was begun.
    Stopping,
}

type Check = (&'static str, Box<dyn Fn() -> bool + Send + Sync>);

/// The daemon's health.
#[derive(Default)]
pub struct Health {
    phase: Mutex<Phase>,
    checks: Mutex<Vec<Check>>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Health({:?})", self.phase())
    }
}

impl Health {
    /// The present phase.
    pub fn phase(&self) -> Phase {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a phase.
    pub fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// Adds a check by its name; it runs at each question and must not block.
    pub fn check(&self, name: &'static str, passes: impl Fn() -> bool + Send + Sync + 'static) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push((name, Box::new(passes)));
    }

    /// Ready, or what is in the way.
    ///
    /// # Errors
    /// The phase, or the names of the checks that fail.
    pub fn ready(&self) -> Result<(), String> {
        match self.phase() {
            Phase::Starting => return Err("starting".to_owned()),
            Phase::Stopping => return Err("stopping".to_owned()),
            Phase::Serving => {}
        }
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        let failing: Vec<&str> = checks.iter().filter(|(_, passes)| !passes()).map(|(name, _)| *name).collect();
        if failing.is_empty() { Ok(()) } else { Err(format!("failing: {}", failing.join(", "))) }
    }
}

/// Serves metrics and health until stopped.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route(
            "/metrics",
            get(|State(metrics): State<Arc<Metrics>>| async move {
                ([(header::CONTENT_TYPE, MEDIA_TYPE)], metrics.render())
            }),
        )
        .with_state(metrics)
        .route("/healthz", get(|| async { "live\n" }))
        .route("/readyz", get(move || async move { answer(health.ready()) }));
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

fn answer(ready: Result<(), String>) -> impl IntoResponse {
    match ready {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn ask(address: std::net::SocketAddr, request: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Goal: the three pages answer over a real socket, readiness follows phase and checks, and stopping ends the door.
    #[tokio::test]
    async fn the_door_answers() {
        let (metrics, health, stop) =
            (Arc::new(Metrics::default()), Arc::new(Health::default()), CancellationToken::new());
        let full = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&full);
        health.check("store", move || !seen.load(Ordering::Relaxed));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = tokio::spawn(serve(listener, metrics, Arc::clone(&health), stop.clone()));

        assert!(ask(address, "GET /healthz").await.contains("\r\n\r\nlive\n"));
        let page = ask(address, "GET /metrics").await;
        assert!(
            page.starts_with("HTTP/1.1 200") && page.contains("openmetrics-text") && page.contains("# EOF"),
            "{page}"
        );
        assert!(ask(address, "GET /").await.starts_with("HTTP/1.1 404"));
        assert!(ask(address, "POST /metrics").await.starts_with("HTTP/1.1 405"));
        for (phase, disk_full, code, text) in [
            (Phase::Starting, false, "503", "starting"),
            (Phase::Serving, false, "200", "ready"),
            (Phase::Serving, true, "503", "failing: store"),
            (Phase::Stopping, false, "503", "stopping"),
        ] {
            health.enter(phase);
            full.store(disk_full, Ordering::Relaxed);
            let answer = ask(address, "GET /readyz").await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {code}")) && answer.ends_with(&format!("{text}\n")),
                "{answer}"
            );
        }
        stop.cancel();
        door.await.unwrap().unwrap();
    }
}
