//! The pages' settings.

use crate::config::{Config, Problem};
use directory::handle::Directory;
use web::{Settings, Web};

/// The pages over a directory.
///
/// # Errors
/// What cannot be used.
pub fn open(directory: &Directory, config: &Config) -> Result<Web, Problem> {
    let public_url = Some(config.http.public_url.clone()).filter(|url| !url.is_empty());
    let settings = Settings { public_url, ..Settings::new(directory) };
    Web::open(directory.clone(), settings).map_err(Problem::general)
}
