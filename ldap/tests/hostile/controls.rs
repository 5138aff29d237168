//! Controls: unknown, doubled, malformed; pages and their cookies (rows A10, A11).

use crate::{client::*, fixture::*, server::Server};
use ldap::{
    Settings,
    wire::{MessageId, Request, message::Scope},
};

const PAGED: &str = "1.2.840.113556.1.4.319";
const MANAGE_DSA_IT: &str = "2.16.840.1.113730.3.4.2";
const SORT: &str = "1.2.840.113556.1.4.473";

async fn admin(server: &Server) -> Client {
    let mut client = Client::connect(server.ldap).await;
    assert_eq!(client.bind(ADMIN_DN, ADMIN_PASSWORD).await, 0);
    client
}

#[tokio::test]
async fn unknown_controls_matter_only_when_critical() {
    // Goal: critical and unknown (or known for another operation) is 12 and nothing is done, not critical is ignored,
    // malformed is protocolError, and the connection is kept each time; Unbind ignores criticality (row A10).
    let server = Server::start(Settings::default()).await;
    let mut client = admin(&server).await;
    let delete = || Request::Delete(b"uid=ada,ou=people,dc=example,dc=com");
    let cases = [
        (critical("1.2.3.4.5", None), Some(12)),
        (critical(SORT, Some(b"")), Some(12)),
        (critical(PAGED, Some(b"")), Some(12)),
        (critical(MANAGE_DSA_IT, Some(b"x")), Some(2)),
        (optional(MANAGE_DSA_IT, Some(b"x")), Some(2)),
    ];
    for (control, code) in cases {
        let (_, answer) = client.call(delete(), &[control]).await;
        assert_eq!(answer.code, code, "{control:?}");
    }
    let (entries, _) = client.search(ADA_DN, Scope::Base, "(objectClass=*)", &["1.1"]).await;
    assert_eq!(entries.len(), 1, "nothing was deleted");
    for control in [optional("1.2.3.4.5", Some(b"x")), optional(SORT, None), critical(MANAGE_DSA_IT, None)] {
        let (entries, done) = client.search_with(ADA_DN, Scope::Base, "(uid=ada)", &[], &[control]).await;
        assert_eq!((entries.len(), done.code), (1, Some(0)), "{control:?}");
    }
    for value in [&b""[..], &[0x30, 0], &[0x30, 0x03, 0x02, 1, 5], &[0x30, 0x05, 0x02, 1, 0xff, 0x04, 0]] {
        let control = optional(PAGED, Some(value));
        let (_, done) = client.search_with(BASE, Scope::Subtree, "(uid=*)", &[], &[control]).await;
        assert_eq!(done.code, Some(2), "{value:02x?}");
    }
    assert_eq!(client.bind(ADMIN_DN, ADMIN_PASSWORD).await, 0);
    let (_, answer) = client.call(bind(ADMIN_DN.as_bytes(), ADMIN_PASSWORD), &[critical("1.2.3.4.5", None)]).await;
    assert_eq!((answer.operation, answer.code), (1, Some(12)));
    assert_eq!(client.who().await, "", "a bind that is refused ends the login");
    client.ask(Request::Unbind, &[critical("1.2.3.4.5", None)]).await;
    assert_eq!(client.answer().await, None);
    server.stop().await;
}

#[tokio::test]
async fn the_same_control_twice_is_a_protocol_error() {
    // Goal: which of the two would count? (row A11).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    let one = search(
        MessageId::new(1).unwrap(),
        "",
        Scope::Base,
        "(objectClass=*)",
        &[],
        &[optional(MANAGE_DSA_IT, None), optional(MANAGE_DSA_IT, None)],
    );
    client.send(&one).await;
    assert_eq!(client.code().await, 2);
    assert_eq!(client.who().await, "");
    server.stop().await;
}

