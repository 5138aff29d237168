//! The server's side of TLS: one certificate for all doors, exchanged while they run.
//!
//! Owns the crypto provider's installation, the certificate's files and the rustls configuration. The configuration is
//! made once; what changes behind it is the certificate, so running connections, their resumption tickets and the
//! doors' handles stay as they are. A pair of files that does not load, does not belong together or has ended leaves the
//! old one in place. Listeners ask for [`TlsReload::server_config`] once and keep it.

mod generate;
mod validity;

use crate::config::secret::{self, Place};
use crate::config::tls::TlsVersion;
use crate::config::{Config, Origin, Problem};
use crate::daemon::clock::{self, Now};
use arc_swap::ArcSwap;
use generate::Generated;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// A certificate that ends within this time is warned about whenever it is loaded.
const WARN_BEFORE: Duration = Duration::from_secs(14 * 86_400);

/// TLS session ids that are remembered for TLS 1.2 clients without tickets; about 300 bytes each.
const REMEMBERED_SESSIONS: usize = 1_024;

/// Makes aws-lc-rs the crypto provider of the process. Later calls do nothing.
pub fn install_provider() {
    // The error is the provider that is installed already: ours, as no other is compiled in.
    _ = aws_lc_rs::default_provider().install_default();
}

/// Whether the configured certificate loads; a generated one is not looked at, because the daemon makes it.
///
/// # Errors
/// Why it does not load.
pub fn check(config: &Config) -> Result<(), Problem> {
    let files = Files::of(config);
    if files.generated.is_none() {
        files.load()?;
    }
    Ok(())
}

/// The certificate of all doors.
pub struct TlsReload {
    served: Arc<Served>,
    files: Files,
    minimum: TlsVersion,
    tickets: Arc<dyn ProducesTickets>,
    plain: Arc<rustls::ServerConfig>,
    stamps: Mutex<[Stamp; 2]>,
    not_after: AtomicU64,
}

/// What a look at the files found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// Nothing new.
    Unchanged,
    /// New connections get another certificate, which is valid until then.
    Changed {
        /// The end of its validity.
        not_after: SystemTime,
    },
}

impl TlsReload {
    /// Loads the configured certificate, or makes and loads the generated one.
    ///
    /// # Errors
    /// When the files cannot be read or made, the key is open to others, or they do not belong together.
    pub fn open(config: &Config, now: SystemTime) -> Result<Self, Problem> {
        install_provider();
        let files = Files::of(config);
        files.prepare(now)?;
        let stamps = files.stamps();
        let loaded = files.load()?;
        loaded.warn(now);
        let served = Arc::new(Served(ArcSwap::from_pointee(loaded.key)));
        let tickets = aws_lc_rs::Ticketer::new().map_err(|error| Problem::general(format!("TLS tickets: {error}")))?;
        let plain = server_config(&served, &tickets, config.tls.minimum, &[])?;
        Ok(Self {
            served,
            files,
            minimum: config.tls.minimum,
            tickets,
            plain,
            stamps: Mutex::new(stamps),
            not_after: AtomicU64::new(unix(loaded.not_after)),
        })
    }

    /// The configuration for LDAP: no application protocol. It stays the same object over all reloads.
    pub fn server_config(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.plain)
    }

    /// A configuration with application protocols (ALPN, RFC 7301), for HTTP; it follows reloads as well.
    ///
    /// # Errors
    /// When rustls refuses it.
    pub fn server_config_with(&self, protocols: &[&[u8]]) -> Result<Arc<rustls::ServerConfig>, Problem> {
        server_config(&self.served, &self.tickets, self.minimum, protocols)
    }

    /// The file that clients should trust; none when the certificate is configured.
    pub fn authority_file(&self) -> Option<PathBuf> {
        self.files.generated.as_ref().map(Generated::authority_file)
    }

    /// The end of the present certificate's validity, in seconds since 1970; 0 when it could not be read.
    pub fn not_after(&self) -> u64 {
        self.not_after.load(Ordering::Relaxed)
    }

    /// Looks at the files and takes them if they changed. The old certificate stays on any error, which is returned
    /// once for each change.
    ///
    /// # Errors
    /// Why the new files were not taken.
    pub fn reload(&self, now: SystemTime) -> Result<Reload, Problem> {
        self.files.prepare(now)?;
        // Before loading: a change in between is then seen at the next look.
        let stamps = self.files.stamps();
        let mut known = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == stamps {
            return Ok(Reload::Unchanged);
        }
        *known = stamps;
        let loaded = self.files.load()?;
        if loaded.not_after.is_some_and(|end| end <= now) {
            return Err(Problem::general(format!("{} has ended", self.files.certificate.display())));
        }
        loaded.warn(now);
        self.served.0.store(Arc::new(loaded.key));
        self.not_after.store(unix(loaded.not_after), Ordering::Relaxed);
        Ok(Reload::Changed { not_after: loaded.not_after.unwrap_or(UNIX_EPOCH) })
    }

    /// [`TlsReload::reload`] with its result in the log.
    pub fn reload_and_log(&self, now: SystemTime) {
        match self.reload(now) {
            Ok(Reload::Unchanged) => {}
            Ok(Reload::Changed { not_after }) => {
                tracing::info!(file = %self.files.certificate.display(), until = clock::rfc3339(not_after), "new TLS certificate");
            }
            Err(problem) => tracing::error!(%problem, "the new TLS certificate was not taken; the old one stays"),
        }
    }

    /// Looks at the files again and again until stopped.
    pub async fn watch(self: Arc<Self>, interval: Duration, now: Now, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.reload_and_log(now());
        }
    }
}

