//! Operations that ask for what they may not have (rows A24, A25, A27–A30, B1, B5).

use crate::{client::*, fixture::*, server::Server};
use ldap::{
    Settings,
    token_request::{self, Create, TokenRequest, TokenResponse},
    wire::{
        MessageId, Request,
        ber::Writer,
        message::{Compare, Scope},
    },
};

async fn login(server: &Server, dn: &str, password: &[u8]) -> Client {
    let mut client = Client::connect(server.ldap).await;
    assert_eq!(client.bind(dn, password).await, 0);
    client
}

#[tokio::test]
async fn abandon_has_no_answer_and_ends_only_a_running_search() {
    // Goal: abandoning nothing, oneself, or a bind is ignored without an answer; a large search that is abandoned stops,
    // and the connection goes on (row A24).
    let settings = Settings { search_stride: 1, ..Settings::default() };
    let server = Server::start(settings).await;
    let mut client = login(&server, ADMIN_DN, ADMIN_PASSWORD).await;
    for id in [99, 2, 3, i32::MAX] {
        client.ask(Request::Abandon(MessageId::new(id).unwrap()), &[]).await;
        assert_eq!(client.who().await, format!("dn:{ADMIN_DN}"), "abandon of {id}");
    }
    let id = client.next_id();
    let mut octets = search(id, BASE, Scope::Subtree, "(objectClass=*)", &[], &[]);
    let after = client.next_id();
    octets.extend_from_slice(&encode(after, Request::Abandon(id), &[]));
    let last = client.next_id();
    octets.extend_from_slice(&encode(last, extended(WHO_AM_I, None), &[]));
    client.send(&octets).await;
    let mut entries = 0;
    let end = loop {
        let answer = client.answer().await.expect("an answer");
        if !answer.is_entry() {
            break answer;
        }
        entries += 1;
    };
    assert_eq!(end.id, i64::from(last.value()), "no end of the search, then who am I: {end:?}");
    assert!(entries < 10, "{entries} entries before the abandon was seen");
    server.stop().await;
}

#[tokio::test]
async fn extended_operations_know_their_limits() {
    // Goal: an unknown OID is protocolError (RFC 4511 §4.12), as are values that do not belong; nobody changes a
    // stranger's password, and an empty or missing own one is not accepted (row A25).
    let server = Server::start(Settings::default()).await;
    let mut ada = login(&server, ADA_DN, ADA_PASSWORD).await;
    let foreign = password_modify(Some(GRACE_DN), None, Some(b"taken over by ada herself"));
    let foreign_by_guess = password_modify(Some(GRACE_DN), Some(b"guess"), Some(b"taken over by ada herself"));
    let no_old = password_modify(None, None, Some(b"without showing the old one"));
    let wrong_old = password_modify(None, Some(b"wrong"), Some(b"with a wrong old one given"));
    let empty_new = password_modify(None, Some(ADA_PASSWORD), Some(b""));
    /// What it is, OID, value, codes that are right.
    type Case<'a> = (&'a str, &'a str, Option<&'a [u8]>, &'a [u32]);
    let cases: Vec<Case<'_>> = vec![
        ("unknown OID", "1.2.3.4", None, &[2]),
        ("Cancel is not offered", "1.3.6.1.1.8", Some(&[0x30, 0x03, 0x02, 0x01, 0x01]), &[2]),
        ("who am I with a value", WHO_AM_I, Some(b"x"), &[2]),
        ("StartTLS with a value", START_TLS, Some(b"x"), &[2]),
        ("malformed", PASSWORD_MODIFY, Some(b"\x30\x05"), &[2]),
        ("a stranger's", PASSWORD_MODIFY, Some(&foreign), &[50, 32]),
        ("a stranger's, by guessing", PASSWORD_MODIFY, Some(&foreign_by_guess), &[50, 32]),
        ("without the old one", PASSWORD_MODIFY, Some(&no_old), &[50]),
        ("with a wrong old one", PASSWORD_MODIFY, Some(&wrong_old), &[49]),
        ("empty", PASSWORD_MODIFY, Some(&empty_new), &[19, 53]),
    ];
    for (name, oid, value, codes) in cases {
        let (_, answer) = ada.call(extended(oid, value), &[]).await;
        assert!(answer.code.is_some_and(|code| codes.contains(&code)), "{name}: {answer:?}");
    }
    let mut anonymous = Client::connect(server.ldap).await;
    let (_, answer) = anonymous.call(extended(PASSWORD_MODIFY, None), &[]).await;
    assert_eq!(answer.code, Some(53));
    let _ = login(&server, ADA_DN, ADA_PASSWORD).await;
    let _ = login(&server, GRACE_DN, GRACE_PASSWORD).await;
    server.stop().await;
}

