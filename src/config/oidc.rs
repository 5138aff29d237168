//! Section `oidc`: the OpenID provider.

use super::network::Network;
use super::setting::{Kind, section};

section! {
    /// The OpenID provider, at `/oauth2` and `/.well-known` of the HTTPS listeners. Its issuer is `http.public_url`; without
    /// one it is the address of an HTTPS listener on the loopback, and where there is none the provider stays closed.
    "oidc" Oidc;
    /// Own networks in which applications may be told of a sign-out and providers may be asked, besides public addresses.
    /// Everything else that is not public is refused whatever its name (`10.1.0.0/16, fd00:1::/32`).
    networks: Vec<Network>, Kind::Networks, "";
    /// A file of certificates (PEM) that those servers are trusted by. Empty: the system's.
    ca_file: String, Kind::Text, "";
}
