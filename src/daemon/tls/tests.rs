//! Tests with a real rustls client over loopback: generation, trust, reload, bad reload, resumption, versions.

use super::*;
use crate::config::Sources;
use rustls::pki_types::ServerName;
use std::os::unix::fs::PermissionsExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const NOW: SystemTime = UNIX_EPOCH;

/// 2026: rustls' client checks validity by the wall clock, so the tests that handshake use it as well.
fn now() -> SystemTime {
    clock::wall()
}

fn config(data: &Path, more: &[(&'static str, String)]) -> Config {
    let mut flags = vec![("--data", "server.data_dir".to_owned(), data.display().to_string())];
    flags.extend(more.iter().map(|(key, value)| ("--set", (*key).to_owned(), value.clone())));
    Config::load(&Sources { flags, ..Sources::default() }).unwrap()
}

fn client(authority: &Path) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let mut client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    // A resumed session shows the certificate of its first handshake.
    client.resumption = rustls::client::Resumption::disabled();
    client
}

/// One connection through loopback; the peer's certificate and how the handshake went.
async fn handshake(
    server: Arc<rustls::ServerConfig>,
    client: &Arc<rustls::ClientConfig>,
    name: &str,
) -> Result<(Vec<u8>, rustls::HandshakeKind), std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(mut tls) = tokio_rustls::TlsAcceptor::from(server).accept(stream).await {
            _ = tls.write_all(b"hello").await;
            _ = tls.shutdown().await;
        }
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut tls = tokio_rustls::TlsConnector::from(Arc::clone(client)).connect(name, stream).await?;
    let mut text = Vec::new();
    tls.read_to_end(&mut text).await?;
    assert_eq!(text, b"hello");
    serving.await.unwrap();
    let (_, connection) = tls.get_ref();
    Ok((connection.peer_certificates().unwrap()[0].to_vec(), connection.handshake_kind().unwrap()))
}

/// Goal: the first start makes an authority and a leaf that a client which trusts `ca.pem` accepts, under every name;
/// keys are closed; a second start keeps them.
#[tokio::test]
async fn a_generated_certificate_is_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &[("tls.names", "directory.example.com".into())]);
    let tls = TlsReload::open(&config, now()).unwrap();
    let trust = tls.authority_file().unwrap();
    let client = Arc::new(client(&trust));
    let mut seen = Vec::new();
    for name in ["localhost", "127.0.0.1", "::1", "directory.example.com"] {
        seen.push(handshake(tls.server_config(), &client, name).await.unwrap().0);
    }
    assert!(handshake(tls.server_config(), &client, "elsewhere.example.com").await.is_err());
    for file in ["ca.key", "leaf.key"] {
        let mode = std::fs::metadata(dir.path().join("tls").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(std::fs::metadata(dir.path().join("tls")).unwrap().permissions().mode() & 0o777, 0o700);
    let again = TlsReload::open(&config, now()).unwrap();
    seen.push(handshake(again.server_config(), &client, "localhost").await.unwrap().0);
    seen.dedup();
    assert_eq!(seen.len(), 1, "one certificate throughout");
}

/// Goal: the leaf is renewed near its end and when its names change, under the authority that clients already trust.
#[tokio::test]
async fn a_generated_leaf_is_renewed() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsReload::open(&config(dir.path(), &[]), now() - Duration::from_secs(380 * 86_400)).unwrap();
    let trusting = Arc::new(client(&tls.authority_file().unwrap()));
    let old = handshake(tls.server_config(), &trusting, "localhost").await.unwrap().0;
    let end = tls.not_after();
    assert!(matches!(tls.reload(now()), Ok(Reload::Changed { .. })));
    let renewed = handshake(tls.server_config(), &trusting, "localhost").await.unwrap();
    assert_ne!(renewed.0, old);
    assert!(tls.not_after() > end);
    assert_eq!(tls.reload(now()), Ok(Reload::Unchanged));
    let renamed = TlsReload::open(&config(dir.path(), &[("tls.names", "other.example.com".into())]), now()).unwrap();
    assert!(handshake(renamed.server_config(), &trusting, "other.example.com").await.is_ok());
}

/// A certificate of its own authority in `DIR/c.pem` and `DIR/k.pem`; the authority in `DIR/ca.pem`.
fn place_pair(dir: &Path, from: &tempfile::TempDir) {
    for (source, target) in [("leaf.pem", "c.pem"), ("leaf.key", "k.pem"), ("ca.pem", "ca.pem")] {
        let fresh = dir.join(format!("{target}.new"));
        std::fs::copy(from.path().join("tls").join(source), &fresh).unwrap();
        std::fs::rename(fresh, dir.join(target)).unwrap();
    }
}

fn made(at: SystemTime) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    Generated::new(dir.path(), &[]).ensure(at).unwrap();
    dir
}

fn configured(dir: &Path) -> Config {
    let shown = |file: &str| dir.join(file).display().to_string();
    config(dir, &[("tls.certificate_file", shown("c.pem")), ("tls.key_file", shown("k.pem"))])
}

type Spoil<'a> = Box<dyn Fn() + 'a>;

