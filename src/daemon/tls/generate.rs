//! The generated certificate: a certificate authority of the installation's own and a leaf for this machine.
//!
//! Owns the directory `DATA/tls`: `ca.pem` (for clients to trust), `ca.key`, `leaf.pem` (the chain), `leaf.key` and
//! `leaf.names`. The leaf is made anew when its names change or its end is near; the authority never is, because clients
//! trust it. Called at the start and whenever the files are looked at; not used when a certificate is configured.

use super::validity;
use crate::config::Problem;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer};
use rcgen::{KeyPair, KeyUsagePurpose};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(86_400);

/// Clients tend to refuse server certificates that are valid for more than 398 days.
const LEAF_LIFE: Duration = Duration::from_secs(397 * 86_400);

/// The leaf is made anew when it ends within this time.
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 86_400);

/// Twenty years: everyone who trusts the authority must be told when it changes.
const AUTHORITY_LIFE: Duration = Duration::from_secs(20 * 365 * 86_400);

/// The files of a generated certificate.
#[derive(Clone, Debug)]
pub struct Generated {
    directory: PathBuf,
    names: Vec<String>,
}

impl Generated {
    /// Those below a data directory, for this machine and these further names.
    pub fn new(data: &Path, further: &[String]) -> Self {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let host = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
        let usable =
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        names.extend(usable.then_some(host));
        names.extend(further.iter().cloned());
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Self { directory: data.join("tls"), names }
    }

    /// The authority's certificate, for clients.
    pub fn authority_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The chain that the server shows.
    pub fn certificate_file(&self) -> PathBuf {
        self.directory.join("leaf.pem")
    }

    /// The server's key.
    pub fn key_file(&self) -> PathBuf {
        self.directory.join("leaf.key")
    }

    /// Makes what is missing, has other names or ends soon. Returns whether anything was made.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn ensure(&self, now: SystemTime) -> Result<bool, Problem> {
        let wanted = format!("{}\n", self.names.join("\n"));
        let current = std::fs::read_to_string(self.directory.join("leaf.names")).unwrap_or_default();
        let end =
            CertificateDer::from_pem_file(self.certificate_file()).ok().and_then(|leaf| validity::not_after(&leaf));
        let lasts = end.is_some_and(|end| end > now + RENEW_BEFORE);
        if current == wanted && lasts && self.key_file().exists() && self.authority_file().exists() {
            return Ok(false);
        }
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .map_err(|error| Problem::general(format!("cannot make {}: {error}", self.directory.display())))?;
        let authority = self.authority(now)?;
        let key = KeyPair::generate().map_err(failed)?;
        let leaf = self.leaf(now)?.signed_by(&key, &authority).map_err(failed)?;
        write(&self.key_file(), key.serialize_pem().as_bytes())?;
        let authority_pem = std::fs::read_to_string(self.authority_file())
            .map_err(|error| Problem::general(format!("cannot read {}: {error}", self.authority_file().display())))?;
        write(&self.certificate_file(), format!("{}{authority_pem}", leaf.pem()).as_bytes())?;
        // Last: were it first, a crash in between would keep a leaf with the old names.
        write(&self.directory.join("leaf.names"), wanted.as_bytes())?;
        Ok(true)
    }

    /// The authority: read, or made.
    fn authority(&self, now: SystemTime) -> Result<Issuer<'static, KeyPair>, Problem> {
        let key_file = self.directory.join("ca.key");
        if key_file.exists() && self.authority_file().exists() {
            let secret = crate::config::secret::read(&key_file, crate::config::secret::Place::File)?;
            let pem = std::str::from_utf8(secret.expose()).map_err(failed)?;
            let key = KeyPair::from_pem(pem).map_err(failed)?;
            // An authority is its key and its name; the rest of the parameters does not enter a leaf.
            return Ok(Issuer::new(authority_params(&key, now), key));
        }
        let key = KeyPair::generate().map_err(failed)?;
        write(&key_file, key.serialize_pem().as_bytes())?;
        let authority = CertifiedIssuer::self_signed(authority_params(&key, now), key).map_err(failed)?;
        write(&self.authority_file(), authority.pem().as_bytes())?;
        let key = KeyPair::from_pem(&authority.key().serialize_pem()).map_err(failed)?;
        Ok(Issuer::new(authority_params(&key, now), key))
    }

    fn leaf(&self, now: SystemTime) -> Result<CertificateParams, Problem> {
        let mut params = CertificateParams::new(self.names.clone()).map_err(|error| {
            Problem::general(format!("cannot make a certificate for {}: {error}", self.names.join(", ")))
        })?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "rollbook");
        params.not_before = (now - DAY).into();
        params.not_after = (now + LEAF_LIFE).into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }
}

fn authority_params(key: &KeyPair, now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    // Two installations' authorities differ in name, so that a client which trusts both can tell them apart; the name
    // follows from the key, so that it can be told again.
    let tag: String = key.public_key_raw().iter().rev().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("rollbook certificate authority {tag}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (now - DAY).into();
    params.not_after = (now + AUTHORITY_LIFE).into();
    params
}

fn failed(error: impl std::fmt::Display) -> Problem {
    Problem::general(format!("cannot make the TLS certificate: {error}"))
}

/// Writes a file for this user alone, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let fresh = path.with_extension("new");
    let written = (|| {
        _ = std::fs::remove_file(&fresh);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    })();
    written.map_err(|error| Problem::general(format!("cannot write {}: {error}", path.display())))
}
