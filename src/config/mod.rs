//! The configuration: every setting, from defaults, file, environment and flags.
//!
//! Owns the list of sections, the order of the sources, and the rules between settings. Each section states its own
//! settings (`section!`); this file does not name them again. Reads the file and the environment that it is given, and
//! nothing else: no globals. Called once by the command line; the daemon gets the finished [`Config`].

pub mod file;
pub mod http;
pub mod limits;
pub mod listen;
pub mod log;
pub mod network;
pub mod oidc;
pub mod policy;
pub mod problem;
pub mod reference;
pub mod schema;
pub mod scim;
pub mod secret;
pub mod server;
pub mod setting;
mod suggest;
pub mod tls;
pub mod value;
pub mod web;

pub use problem::{Origin, Problem, Problems};

use setting::{Kind, Reader, Section, Setting, VARIABLE_PREFIX};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use value::Value;

/// Where the file is looked for when none is named.
pub const DEFAULT_FILE: &str = "/etc/rollbook/rollbook.toml";

/// All sections, in the order of the manual.
pub const SECTIONS: &[Section] = &[
    server::Server::SECTION,
    listen::Listen::SECTION,
    listen::Ldap::SECTION,
    tls::Tls::SECTION,
    limits::Limits::SECTION,
    http::Http::SECTION,
    oidc::Oidc::SECTION,
    scim::Scim::SECTION,
    web::Web::SECTION,
    policy::Policy::SECTION,
    server::Hashing::SECTION,
    server::Store::SECTION,
    schema::Schema::SECTION,
    log::Log::SECTION,
];

/// Variables with our prefix that are flags of the command line, not settings.
const OTHER_VARIABLES: &[&str] = &["ROLLBOOK_CONFIG", "ROLLBOOK_DATA"];

/// The configuration of a process.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The process.
    pub server: server::Server,
    /// Addresses.
    pub listen: listen::Listen,
    /// LDAP before a login.
    pub ldap: listen::Ldap,
    /// The certificate.
    pub tls: tls::Tls,
    /// Bounds.
    pub limits: limits::Limits,
    /// The HTTP doors.
    pub http: http::Http,
    /// The OpenID provider.
    pub oidc: oidc::Oidc,
    /// The SCIM door.
    pub scim: scim::Scim,
    /// Section `web`.
    pub web: web::Web,
    /// The account policy.
    pub policy: policy::Policy,
    /// Password hashing.
    pub hashing: server::Hashing,
    /// The store.
    pub store: server::Store,
    /// Definitions of the deployment.
    pub schema: schema::Schema,
    /// The log.
    pub log: log::Log,
    /// Each setting's value and where it came from, for `config show` and for messages.
    pub origins: BTreeMap<&'static str, (Value, Origin)>,
    /// What is odd but no reason to refuse.
    pub warnings: Vec<Problem>,
}

/// What a configuration is made from.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file's path and text.
    pub file: Option<(PathBuf, String)>,
    /// The environment; variables without our prefix are ignored.
    pub environment: Vec<(String, String)>,
    /// systemd's `$CREDENTIALS_DIRECTORY`.
    pub credentials: Option<PathBuf>,
    /// Settings from flags: the flag's name, the key, the value as text. The last one wins.
    pub flags: Vec<(&'static str, String, String)>,
}

