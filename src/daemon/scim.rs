//! The SCIM door's settings and figures.

use super::telemetry::metrics::Metrics;
use crate::config::Config;
use axum::Router;
use directory::handle::Directory;
use scim::{Door, Settings};
use std::sync::Arc;

/// The routes of the door, with its figures.
pub fn routes(directory: &Directory, config: &Config) -> (Router, Arc<scim::Metrics>) {
    let door = Door::new(directory.clone(), settings(config));
    let metrics = Arc::clone(&door.metrics);
    (scim::router(door), metrics)
}

fn settings(config: &Config) -> Settings {
    let own = &config.scim;
    Settings {
        max_body: own.body_bytes,
        max_bulk_body: own.bulk_bytes,
        max_bulk_operations: own.bulk_operations,
        default_page: own.page_default,
        max_page: own.page_most,
        sort_limit: own.sort_most,
        cursor_timeout: own.cursor_time,
        rate_per_second: own.rate,
        rate_burst: own.burst,
        fuse_limit: own.fuse,
        fuse_window: own.fuse_window,
        open_discovery: own.open_discovery,
        ..Settings::default()
    }
}

/// Shows the figures.
pub fn observe(metrics: &Metrics, figures: &Arc<scim::Metrics>) {
    let of = |read: fn(scim::MetricsSnapshot) -> u64| {
        let figures = Arc::clone(figures);
        move || read(figures.snapshot())
    };
    metrics.counter("rollbook_scim_resources", "Resources in SCIM answers", of(|f| f.resources));
    metrics.counter("rollbook_scim_rehearsals", "SCIM dry runs", of(|f| f.rehearsals));
    metrics.counter("rollbook_scim_unauthorized", "SCIM requests without a good token", of(|f| f.unauthorized));
    metrics.counter("rollbook_scim_limited", "SCIM requests beyond the rate of their token", of(|f| f.limited));
    metrics.counter("rollbook_scim_fuse", "Deactivations and deletions refused by a fuse", of(|f| f.fuse_blown));
    metrics.counter("rollbook_scim_bulk_operations", "Operations in SCIM bulk requests", of(|f| f.bulk_operations));
    let seen = Arc::clone(figures);
    metrics.counters("rollbook_scim_coercions", "Departures from the RFCs that were accepted", "name", move |put| {
        for (name, count) in seen.snapshot().coercions {
            put(name, count);
        }
    });
    let seen = Arc::clone(figures);
    metrics.counters("rollbook_scim_requests", "SCIM requests by endpoint and method", "what", move |put| {
        for (endpoint, method, count) in seen.snapshot().requests {
            put(&format!("{method} {endpoint}"), count);
        }
    });
}
