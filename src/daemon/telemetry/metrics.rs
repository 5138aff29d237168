//! The numbers: a registry that every crate's counters can be plugged into, rendered as OpenMetrics text.
//!
//! The other crates count in their own atomics and know nothing of Prometheus; the wiring hands closures here that read
//! them at each scrape. No metric has an account, a DN or an address as a label: labels are words of the program.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Metric, Registry};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The media type of [`Metrics::render`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All numbers of the process.
#[derive(Debug)]
pub struct Metrics(Mutex<Registry>);

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self(Mutex::new(Registry::default()));
        metrics.gauges("rollbook_build", "The running version, as a label", "version", |put| {
            put(env!("CARGO_PKG_VERSION"), 1.0);
        });
        process::register(&metrics);
        metrics
    }
}

impl Metrics {
    /// Registers a metric of `prometheus_client` (a histogram, say), whose clones its owner updates.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.lock().register(name, help, metric);
    }

    /// A number that goes up and down, read at each scrape.
    pub fn gauge(&self, name: &'static str, help: &'static str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.source(name, help, None, Kind::Gauge, move |put| put("", read()));
    }

    /// A number that only rises, read at each scrape; its name must not end in `_total`, which is appended.
    pub fn counter(&self, name: &'static str, help: &'static str, read: impl Fn() -> u64 + Send + Sync + 'static) {
        self.source(name, help, None, Kind::Counter, move |put| put("", whole(read())));
    }

    /// Gauges of one name, told apart by a label. The closure calls its argument with each label's value and number.
    pub fn gauges(
        &self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn(&mut dyn FnMut(&str, f64)) + Send + Sync + 'static,
    ) {
        self.source(name, help, Some(label), Kind::Gauge, read);
    }

    /// Counters of one name, told apart by a label; see [`Metrics::gauges`] and [`Metrics::counter`].
    pub fn counters(
        &self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn(&mut dyn FnMut(&str, u64)) + Send + Sync + 'static,
    ) {
        self.source(name, help, Some(label), Kind::Counter, move |put| {
            read(&mut |value, count| put(value, whole(count)));
        });
    }

    /// All numbers now.
    pub fn render(&self) -> String {
        let mut page = String::new();
        // A String takes everything that is written to it.
        _ = text::encode(&mut page, &self.lock());
        page
    }

    fn source(
        &self,
        name: &'static str,
        help: &'static str,
        label: Option<&'static str>,
        kind: Kind,
        read: impl Fn(&mut dyn FnMut(&str, f64)) + Send + Sync + 'static,
    ) {
        self.lock().register_collector(Box::new(Source { name, help, label, kind, read: Box::new(read) }));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A count as Prometheus holds it; beyond 2^53 it loses its last digits, after 285 years of a million a second.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn whole(count: u64) -> f64 {
    count as f64
}

#[derive(Clone, Copy)]
enum Kind {
    Gauge,
    Counter,
}

type Read = Box<dyn Fn(&mut dyn FnMut(&str, f64)) + Send + Sync>;

/// A closure with its name.
struct Source {
    name: &'static str,
    help: &'static str,
    label: Option<&'static str>,
    kind: Kind,
    read: Read,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Collector for Source {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let kind = match self.kind {
            Kind::Gauge => MetricType::Gauge,
            Kind::Counter => MetricType::Counter,
        };
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        let mut result = Ok(());
        (self.read)(&mut |value, number| {
            if result.is_ok() {
                result = self.encode_one(&mut metric, value, number);
            }
        });
        result
    }
}

impl Source {
    fn encode_one(&self, metric: &mut MetricEncoder<'_>, value: &str, number: f64) -> Result<(), fmt::Error> {
        match self.label {
            None => self.kind.encode(metric, number),
            Some(label) => self.kind.encode(&mut metric.encode_family(&[(label, value)])?, number),
        }
    }
}

impl Kind {
    fn encode(self, metric: &mut MetricEncoder<'_>, number: f64) -> Result<(), fmt::Error> {
        match self {
            Self::Gauge => metric.encode_gauge(&number),
            Self::Counter => metric.encode_counter::<prometheus_client::encoding::NoLabelSet, f64, f64>(&number, None),
        }
    }
}

mod process {
    //! What the operating system counts for this process (Linux: `/proc/self`), by Prometheus' customary names.
    use super::Metrics;

    pub fn register(metrics: &Metrics) {
        metrics.gauge("process_resident_memory_bytes", "Memory in RAM", || resident_bytes().unwrap_or(0.0));
        metrics.gauge("process_open_fds", "Open files and sockets", || {
            std::fs::read_dir("/proc/self/fd")
                .map_or(0.0, |list| super::whole(u64::try_from(list.count()).unwrap_or(0)))
        });
        metrics.source("process_cpu_seconds", "CPU time used", None, super::Kind::Counter, |put| {
            put("", cpu_seconds().unwrap_or(0.0));
        });
    }

    fn resident_bytes() -> Option<f64> {
        let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
        let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
        Some(super::whole(pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)?))
    }

    fn cpu_seconds() -> Option<f64> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The second field is the program's name in parentheses and may hold spaces; utime and stime are 14 and 15.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(super::whole(user.checked_add(system)?) / super::whole(rustix::param::clock_ticks_per_second()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Goal: sources are read at each scrape and rendered by name, kind and label.
    #[test]
    fn sources_are_rendered() {
        let metrics = Metrics::default();
        let binds = Arc::new(AtomicU64::new(2));
        let seen = Arc::clone(&binds);
        metrics.counter("rollbook_binds", "Binds", move || seen.load(Ordering::Relaxed));
        metrics.counters("rollbook_results", "Results", "code", |put| {
            put("success", 5);
            put("busy", 1);
        });
        metrics.gauge("rollbook_connections", "Connections", || 3.0);
        let page = metrics.render();
        for part in [
            "# HELP rollbook_binds Binds\n# TYPE rollbook_binds counter\nrollbook_binds_total 2.0\n",
            "rollbook_results_total{code=\"success\"} 5.0\nrollbook_results_total{code=\"busy\"} 1.0\n",
            "# TYPE rollbook_connections gauge\nrollbook_connections 3.0\n",
            concat!("rollbook_build{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1.0\n"),
        ] {
            assert!(page.contains(part), "{part}\nnot in\n{page}");
        }
        binds.store(9, Ordering::Relaxed);
        assert!(metrics.render().contains("rollbook_binds_total 9.0\n"));
        assert!(page.ends_with("# EOF\n"));
    }

    /// Goal: the process' own numbers are there and not zero.
    #[test]
    fn the_process_is_measured() {
        let page = Metrics::default().render();
        for name in ["process_resident_memory_bytes", "process_open_fds"] {
            let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
            assert!(value.parse::<f64>().unwrap() > 0.0, "{name} {value}");
        }
        assert!(page.contains("process_cpu_seconds_total "));
    }
}
