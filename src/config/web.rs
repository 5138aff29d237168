//! Section `web`: the pages on which people sign in.

use super::setting::{Kind, choice, section};
use std::path::PathBuf;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const MONTH: Duration = Duration::from_secs(86_400 * 30);
const QUARTER: Duration = Duration::from_secs(86_400 * 90);

section! {
    /// The pages on which people sign in, on the HTTPS listeners.
    "web" Web;
    /// The language of visitors whose browser asks for none that the pages speak.
    language: Language, Kind::Choice(Language::WORDS), "en";
    /// A session ends after so long without use. Short enough that a forgotten browser is of little use to who finds it.
    session_idle: Duration, Kind::Span(MINUTE, MONTH), "1h";
    /// A session ends after so long in any case: a working day. NIST SP 800-63B-4 allows 24 hours after two factors.
    session_life: Duration, Kind::Span(MINUTE, QUARTER), "12h";
    /// A directory of themes: each `NAME.toml` has `name`, `accent` (as `#0a55a3`), `logo` (an SVG file beside it) and
    /// `tenant`; the one without a tenant is everybody else's. See the manual's page about signing in.
    themes: Option<PathBuf>, Kind::Path, "";
}

choice! {
    /// A language that the pages speak.
    Language {
        /// English.
        #[default]
        English = "en",
        /// German.
        German = "de",
    }
}
