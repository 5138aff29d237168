//! Names and patterns that cost, hide or collide (rows B4, B6–B8).

use crate::{client::*, fixture::*, server::Server};
use ldap::{
    Settings,
    wire::{Request, message::Compare, message::Scope},
};
use std::time::{Duration, Instant};

async fn admin(server: &Server) -> Client {
    let mut client = Client::connect(server.ldap).await;
    assert_eq!(client.bind(ADMIN_DN, ADMIN_PASSWORD).await, 0);
    client
}

#[tokio::test]
async fn every_spelling_of_a_name_is_the_same_entry() {
    // Goal: case, spaces, escapes, OIDs and hex strings name the same entry to a read and to a bind; what is no DN is
    // invalidDNSyntax (row B6).
    let server = Server::start(Settings::default()).await;
    let mut client = admin(&server).await;
    let spellings = [
        "UID=Ada,OU=People,DC=Example,DC=COM",
        "uid = ada , ou=people, dc=example, dc=com",
        "uid=\\61da,ou=people,dc=example,dc=com",
        "uid=#0403616461,ou=people,dc=example,dc=com",
        "0.9.2342.19200300.100.1.1=ada,ou=people,dc=example,dc=com",
    ];
    for dn in spellings {
        let (entries, done) = client.search(dn, Scope::Base, "(objectClass=*)", &["uid"]).await;
        assert_eq!((entries.len(), done.code), (1, Some(0)), "{dn}");
        assert_eq!(entries[0].dn, ADA_DN.as_bytes(), "{dn}: the DN as stored");
        let mut ada = Client::connect(server.ldap).await;
        assert_eq!(ada.bind(dn, ADA_PASSWORD).await, 0, "{dn}");
    }
    for dn in ["uid=ada,ou=people,dc=example,dc=com,", "uid=ada,,dc=com", "=ada", "uid", "uid=#04036164", "uid=a\\zz"] {
        let (_, done) = client.search(dn, Scope::Base, "(objectClass=*)", &[]).await;
        assert_eq!(done.code, Some(34), "{dn}");
    }
    server.stop().await;
}

#[tokio::test]
async fn long_names_and_patterns_are_refused_or_quick() {
    // Goal: 64 KiB of DN, 10 000 RDNs and 9 000 asterisks cost no noticeable time (rows B4, B7).
    let server = Server::start(Settings::default()).await;
    let mut client = admin(&server).await;
    let long = format!("cn={},dc=example,dc=com", "a".repeat(64 * 1024));
    let deep = vec!["cn=a"; 10_000].join(",");
    let escapes = format!("cn={},dc=example,dc=com", "\\41".repeat(20_000));
    let begun = Instant::now();
    for dn in [&long, &deep, &escapes] {
        let (_, done) = client.search(dn, Scope::Base, "(objectClass=*)", &[]).await;
        assert!(matches!(done.code, Some(32 | 34)), "{:?}", done.code);
        let compare = Compare { dn: dn.as_bytes(), attribute: b"cn", value: b"a" };
        let (_, answer) = client.call(Request::Compare(compare), &[]).await;
        assert!(matches!(answer.code, Some(32 | 34)), "{:?}", answer.code);
    }
    let octets = modify(client.next_id(), ADA_DN, &[(2, "description", &[&[b'a'; 100_000]])], &[]);
    client.send(&octets).await;
    assert!(matches!(client.code().await, 0 | 19 | 21));
    let stars = format!("(description=*{}b)", "a*".repeat(9_000));
    let (entries, done) = client.search(BASE, Scope::Subtree, &stars, &["1.1"]).await;
    assert!(entries.is_empty());
    assert!(matches!(done.code, Some(0 | 11)), "{done:?}");
    // Generous: this is an unoptimised build on a machine that does other work. Quadratic would be minutes.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    server.stop().await;
}

#[tokio::test]
async fn a_rename_leads_nowhere_it_must_not() {
    // Goal: below itself, below its own child, onto another entry, below nothing: refused, and everything stands where
    // it stood; to another case of the own name: done (row B8).
    let server = Server::start(Settings::default()).await;
    let mut client = admin(&server).await;
    let cases: [(&str, &str, Option<&str>, &[u32]); 5] = [
        ("ou=people,dc=example,dc=com", "ou=people", Some("ou=people,dc=example,dc=com"), &[53, 71, 64]),
        ("ou=people,dc=example,dc=com", "ou=x", Some("uid=ada,ou=people,dc=example,dc=com"), &[53, 71, 64]),
        (ADA_DN, "uid=grace", None, &[68, 19, 53]),
        (ADA_DN, "uid=ada", Some("ou=nowhere,dc=example,dc=com"), &[32]),
        (ADA_DN, "noSuchType=ada", None, &[17, 34, 64]),
    ];
    for (dn, rdn, superior, codes) in cases {
        let octets = modify_dn(client.next_id(), dn, rdn, true, superior);
        client.send(&octets).await;
        let code = client.code().await;
        assert!(codes.contains(&code), "{dn} to {rdn} below {superior:?}: {code}");
    }
    let (entries, _) = client.search("ou=people,dc=example,dc=com", Scope::OneLevel, "(uid=*)", &["1.1"]).await;
    assert_eq!(entries.len(), 3);
    let octets = modify_dn(client.next_id(), "ou=people,dc=example,dc=com", "ou=People", true, None);
    client.send(&octets).await;
    assert_eq!(client.code().await, 0);
    let (entries, _) = client.search(ADA_DN, Scope::Base, "(objectClass=*)", &["1.1"]).await;
    assert_eq!(entries[0].dn, b"uid=ada,ou=People,dc=example,dc=com");
    server.stop().await;
}
