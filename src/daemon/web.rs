//! The pages' settings, and the themes of a directory.

use crate::config::web::Language as Spoken;
use crate::config::{Config, Problem};
use directory::clock::Span;
use directory::handle::Directory;
use oidc::upstream::flow::ways;
use serde::Deserialize;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use web::{Colour, Language, Settings, Theme, Web};

/// Themes that are read.
const MOST: usize = 1_000;
/// Octets of a logo.
const LARGEST: u64 = 64 * 1024;

/// The pages over a directory.
///
/// # Errors
/// What cannot be used.
pub fn open(directory: &Directory, config: &Config) -> Result<Web, Problem> {
    let own = &config.web;
    let span = |time: Duration| Span::from_secs(u32::try_from(time.as_secs()).unwrap_or(u32::MAX));
    let settings = Settings {
        public_url: Some(config.http.public_url.clone()).filter(|url| !url.is_empty()),
        language: match own.language {
            Spoken::English => Language::English,
            Spoken::German => Language::German,
        },
        session_idle: span(own.session_idle),
        session_life: span(own.session_life),
        themes: own.themes.as_deref().map_or(Ok(Vec::new()), themes)?,
        upstreams: Arc::new({
            let directory = directory.clone();
            move |wish| ways(&directory, wish)
        }),
        ..Settings::new(directory)
    };
    Web::open(directory.clone(), settings).map_err(Problem::general)
}

/// A theme's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    tenant: Option<String>,
    accent: Option<String>,
    logo: Option<String>,
}

fn themes(folder: &Path) -> Result<Vec<Theme>, Problem> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| Problem::general(format!("{}: {why}", path.display()));
    let entries = fs::read_dir(folder).map_err(|error| wrong(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries.take(MOST) {
        let path = entry.map_err(|error| wrong(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| theme(folder, path).map_err(|why| wrong(path, &why))).collect()
}

fn theme(folder: &Path, path: &Path) -> Result<Theme, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file: File = toml::from_str(&text).map_err(|error| error.to_string())?;
    let accent = match file.accent {
        None => None,
        Some(text) => Some(Colour::parse(&text).ok_or(format!("accent = \"{text}\" is no colour such as #0a55a3"))?),
    };
    let logo = file.logo.map(|name| logo(folder, &name)).transpose()?;
    let name = file.name.unwrap_or_else(|| Theme::default().name);
    Ok(Theme { tenant: file.tenant, name, accent, logo })
}

fn logo(folder: &Path, name: &str) -> Result<String, String> {
    if Path::new(name).file_name().is_none_or(|only| only != name) {
        return Err(format!("logo = \"{name}\" is not the name of a file beside it"));
    }
    let path = folder.join(name);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if fs::metadata(&path).map_err(failed)?.len() > LARGEST {
        return Err(format!("{}: more than 64 KiB", path.display()));
    }
    let text = fs::read_to_string(&path).map_err(failed)?;
    if text.contains("<svg") { Ok(text) } else { Err(format!("{}: no SVG document", path.display())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a directory of themes is read; what cannot be used is named by file and why.
    #[test]
    fn a_folder_of_themes() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("acme.toml", "tenant = \"acme\"\nname = \"Acme\"\naccent = \"#b0241c\"\nlogo = \"acme.svg\"\n");
        put("acme.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        put("notes.txt", "no theme");
        let read = themes(folder.path()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].name.as_str(), read[0].accent), ("Acme", Some(Colour(0xb0, 0x24, 0x1c))));
        for (text, part) in [
            ("accent = \"red\"", "no colour"),
            ("logo = \"../acme.svg\"", "beside it"),
            ("logo = \"none.svg\"", "none.svg"),
            ("logo = \"notes.txt\"", "no SVG"),
            ("colour = \"#fff\"", "unknown field"),
        ] {
            put("bad.toml", text);
            let why = themes(folder.path()).unwrap_err().to_string();
            assert!(why.contains("bad.toml") && why.contains(part), "{why}");
        }
    }
}
