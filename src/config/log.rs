//! Section `log`: the daemon's own log on standard error. The audit record is not a log: it is in the store.

use super::setting::{Kind, choice, section};

section! {
    /// The log, one line for each event, on standard error.
    "log" Log;
    /// JSON for machines, text for people.
    format: Format, Kind::Choice(Format::WORDS), "json";
    /// The least severe events that are written.
    level: Level, Kind::Choice(Level::WORDS), "info";
}

choice! {
    /// The form of a line.
    Format {
        /// One JSON object.
        #[default]
        Json = "json",
        /// Words.
        Text = "text",
    }
}

choice! {
    /// The severity of an event.
    Level {
        /// The daemon cannot do its work.
        Error = "error",
        /// Someone should look.
        Warn = "warn",
        /// What happened.
        #[default]
        Info = "info",
        /// Each request.
        Debug = "debug",
        /// Each step.
        Trace = "trace",
    }
}

impl From<Level> for tracing::level_filters::LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}
