//! Section `tls`: the server's certificate.

use super::setting::{Kind, choice, section};
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// The certificate of the TLS doors.
    "tls" Tls;
    /// The certificate chain in PEM, the server's own certificate first. Without it (and the key) a certificate
    /// authority and a certificate are made in `DATA/tls` at the first start; clients then trust `DATA/tls/ca.pem`.
    certificate_file: Option<PathBuf>, Kind::Path, "";
    /// Its private key in PEM (PKCS#8, SEC1 or PKCS#1), without a passphrase.
    key_file: Option<PathBuf>, Kind::SecretFile, "";
    /// Further names and addresses for the generated certificate, beside `localhost`, `127.0.0.1`, `::1` and the
    /// machine's name. The certificate is made anew when the list changes.
    names: Vec<String>, Kind::Names, "";
    /// The oldest version that is spoken. 1.2 for the many LDAP clients that know nothing newer; older ones are broken.
    minimum: TlsVersion, Kind::Choice(TlsVersion::WORDS), "1.2";
    /// How often the two files are looked at. A changed pair is taken for new connections, without disturbing the
    /// others; a pair that does not load is reported, and the old one stays. `SIGHUP` looks at once.
    reload_interval: Duration, Kind::Span(Duration::from_secs(1), Duration::from_secs(86_400)), "30s";
}

choice! {
    /// A version of TLS.
    TlsVersion {
        /// TLS 1.2 (RFC 5246) and 1.3.
        #[default]
        Tls12 = "1.2",
        /// TLS 1.3 (RFC 8446) only.
        Tls13 = "1.3",
    }
}
