//! The test server itself: it starts fast, comes back, and an LDAP client by somebody else agrees with ours.

use testkit::{ADMIN, BASE, PASSWORD, READER, Scope, Server};

#[tokio::test]
async fn a_server_starts_answers_and_comes_back() {
    // Goal: the words that every other test is made of mean what they say.
    let server = Server::start().await;
    assert_eq!(server.admin().await.identity().await.unwrap(), format!("dn:{}", ADMIN.0));
    assert_eq!(server.reader().await.identity().await.unwrap(), format!("dn:{}", READER.0));
    let person = server.active("ada").await;
    let group = server.group("engineers", &[&person.dn]).await;
    let found = server.reader().await.search(BASE, Scope::Subtree, "(uid=ada)", &["memberOf", "mail"]).await;
    assert_eq!(found.dns(), [person.dn.as_str()]);
    assert_eq!(found.entries.first().unwrap().values("memberOf"), [group]);
    assert_eq!(server.client().await.identity().await.unwrap(), "");
    let server = server.restart().await;
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    let server = server.crash().await;
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    server.verify().await;
}

#[tokio::test]
async fn another_client_agrees() {
    // Goal: what our own client reads is what an independent one reads: result codes, entries, texts.
    let server = Server::start().await;
    let person = server.active("ada").await;
    let (connection, mut ldap) = ldap3::LdapConnAsync::new(&format!("ldap://{}", server.ldap)).await.unwrap();
    let driver = tokio::spawn(async move { connection.drive().await });
    let refused = ldap.simple_bind(&person.dn, "wrong").await.unwrap();
    assert_eq!((refused.rc, refused.text.as_str(), refused.matched.as_str()), (49, "", ""));
    ldap.simple_bind(READER.0, READER.1).await.unwrap().success().unwrap();
    let (entries, _) =
        ldap.search(BASE, ldap3::Scope::Subtree, "(uid=ada)", vec!["mail"]).await.unwrap().success().unwrap();
    let entry = ldap3::SearchEntry::construct(entries.into_iter().next().unwrap());
    assert_eq!((entry.dn.as_str(), &entry.attrs["mail"]), (person.dn.as_str(), &vec![person.mail.clone()]));
    ldap.unbind().await.unwrap();
    driver.await.unwrap().unwrap();
    server.verify().await;
}

#[tokio::test]
#[should_panic(expected = "without `verify()`")]
async fn a_test_cannot_forget_to_verify() {
    // Goal: the guard that makes every test end with a check fails one that does not.
    let _server = Server::start().await;
}