/// Goal (hostile row G9): each kind of bad new pair leaves the old certificate serving, says why once, and a good pair
/// is taken after it, by the same configuration object.
#[tokio::test]
async fn a_bad_reload_keeps_the_old_certificate() {
    install_provider();
    let (first, second, ended) = (made(now()), made(now()), made(now() - Duration::from_secs(500 * 86_400)));
    let dir = tempfile::tempdir().unwrap();
    place_pair(dir.path(), &first);
    let tls = TlsReload::open(&configured(dir.path()), now()).unwrap();
    let server = tls.server_config();
    let trusting = Arc::new(client(&first.path().join("tls/ca.pem")));
    let old = handshake(Arc::clone(&server), &trusting, "localhost").await.unwrap().0;

    let (certificate, key) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
    let spoil: [(&str, Spoil<'_>); 7] = [
        ("not PEM", Box::new(|| std::fs::write(&certificate, "-----BEGIN CERTIFICATE-----\n*\n").unwrap())),
        ("holds no certificate", Box::new(|| std::fs::write(&certificate, "").unwrap())),
        ("cannot read", Box::new(|| std::fs::remove_file(&certificate).unwrap())),
        (
            "does not belong to the key",
            Box::new(|| _ = std::fs::copy(second.path().join("tls/leaf.pem"), &certificate).unwrap()),
        ),
        ("holds no private key", Box::new(|| std::fs::write(&key, "canary").unwrap())),
        (
            "open to others",
            Box::new(|| {
                place_pair(dir.path(), &second);
                std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
            }),
        ),
        ("has ended", Box::new(|| place_pair(dir.path(), &ended))),
    ];
    for (part, spoil) in spoil {
        spoil();
        let problem = tls.reload(now()).expect_err(part).to_string();
        assert!(problem.contains(part) && !problem.contains("canary"), "{part}: {problem}");
        assert_eq!(tls.reload(now()), Ok(Reload::Unchanged), "{part}: said once");
        assert_eq!(handshake(Arc::clone(&server), &trusting, "localhost").await.unwrap().0, old, "{part}");
    }
    place_pair(dir.path(), &second);
    assert!(matches!(tls.reload(now()), Ok(Reload::Changed { .. })));
    let fresh = Arc::new(client(&second.path().join("tls/ca.pem")));
    assert_ne!(handshake(Arc::clone(&server), &fresh, "localhost").await.unwrap().0, old);
    assert!(handshake(server, &Arc::new(client(&first.path().join("tls/ca.pem"))), "localhost").await.is_err());
}

/// Goal: a second connection of the same client resumes its session, over both versions and over a reload.
#[tokio::test]
async fn sessions_resume() {
    install_provider();
    let dir = tempfile::tempdir().unwrap();
    place_pair(dir.path(), &made(now()));
    let tls = TlsReload::open(&configured(dir.path()), now()).unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(dir.path().join("ca.pem")).unwrap()).unwrap();
        let client = rustls::ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots);
        let client = Arc::new(client.with_no_client_auth());
        let kind = handshake(tls.server_config(), &client, "localhost").await.unwrap().1;
        assert_ne!(kind, rustls::HandshakeKind::Resumed);
        place_pair(dir.path(), &made(now()));
        assert!(matches!(tls.reload(now()), Ok(Reload::Changed { .. })));
        let kind = handshake(tls.server_config(), &client, "localhost").await.unwrap().1;
        assert_eq!(kind, rustls::HandshakeKind::Resumed, "{version:?}");
        // The next version's client trusts what is on disk then.
    }
}

/// Goal: with `tls.minimum = 1.3` a client of TLS 1.2 is refused, and application protocols are agreed when asked for.
#[tokio::test]
async fn versions_and_protocols() {
    let dir = tempfile::tempdir().unwrap();
    let tls = TlsReload::open(&config(dir.path(), &[("tls.minimum", "1.3".into())]), now()).unwrap();
    let mut old = client(&tls.authority_file().unwrap());
    assert!(handshake(tls.server_config(), &Arc::new(old.clone()), "localhost").await.is_ok());
    old = {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(tls.authority_file().unwrap()).unwrap()).unwrap();
        rustls::ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS12])
            .with_root_certificates(roots)
            .with_no_client_auth()
    };
    assert!(handshake(tls.server_config(), &Arc::new(old), "localhost").await.is_err());
    assert_eq!(tls.server_config_with(&[b"http/1.1"]).unwrap().alpn_protocols, [b"http/1.1".to_vec()]);
    assert!(tls.server_config().alpn_protocols.is_empty());
}

/// Goal: a certificate that cannot be loaded at the start stops it, with the reason.
#[test]
fn the_start_needs_a_good_pair() {
    let dir = tempfile::tempdir().unwrap();
    let problem = TlsReload::open(&configured(dir.path()), NOW).err().unwrap().to_string();
    assert!(problem.contains("c.pem: No such file"), "{problem}");
    assert_eq!(check(&configured(dir.path())).unwrap_err().to_string(), problem);
    place_pair(dir.path(), &made(now()));
    assert_eq!(check(&configured(dir.path())), Ok(()));
}