impl Sources {
    /// The sources of this process: the named file or else the default one if it exists, and the environment.
    ///
    /// # Errors
    /// When a file that should be read cannot be, or may be written by everyone.
    pub fn of_process(file: Option<&Path>, flags: Vec<(&'static str, String, String)>) -> Result<Self, Problem> {
        let file = match file {
            Some(path) => Some((path.to_owned(), read_file(path)?)),
            None => {
                let path = Path::new(DEFAULT_FILE);
                if path.exists() { Some((path.to_owned(), read_file(path)?)) } else { None }
            }
        };
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
            .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
            .collect();
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Ok(Self { file, environment, credentials, flags })
    }
}

fn read_file(path: &Path) -> Result<String, Problem> {
    let failed = |error: std::io::Error| Problem::general(format!("cannot read {}: {error}", path.display()));
    let metadata = std::fs::metadata(path).map_err(failed)?;
    let mode = std::os::unix::fs::MetadataExt::mode(&metadata);
    if mode & 0o002 != 0 {
        let message = format!("{} may be written by everyone (mode {:04o})", path.display(), mode & 0o777);
        return Err(Problem::general(message).with_hint(format!("chmod o-w {}", path.display())));
    }
    std::fs::read_to_string(path).map_err(failed)
}

impl Config {
    /// Reads all sources: flags over environment over file over credentials over defaults.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn load(sources: &Sources) -> Result<Self, Problems> {
        let mut given = Collected::default();
        given.defaults();
        given.credentials(sources);
        given.file(sources);
        given.environment(sources);
        given.flags(sources);
        let Collected { values: origins, mut problems, warnings } = given;
        let values = origins.iter().map(|(key, (value, _))| (*key, value.clone())).collect();
        let reader = Reader::new(&values);
        let config = Self {
            server: server::Server::read(&reader),
            listen: listen::Listen::read(&reader),
            ldap: listen::Ldap::read(&reader),
            tls: tls::Tls::read(&reader),
            limits: limits::Limits::read(&reader),
            http: http::Http::read(&reader),
            oidc: oidc::Oidc::read(&reader),
            scim: scim::Scim::read(&reader),
            web: web::Web::read(&reader),
            policy: policy::Policy::read(&reader),
            hashing: server::Hashing::read(&reader),
            store: server::Store::read(&reader),
            schema: schema::Schema::read(&reader),
            log: log::Log::read(&reader),
            origins,
            warnings,
        };
        problems.extend(reader.finish());
        // Rules between settings would only repeat what is wrong with each.
        if problems.is_empty() {
            problems.extend(config.contradictions());
        }
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    /// Where a setting's value came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// Settings that are each fine but not together.
    fn contradictions(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut contradiction = |key: &str, message: String, hint: &str| {
            problems.push(Problem::at(self.origin(key), message).with_hint(hint));
        };
        if self.server.data_dir.as_os_str().is_empty() {
            contradiction("server.data_dir", "server.data_dir is empty".into(), "name a directory");
        }
        for address in &self.listen.metrics {
            if !address.ip().to_canonical().is_loopback() && !self.listen.metrics_beyond_loopback {
                contradiction(
                    "listen.metrics",
                    format!("listen.metrics = {address} can be reached from other machines, without a login"),
                    "use a loopback address, or set listen.metrics_beyond_loopback = true",
                );
            }
        }
        for address in &self.listen.http {
            if !address.ip().to_canonical().is_loopback() {
                contradiction(
                    "listen.http",
                    format!("listen.http = {address} would carry tokens in clear over a network"),
                    "use a loopback address behind a reverse proxy, or listen.https",
                );
            }
        }
        if let Some(wrong) = http::wrong_public_url(&self.http.public_url) {
            contradiction(
                "http.public_url",
                format!("http.public_url {wrong}"),
                "such as https://directory.example.com",
            );
        }
        match (&self.tls.certificate_file, &self.tls.key_file) {
            (Some(_), None) => contradiction(
                "tls.certificate_file",
                "tls.certificate_file is set but tls.key_file is not".into(),
                "set both, or none for a generated certificate",
            ),
            (None, Some(_)) => contradiction(
                "tls.key_file",
                "tls.key_file is set but tls.certificate_file is not".into(),
                "set both, or none for a generated certificate",
            ),
            _ => {}
        }
        // argon2 (RFC 9106 §3.1) needs eight blocks of 1 KiB for each lane.
        if u64::from(self.hashing.memory_kib) < u64::from(self.hashing.lanes) * 8 {
            contradiction(
                "hashing.memory_kib",
                "hashing.memory_kib is too small for hashing.lanes".into(),
                "8 KiB a lane",
            );
        }
        if self.limits.pdu_authenticated < self.limits.pdu_anonymous {
            contradiction(
                "limits.pdu_authenticated",
                "limits.pdu_authenticated is smaller than limits.pdu_anonymous".into(),
                "a login must not take rights away",
            );
        }
        if let Err(error) = self.policy.rules() {
            let key = settings().map(|setting| setting.key).find(|key| key.strip_prefix("policy.") == Some(error.rule));
            contradiction(key.unwrap_or("policy"), format!("policy.{}", error.rule), error.problem);
        }
        problems
    }
}

/// All settings there are.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

/// Values by key, the latest source on top.
#[derive(Default)]
struct Collected {
    values: BTreeMap<&'static str, (Value, Origin)>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Collected {
    fn defaults(&mut self) {
        for setting in settings() {
            match Value::from_text(setting.kind, setting.default) {
                Ok(value) => _ = self.values.insert(setting.key, (value, Origin::Default)),
                Err(what) => self.problems.push(Problem::defect(format!("the default of {} {what}", setting.key))),
            }
        }
    }

