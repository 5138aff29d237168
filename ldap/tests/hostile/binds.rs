//! Logins: refused ones, those that end, those that may do one thing only (rows A14–A19, A23).

use crate::{client::*, fixture::*, server::Server};
use directory::change::Act;
use ldap::{
    Settings,
    wire::{
        Request,
        message::{Bind, Credentials, Scope},
    },
};
use tokio::net::UnixStream;

const POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

fn sasl<'a>(mechanism: &'a [u8], credentials: Option<&'a [u8]>) -> Request<'a> {
    Request::Bind(Bind { version: 3, name: b"", credentials: Credentials::Sasl { mechanism, credentials } })
}

#[tokio::test]
async fn binds_that_prove_nothing_change_nothing_but_the_login() {
    // Goal: each kind of bind that is no login gets its code, the connection stays open and is anonymous, whoever it was
    // before (rows A14, A15, A17, A18, A19, A23).
    let server = Server::start(Settings::default()).await;
    let long = vec![b'x'; 1025];
    let huge = vec![b'x'; 200_000];
    let version = |version| Request::Bind(Bind { version, name: b"", credentials: Credentials::Simple(b"") });
    let admin = ADMIN_DN.as_bytes();
    let cases: Vec<(&str, Request<'_>, u32)> = vec![
        ("A14 version 2", version(2), 2),
        ("A14 version 127", version(127), 2),
        ("A15 name without password", bind(admin, b""), 53),
        ("A15 unknown name without password", bind(b"cn=nobody,dc=example,dc=com", b""), 53),
        ("A17 password without name", bind(b"", b"secret"), 49),
        ("wrong password", bind(admin, b"wrong"), 49),
        ("unknown name", bind(b"uid=nobody,ou=people,dc=example,dc=com", b"secret"), 49),
        ("not a DN", bind(b"admin@example.com", b"secret"), 49),
        ("not even text", bind(b"\xff\xfe", b"secret"), 49),
        ("an entry that is no account", bind(b"ou=people,dc=example,dc=com", b"secret"), 49),
        ("A18 not UTF-8", bind(admin, b"\xe9"), 49),
        ("A18 with NUL", bind(admin, b"only an administrator knows\0"), 49),
        ("A18 one octet too long", bind(admin, &long), 49),
        ("A18 200 kB", bind(admin, &huge), 49),
        ("A23 unknown mechanism", sasl(b"X-NOBODY", Some(b"x")), 7),
        ("A23 PLAIN", sasl(b"PLAIN", Some(b"root\0admin\0x")), 7),
        ("A23 EXTERNAL over TCP", sasl(b"EXTERNAL", None), 7),
        ("no mechanism", sasl(b"", None), 7),
    ];
    let mut client = Client::connect(server.ldap).await;
    for (name, request, code) in cases {
        assert_eq!(client.bind(ADMIN_DN, ADMIN_PASSWORD).await, 0, "before {name}");
        let (_, answer) = client.call(request, &[]).await;
        assert_eq!((answer.operation, answer.code), (1, Some(code)), "{name}");
        assert_eq!(client.who().await, "", "{name}: the login is gone");
        if code == 49 {
            assert_eq!((answer.diagnostic, answer.matched), (Vec::new(), Vec::new()), "{name}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn anonymous_binds_can_be_switched_off() {
    // Goal: 0 or 48 by setting; the root DSE is readable either way, entries are not (row A16).
    for (anonymous_bind, code) in [(true, 0), (false, 48)] {
        let server = Server::start(Settings { anonymous_bind, ..Settings::default() }).await;
        let mut client = Client::connect(server.ldap).await;
        assert_eq!(client.bind("", b"").await, code);
        let (entries, _) = client.search("", Scope::Base, "(objectClass=*)", &["namingContexts"]).await;
        assert_eq!(entries[0].values("namingContexts"), [BASE]);
        let (entries, done) = client.search(BASE, Scope::Subtree, "(objectClass=*)", &[]).await;
        assert_eq!((entries.len(), done.code), (0, Some(32)), "{done:?}");
        server.stop().await;
    }
}

#[tokio::test]
async fn every_state_that_admits_nobody_looks_the_same() {
    // Goal: unknown, wrong, locked, disabled and deleted accounts get the same octets, with the policy control and
    // without, even for the right password (requirement 2.9; rows C1, C5 at this door).
    let server = Server::start(Settings::default()).await;
    let person = |uid: &str| format!("uid={uid},ou=people,{BASE}");
    for (uid, end) in [("locked", Act::Lock), ("disabled", Act::Disable), ("deleted", Act::Delete { months: Some(1) })]
    {
        crate::fixture::person(&server.directory, &person(uid), uid, ADA_PASSWORD).await;
        act(&server.directory, &person(uid), end).await;
    }
    for controls in [vec![], vec![optional(POLICY, None)]] {
        let mut answers = Vec::new();
        for uid in ["nobody", "ada", "locked", "disabled", "deleted"] {
            let password: &[u8] = if uid == "ada" { b"wrong" } else { ADA_PASSWORD };
            let name = person(uid);
            // Each on a connection of its own, so that even the ids are equal.
            let mut client = Client::connect(server.ldap).await;
            let (_, answer) = client.call(bind(name.as_bytes(), password), &controls).await;
            answers.push((uid, answer));
        }
        for (uid, answer) in &answers {
            assert_eq!(answer, &answers[0].1, "{uid}");
            assert_eq!(answer.code, Some(49));
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_policy_control_is_answered_when_it_was_sent() {
    // Goal: the response control comes with a bind that sent the request, and never otherwise
    // (draft-behera-ldap-password-policy-10 §6.2).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    let admin = || bind(ADMIN_DN.as_bytes(), ADMIN_PASSWORD);
    let (_, answer) = client.call(admin(), &[]).await;
    assert_eq!((answer.code, answer.policy()), (Some(0), None));
    let (_, answer) = client.call(admin(), &[optional(POLICY, None)]).await;
    assert_eq!((answer.code, answer.policy()), (Some(0), Some(&[0x30, 0][..])));
    let (_, answer) = client.call(admin(), &[optional(POLICY, Some(b"x"))]).await;
    assert_eq!((answer.code, answer.policy()), (Some(2), None), "a malformed control");
    server.stop().await;
}

#[tokio::test]
async fn a_forced_change_comes_before_everything_else() {
    // Goal: with the control the bind succeeds and says changeAfterReset, nothing but the change of the own password is
    // done, and after it the connection is an ordinary login; without the control it is refused (requirement 2.10).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    assert_eq!(client.bind(NEW_DN, NEW_PASSWORD).await, 49, "without the control");
    let newcomer = || bind(NEW_DN.as_bytes(), NEW_PASSWORD);
    let (_, answer) = client.call(newcomer(), &[optional(POLICY, None)]).await;
    assert_eq!(answer.code, Some(0));
    assert_eq!(answer.policy(), Some(&[0x30, 0x03, 0x81, 0x01, 0x02][..]));

    let (entries, done) = client.search(BASE, Scope::Subtree, "(uid=newcomer)", &[]).await;
    assert_eq!((entries.len(), done.code), (0, Some(50)));
    let (_, done) = client.call(Request::Delete(NEW_DN.as_bytes()), &[optional(POLICY, None)]).await;
    assert_eq!(done.code, Some(50));
    assert_eq!(client.who().await, format!("dn:{NEW_DN}"));
    let other = password_modify(Some(ADA_DN), None, Some(b"a password for somebody else"));
    let (_, done) = client.call(extended(PASSWORD_MODIFY, Some(&other)), &[]).await;
    assert!(matches!(done.code, Some(32 | 50)), "{done:?}");

    let own = password_modify(None, Some(NEW_PASSWORD), Some(b"chosen without any help"));
    let (_, done) = client.call(extended(PASSWORD_MODIFY, Some(&own)), &[]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let (entries, done) = client.search(NEW_DN, Scope::Base, "(objectClass=*)", &["uid"]).await;
    assert_eq!((entries.len(), done.code), (1, Some(0)), "{done:?}");
    assert_eq!(client.bind(NEW_DN, b"chosen without any help").await, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_login_ends_with_its_account() {
    // Goal: disabling ends a standing connection at its next request with a notice; locking does not (requirements 2.4,
    // 2.6; row C8 at this door).
    let server = Server::start(Settings::default()).await;
    let mut ada = Client::connect(server.ldap).await;
    let mut grace = Client::connect(server.ldap).await;
    assert_eq!(ada.bind(ADA_DN, ADA_PASSWORD).await, 0);
    assert_eq!(grace.bind(GRACE_DN, GRACE_PASSWORD).await, 0);
    act(&server.directory, GRACE_DN, Act::Lock).await;
    act(&server.directory, ADA_DN, Act::Disable).await;
    assert_eq!(grace.who().await, format!("dn:{GRACE_DN}"), "a lock stops logins only");
    ada.ask(extended(WHO_AM_I, None), &[]).await;
    assert_eq!(ada.expect_notice().await, 8);
    server.stop().await;
}

#[tokio::test]
async fn a_changed_password_ends_the_other_connections() {
    // Goal: after a change of the own password this connection goes on and the account's other one ends.
    let server = Server::start(Settings::default()).await;
    let mut here = Client::connect(server.ldap).await;
    let mut there = Client::connect(server.ldap).await;
    for client in [&mut here, &mut there] {
        assert_eq!(client.bind(ADA_DN, ADA_PASSWORD).await, 0);
    }
    let value = password_modify(None, Some(ADA_PASSWORD), Some(b"analytical engines are better"));
    let (_, done) = here.call(extended(PASSWORD_MODIFY, Some(&value)), &[]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(here.who().await, format!("dn:{ADA_DN}"));
    there.ask(extended(WHO_AM_I, None), &[]).await;
    assert_eq!(there.expect_notice().await, 8);
    server.stop().await;
}

#[tokio::test]
async fn the_operator_is_known_by_the_kernel() {
    // Goal: EXTERNAL over ldapi makes the server's own user the operator; another identity asked for is refused.
    let server = Server::start(Settings::default()).await;
    let mut client = Client::over(UnixStream::connect(&server.ldapi).await.unwrap());
    assert_eq!(client.who().await, "");
    let (_, answer) = client.call(sasl(b"EXTERNAL", Some(b"dn:cn=admin,dc=example,dc=com")), &[]).await;
    assert_eq!(answer.code, Some(49));
    for credentials in [None, Some(&b""[..])] {
        let (_, answer) = client.call(sasl(b"EXTERNAL", credentials), &[]).await;
        assert_eq!(answer.code, Some(0));
        assert_eq!(client.who().await, "u:operator");
    }
    let (entries, _) = client.search(BASE, Scope::Subtree, "(uid=ada)", &["mail"]).await;
    assert_eq!(entries[0].values("mail"), ["ada@example.com"]);
    let (entries, _) = client.search("", Scope::Base, "(objectClass=*)", &["supportedSASLMechanisms"]).await;
    assert_eq!(entries[0].values("supportedSASLMechanisms"), ["EXTERNAL"]);
    let (_, done) = client.call(extended(START_TLS, None), &[]).await;
    assert_eq!(done.code, Some(1), "a local socket needs no TLS");
    assert_eq!(client.bind(ADA_DN, ADA_PASSWORD).await, 0);
    assert_eq!(client.who().await, format!("dn:{ADA_DN}"));
    server.stop().await;
}