/// The certificate that is shown to every client, whatever name it asks for.
struct Served(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Served {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Served")
    }
}

fn server_config(
    served: &Arc<Served>,
    tickets: &Arc<dyn ProducesTickets>,
    minimum: TlsVersion,
    protocols: &[&[u8]],
) -> Result<Arc<rustls::ServerConfig>, Problem> {
    let versions: &[&rustls::SupportedProtocolVersion] = match minimum {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .map_err(|error| Problem::general(format!("TLS: {error}")))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(served) as Arc<dyn ResolvesServerCert>);
    config.ticketer = Arc::clone(tickets);
    config.session_storage = rustls::server::ServerSessionMemoryCache::new(REMEMBERED_SESSIONS);
    // One ticket serves the next connection; the usual two are for browsers that open several at once.
    config.send_tls13_tickets = 1;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

/// The files that the certificate comes from.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    key_place: Place,
    generated: Option<Generated>,
}

impl Files {
    fn of(config: &Config) -> Self {
        if let (Some(certificate), Some(key)) = (&config.tls.certificate_file, &config.tls.key_file) {
            let key_place = match config.origin("tls.key_file") {
                Origin::Credential(_) => Place::Credentials,
                _ => Place::File,
            };
            return Self { certificate: certificate.clone(), key: key.clone(), key_place, generated: None };
        }
        let generated = Generated::new(&config.server.data_dir, &config.tls.names);
        Self {
            certificate: generated.certificate_file(),
            key: generated.key_file(),
            key_place: Place::File,
            generated: Some(generated),
        }
    }

    fn prepare(&self, now: SystemTime) -> Result<(), Problem> {
        let Some(generated) = &self.generated else { return Ok(()) };
        if generated.ensure(now)? {
            tracing::info!(trust = %generated.authority_file().display(), "made a TLS certificate");
        }
        Ok(())
    }

    fn stamps(&self) -> [Stamp; 2] {
        [stamp(&self.certificate), stamp(&self.key)]
    }

    fn load(&self) -> Result<Loaded, Problem> {
        let shown = self.certificate.display();
        let wrong = |what: String| Problem::general(format!("{shown}: {what}"));
        let bytes = std::fs::read(&self.certificate)
            .map_err(|error| Problem::general(format!("cannot read {shown}: {error}")))?;
        let chain = CertificateDer::pem_slice_iter(&bytes)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| wrong(format!("not PEM: {error}")))?;
        let Some(leaf) = chain.first() else { return Err(wrong("holds no certificate".to_owned())) };
        let not_after = validity::not_after(leaf);
        let secret = secret::read(&self.key, self.key_place)?;
        // The parser's error is not passed on: it may quote the file.
        let key = PrivateKeyDer::from_pem_slice(secret.expose())
            .map_err(|_| Problem::general(format!("{} holds no private key in PEM", self.key.display())))?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => wrong(format!("does not belong to the key {}", self.key.display())),
            other => wrong(other.to_string()),
        })?;
        Ok(Loaded { key, not_after })
    }
}

struct Loaded {
    key: CertifiedKey,
    not_after: Option<SystemTime>,
}

impl Loaded {
    fn warn(&self, now: SystemTime) {
        if let Some(end) = self.not_after.filter(|end| *end < now + WARN_BEFORE) {
            tracing::warn!(until = clock::rfc3339(end), "the TLS certificate ends soon or has ended");
        }
    }
}

/// What tells a changed file from an unchanged one: time of modification, inode, length.
type Stamp = Option<(SystemTime, u64, u64)>;

fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.ino(), metadata.len()))
}

fn unix(time: Option<SystemTime>) -> u64 {
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
