//! `rollbook demo`: a filled directory to point an application at, and the announcement of where it is.
//!
//! Owns the ports, the settings that differ from `serve`, and filling the store from `fixtures/org`; what is announced is
//! [`announcement`]'s.

mod announcement;

use self::announcement::{Announcement, Application, Client, Person, Provisioning};
use super::{Exit, Failure};
use crate::cli::Global;
use crate::config::Problem;
use crate::daemon::{self, House, clock, doors, http, ldap, store, telemetry};
use directory::bootstrap;
use directory::clock::Span;
use directory::error::Refusal;
use directory::handle::Directory;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// Arguments of `demo`. Without `--data` the demo lives in a temporary directory and is gone at its end.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// `ephemeral`, or the first of four ports: LDAP, LDAPS, HTTPS, metrics
    #[arg(long, value_name = "ephemeral|BASE", default_value = "3890")]
    pub ports: Ports,
    /// Announce the addresses and accounts as one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Which ports a demo takes, all on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// What the operating system gives.
    Ephemeral,
    /// This one and the three after it.
    From(u16),
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "ephemeral" => Ok(Self::Ephemeral),
            Ok(base) if (1..=65_532).contains(&base) => Ok(Self::From(base)),
            _ => Err("ports are \"ephemeral\" or a number from 1 to 65532".to_owned()),
        }
    }
}

impl Ports {
    /// The loopback address of a door by its place in the row.
    fn address(self, place: u16) -> String {
        match self {
            Self::Ephemeral => "127.0.0.1:0".to_owned(),
            Self::From(base) => format!("127.0.0.1:{}", base.saturating_add(place)),
        }
    }
}

/// The fixture's base; the demo's first naming context.
const BASE: &str = "dc=example,dc=com";
const CLIENT: &str = "demo";
const REDIRECT_URI: &str = "http://127.0.0.1/callback";
const ADMIN_UID: &str = "admin";
const ORGANISATION: &[u8] = include_bytes!("../../fixtures/org/org.ldif");
const PASSWORDS: &str = "demo-passwords.json";
const SCIM_LABEL: &str = "demo-provisioner";
const SCIM_LIFE: Span = Span::from_days(365);

/// Runs the demo until a signal ends it.
///
/// # Errors
/// When it cannot start.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let (data, _temporary) = match &global.data {
        Some(data) => (data.clone(), None),
        None => {
            let made = temporary()?;
            (made.path().to_owned(), Some(made))
        }
    };
    let config = Arc::new(super::configuration(global, &settings(&data, args.ports))?);
    telemetry::install(&config.log, clock::wall);
    let json = args.json;
    let opened = daemon::run(config, async move |house| {
        let directory = store::open(&house.config, house.processors)?;
        let passwords = fill(&directory, &data).await?;
        let (doors, open, web) = doors::open_on(house, &directory).await?;
        super::say(&announcement(house, &open, &web, passwords).render(json));
        Ok(doors)
    });
    opened.map_err(|problem| Failure::new(Exit::Failed, problem.to_string()))?;
    Ok(Exit::Done)
}

/// The passwords of a demo's two accounts, and the token of its third; kept beside its store, so that a second start
/// announces the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Passwords {
    admin: String,
    service: String,
    /// None until the store is filled.
    #[serde(default)]
    scim: Option<String>,
    /// The same for the client of the OpenID provider.
    #[serde(default)]
    oidc: Option<String>,
}

fn admin_dn() -> String {
    format!("uid={ADMIN_UID},ou=system,{BASE}")
}

fn service_dn() -> String {
    format!("cn=demo-reader,ou=applications,{BASE}")
}

/// Fills a new store with the organisation; a store that holds one already is left as it is.
async fn fill(directory: &Directory, data: &Path) -> Result<Passwords, Problem> {
    let file = data.join(PASSWORDS);
    let unusable = |e: &dyn std::fmt::Display| Problem::general(format!("{}: {e}", file.display()));
    let keep = |passwords: &Passwords| {
        // The umask of the daemon keeps the file from everybody else.
        std::fs::write(&file, serde_json::to_vec(passwords).unwrap_or_default()).map_err(|e| unusable(&e))
    };
    let mut passwords: Passwords = match std::fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text).map_err(|e| unusable(&e))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (admin, service) = (made_password(directory), made_password(directory));
            let made = Passwords { admin, service, scim: None, oidc: None };
            keep(&made)?;
            made
        }
        Err(error) => return Err(unusable(&error)),
    };
    // The reader comes last of the entries: where it is, they are whole; anything less is filled again over what is there.
    if !bootstrap::exists(directory, &service_dn()).map_err(failed)? {
        fill_entries(directory, &passwords).await?;
    }
    if passwords.scim.is_none() {
        let token = bootstrap::scim_token(directory, BASE, SCIM_LABEL, SCIM_LIFE).await.map_err(failed)?;
        passwords.scim = Some(token);
        keep(&passwords)?;
    }
    if passwords.oidc.is_none() {
        let attributes = [
            ("objectClass", "rollbookApplication"),
            ("cn", CLIENT),
            ("displayName", "Demo"),
            ("rollbookClientId", CLIENT),
            ("rollbookRedirectUri", REDIRECT_URI),
            ("rollbookFirstParty", "TRUE"),
            ("rollbookGrantType", "authorization_code"),
            ("rollbookGrantType", "refresh_token"),
            ("rollbookGrantType", "client_credentials"),
            ("rollbookAllowedScope", "openid"),
            ("rollbookAllowedScope", "profile"),
            ("rollbookAllowedScope", "email"),
            ("rollbookAllowedScope", "groups"),
            ("rollbookAllowedScope", "offline_access"),
        ];
        let dn = format!("cn={CLIENT},ou=applications,{BASE}");
        passwords.oidc = Some(bootstrap::application(directory, &dn, &attributes).await.map_err(failed)?);
        keep(&passwords)?;
    }
    Ok(passwords)
}

