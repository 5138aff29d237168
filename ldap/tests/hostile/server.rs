//! The door over a directory in memory, on ephemeral ports of the loopback.

use crate::fixture;
use directory::handle::Directory;
use ldap::{Listeners, Metrics, MetricsSnapshot, Settings, TlsSource, serve};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{
    net::{TcpListener, UnixListener},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub struct Server {
    pub ldap: SocketAddr,
    pub ldaps: SocketAddr,
    pub ldapi: PathBuf,
    pub directory: Directory,
    pub tls: TlsSource,
    pub certificate: CertificateDer<'static>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Server {
    pub async fn start(settings: Settings) -> Server {
        Server::over(settings, fixture::directory().await).await
    }

    pub async fn over(settings: Settings, directory: Directory) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let ldapi = folder.path().join("ldapi");
        let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = UnixListener::bind(&ldapi).unwrap();
        let (ldap, ldaps) = (plain.local_addr().unwrap(), tls.local_addr().unwrap());
        let listeners = Listeners { plain: vec![plain], tls: vec![tls], local: vec![local], ..Listeners::default() };
        let (certificate, config) = self_signed();
        let source = TlsSource::new(config);
        let metrics = Arc::new(Metrics::default());
        let shutdown = CancellationToken::new();
        let served = serve(
            settings,
            directory.clone(),
            listeners,
            Some(source.clone()),
            [7; 32],
            Arc::clone(&metrics),
            shutdown.clone(),
        );
        let task = tokio::spawn(served);
        Server { ldap, ldaps, ldapi, directory, tls: source, certificate, metrics, shutdown, task, _folder: folder }
    }

    pub fn metrics(&self) -> MetricsSnapshot {
        self.metrics.snapshot()
    }

    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Ends the server and checks what it leaves.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
        fixture::verify(&self.directory);
    }
}

/// A certificate for `localhost` and the configuration that serves it.
pub fn self_signed() -> (CertificateDer<'static>, Arc<rustls::ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    (certificate, Arc::new(config))
}

/// A client's side of a handshake that trusts exactly this certificate.
pub async fn tls_over<S: crate::client::Stream + 'static>(
    stream: S,
    certificate: &CertificateDer<'static>,
) -> std::io::Result<tokio_rustls::client::TlsStream<S>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect("localhost".try_into().unwrap(), stream).await
}
