//! A client as the endpoints see it: an application's entry, read once per request.
//!
//! Owns the comparison of redirect URIs, which is exact; the one exception is the port of a loopback address
//! (RFC 8252 §7.3), for applications that open a port of their own.

use crate::jose::Algorithm;
use crate::jose::key::PublicKey;
use directory::application::Application;
use directory::id::EntryId;

/// How a client proves itself at the token endpoint (OpenID Connect Core §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Not at all: a public client, which has PKCE alone.
    None,
    /// The secret in the Authorization header.
    SecretBasic,
    /// The secret in the body.
    SecretPost,
    /// A signed assertion.
    PrivateKeyJwt,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 4] = [Method::SecretBasic, Method::SecretPost, Method::PrivateKeyJwt, Method::None];

    /// The name in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Method::None => "none",
            Method::SecretBasic => "client_secret_basic",
            Method::SecretPost => "client_secret_post",
            Method::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// A grant that a client may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grant {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
}

impl Grant {
    /// All of them.
    pub const ALL: [Grant; 3] = [Grant::AuthorizationCode, Grant::RefreshToken, Grant::ClientCredentials];

    /// The name of the grant.
    pub fn name(self) -> &'static str {
        match self {
            Grant::AuthorizationCode => "authorization_code",
            Grant::RefreshToken => "refresh_token",
            Grant::ClientCredentials => "client_credentials",
        }
    }

    /// The grant of that name.
    pub fn from_name(name: &str) -> Option<Grant> {
        Grant::ALL.into_iter().find(|grant| grant.name() == name)
    }
}

/// What the endpoints know of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identifier.
    pub client_id: String,
    /// Its name, for people.
    pub name: String,
    /// Where it may be returned to.
    pub redirect_uris: Vec<String>,
    /// Where it may be returned to after a sign-out.
    pub post_logout_uris: Vec<String>,
    /// Which grants it may use.
    pub grants: Vec<Grant>,
    /// Which scopes it may ask for.
    pub scopes: Vec<String>,
    /// What its ID tokens are signed with.
    pub algorithm: Algorithm,
    /// What its access tokens are signed with.
    pub access_algorithm: Algorithm,
    /// The level of authentication that it needs.
    pub needs_acr: Option<String>,
    /// It is the organisation's own: people are not asked.
    pub first_party: bool,
}

impl Client {
    /// Whether it may use a grant.
    pub fn may(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether it may be returned to this address.
    pub fn returns_to(&self, address: &str) -> bool {
        self.redirect_uris.iter().any(|registered| matches(registered, address))
    }

    /// Whether it may be returned to this address after a sign-out; exact, without any exception.
    pub fn signs_out_to(&self, address: &str) -> bool {
        self.post_logout_uris.iter().any(|registered| registered == address)
    }
}

/// A client with what only the endpoints of programs need.
#[derive(Debug, Clone)]
pub struct Registered {
    /// What it may do.
    pub client: Client,
    /// Its entry.
    pub entry: EntryId,
    /// How it proves itself.
    pub method: Method,
    /// The keys of its assertions.
    pub jwks: Vec<(Option<String>, PublicKey)>,
    /// Where it is told of a sign-out.
    pub back_channel: Option<String>,
    /// The entry, read.
    pub application: Application,
}

/// Exactly the same text, or the same loopback address with another port.
fn matches(registered: &str, address: &str) -> bool {
    registered == address || loopback(registered).is_some_and(|known| loopback(address) == Some(known))
}

/// An `http` address of this machine by number, without its port: the host and what follows the port. A name
/// (`localhost`) is none: it may lead elsewhere (RFC 8252 §8.3).
fn loopback(address: &str) -> Option<(&str, &str)> {
    let rest = address.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]"].into_iter().find(|host| rest.starts_with(host))?;
    let rest = rest.strip_prefix(host)?;
    let Some(port) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with('/') || rest.starts_with('?')).then_some((host, rest));
    };
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    let (port, rest) = port.split_at_checked(digits)?;
    let is_port = !port.starts_with('0') && port.parse::<u16>().is_ok();
    (is_port && (rest.is_empty() || rest.starts_with('/') || rest.starts_with('?'))).then_some((host, rest))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A client for tests.
    pub(crate) fn sample() -> Client {
        Client {
            client_id: "orders".into(),
            name: "Orders".into(),
            redirect_uris: vec!["https://app.example/cb".into(), "http://127.0.0.1/cb".into()],
            post_logout_uris: vec!["https://app.example/bye".into()],
            grants: Grant::ALL.to_vec(),
            scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
            algorithm: Algorithm::Rs256,
            access_algorithm: Algorithm::Es256,
            needs_acr: None,
            first_party: false,
        }
    }

    /// Goal: hostile row E1 and requirement 46: every address that is nearly the registered one is another address.
    #[test]
    fn redirect_uris_are_exact() {
        let client = sample();
        for good in
            ["https://app.example/cb", "http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"]
        {
            assert!(client.returns_to(good), "{good}");
        }
        let bad = [
            "",
            "https://app.example/cb/",
            "https://app.example/cb?",
            "https://app.example/cb#",
            "https://app.example/cb?x=1",
            "https://app.example/c",
            "https://app.example/cbx",
            "https://app.example/CB",
            "https://APP.example/cb",
            "HTTPS://app.example/cb",
            "http://app.example/cb",
            "https://app.example:443/cb",
            "https://app.example.evil/cb",
            "https://evil.app.example/cb",
            "https://app.example@evil/cb",
            "https://a@b@app.example/cb",
            "https://user@app.example/cb",
            "https://app.example/..;/cb",
            "https://app.example/%2e%2e/cb",
            "https://app.example/x/../cb",
            "https://app.example/cb\\",
            "https://app.example\\@evil/cb",
            "https://app.example/cb\t",
            "https://app.example/cb\n",
            " https://app.example/cb",
            "https://app.example/cb%00",
            "https://\u{430}pp.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "//app.example/cb",
            "/cb",
            "https://app.example/*",
            "http://localhost/cb",
            "http://localhost:80/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:080/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:80a/cb",
            "http://127.0.0.1:80@evil/cb",
            "http://127.0.0.1@evil/cb",
            "http://127.0.0.1.evil/cb",
            "http://127.0.0.1/cb?x",
            "http://127.0.0.1:80/cbx",
            "http://127.1/cb",
            "http://2130706433/cb",
            "http://[::1]/cb",
            "https://127.0.0.1/cb",
        ];
        for address in bad {
            assert!(!client.returns_to(address), "{address}");
        }
        let v6 = Client { redirect_uris: vec!["http://[::1]:7/x?y=1".into()], ..sample() };
        assert!(v6.returns_to("http://[::1]:9/x?y=1") && v6.returns_to("http://[::1]/x?y=1"));
        assert!(!v6.returns_to("http://[::1]:9/x?y=2") && !v6.returns_to("http://[::1]:9/x"));
        assert!(
            sample().signs_out_to("https://app.example/bye") && !sample().signs_out_to("https://app.example/bye?a=1")
        );
    }

    proptest! {
        /// Goal: with no loopback address registered, nothing but the very text is good.
        #[test]
        fn nothing_else_is_good(address in "(https?://)?[a-z0-9.:@/\\[\\]?#%-]{0,40}") {
            let client = Client { redirect_uris: vec!["https://app.example/cb".into()], ..sample() };
            prop_assert_eq!(client.returns_to(&address), address == "https://app.example/cb");
        }
    }
}
