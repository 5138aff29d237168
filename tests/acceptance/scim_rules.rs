//! What a token reaches whatever its client sends: its tenant, its scope, nobody above it, nothing of a former namesake.

use crate::scim::{Scim, Wish, group, made, patch, token, user};
use directory::bootstrap;
use directory::change::{Act, Change, Target};
use directory::clock::Span;
use serde_json::{Value, json};
use testkit::{NEW_PASSWORD, PASSWORD, Server};

#[tokio::test]
async fn a_token_of_one_tenant_sees_nothing_of_another() {
    // Goal: no path, filter, member, manager or base URL shows or touches what is another tenant's; not even the tenant
    // above sees what is below.
    let server = Server::start().await;
    for name in ["acme", "globex"] {
        server.tenant(name).await;
    }
    let mut acme = Scim::of(&server, Some("acme"), "").await;
    let mut globex = Scim::of(&server, Some("globex"), "").await;
    let mut above = Scim::of(&server, None, "").await;
    let mut hank = user("hank");
    hank["externalId"] = json!("h-1");
    hank["emails"] = json!([{"value": "hank@globex.example"}]);
    let hank = made(&mut globex, "/Users", hank).await;
    let diggers = made(&mut globex, "/Groups", group("diggers", &[&hank])).await;
    let ada = made(&mut acme, "/Users", user("ada")).await;
    let builders = made(&mut acme, "/Groups", group("builders", &[&ada])).await;
    for scim in [&mut acme, &mut above] {
        for path in [format!("/Users/{hank}"), format!("/Groups/{diggers}"), format!("/Roles/{diggers}")] {
            assert_eq!(scim.get(&path).await.status, 404, "{path}");
        }
        for (path, body) in [(format!("/Users/{hank}"), user("hank")), (format!("/Groups/{diggers}"), group("x", &[]))]
        {
            assert_eq!(scim.put(&path, body).await.status, 404, "{path}");
            let change = patch(json!([{"op": "replace", "path": "displayName", "value": "x"}]));
            assert_eq!(scim.patch(&path, change).await.status, 404, "{path}");
            assert_eq!(scim.delete(&path).await.status, 404, "{path}");
        }
        for filter in [
            format!("id eq \"{hank}\""),
            "userName eq \"hank\"".into(),
            "userName sw \"h\"".into(),
            "externalId eq \"h-1\"".into(),
            "emails.value co \"globex\"".into(),
            format!("groups.value eq \"{diggers}\""),
            "meta.created gt \"2000-01-01T00:00:00Z\" and userName eq \"hank\"".into(),
        ] {
            let list =
                scim.get(&format!("/Users?filter={}", filter.replace(' ', "%20").replace('"', "%22"))).await.json();
            assert_eq!(list["totalResults"], 0, "{filter}: {list}");
        }
        let members = scim.get(&format!("/Groups?filter=members%20eq%20%22{hank}%22")).await.json();
        assert_eq!(members["totalResults"], 0, "{members}");
        let all = scim.get("/Users?count=1000").await;
        assert!(!all.text().contains("hank") && !all.text().contains("globex"), "{all:?}");
        let everything = scim.get("/?count=1000").await;
        assert!(!everything.text().contains("diggers"), "{everything:?}");
    }
    // Naming what is another's is naming nothing.
    let unknown = "00000000-0000-7000-8000-000000000000";
    for id in [hank.as_str(), unknown] {
        let body = patch(json!([{"op": "add", "path": "members", "value": [{"value": id}]}]));
        let join = acme.patch(&format!("/Groups/{builders}"), body).await;
        assert_eq!((join.status.as_u16(), join.json()["scimType"].clone()), (400, json!("invalidValue")), "{join:?}");
        assert_eq!(join.json()["detail"], format!("members: there is no resource \"{id}\" that it could name"));
        let lead = json!([{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": {"value": id}}]);
        assert_eq!(acme.patch(&format!("/Users/{ada}"), patch(lead)).await.status, 400);
    }
    // A name is taken all the same, and by whom is not said.
    let taken = acme.post("/Users", user("HANK")).await;
    assert_eq!((taken.status.as_u16(), taken.json()["scimType"].clone()), (409, json!("uniqueness")));
    assert!(!taken.text().contains("globex"), "{taken:?}");
    // The base URL of a tenant is for its tokens.
    let secret = acme.secret.clone();
    assert_eq!(Scim::presenting(&server, &secret).await.at("globex").get("/Users").await.status, 404);
    assert_eq!(Scim::presenting(&server, &secret).await.at("nobody").get("/Users").await.status, 404);
    let own = Scim::presenting(&server, &secret).await.at("acme").get(&format!("/Users/{ada}")).await;
    assert!(own.header("location").ends_with(&format!("/scim/v2/acme/Users/{ada}")), "{own:?}");
    server.verify().await;
}

#[tokio::test]
async fn a_token_does_what_its_scope_says_and_no_more() {
    // Goal: reading tokens do not write, tokens of one type do not touch another, roles are nobody's to write, and a token that
    // is over is one that never was.
    let server = Server::start().await;
    let mut writer = Scim::of(&server, None, "").await;
    let id = made(&mut writer, "/Users", user("ada")).await;
    let mut reader = Scim::with(&server, Wish { label: "reader", read_only: true, ..Wish::default() }).await;
    assert_eq!(reader.get(&format!("/Users/{id}")).await.status, 200);
    assert_eq!(reader.post("/Users", user("bo")).await.status, 403);
    assert_eq!(reader.delete(&format!("/Users/{id}")).await.status, 403);
    let search =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName eq \"ada\""});
    assert_eq!(reader.post("/.search", search).await.json()["totalResults"], 1);
    let mut groups = Scim::with(&server, Wish { label: "groups", types: &["Group"], ..Wish::default() }).await;
    assert_eq!(groups.get(&format!("/Users/{id}")).await.status, 403);
    made(&mut groups, "/Groups", group("ops", &[])).await;
    assert_eq!(groups.get("/?count=100").await.json()["totalResults"], 1);
    // Roles are shown and kept.
    let roles = writer.get("/Roles?filter=displayName%20eq%20%22TENANT_ADMIN%22").await.json();
    let role = roles["Resources"][0]["id"].as_str().unwrap();
    for (method, body) in [("PUT", Some("{}")), ("PATCH", Some("{}")), ("DELETE", None)] {
        let answer = writer.call(method, &format!("/Roles/{role}"), &[], body.map(str::to_owned)).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD"), "{method}");
    }
    let join = patch(json!([{"op": "add", "path": "members", "value": [{"value": id}]}]));
    assert_eq!(writer.patch(&format!("/Groups/{role}"), join).await.status, 404);
    assert_eq!(writer.get("/Me").await.status, 404);
    // Nobody, somebody else, somebody past.
    let secret = writer.secret.clone();
    for header in ["", "Bearer", "Bearer x", "Basic YTpi", &format!("bearer {secret}x"), &format!("Token {secret}")] {
        let mut http = server.http().await;
        if !header.is_empty() {
            http = http.with("authorization".parse().unwrap(), header);
        }
        let answer = http.get("/scim/v2/Users").await;
        assert_eq!(answer.status, 401, "{header}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
    }
    let query = server.http().await.get(&format!("/scim/v2/Users?access_token={secret}")).await;
    assert_eq!(query.status, 401);
    server.pass(Span::from_days(366));
    assert_eq!(reader.get("/Users").await.status, 401);
    server.verify().await;
}

#[tokio::test]
async fn who_is_made_anew_inherits_nothing() {
    // Goal: hostile row D14: the old identifier is gone, the new account has neither groups nor password of the old one.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let mut ada = user("ada");
    ada["password"] = json!(PASSWORD);
    let old = made(&mut scim, "/Users", ada).await;
    let ops = made(&mut scim, "/Groups", group("ops", &[&old])).await;
    let dn = "uid=ada,ou=people,dc=example,dc=com";
    assert!(server.bind(dn, PASSWORD).await.is_good());
    assert_eq!(scim.delete(&format!("/Users/{old}")).await.status, 204);
    assert!(!server.bind(dn, PASSWORD).await.is_good());
    assert_eq!(scim.get(&format!("/Groups/{ops}")).await.json()["members"], Value::Null);
    let new = made(&mut scim, "/Users", user("ada")).await;
    assert_ne!(old, new);
    assert!(!server.bind(dn, PASSWORD).await.is_good());
    assert_eq!(scim.get(&format!("/Users/{old}")).await.status, 404);
    assert_eq!(scim.get(&format!("/Users/{new}")).await.json()["groups"], Value::Null);
    server.verify().await;
}

#[tokio::test]
async fn nobody_is_made_more_than_the_token_is() {
    // Goal: hostile rows D6 and D7: administrators are out of reach of a provisioning token, whoever they are.
    let server = Server::start().await;
    let acme = server.tenant("acme").await;
    let boss = server.person_of(&acme, "boss", Some("TENANT_ADMIN")).await;
    let mut scim = Scim::of(&server, Some("acme"), "").await;
    let list = scim.get("/Users?filter=userName%20eq%20%22boss%22").await.json();
    let id = list["Resources"][0]["id"].as_str().unwrap().to_owned();
    for body in [
        patch(json!([{"op": "replace", "path": "active", "value": false}])),
        patch(json!([{"op": "replace", "path": "password", "value": NEW_PASSWORD}])),
    ] {
        let answer = scim.patch(&format!("/Users/{id}"), body).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    assert_eq!(scim.delete(&format!("/Users/{id}")).await.status, 403);
    assert!(server.bind(&boss.dn, PASSWORD).await.is_good());
    server.verify().await;
}

#[tokio::test]
async fn a_rotated_token_gives_way_and_a_revoked_one_is_gone() {
    // Goal: both secrets are good while they overlap, then the new one alone; a disabled account's tokens end at once.
    let server = Server::start().await;
    let secret = token(&server, &Wish { label: "idp", ..Wish::default() }).await;
    let context = bootstrap::operator(&server.directory);
    let live = server.directory.token(&secret, &server.directory.now()).unwrap().unwrap();
    let next = server.directory.rotate_token(&context, live.token.id, Span::from_hours(24)).await.unwrap();
    let (mut old, mut new) =
        (Scim::presenting(&server, &secret).await, Scim::presenting(&server, next.secret.expose()).await);
    assert_eq!((old.get("/Users").await.status.as_u16(), new.get("/Users").await.status.as_u16()), (200, 200));
    server.pass(Span::from_hours(25));
    assert_eq!((old.get("/Users").await.status.as_u16(), new.get("/Users").await.status.as_u16()), (401, 200));
    server.change(Change::Account { target: Target::Id(live.token.account), act: Act::Disable }).await.unwrap();
    assert_eq!(new.get("/Users").await.status, 401);
    server.verify().await;
}