#[tokio::test]
async fn pages_follow_each_other_and_nothing_else() {
    // Goal: pages of changing size hold every entry once and in order, end with an empty cookie, and the control is
    // answered on every page and only when it was sent (RFC 2696).
    let server = Server::start(Settings::default()).await;
    let mut client = admin(&server).await;
    let (all, done) = client.search(BASE, Scope::Subtree, "(objectClass=*)", &["1.1"]).await;
    assert_eq!((done.code, done.cookie()), (Some(0), None));
    assert!(all.len() > 10);

    let (mut cookie, mut seen) = (Vec::new(), Vec::new());
    for size in (1u32..).map(|n| n % 4 + 1) {
        let value = paged(size, &cookie);
        let control = critical(PAGED, Some(&value));
        let (page, done) = client.search_with(BASE, Scope::Subtree, "(objectClass=*)", &["1.1"], &[control]).await;
        assert_eq!(done.code, Some(0));
        assert!(page.len() <= size as usize);
        seen.extend(page.into_iter().map(|entry| entry.dn));
        cookie = done.cookie().expect("the control is answered");
        if cookie.is_empty() {
            break;
        }
    }
    assert_eq!(seen, all.iter().map(|entry| entry.dn.clone()).collect::<Vec<_>>());

    let exactly = paged(u32::try_from(all.len()).unwrap(), b"");
    let control = critical(PAGED, Some(&exactly));
    let (page, done) = client.search_with(BASE, Scope::Subtree, "(objectClass=*)", &["1.1"], &[control]).await;
    assert_eq!((page.len(), done.cookie()), (all.len(), Some(Vec::new())), "no page follows a full last one");
    server.stop().await;
}

#[tokio::test]
async fn a_cookie_is_worth_nothing_elsewhere() {
    // Goal: a cookie of another connection, login or search, or an altered one, is unwillingToPerform and yields no
    // entry; size 0 gives the search up (row A11).
    let server = Server::start(Settings::default()).await;
    let mut client = admin(&server).await;
    let first = paged(2, b"");
    let page = [critical(PAGED, Some(&first))];
    let (_, done) = client.search_with(BASE, Scope::Subtree, "(uid=*)", &["cn"], &page).await;
    let cookie = done.cookie().unwrap();
    assert!(!cookie.is_empty());

    let value = paged(2, &cookie);
    let next = [critical(PAGED, Some(&value))];
    let others: [(&str, Scope, &str, &[&str]); 4] = [
        ("ou=people,dc=example,dc=com", Scope::Subtree, "(uid=*)", &["cn"]),
        (BASE, Scope::OneLevel, "(uid=*)", &["cn"]),
        (BASE, Scope::Subtree, "(cn=*)", &["cn"]),
        (BASE, Scope::Subtree, "(uid=*)", &["cn", "userPassword"]),
    ];
    for (base, scope, filter, attributes) in others {
        let (entries, done) = client.search_with(base, scope, filter, attributes, &next).await;
        assert_eq!((entries.len(), done.code), (0, Some(53)), "{base} {filter}");
    }
    for place in 0..cookie.len() {
        let mut altered = cookie.clone();
        altered[place] ^= 0x40;
        let value = paged(2, &altered);
        let control = critical(PAGED, Some(&value));
        let (entries, done) = client.search_with(BASE, Scope::Subtree, "(uid=*)", &["cn"], &[control]).await;
        assert_eq!((entries.len(), done.code), (0, Some(53)), "octet {place}");
    }
    let mut stranger = admin(&server).await;
    let (entries, done) = stranger.search_with(BASE, Scope::Subtree, "(uid=*)", &["cn"], &next).await;
    assert_eq!((entries.len(), done.code), (0, Some(53)), "another connection");

    let value = paged(0, &cookie);
    let control = critical(PAGED, Some(&value));
    let (entries, done) = client.search_with(BASE, Scope::Subtree, "(uid=*)", &["cn"], &[control]).await;
    assert_eq!((entries.len(), done.code, done.cookie()), (0, Some(0), Some(Vec::new())));

    assert_eq!(client.bind(ADA_DN, ADA_PASSWORD).await, 0);
    let (entries, done) = client.search_with(BASE, Scope::Subtree, "(uid=*)", &["cn"], &next).await;
    assert_eq!((entries.len(), done.code), (0, Some(53)), "another login on the same connection");
    server.stop().await;
}
