//! What clients do that is odd and not hostile: each test names the clients that do it.

use crate::{client::*, fixture::*, server::Server};
use directory::change::{Change, Modification, ModificationKind, Target};
use ldap::{Settings, wire::message::Scope};

const POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";

async fn login(server: &Server, dn: &str, password: &[u8]) -> Client {
    let mut client = Client::connect(server.ldap).await;
    assert_eq!(client.bind(dn, password).await, 0);
    client
}

fn names(entry: &Answer) -> Vec<&str> {
    entry.attributes.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn selections_are_taken_as_clients_mean_them() {
    // Goal: 1.1 alone and beside others, dozens of unknown names, names by OID, with options, by class, `*` beside a name
    // in another spelling, and the pseudo attributes of other servers are no error (PostgreSQL, TrueNAS, Nextcloud).
    let server = Server::start(Settings::default()).await;
    let mut reader = login(&server, READER_DN, READER_PASSWORD).await;
    let many: Vec<String> = (0..200).map(|n| format!("unknownAttribute{n}")).chain(["mail".to_owned()]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases: &[(&[&str], &[&str])] = &[
        (&["1.1"], &[]),
        (&["1.1", "mail"], &["mail"]),
        (&many, &["mail"]),
        (&["dn", "distinguishedName", "objectGUID", "uid"], &["uid"]),
        (&["entryDN"], &["entryDN"]),
        (&["0.9.2342.19200300.100.1.3"], &["0.9.2342.19200300.100.1.3"]),
        (&["rfc822Mailbox"], &["rfc822Mailbox"]),
        (&["CN;lang-de", "sn"], &["sn"]),
        (&["TELEPHONENUMBER"], &["TELEPHONENUMBER"]),
    ];
    for (asked, wanted) in cases {
        let (entries, done) = reader.search(ADA_DN, Scope::Base, "(objectClass=*)", asked).await;
        assert_eq!((entries.len(), done.code), (1, Some(0)), "{asked:?}");
        assert_eq!(names(&entries[0]), *wanted, "{asked:?}");
    }
    let (entries, _) = reader.search(ADA_DN, Scope::Base, "(objectClass=*)", &["*", "MAIL", "entryuuid"]).await;
    let found = names(&entries[0]);
    assert!(found.contains(&"MAIL") && !found.contains(&"mail"), "{found:?}");
    assert!(found.contains(&"entryuuid") && found.contains(&"telephoneNumber"), "{found:?}");
    let (entries, _) = reader.search(ADA_DN, Scope::Base, "(objectClass=*)", &["@person"]).await;
    assert!(names(&entries[0]).contains(&"sn") && !names(&entries[0]).contains(&"mail"));
    let (entries, _) = reader.search(ADA_DN, Scope::Base, "(objectClass=*)", &[]).await;
    assert!(names(&entries[0]).contains(&"mail") && !names(&entries[0]).contains(&"entryUUID"));
    server.stop().await;
}

#[tokio::test]
async fn filters_of_other_worlds_are_evaluated() {
    // Goal: what SSSD, Nextcloud, pfSense, Synology and AD-minded clients send by default ends in success with what this
    // directory has: an unknown attribute is Undefined, negated or not.
    let server = Server::start(Settings::default()).await;
    let mut reader = login(&server, READER_DN, READER_PASSWORD).await;
    let cases = [
        ("(&(uid=ada)(objectclass=inetOrgPerson)(cn=*)(!(uidNumber=0)))", 1),
        ("(&(uid=ada)(!(unknown=x)))", 0),
        ("(|(uid=ada)(unknown=x)(!(unknown=x)))", 1),
        ("(&(objectCategory=Person)(sAMAccountName=ada)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", 0),
        ("(&(|(objectclass=inetOrgPerson)(objectclass=user))(|(uid=ada)(mail=ada)(sAMAccountName=ada)))", 1),
        ("(objectClass=sambaDomain)", 0),
        ("(&(objectClass=sambaDomain)(sambaDomainName=*))", 0),
        ("(|(ou=people)(cn=Users))", 1),
        ("(objectGUID=\\2c\\4f\\20\\00\\ff\\fe\\80\\81\\01\\02\\03\\04\\05\\06\\07\\08)", 0),
        ("(cn=\\ff\\fe)", 0),
        ("(&(uid=ada)(cn=\\61da))", 1),
        ("(cn=a\\5cb)", 0),
        ("(memberOf:1.2.840.113556.1.4.1941:=cn=nobody,dc=example,dc=com)", 0),
    ];
    for (filter, found) in cases {
        let (entries, done) = reader.search(BASE, Scope::Subtree, filter, &["1.1"]).await;
        assert_eq!((entries.len(), done.code), (found, Some(0)), "{filter}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_entry_is_found_by_its_uuid_as_text_and_as_octets() {
    // Goal: Nextcloud keeps entryUUID as text, SAML and AD-minded clients as 16 octets in escapes.
    let server = Server::start(Settings::default()).await;
    let mut reader = login(&server, READER_DN, READER_PASSWORD).await;
    let (entries, _) = reader.search(ADA_DN, Scope::Base, "(objectClass=*)", &["entryUUID"]).await;
    let text = entries[0].values("entryUUID").remove(0);
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    let octets: String = hex.as_bytes().chunks(2).map(|pair| format!("\\{}", String::from_utf8_lossy(pair))).collect();
    for filter in
        [format!("(entryUUID={text})"), format!("(entryUUID={})", text.to_uppercase()), format!("(entryUUID={octets})")]
    {
        let (entries, done) = reader.search(BASE, Scope::Subtree, &filter, &["1.1"]).await;
        assert_eq!((entries.len(), done.code), (1, Some(0)), "{filter}");
        assert_eq!(entries[0].dn, ADA_DN.as_bytes());
    }
    server.stop().await;
}

#[tokio::test]
async fn the_tree_can_be_browsed_from_the_root_dse_down() {
    // Goal: naming context, containers and leaves are entries that tell whether more is below them and where the schema
    // is (Apache Directory Studio, phpLDAPadmin, JXplorer); a browser walks down by one-level searches alone.
    let server = Server::start(Settings::default()).await;
    let mut reader = login(&server, READER_DN, READER_PASSWORD).await;
    let (root, _) = reader.search("", Scope::Base, "(objectClass=*)", &["namingContexts"]).await;
    let mut level = root[0].values("namingContexts");
    let mut seen = 0;
    while let Some(dn) = level.pop() {
        seen += 1;
        let asked = ["hasSubordinates", "subschemaSubentry", "structuralObjectClass", "entryUUID", "objectClass"];
        let (entry, done) = reader.search(&dn, Scope::Base, "(objectClass=*)", &asked).await;
        assert_eq!((entry.len(), done.code), (1, Some(0)), "{dn}");
        assert_eq!(names(&entry[0]).len(), asked.len(), "{dn}: {:?}", names(&entry[0]));
        let (below, _) = reader.search(&dn, Scope::OneLevel, "(objectClass=*)", &["1.1"]).await;
        assert_eq!(entry[0].values("hasSubordinates"), [if below.is_empty() { "FALSE" } else { "TRUE" }], "{dn}");
        level.extend(below.iter().map(|e| String::from_utf8(e.dn.clone()).unwrap()));
    }
    let (all, _) = reader.search(BASE, Scope::Subtree, "(objectClass=*)", &["1.1"]).await;
    assert_eq!(seen, all.len());
    server.stop().await;
}

#[tokio::test]
async fn one_connection_is_bound_again_and_again() {
    // Goal: pools (JNDI, PHP, go-ldap) bind hundreds of times on a connection; a refused bind leaves it open and
    // anonymous, and requests pipelined behind a bind are carried out after it, as whoever it made.
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    for _ in 0..50 {
        assert_eq!(client.bind(READER_DN, READER_PASSWORD).await, 0);
        assert_eq!(client.who().await, format!("dn:{READER_DN}"));
        assert_eq!(client.bind(READER_DN, b"wrong").await, 49);
        assert_eq!(client.who().await, "");
        assert_eq!(client.bind("", b"").await, 0);
    }
    let mut octets = encode(client.next_id(), bind(ADA_DN.as_bytes(), ADA_PASSWORD), &[]);
    octets.extend_from_slice(&encode(client.next_id(), extended(WHO_AM_I, None), &[]));
    octets.extend_from_slice(&encode(
        client.next_id(),
        bind(b"UID=Ada , OU=People,dc=EXAMPLE,dc=com", ADA_PASSWORD),
        &[],
    ));
    octets.extend_from_slice(&encode(client.next_id(), extended(WHO_AM_I, None), &[]));
    client.send(&octets).await;
    for _ in 0..2 {
        assert_eq!(client.code().await, 0);
        let who = client.answer().await.unwrap();
        assert_eq!(String::from_utf8(who.rest).unwrap(), format!("dn:{ADA_DN}"));
    }
    server.stop().await;
}

#[tokio::test]
async fn names_that_are_no_dn_bind_when_that_is_wanted() {
    // Goal: appliances bind as `user`, as the AD-minded do: refused by default, a username by setting; a DN stays a DN.
    let server = Server::start(Settings { bind_by_username: true, ..Settings::default() }).await;
    let mut client = Client::connect(server.ldap).await;
    for name in ["ada", "ADA", ADA_DN] {
        assert_eq!(client.bind(name, ADA_PASSWORD).await, 0, "{name}");
        assert_eq!(client.who().await, format!("dn:{ADA_DN}"));
        assert_eq!(client.bind(name, b"wrong").await, 49, "{name}");
    }
    assert_eq!(client.bind("nobody", ADA_PASSWORD).await, 49);
    server.stop().await;
    let server = Server::start(Settings::default()).await;
    assert_eq!(Client::connect(server.ldap).await.bind("ada", ADA_PASSWORD).await, 49);
    server.stop().await;
}

#[tokio::test]
async fn passwords_change_in_every_way_that_clients_know() {
    // Goal: the extended operation with and without an identity, replace of userPassword, and delete of the old with add of
    // the new in one request, by the owner; each old password is dead at once (pam_ldap, SSSD, Nextcloud, passwd).
    let server = Server::start(Settings::default()).await;
    let passwords: [&[u8]; 5] = [
        ADA_PASSWORD,
        b"first of the new ones",
        b"second of the new ones",
        b"third of the new ones",
        b"fourth of them all",
    ];
    for way in 0..4 {
        let (old, new) = (passwords[way], passwords[way + 1]);
        let mut ada = login(&server, ADA_DN, old).await;
        let code = match way {
            0 => {
                let value = password_modify(None, Some(old), Some(new));
                ada.call(extended(PASSWORD_MODIFY, Some(&value)), &[]).await.1.code.unwrap()
            }
            1 => {
                let value = password_modify(Some(ADA_DN), Some(old), Some(new));
                ada.call(extended(PASSWORD_MODIFY, Some(&value)), &[]).await.1.code.unwrap()
            }
            2 => {
                let octets =
                    modify(ada.next_id(), ADA_DN, &[(1, "userPassword", &[old]), (0, "userPassword", &[new])], &[]);
                ada.send(&octets).await;
                ada.code().await
            }
            _ => {
                let mut admin = login(&server, ADMIN_DN, ADMIN_PASSWORD).await;
                let octets = modify(admin.next_id(), ADA_DN, &[(2, "userPassword", &[new])], &[]);
                admin.send(&octets).await;
                admin.code().await
            }
        };
        assert_eq!(code, 0, "way {way}");
        let mut client = Client::connect(server.ldap).await;
        assert_eq!(client.bind(ADA_DN, old).await, 49, "way {way}: the old password");
        // After an administrator's reset the bind needs the control that says so.
        let (_, bound) = client.call(bind(ADA_DN.as_bytes(), new), &[optional(POLICY, None)]).await;
        assert_eq!(bound.code, Some(0), "way {way}: the new password");
    }
    server.stop().await;
}

#[tokio::test]
async fn groups_have_every_shape_at_once() {
    // Goal: member, uniqueMember, memberUid and memberOf are all there to be asked, whichever a client knows (vCenter,
    // nslcd, Jellyfin, Nextcloud); nested groups by the chain rule (Nextcloud, Portainer).
    let server = Server::start(Settings::default()).await;
    let add = |dn: &str, attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(n, v)| (n.as_bytes().to_vec(), vec![v.as_bytes().to_vec()])).collect();
        Change::Add { dn: dn.as_bytes().to_vec(), attributes }
    };
    let (inner, outer) = ("cn=inner,dc=example,dc=com", "cn=outer,dc=example,dc=com");
    change(&server.directory, add(inner, &[("objectClass", "groupOfNames"), ("member", ADA_DN)])).await;
    change(&server.directory, add(outer, &[("objectClass", "groupOfUniqueNames"), ("uniqueMember", inner)])).await;
    let posix = [("objectClass", "posixGroup"), ("gidNumber", "1000"), ("memberUid", "ada")];
    change(&server.directory, add("cn=posix,dc=example,dc=com", &posix)).await;
    let mut reader = login(&server, READER_DN, READER_PASSWORD).await;
    let cases = [
        (format!("(member={ADA_DN})"), vec![inner]),
        (format!("(&(objectClass=groupOfUniqueNames)(uniqueMember={inner}))"), vec![outer]),
        ("(&(objectClass=posixGroup)(memberUid=ada))".to_owned(), vec!["cn=posix,dc=example,dc=com"]),
        (format!("(memberOf={inner})"), vec![ADA_DN]),
        (format!("(&(uid=*)(memberOf:1.2.840.113556.1.4.1941:={outer}))"), vec![ADA_DN]),
        (format!("(member:1.2.840.113556.1.4.1941:={ADA_DN})"), vec![inner, outer]),
        (format!("(distinguishedName={ADA_DN})"), vec![inner]),
        (format!("(:distinguishedNameMatch:={inner})"), vec![ADA_DN]),
    ];
    for (filter, wanted) in cases {
        let (entries, done) = reader.search(BASE, Scope::Subtree, &filter, &["1.1"]).await;
        let found: Vec<String> = entries.iter().map(|e| String::from_utf8(e.dn.clone()).unwrap()).collect();
        assert_eq!((found, done.code), (wanted.iter().map(|dn| (*dn).to_owned()).collect(), Some(0)), "{filter}");
    }
    for group in [inner, outer] {
        let (entries, _) =
            reader.search(group, Scope::Base, "(objectClass=*)", &["entryUUID", "member", "uniqueMember"]).await;
        assert_eq!(names(&entries[0]).len(), 2, "{group}");
    }
    verify(&server.directory);
    server.stop().await;
}

#[tokio::test]
async fn limits_come_with_what_was_found_and_bases_with_what_is_there() {
    // Goal: sizeLimitExceeded after as many entries as were asked for (browsers show them); noSuchObject names the
    // deepest entry that is there; nobody is ever referred elsewhere (PHP, AD-minded clients).
    let server = Server::start(Settings::default()).await;
    let mut reader = login(&server, READER_DN, READER_PASSWORD).await;
    let octets = search_limited(reader.next_id(), BASE, "(objectClass=*)", 3);
    reader.send(&octets).await;
    for _ in 0..3 {
        assert!(reader.answer().await.unwrap().is_entry());
    }
    assert_eq!(reader.code().await, 4);
    let cases = [
        ("uid=x,ou=nowhere,ou=people,dc=example,dc=com", "ou=people,dc=example,dc=com"),
        ("uid=nobody,dc=example,dc=com", BASE),
        ("dc=elsewhere", ""),
    ];
    for (base, matched) in cases {
        let (entries, done) = reader.search(base, Scope::Subtree, "(objectClass=*)", &[]).await;
        assert!(entries.is_empty());
        assert_eq!((done.code, String::from_utf8(done.matched).unwrap().as_str()), (Some(32), matched), "{base}");
        assert!(done.rest.is_empty(), "no referral");
    }
    server.stop().await;
}

#[tokio::test]
async fn aliases_are_found_as_the_request_says() {
    // Goal: RFC 4511 §4.5.1.3: by none, below the base, to find the base, and both.
    let server = Server::start(Settings::default()).await;
    let alias = [("objectClass", "alias"), ("objectClass", "extensibleObject"), ("aliasedObjectName", ADA_DN)];
    let mut grouped: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
    for (name, value) in alias {
        match grouped.iter_mut().find(|(n, _)| n == name.as_bytes()) {
            Some((_, values)) => values.push(value.into()),
            None => grouped.push((name.into(), vec![value.into()])),
        }
    }
    let dn = "cn=alias,dc=example,dc=com";
    change(&server.directory, Change::Add { dn: dn.into(), attributes: grouped }).await;
    let mut admin = login(&server, ADMIN_DN, ADMIN_PASSWORD).await;
    let found = async |admin: &mut Client, base: &str, scope: Scope, deref: i64| {
        let octets = search_deref(admin.next_id(), base, scope, deref);
        admin.send(&octets).await;
        let mut out = Vec::new();
        loop {
            let answer = admin.answer().await.unwrap();
            if !answer.is_entry() {
                return (out, answer.code.unwrap(), String::from_utf8(answer.matched).unwrap());
            }
            out.push(String::from_utf8(answer.dn).unwrap());
        }
    };
    let one = |dn: &str| (vec![dn.to_owned()], 0, String::new());
    assert_eq!(found(&mut admin, dn, Scope::Base, 0).await, one(dn), "never");
    assert_eq!(found(&mut admin, dn, Scope::Subtree, 1).await, one(dn), "the base is not below itself");
    assert_eq!(found(&mut admin, dn, Scope::Subtree, 2).await, one(ADA_DN), "to find the base");
    assert_eq!(found(&mut admin, dn, Scope::Base, 3).await, one(ADA_DN), "always");
    let (level, _, _) = found(&mut admin, BASE, Scope::OneLevel, 1).await;
    assert!(level.contains(&ADA_DN.to_owned()) && !level.contains(&dn.to_owned()), "{level:?}");
    let below = found(&mut admin, &format!("cn=below,{dn}"), Scope::Base, 2).await;
    assert_eq!(below, (Vec::new(), 32, ADA_DN.to_owned()), "an alias above the base is followed");
    let octets = add(admin.next_id(), &format!("cn=below,{dn}"), &[("objectClass", b"device")]);
    admin.send(&octets).await;
    assert_eq!(admin.code().await, 33, "nothing is below an alias");
    let target = Target::Dn(dn.into());
    let nowhere = Modification {
        kind: ModificationKind::Replace,
        attribute: b"aliasedObjectName".to_vec(),
        values: vec![b"uid=gone,dc=example,dc=com".to_vec()],
    };
    change(&server.directory, Change::Modify { target, modifications: vec![nowhere] }).await;
    assert_eq!(found(&mut admin, dn, Scope::Base, 3).await.1, 33, "an alias that leads nowhere");
    verify(&server.directory);
    server.stop().await;
}
