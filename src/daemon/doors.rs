//! The wiring: which doors there are, opened on the directory.
//!
//! [`open`] opens the store, hands each door its sockets, the certificate and the stop signals, plugs the crates'
//! counters and checks into `House::metrics` and `House::health`, and says what is open. [`Doors::close`] runs after
//! the last connection.

use super::{House, http, ldap, oidc, scim, store, web};
use crate::config::{Config, Problem};
use ::ldap::Gate;
use ::oidc::provider::Issuer;
use ::web::Web;
use axum::Router;
use directory::handle::Directory;
use std::sync::Arc;

/// What is open.
pub struct Doors {
    /// For the log and for people: each door's URL.
    pub urls: Vec<String>,
    /// Closes the store, on a blocking thread, after all connections have ended: the last flush.
    pub close: Box<dyn FnOnce() + Send>,
}

impl Default for Doors {
    fn default() -> Doors {
        Doors { urls: Vec::new(), close: Box::new(|| ()) }
    }
}

/// Opens the store and every configured door.
///
/// # Errors
/// Why the store or a door cannot be opened.
pub async fn open(house: &House) -> Result<Doors, Problem> {
    let directory = store::open(&house.config, house.processors)?;
    if directory.suffixes().map_err(|refusal| Problem::general(refusal.message))?.is_empty() {
        let problem =
            Problem::general(format!("there is no directory in {} yet", house.config.server.data_dir.display()));
        return Err(problem.with_hint("make one: rollbook init --suffix dc=example,dc=com"));
    }
    let (doors, ..) = open_on(house, &directory).await?;
    Ok(doors)
}

/// Opens every configured door on an open directory.
///
/// # Errors
/// Why a door cannot be opened.
pub async fn open_on(house: &House, directory: &Directory) -> Result<(Doors, ldap::Open, http::Open), Problem> {
    store::observe(house, directory);
    let gate = Arc::new(Gate::default());
    let opened = ldap::open(house, directory, directory.random_bytes(), Arc::clone(&gate))?;
    // Before a door is open that needs one: whoever comes first finds a key that signs. An RSA key takes a while.
    store::turn_keys(directory).await;
    let pages = web::open(directory, &house.config)?;
    let (router, figures, issuer) = all(directory, &house.config, &pages)?;
    scim::observe(&house.metrics, &figures);
    let https = http::open(house, router, gate, directory.random_bytes())?;
    oidc::on_the_loopback(&issuer, &https.https);
    oidc::tell_trials(&pages, &issuer);
    house.stop.tasks.spawn(store::keep(house.clone(), directory.clone()));
    let urls = opened
        .ldap
        .iter()
        .chain(&opened.ldaps)
        .chain(&opened.ldapi)
        .chain(&https.https)
        .chain(&https.http)
        .cloned()
        .collect();
    let (directory, runtime) = (directory.clone(), tokio::runtime::Handle::current());
    let close = move || {
        if let Err(refusal) = runtime.block_on(directory.flush(true)) {
            tracing::error!(detail = refusal.detail.as_deref(), "the last flush failed");
        }
        directory.stop();
    };
    Ok((Doors { urls, close: Box::new(close) }, opened, https))
}

/// The routes of all HTTP doors, over these pages.
///
/// # Errors
/// Why a door cannot be made.
pub fn routes(directory: &Directory, config: &Config, pages: &Web) -> Result<Router, Problem> {
    Ok(all(directory, config, pages)?.0)
}

type Routes = (Router, Arc<::scim::Metrics>, Issuer);

fn all(directory: &Directory, config: &Config, pages: &Web) -> Result<Routes, Problem> {
    let (router, figures) = scim::routes(directory, config);
    let (provider, flow, issuer) = oidc::open(pages, config)?;
    let router = router.merge(::oidc::provider::router(provider)).merge(::oidc::upstream::flow::router(flow));
    let router = router.merge(::web::router(pages.clone()));
    Ok((router, figures, issuer))
}
