//! The OpenID provider's settings: its issuer, whom it may ask, whom it trusts.

use crate::config::{Config, Problem};
use ::oidc::fetch::{self, Fetcher};
use ::oidc::provider::{Issuer, Provider, Settings};
use ::oidc::upstream::Upstreams;
use ::oidc::upstream::flow::Flow;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use std::sync::Arc;
use web::Web;

/// Where systems keep the certificates that they trust.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The provider over the pages, the way through other providers, and the place of the issuer, which may be known only when
/// the sockets are open.
///
/// # Errors
/// What cannot be used.
pub fn open(web: &Web, config: &Config) -> Result<(Provider, Flow, Issuer), Problem> {
    let issuer = named(config);
    let networks = config.oidc.networks.iter();
    let networks =
        networks.map(|network| fetch::Network { address: network.first(), prefix: network.bits() }).collect();
    let fetcher = Fetcher::new(Arc::new(tls(config)?), networks);
    let flow = Flow::open(web.clone(), issuer.clone(), Upstreams::new(fetcher.clone()));
    tell_trials(web, &issuer);
    let opened = Provider::open(web.clone(), Settings::new(issuer.clone()), fetcher);
    let provider = opened.map_err(|refusal| {
        let why = refusal.detail.unwrap_or(refusal.message);
        Problem::general(format!("the OpenID provider cannot be opened: {why}"))
    })?;
    Ok((provider, flow, issuer))
}

/// The issuer that the settings name: an https address without a path.
fn named(config: &Config) -> Issuer {
    let issuer = Issuer::default();
    let url = &config.http.public_url;
    if url.starts_with("https://") && url.matches('/').count() == 2 {
        issuer.set(url);
    }
    issuer
}

/// Trials of providers come to the issuer's address.
pub fn tell_trials(web: &Web, issuer: &Issuer) {
    if let Some(address) = issuer.get() {
        web.directory().trials().open_at(address);
    }
}

/// The issuer of a server that is asked on the loopback alone: the address itself.
pub fn on_the_loopback(issuer: &Issuer, https: &[String]) {
    let is_local = |url: &&String| url.starts_with("https://127.0.0.1:") || url.starts_with("https://[::1]:");
    if let Some(url) = https.iter().find(is_local) {
        issuer.set(url);
    }
    if issuer.get().is_none() && !https.is_empty() {
        tracing::warn!("the OpenID provider stays closed: http.public_url says no https address of this server");
    }
}

fn tls(config: &Config) -> Result<rustls::ClientConfig, Problem> {
    let own = config.oidc.ca_file.as_str();
    let bundle = if own.is_empty() { BUNDLES.into_iter().find(|path| Path::new(path).exists()) } else { Some(own) };
    let mut roots = rustls::RootCertStore::empty();
    if let Some(bundle) = bundle {
        let unusable = |e: rustls::pki_types::pem::Error| Problem::general(format!("oidc.ca_file: {bundle}: {e}"));
        let certificates = CertificateDer::pem_file_iter(bundle).map_err(unusable)?;
        roots.add_parsable_certificates(certificates.filter_map(Result::ok));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| Problem::general(e.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn of(text: &str) -> Config {
        Config::load(&Sources { file: Some(("c.toml".into(), text.into())), ..Sources::default() }).unwrap()
    }

    /// Goal: the provider's name is an https address or there is none, and without one nothing of it is answered (security
    /// requirement 68; the answers are in oidc's tests, `without_an_issuer_nothing_is_answered`).
    #[test]
    fn there_is_no_provider_without_tls() {
        let local = ["https://127.0.0.1:8443".to_owned(), "https://[::1]:8443".to_owned()];
        let public = ["https://192.0.2.7:8443".to_owned()];
        for (settings, sockets, expected) in [
            ("", &[][..], None),
            ("", &public[..], None),
            ("", &local[..], Some("https://127.0.0.1:8443")),
            ("[http]\npublic_url = \"http://id.example.com\"\n", &public[..], None),
            ("[http]\npublic_url = \"https://id.example.com/below\"\n", &public[..], None),
            ("[http]\npublic_url = \"https://id.example.com\"\n", &local[..], Some("https://id.example.com")),
        ] {
            let issuer = named(&of(settings));
            on_the_loopback(&issuer, sockets);
            assert_eq!(issuer.get(), expected, "{settings} {sockets:?}");
        }
    }
}
