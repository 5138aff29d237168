//! What the daemon tells about itself: the log here, numbers in `metrics`, health in `health`.
//!
//! Owns the subscriber of `tracing` for the whole process. The log goes to standard error, one line for each event.
//! Secrets have no way into it: values are bounded, control characters escaped, fields with a telling name blanked, the
//! LDAP codec's own events (which print whole messages) are off at every level, and of a panic only its place is told.

pub mod health;
mod line;
pub mod metrics;

pub use line::is_obeyed;

use super::clock::Now;
use crate::config::log::{Format, Log};
use std::io::Write;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Crates that are never heard: their events print messages with passwords in them.
const SILENT: &[&str] = &["ldap3_proto", "ldap3_lber"];

/// Crates that are heard from `warn` upwards: their steps say nothing about the directory.
const QUIET: &[&str] = &["axum", "h2", "hyper", "hyper_util", "mio", "rustls", "tokio", "tower"];

/// Makes this the log of the process. Does nothing when there is one already.
pub fn install(log: &Log, now: Now) {
    let subscriber = subscriber(log, now, |line| {
        // Nothing can be told about a log that cannot be written.
        _ = std::io::stderr().lock().write_all(line);
    });
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(report_panic));
    }
}

/// The subscriber with another place to write to; each call gets one whole line.
pub fn subscriber(log: &Log, now: Now, write: impl Fn(&[u8]) + Send + Sync + 'static) -> impl Subscriber + Send + Sync {
    let level = LevelFilter::from(log.level);
    let targets = Targets::new()
        .with_default(level)
        .with_targets(QUIET.iter().map(|target| (*target, level.min(LevelFilter::WARN))))
        .with_targets(SILENT.iter().map(|target| (*target, LevelFilter::OFF)));
    tracing_subscriber::registry().with(targets).with(Lines { format: log.format, now, write })
}

/// A panic's message may quote data (a string that was cut, a value that was unwrapped), so only a literal is shown.
fn report_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let literal = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("a message that may hold data");
    tracing::error!(place, literal, "panic");
}

struct Lines<W> {
    format: Format,
    now: Now,
    write: W,
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) + Send + Sync + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = line::Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<line::Fields>()
        {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut fields = line::Fields::default();
        event.record(&mut fields);
        let mut all = line::Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(outer) = span.extensions().get::<line::Fields>() {
                all.extend(outer);
            }
        }
        all.extend(&fields);
        let head = line::Head {
            time: super::clock::rfc3339((self.now)()),
            level: event.metadata().level().as_str(),
            target: event.metadata().target(),
        };
        let line = match self.format {
            Format::Json => line::json(&head, &all),
            Format::Text => line::text(&head, &all),
        };
        (self.write)(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::log::Level;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    fn fixed() -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_709_210_096_789)
    }

    fn logged(format: Format, level: Level, act: impl FnOnce()) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let log = Log { format, level };
        let subscriber =
            subscriber(&log, fixed, move |line| sink.lock().unwrap().push(String::from_utf8(line.to_vec()).unwrap()));
        tracing::subscriber::with_default(subscriber, act);
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    /// Goal: one line of each format, with the fields of the spans around it, outermost first.
    #[test]
    fn lines_have_their_spans_fields() {
        let act = || {
            let outer =
                tracing::info_span!("connection", peer = "10.0.0.1:5", account = tracing::field::Empty).entered();
            outer.record("account", "uid=ada");
            let _inner = tracing::info_span!("request", message = 7).entered();
            tracing::info!(target: "ldap", code = 49, slow = false, ratio = 0.5, "refused");
        };
        assert_eq!(
            logged(Format::Json, Level::Info, act),
            [
                "{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"INFO\",\"target\":\"ldap\",\"message\":\"refused\",\"peer\":\"10.0.0.1:5\",\"account\":\"uid=ada\",\"code\":49,\"slow\":false,\"ratio\":0.5}\n"
            ]
        );
        assert_eq!(
            logged(Format::Text, Level::Info, act),
            [
                "2024-02-29T12:34:56.789Z INFO  ldap: refused peer=10.0.0.1:5 account=uid=ada code=49 slow=false ratio=0.5\n"
            ]
        );
    }

    /// Goal (hostile row G1): line ends, terminal escapes, bidirectional controls and a megabyte cannot forge or flood.
    #[test]
    fn hostile_values_stay_values() {
        let hostile = "a\r\n{\"level\":\"INFO\"}\u{1b}[31m\u{202e}\u{2028}\u{9b}\"\\\u{7f}\u{0}";
        let large = "é".repeat(1 << 19);
        for format in [Format::Json, Format::Text] {
            let lines = logged(format, Level::Info, || {
                tracing::info!(name = hostile, shown = %hostile, debug = ?hostile, large, "{hostile}");
            });
            assert_eq!(lines.len(), 1);
            let line = lines[0].strip_suffix('\n').unwrap();
            assert!(line.len() < 2_500, "{}", line.len());
            let odd = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
            assert!(!line.contains(odd), "{line:?}");
            if format == Format::Json {
                let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(parsed["name"], hostile);
                assert_eq!(parsed["large"].as_str().unwrap().len(), 256);
                assert_eq!(parsed["level"], "INFO");
            }
        }
    }

    /// Goal (hostile row G2): what prints secrets is silent at every level, and fields named like one are blank.
    #[test]
    fn secrets_are_silent() {
        let lines = logged(Format::Json, Level::Trace, || {
            tracing::error!(target: "ldap3_proto", "canary");
            tracing::error!(target: "ldap3_proto::proto", "canary");
            tracing::debug!(target: "hyper::proto", "canary");
            tracing::trace!(password = "canary", new_password = "canary", api_token = ?"canary", client_secret = %"canary", "kept");
        });
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("kept") && !lines[0].contains("canary"), "{}", lines[0]);
    }

    /// Goal: the level is the least that is written.
    #[test]
    fn the_level_holds() {
        let act = || {
            tracing::debug!("step");
            tracing::info!("fact");
            tracing::error!("fault");
        };
        for (level, count) in [(Level::Error, 1), (Level::Info, 2), (Level::Debug, 3)] {
            assert_eq!(logged(Format::Text, level, act).len(), count);
        }
    }
}