    fn credentials(&mut self, sources: &Sources) {
        let Some(directory) = &sources.credentials else { return };
        for setting in settings().filter(|setting| setting.kind == Kind::SecretFile) {
            let path = directory.join(setting.key);
            if path.is_file() {
                self.values.insert(setting.key, (Value::Path(Some(path.clone())), Origin::Credential(path)));
            }
        }
    }

    fn file(&mut self, sources: &Sources) {
        let Some((path, text)) = &sources.file else { return };
        let (lines, problems) = file::read(path, text);
        self.problems.extend(problems);
        for line in lines {
            match find(&line.key) {
                None => self.problems.push(unknown(line.origin, &line.key)),
                Some(setting) => self.take(setting, line.origin, Value::from_given(setting.kind, &line.given)),
            }
        }
    }

    fn environment(&mut self, sources: &Sources) {
        for (name, text) in &sources.environment {
            if !name.starts_with(VARIABLE_PREFIX) || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            let origin = Origin::Variable(name.clone());
            if let Some(setting) = settings().find(|setting| setting.variable() == *name) {
                self.take(setting, origin, Value::from_text(setting.kind, text));
                continue;
            }
            let known: Vec<String> = settings().map(Setting::variable).collect();
            let warning = Problem::at(origin, "no such setting, ignored");
            self.warnings.push(match suggest::nearest(name, known.iter().map(String::as_str)) {
                Some(near) => warning.with_hint(format!("did you mean {near}?")),
                None => warning,
            });
        }
    }

    fn flags(&mut self, sources: &Sources) {
        for (flag, key, text) in &sources.flags {
            match find(key) {
                None => self.problems.push(unknown(Origin::Flag(flag), key)),
                Some(setting) => self.take(setting, Origin::Flag(flag), Value::from_text(setting.kind, text)),
            }
        }
    }

    fn take(&mut self, setting: &'static Setting, origin: Origin, value: Result<Value, String>) {
        match value {
            Ok(value) => _ = self.values.insert(setting.key, (value, origin)),
            Err(what) => self.problems.push(Problem::at(origin, format!("{} {what}", setting.key))),
        }
    }
}

fn find(key: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.key == key)
}

fn unknown(origin: Origin, key: &str) -> Problem {
    let problem = Problem::at(origin, format!("unknown setting \"{}\"", key.escape_debug()));
    let bare =
        |setting: &'static Setting| setting.key.split_once('.').filter(|(_, name)| *name == key).map(|_| setting.key);
    match suggest::nearest(key, settings().map(|setting| setting.key)).or_else(|| settings().find_map(bare)) {
        Some(near) => problem.with_hint(format!("did you mean \"{near}\"?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests;