async fn fill_entries(directory: &Directory, passwords: &Passwords) -> Result<(), Problem> {
    let filling = directory.clone();
    let filled = tokio::task::spawn_blocking(move || {
        if !bootstrap::exists(&filling, BASE).map_err(failed)? {
            bootstrap::begin(&filling, BASE).map_err(failed)?;
        }
        let imported = super::import::built_in(&filling, "fixtures/org/org.ldif", ORGANISATION);
        imported.map_err(|failure| Problem::general(failure.message))?;
        bootstrap::complete(&filling, BASE).map_err(failed)
    });
    filled.await.map_err(|e| Problem::general(e.to_string()))??;
    bootstrap::administrator(directory, &admin_dn(), passwords.admin.as_str().into()).await.map_err(failed)?;
    bootstrap::reader(directory, &service_dn(), passwords.service.as_str().into()).await.map_err(failed)?;
    Ok(())
}

fn failed(refusal: Refusal) -> Problem {
    Problem::general(format!("the demo cannot be filled: {}", refusal.detail.unwrap_or(refusal.message)))
}

/// 20 letters and digits.
fn made_password(directory: &Directory) -> String {
    String::from_utf8_lossy(directory.make_password().expose()).into_owned()
}

fn announcement(house: &House, open: &ldap::Open, web: &http::Open, passwords: Passwords) -> Announcement {
    let ca_file = house.tls.authority_file().map(|f| f.display().to_string()).unwrap_or_default();
    let first = |urls: &[String]| urls.first().cloned().unwrap_or_default();
    let https = web.https.first().cloned();
    let scim = https.as_ref().zip(passwords.scim);
    let oidc = https.as_ref().zip(passwords.oidc).map(|(https, secret)| Client {
        issuer: https.clone(),
        client_id: CLIENT.to_owned(),
        client_secret: secret,
        redirect_uri: REDIRECT_URI.to_owned(),
    });
    Announcement {
        pid: std::process::id(),
        ldap: first(&open.ldap),
        ldaps: first(&open.ldaps),
        ldapi: open.ldapi.clone().unwrap_or_default(),
        scim: scim.map(|(https, token)| Provisioning { base: format!("{https}{}/v2", http::SCIM), token }),
        https,
        oidc,
        base_dn: BASE.to_owned(),
        ca_file,
        admin: Person { dn: admin_dn(), username: ADMIN_UID.to_owned(), password: passwords.admin },
        service: Application { dn: service_dn(), password: passwords.service },
    }
}

/// The demo's place: the user's directory, or a temporary one that goes when this is dropped.
///
/// # Errors
/// When there is no room for a temporary directory.
pub fn temporary() -> Result<tempfile::TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("rollbook-demo-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|error| Problem::general(format!("cannot make a temporary directory: {error}")).into())
}

/// The settings in which a demo differs from `serve`: loopback only, passwords in clear allowed there, and a quiet log.
pub fn settings(data: &Path, ports: Ports) -> Vec<(&'static str, String)> {
    vec![
        ("server.data_dir", data.display().to_string()),
        ("listen.ldap", ports.address(0)),
        ("listen.ldaps", ports.address(1)),
        ("listen.https", ports.address(2)),
        ("listen.metrics", ports.address(3)),
        ("oidc.networks", "127.0.0.0/8,::1/128".to_owned()),
        ("listen.ldapi", data.join("ldapi").display().to_string()),
        ("ldap.require_tls", "false".to_owned()),
        ("log.format", "text".to_owned()),
        ("log.level", "warn".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    /// Goal: ports are read with their bounds, and a demo's settings are good settings.
    #[test]
    fn ports_and_settings() {
        for (text, expected) in [
            ("ephemeral", Some(Ports::Ephemeral)),
            ("3890", Some(Ports::From(3890))),
            ("0", None),
            ("65533", None),
            ("x", None),
        ] {
            assert_eq!(text.parse::<Ports>().ok(), expected, "{text}");
        }
        let own = settings(Path::new("/d"), Ports::From(65_532));
        let flags = own.into_iter().map(|(key, value)| ("demo", key.to_owned(), value)).collect();
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        assert_eq!(config.listen.metrics[0].port(), 65_535);
        assert_eq!(config.listen.ldapi, Some("/d/ldapi".into()));
        assert!(!config.ldap.require_tls);
    }
}