#[tokio::test]
async fn a_generated_password_is_returned_once_and_works() {
    // Goal: without a new password the server makes one and says it in the response (RFC 3062 §2).
    let server = Server::start(Settings::default()).await;
    let mut admin = login(&server, ADMIN_DN, ADMIN_PASSWORD).await;
    let value = password_modify(Some(ADA_DN), None, None);
    let (_, answer) = admin.call(extended(PASSWORD_MODIFY, Some(&value)), &[]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    // SEQUENCE { [0] password }
    let generated = answer.rest.get(4..).expect("a value").to_vec();
    assert!(generated.len() >= 12, "{} octets", generated.len());
    let mut ada = Client::connect(server.ldap).await;
    assert_eq!(ada.bind(ADA_DN, ADA_PASSWORD).await, 49);
    let (_, answer) =
        ada.call(bind(ADA_DN.as_bytes(), &generated), &[optional("1.3.6.1.4.1.42.2.27.8.5.1", None)]).await;
    assert_eq!(answer.code, Some(0));
    server.stop().await;
}

#[tokio::test]
async fn passwords_leave_by_no_door_and_answer_no_question() {
    // Goal: userPassword is in no answer under any spelling, no filter over it finds anything, no compare says anything,
    // not even to an administrator (rows A28, B5).
    let server = Server::start(Settings::default()).await;
    let mut admin = login(&server, ADMIN_DN, ADMIN_PASSWORD).await;
    let spellings = ["userPassword", "USERPASSWORD", "2.5.4.35", "userPassword;x-opt", "userPassword;binary"];
    for spelling in spellings {
        let (entries, done) = admin.search(ADA_DN, Scope::Base, "(objectClass=*)", &[spelling, "*", "+"]).await;
        assert_eq!((entries.len(), done.code), (1, Some(0)));
        let text = format!("{entries:?}").to_ascii_lowercase();
        assert!(!text.contains("userpassword") && !text.contains("argon2"), "{spelling}: {text}");
        for filter in ["=*", ">=a", "<=z", "=*argon*", "={ARGON2}*", "~=x"] {
            let filter = format!("({spelling}{filter})");
            let (entries, _) = admin.search(BASE, Scope::Subtree, &filter, &["1.1"]).await;
            assert_eq!(entries.len(), 0, "{filter}");
            let (entries, _) = admin.search(ADA_DN, Scope::Base, &format!("(!{filter})"), &["1.1"]).await;
            assert_eq!(entries.len(), 0, "(!{filter}) is undefined, too");
        }
        for value in [ADA_PASSWORD, b"wrong"] {
            let compare = Compare { dn: ADA_DN.as_bytes(), attribute: spelling.as_bytes(), value };
            let (_, answer) = admin.call(Request::Compare(compare), &[]).await;
            assert!(matches!(answer.code, Some(16 | 17 | 50 | 53)), "{spelling}: {answer:?}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn who_may_not_read_may_not_guess() {
    // Goal: an ordinary account sees its own entry and nothing of others: no entry, no count, no matchedDN, no compare;
    // guessing at a value of an entry that it cannot see changes nothing in the answer (rows A29, A30).
    let server = Server::start(Settings::default()).await;
    let mut ada = login(&server, ADA_DN, ADA_PASSWORD).await;
    let (entries, _) = ada.search(BASE, Scope::Subtree, "(objectClass=*)", &["*", "+"]).await;
    assert!(entries.iter().all(|entry| entry.dn == ADA_DN.as_bytes()), "{entries:?}");
    let mut answers = Vec::new();
    for filter in ["(mail=grace@example.com)", "(mail=nobody@example.com)", "(mail=grace*)", "(mail=zzz*)"] {
        let (entries, mut done) = ada.search(BASE, Scope::Subtree, filter, &["1.1"]).await;
        assert!(entries.is_empty(), "{filter}");
        done.id = 0;
        answers.push(done);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    let compare = |dn| Request::Compare(Compare { dn, attribute: b"mail", value: b"grace@example.com" });
    let (_, known) = ada.call(compare(GRACE_DN.as_bytes()), &[]).await;
    let (_, unknown) = ada.call(compare(b"uid=nobody,ou=people,dc=example,dc=com"), &[]).await;
    assert_eq!((known.code, &known.matched), (unknown.code, &unknown.matched));
    server.stop().await;
}

#[tokio::test]
async fn nobody_points_the_server_elsewhere() {
    // Goal: a user cannot store a referral, with ManageDsaIT or without, and no answer holds one (row A27).
    let server = Server::start(Settings::default()).await;
    let mut ada = login(&server, ADA_DN, ADA_PASSWORD).await;
    let value = b"ldap://attacker.example/";
    for control in [vec![], vec![critical("2.16.840.1.113730.3.4.2", None)]] {
        let octets =
            modify(ada.next_id(), ADA_DN, &[(0, "ref", &[value]), (0, "objectClass", &[b"referral"])], &control);
        ada.send(&octets).await;
        let code = ada.code().await;
        assert!(matches!(code, 17 | 50 | 65 | 69), "{code}");
    }
    let (entries, done) = ada.search(ADA_DN, Scope::Base, "(objectClass=*)", &["ref"]).await;
    assert_eq!((entries.len(), done.code), (1, Some(0)));
    assert!(entries[0].attributes.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn writing_needs_the_right_to_write() {
    // Goal: anonymous, own and reading logins cannot add, rename, delete or change what is not theirs, and what they
    // asked for is not half done; the administrator can do all of it.
    let server = Server::start(Settings::default()).await;
    let mut clients = [
        Client::connect(server.ldap).await,
        login(&server, ADA_DN, ADA_PASSWORD).await,
        login(&server, READER_DN, READER_PASSWORD).await,
    ];
    for client in &mut clients {
        let octets = add(
            client.next_id(),
            "ou=new,dc=example,dc=com",
            &[("objectClass", b"organizationalUnit"), ("ou", b"new")],
        );
        client.send(&octets).await;
        assert!(matches!(client.code().await, 32 | 50));
        let octets = modify(client.next_id(), GRACE_DN, &[(2, "description", &[b"x"]), (2, "sn", &[b"y"])], &[]);
        client.send(&octets).await;
        assert!(matches!(client.code().await, 32 | 50));
        let (_, answer) = client.call(Request::Delete(GRACE_DN.as_bytes()), &[]).await;
        assert!(matches!(answer.code, Some(32 | 50)));
        let octets = modify_dn(client.next_id(), GRACE_DN, "uid=hopper", true, None);
        client.send(&octets).await;
        assert!(matches!(client.code().await, 32 | 50));
    }
    let mut admin = login(&server, ADMIN_DN, ADMIN_PASSWORD).await;
    let (entries, _) = admin.search(GRACE_DN, Scope::Base, "(objectClass=*)", &["sn", "description"]).await;
    assert_eq!(entries[0].values("sn"), ["grace"]);
    assert!(entries[0].values("description").is_empty());
    let octets =
        add(admin.next_id(), "ou=new,dc=example,dc=com", &[("objectClass", b"organizationalUnit"), ("ou", b"new")]);
    admin.send(&octets).await;
    assert_eq!(admin.code().await, 0);
    admin.send(&octets).await;
    assert_eq!(admin.code().await, 68);
    let octets = modify(admin.next_id(), GRACE_DN, &[(2, "description", &[b"x"])], &[]);
    admin.send(&octets).await;
    assert_eq!(admin.code().await, 0);
    let octets = modify_dn(admin.next_id(), "ou=new,dc=example,dc=com", "ou=newer", true, None);
    admin.send(&octets).await;
    assert_eq!(admin.code().await, 0);
    let (_, answer) = admin.call(Request::Delete(b"dc=example,dc=com"), &[]).await;
    assert_eq!(answer.code, Some(66));
    let (_, answer) = admin.call(Request::Delete(b"ou=newer,dc=example,dc=com"), &[]).await;
    assert_eq!(answer.code, Some(0));
    server.stop().await;
}

#[tokio::test]
async fn absolute_filters_and_odd_selections() {
    // Goal: (&) is true and (|) false (RFC 4526), `1.1` gives entries without attributes, names come back in the
    // spelling of the request, unknown ones are ignored (row B1; client quirks).
    let server = Server::start(Settings::default()).await;
    let mut admin = login(&server, ADMIN_DN, ADMIN_PASSWORD).await;
    for (filter, found) in [("(&)", 1), ("(|)", 0), ("(!(|))", 1), ("(unknown=x)", 0), ("(!(unknown=x))", 0)] {
        let (entries, done) = admin.search(ADA_DN, Scope::Base, filter, &["1.1"]).await;
        assert_eq!((entries.len(), done.code), (found, Some(0)), "{filter}");
        assert!(entries.iter().all(|entry| entry.attributes.is_empty()));
    }
    let (entries, _) = admin.search(ADA_DN, Scope::Base, "(UID=ADA)", &["MAIL", "noSuchThing", "cn"]).await;
    let names: Vec<&str> = entries[0].attributes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"MAIL") && names.contains(&"cn"), "{names:?}");
    server.stop().await;
}

#[tokio::test]
async fn the_server_describes_itself_to_anybody() {
    // Goal: the root DSE answers every filter that is true of it, and the subschema entry lists attribute types and
    // object classes; both without a login.
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    for filter in ["(objectClass=*)", "(&)", "(objectclass=TOP)", "(!(cn=x))"] {
        let (entries, done) = client.search("", Scope::Base, filter, &["+", "*"]).await;
        let found = if filter == "(!(cn=x))" { 0 } else { 1 };
        assert_eq!((entries.len(), done.code), (found, Some(0)), "{filter}");
    }
    let (entries, _) = client.search("", Scope::Base, "(objectClass=*)", &["subschemaSubentry"]).await;
    let subschema = entries[0].values("subschemaSubentry").remove(0);
    let (entries, _) =
        client.search(&subschema, Scope::Base, "(objectClass=subschema)", &["attributeTypes", "objectClasses"]).await;
    assert!(entries[0].values("attributeTypes").iter().any(|text| text.contains("NAME ( 'cn' 'commonName' )")));
    assert!(entries[0].values("objectClasses").iter().any(|text| text.contains("'inetOrgPerson'")));
    let (entries, _) = client.search(&subschema, Scope::Base, "(objectClass=person)", &[]).await;
    assert!(entries.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn tokens_are_for_those_who_govern_accounts() {
    // Goal: the administrator makes, lists, rotates and revokes over a confidential connection; an ordinary account gets
    // nowhere and sees none; the clear wire carries no token; a malformed value is protocolError.
    let server = Server::start(Settings::default()).await;
    let value = |request: &TokenRequest| {
        let mut out = bytes::BytesMut::new();
        request.encode(&mut Writer::new(&mut out));
        out
    };
    let wanted = Create { label: "entra".into(), seconds: 3_600, write: true, ..Create::default() };
    let create = TokenRequest::Create(wanted);
    let unknown = TokenRequest::Revoke { token: "bbbbbbbbbbbb".into() };
    let mut admin = login(&server, ADMIN_DN, ADMIN_PASSWORD).await;
    for request in [&create, &TokenRequest::List] {
        let (_, answer) = admin.call(extended(token_request::OID, Some(&value(request))), &[]).await;
        assert_eq!(answer.code, Some(13), "{answer:?}");
    }
    let mut ada = local(&server, ADA_DN, ADA_PASSWORD).await;
    let (_, answer) = ada.call(extended(token_request::OID, Some(&value(&create))), &[]).await;
    assert!(matches!(answer.code, Some(32 | 50 | 53)), "{answer:?}");
    assert!(response(&mut ada, &value(&TokenRequest::List)).await.tokens.is_empty());

    let mut admin = local(&server, ADMIN_DN, ADMIN_PASSWORD).await;
    for malformed in [None, Some(&b"x"[..]), Some(&[0x84, 0][..])] {
        let (_, answer) = admin.call(extended(token_request::OID, malformed), &[]).await;
        assert_eq!(answer.code, Some(2));
    }
    let made = response(&mut admin, &value(&create)).await;
    let (secret, first) = (made.secret.unwrap(), &made.tokens[0]);
    assert!(server.directory.token(&secret, &server.directory.now()).unwrap().is_some());
    let rotate = TokenRequest::Rotate { token: first.id.clone(), overlap: 60 };
    let next = response(&mut admin, &value(&rotate)).await;
    assert_eq!(next.tokens[0].predecessor.as_ref(), Some(&first.id));
    let (revoke, again) = (TokenRequest::Revoke { token: first.id.clone() }, value(&unknown));
    let (_, answer) = ada.call(extended(token_request::OID, Some(&value(&revoke))), &[]).await;
    assert_eq!(answer.code, Some(32), "to her it is not there");
    assert!(response(&mut admin, &value(&revoke)).await.tokens.is_empty());
    assert!(server.directory.token(&secret, &server.directory.now()).unwrap().is_none());
    let (_, answer) = admin.call(extended(token_request::OID, Some(&again)), &[]).await;
    assert_eq!(answer.code, Some(32));
    let listed = response(&mut admin, &value(&TokenRequest::List)).await;
    assert_eq!((listed.secret, listed.tokens), (None, next.tokens));
    server.stop().await;
}

/// A connection through the socket, bound.
async fn local(server: &Server, dn: &str, password: &[u8]) -> Client {
    let mut client = Client::over(tokio::net::UnixStream::connect(&server.ldapi).await.unwrap());
    assert_eq!(client.bind(dn, password).await, 0);
    client
}

/// The value of a good answer.
async fn response(client: &mut Client, value: &[u8]) -> TokenResponse {
    let (_, answer) = client.call(extended(token_request::OID, Some(value)), &[]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    TokenResponse::decode(&answer.rest).unwrap()
}
