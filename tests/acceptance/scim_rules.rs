//! What holds at the SCIM door whatever a client sends: tenants, scopes, states, versions, bounds.

use crate::scim::{Scim, Wish, token};
use directory::bootstrap;
use directory::change::{Act, Change, Target};
use directory::clock::Span;
use directory::journal::record::Event;
use directory::lifecycle::State;
use serde_json::{Value, json};
use testkit::{NEW_PASSWORD, PASSWORD, Scope, Server, Setup};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const STATE: &str = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:AccountState";

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": name, "members": members})
}

#[expect(clippy::needless_pass_by_value, reason = "bodies are made where they are sent")]
fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

async fn made(scim: &mut Scim, path: &str, body: Value) -> String {
    let answer = scim.post(path, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

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
async fn active_is_the_administrators_switch_alone() {
    // Goal: active:false refuses the very next bind, active:true lifts that and neither a lock nor dormancy; the state of the
    // account is told and never taken.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "entra").await;
    let find = async |scim: &mut Scim, name: &str| {
        let list = scim.get(&format!("/Users?filter=userName%20eq%20%22{name}%22")).await.json();
        list["Resources"][0].clone()
    };
    let set = |active: Value| patch(json!([{"op": "Replace", "path": "active", "value": active}]));
    let ada = server.active("ada").await;
    let path = format!("/Users/{}", find(&mut scim, "ada").await["id"].as_str().unwrap());
    assert_eq!(scim.patch(&path, set(json!("False"))).await.json()["active"], false);
    assert!(!server.bind(&ada.dn, PASSWORD).await.is_good());
    assert_eq!(scim.get(&path).await.json()[STATE]["state"], "DISABLED");
    let off = scim.get("/Users?filter=active%20eq%20false").await.json();
    assert_eq!((off["totalResults"].clone(), off["Resources"][0]["userName"].clone()), (json!(1), json!("ada")));
    assert_eq!(scim.patch(&path, set(json!("True"))).await.json()["active"], true);
    assert!(server.bind(&ada.dn, PASSWORD).await.is_good());
    for (name, state) in [("bo", State::Locked), ("cy", State::Dormant)] {
        let person = server.person(name).await;
        server.put(&person, state).await;
        // Time has passed for the first client, too: this one has just been made.
        let mut scim = Scim::with(&server, Wish { label: name, dialect: "entra", ..Wish::default() }).await;
        let seen = find(&mut scim, name).await;
        assert_eq!(
            (seen["active"].clone(), seen[STATE]["state"].clone()),
            (json!(true), json!(state.name())),
            "{seen}"
        );
        let before = server.facts(&person);
        assert_eq!(scim.patch(&format!("/Users/{}", seen["id"].as_str().unwrap()), set(json!(true))).await.status, 200);
        assert_eq!((server.state(&person), server.facts(&person)), (state, before));
    }
    let mut scim = Scim::with(&server, Wish { label: "late", ..Wish::default() }).await;
    server.act(&ada, Act::Enable { password: None }).await.unwrap();
    let given = patch(json!([{"op": "replace", "path": format!("{STATE}:state"), "value": "ACTIVE"}]));
    let refused = scim.patch(&path, given).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["scimType"].clone()),
        (400, json!("mutability")),
        "{refused:?}"
    );
    // A password by policy, told exactly; and not to an account that is held.
    let weak = scim.patch(&path, patch(json!([{"op": "replace", "path": "password", "value": "short"}]))).await;
    assert_eq!((weak.status.as_u16(), weak.json()["scimType"].clone()), (400, json!("invalidValue")), "{weak:?}");
    let good = scim.patch(&path, patch(json!([{"op": "replace", "path": "password", "value": NEW_PASSWORD}]))).await;
    assert_eq!(good.status, 200, "{good:?}");
    assert!(!good.text().contains(NEW_PASSWORD));
    assert!(server.bind(&ada.dn, NEW_PASSWORD).await.is_good());
    server.verify().await;
}

#[tokio::test]
async fn versions_keep_updates_from_being_lost() {
    // Goal: a stale If-Match is refused, a fresh one is not, 304 answers what is known, and two who race are both done.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let id = made(&mut scim, "/Users", user("ada")).await;
    let path = format!("/Users/{id}");
    let first = scim.get(&path).await.header("etag").to_owned();
    assert_eq!(scim.call("GET", &path, &[("if-none-match", &first)], None).await.status, 304);
    let title = |title: &str| patch(json!([{"op": "replace", "path": "title", "value": title}])).to_string();
    let done = scim.call("PATCH", &path, &[("if-match", &first)], Some(title("a"))).await;
    assert_eq!(done.status, 200);
    let second = done.header("etag").to_owned();
    assert_ne!(first, second);
    for header in [first.as_str(), "W/\"0\""] {
        assert_eq!(scim.call("PATCH", &path, &[("if-match", header)], Some(title("b"))).await.status, 412);
        assert_eq!(scim.call("DELETE", &path, &[("if-match", header)], None).await.status, 412);
        assert_eq!(scim.call("PUT", &path, &[("if-match", header)], Some(user("ada").to_string())).await.status, 412);
    }
    assert_eq!(scim.call("PATCH", &path, &[("if-match", "*")], Some(title("b"))).await.status, 200);
    // What lies outside of the entry is part of the version, too.
    let before = scim.get(&path).await.header("etag").to_owned();
    scim.patch(&path, patch(json!([{"op": "replace", "path": "active", "value": false}]))).await;
    assert_ne!(scim.get(&path).await.header("etag"), before);
    // The same again is no change and no version.
    let before = scim.get(&path).await.header("etag").to_owned();
    assert_eq!(scim.call("PATCH", &path, &[], Some(title("b"))).await.header("etag"), before);
    // A member that goes with its account changes what the group shows, and nothing of the group itself.
    let gone = made(&mut scim, "/Users", user("gone")).await;
    let team = format!("/Groups/{}", made(&mut scim, "/Groups", group("team", &[&gone])).await);
    let shown = scim.get(&team).await.header("etag").to_owned();
    assert_eq!(scim.call("GET", &team, &[("if-none-match", &shown)], None).await.status, 304);
    assert_eq!(scim.delete(&format!("/Users/{gone}")).await.status, 204);
    assert_eq!(scim.call("GET", &team, &[("if-none-match", &shown)], None).await.status, 200);
    let rename = patch(json!([{"op": "replace", "path": "displayName", "value": "squad"}])).to_string();
    assert_eq!(scim.call("PATCH", &team, &[("if-match", &shown)], Some(rename)).await.status, 204);
    let (mut one, mut other) =
        (Scim::presenting(&server, &scim.secret).await, Scim::presenting(&server, &scim.secret).await);
    for round in 0..10 {
        let nick = patch(json!([{"op": "replace", "path": "nickName", "value": format!("n{round}")}]));
        let name = patch(json!([{"op": "replace", "path": "displayName", "value": format!("d{round}")}]));
        let (a, b) = tokio::join!(one.patch(&path, nick), other.patch(&path, name));
        assert_eq!((a.status.as_u16(), b.status.as_u16()), (200, 200));
        let now = scim.get(&path).await.json();
        assert_eq!(
            (now["nickName"].clone(), now["displayName"].clone()),
            (json!(format!("n{round}")), json!(format!("d{round}")))
        );
    }
    server.verify().await;
}

#[tokio::test]
async fn a_fuse_stops_a_token_that_takes_everybody_away() {
    // Goal: beyond the bound a token neither deactivates nor deletes, does everything else, and begins anew with the window.
    let setup =
        Setup { settings: vec![("scim.fuse", "2".into()), ("scim.fuse_window", "1h".into())], ..Setup::default() };
    let server = setup.start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let mut ids = Vec::new();
    for at in 0..5 {
        ids.push(made(&mut scim, "/Users", user(&format!("u{at}"))).await);
    }
    let off = patch(json!([{"op": "replace", "path": "active", "value": false}]));
    assert_eq!(scim.patch(&format!("/Users/{}", ids[0]), off.clone()).await.status, 200);
    // Once more is nothing more.
    assert_eq!(scim.patch(&format!("/Users/{}", ids[0]), off.clone()).await.status, 200);
    assert_eq!(scim.delete(&format!("/Users/{}", ids[1])).await.status, 204);
    for answer in
        [scim.delete(&format!("/Users/{}", ids[2])).await, scim.patch(&format!("/Users/{}", ids[3]), off.clone()).await]
    {
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.text().contains("fuse"), "{answer:?}");
    }
    assert_eq!(scim.get(&format!("/Users/{}", ids[3])).await.json()["active"], true);
    let name = patch(json!([{"op": "replace", "path": "displayName", "value": "x"}]));
    assert_eq!(scim.patch(&format!("/Users/{}", ids[3]), name).await.status, 200);
    let mut other = Scim::with(&server, Wish { label: "other", ..Wish::default() }).await;
    assert_eq!(other.delete(&format!("/Users/{}", ids[2])).await.status, 204);
    server.pass(Span::from_mins(61));
    assert_eq!(scim.patch(&format!("/Users/{}", ids[3]), off).await.status, 200);
    server.verify().await;
}

#[tokio::test]
async fn too_many_requests_are_told_to_wait() {
    // Goal: 429 with whole seconds, per token, and what is left is in every answer.
    let setup = Setup { settings: vec![("scim.rate", "1".into()), ("scim.burst", "3".into())], ..Setup::default() };
    let server = setup.start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let first = scim.get("/Users").await;
    assert_eq!((first.header("ratelimit-limit"), first.header("x-ratelimit-remaining")), ("3", "2"));
    let mut refused = scim.get("/Users").await;
    for _ in 0..5 {
        refused = scim.get("/Users").await;
    }
    assert_eq!((refused.status.as_u16(), refused.json()["status"].clone()), (429, json!("429")));
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1, "{refused:?}");
    let mut other = Scim::with(&server, Wish { label: "other", ..Wish::default() }).await;
    assert_eq!(other.get("/Users").await.status, 200);
    server.verify().await;
}

#[tokio::test]
async fn a_dry_run_tells_the_difference_and_changes_nothing() {
    // Goal: what would happen is told value by value, and neither entries nor journal know of it.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let id = made(&mut scim, "/Users", user("ada")).await;
    let ops = made(&mut scim, "/Groups", group("ops", &[])).await;
    let position = server.directory.position().unwrap();
    let dry = [("prefer", "handling=dry-run")];
    let change = patch(
        json!([{"op": "add", "path": "title", "value": "chief"}, {"op": "replace", "path": "active", "value": false}]),
    );
    let answer = scim.call("PATCH", &format!("/Users/{id}"), &dry, Some(change.to_string())).await;
    assert_eq!((answer.status.as_u16(), answer.header("preference-applied")), (200, "handling=dry-run"), "{answer:?}");
    let told = answer.json();
    assert_eq!(
        told["changes"][0]["values"],
        json!([{"attribute": "title", "removed": [], "added": ["chief"]}]),
        "{told}"
    );
    assert_eq!((told["changes"][1]["act"].clone(), told["status"].clone()), (json!("deactivate"), json!("200")));
    let join = patch(json!([{"op": "add", "path": "members", "value": [{"value": id}]}]));
    let told = scim.call("PATCH", &format!("/Groups/{ops}"), &dry, Some(join.to_string())).await.json();
    assert_eq!(told["changes"][0]["values"][0]["attribute"], "member", "{told}");
    let told = scim.call("POST", "/Users", &dry, Some(user("bo").to_string())).await.json();
    assert_eq!((told["status"].clone(), told["changes"][0]["change"].clone()), (json!("201"), json!("add")), "{told}");
    assert_eq!(scim.call("POST", "/Users", &dry, Some(user("ADA").to_string())).await.status, 409);
    let told = scim.call("DELETE", &format!("/Users/{id}"), &dry, None).await.json();
    assert_eq!(told["changes"][0]["act"], "delete", "{told}");
    server.tick().await;
    let now = scim.get(&format!("/Users/{id}")).await.json();
    assert_eq!((now["title"].clone(), now["active"].clone()), (Value::Null, json!(true)));
    assert_eq!(scim.get("/Users").await.json()["totalResults"], 1);
    // Uses of tokens are remembered; nothing else is.
    assert!(server.directory.position().unwrap().0.saturating_sub(position.0) <= 1);
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
async fn the_same_act_is_the_same_change_through_every_door() {
    // Goal: a value changed, a member added and taken, an account deleted: the journal holds the same for LDAP, for SCIM and
    // for the operator's own connection, value by value.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let mut events: Vec<Vec<Event>> = Vec::new();
    for (at, door) in ["ldap", "scim", "operator"].into_iter().enumerate() {
        let name = format!("p{at}");
        let dn = format!("uid={name},ou=people,dc=example,dc=com");
        let id = made(&mut scim, "/Users", user(&name)).await;
        let team = made(&mut scim, "/Groups", group(&format!("t{at}"), &[])).await;
        let team_dn = format!("cn=t{at},ou=groups,dc=example,dc=com");
        let begin = server.trail().await.records.len();
        if door == "scim" {
            let member = |op: &str| patch(json!([{"op": op, "path": "members", "value": [{"value": id}]}]));
            let title = patch(json!([{"op": "replace", "path": "title", "value": "chief"}]));
            assert_eq!(scim.patch(&format!("/Users/{id}"), title).await.status, 200);
            for op in ["add", "remove"] {
                assert_eq!(scim.patch(&format!("/Groups/{team}"), member(op)).await.status, 204);
            }
            assert_eq!(scim.delete(&format!("/Users/{id}")).await.status, 204);
        } else {
            let mut client = if door == "ldap" { server.admin().await } else { server.operator().await };
            use testkit::Kind::{Add, Delete, Replace};
            assert!(client.modify(&dn, &[(Replace, "title", &["chief"])]).await.is_good());
            assert!(client.modify(&team_dn, &[(Add, "member", &[&dn])]).await.is_good());
            assert!(client.modify(&team_dn, &[(Delete, "member", &[&dn])]).await.is_good());
            assert!(client.modify(&dn, &[(Replace, "rollbookState", &["DELETED"])]).await.is_good());
        }
        let records = server.trail().await.records;
        let own = records.into_iter().skip(begin).flat_map(|record| record.events);
        let plain = |event: Event| match event {
            Event::Modified { values, .. } => {
                let mut values = values;
                for value in values.iter_mut().flat_map(|v| v.added.iter_mut().chain(v.removed.iter_mut())) {
                    *value = String::from_utf8_lossy(value).replace(&name, "P").into_bytes();
                }
                Event::Modified { entry: directory::id::EntryId(0), dn: String::new(), values }
            }
            Event::Account { act, .. } => Event::Account { entry: directory::id::EntryId(0), dn: String::new(), act },
            other => other,
        };
        let noise = |event: &Event| {
            matches!(event, Event::Noted(_)) || matches!(event, Event::Account { act, .. } if act == "login")
        };
        events.push(own.map(plain).filter(|event| !noise(event)).collect());
    }
    assert_eq!(events[0], events[1], "LDAP and SCIM");
    assert_eq!(events[0], events[2], "LDAP and the operator");
    assert_eq!(events[0].len(), 4, "{:#?}", events[0]);
    server.verify().await;
}

#[tokio::test]
async fn what_another_door_changes_is_seen_at_once() {
    // Goal: requirement 7.4: the directory's values are the truth, decorations follow them, accounts made elsewhere are users.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let mut ada = user("ada");
    ada["emails"] = json!([{"value": "a@x.example", "type": "work", "primary": true, "display": "A"}, {"value": "b@x.example", "type": "home"}]);
    ada["addresses"] = json!([{"type": "work", "country": "France", "locality": "Lyon", "formatted": "1 Rue\nLyon"}]);
    ada["phoneNumbers"] = json!([{"value": "tel:+1;ext=5", "type": "work"}, {"value": "+33 1", "type": "mobile"}]);
    ada["ims"] = json!([{"value": "ada", "type": "xmpp"}]);
    let id = made(&mut scim, "/Users", ada.clone()).await;
    let read = scim.get(&format!("/Users/{id}")).await.json();
    for name in ["emails", "addresses", "phoneNumbers", "ims"] {
        assert_eq!(read[name], ada[name], "{name}");
    }
    assert_eq!(
        (read["name"].clone(), read["displayName"].clone()),
        (Value::Null, Value::Null),
        "nothing is invented: {read}"
    );
    let mut ldap = server.admin().await;
    let dn = "uid=ada,ou=people,dc=example,dc=com";
    use testkit::Kind::{Delete, Replace};
    assert!(
        ldap.modify(
            dn,
            &[(Delete, "mail", &["b@x.example"]), (Replace, "l", &["Paris"]), (Replace, "sn", &["Lovelace"])]
        )
        .await
        .is_good()
    );
    let read = scim.get(&format!("/Users/{id}")).await.json();
    assert_eq!(read["emails"], json!([{"value": "a@x.example", "type": "work", "primary": true, "display": "A"}]));
    assert_eq!(read["addresses"][0]["locality"], "Paris");
    assert_eq!(
        (read["addresses"][0]["country"].clone(), read["name"]["familyName"].clone()),
        (json!("France"), json!("Lovelace"))
    );
    let person = server.person("grace").await;
    let list = scim.get("/Users?filter=emails.value%20eq%20%22GRACE@example.com%22").await.json();
    assert_eq!(list["Resources"][0]["userName"], "grace", "{list}");
    server.change(Change::Account { target: Target::Id(person.id), act: Act::Disable }).await.unwrap();
    assert_eq!(scim.get("/Users?filter=userName%20eq%20%22grace%22").await.json()["Resources"][0]["active"], false);
    let found = ldap.search("dc=example,dc=com", Scope::Subtree, "(uid=ada)", &["*"]).await;
    assert_eq!(found.entries[0].value("cn").as_deref(), Some("ada"));
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

#[tokio::test]
async fn pages_by_number_and_by_cursor_show_everybody_once() {
    // Goal: whatever comes and goes between two lists, by whatever door, the numbers are true; pages of both kinds cover all
    // users once and in one order; what cannot be sorted in bounds is refused.
    let setup = Setup { settings: vec![("scim.sort_most", "20".into())], ..Setup::default() };
    let server = setup.start().await;
    let acme = server.tenant("acme").await;
    let mut scim = Scim::of(&server, Some("acme"), "").await;
    let mut above = Scim::of(&server, None, "").await;
    let mut ids = Vec::new();
    for at in 0..25 {
        ids.push(made(&mut scim, "/Users", user(&format!("u{at:02}"))).await);
        if at % 5 == 0 {
            let list = scim.get("/Users?count=0").await.json();
            assert_eq!((list["totalResults"].clone(), list["Resources"].clone()), (json!(ids.len()), json!([])));
        }
    }
    assert_eq!(scim.get("/Users?sortBy=userName").await.json()["scimType"], "tooMany");
    let gone = ids.remove(7);
    assert_eq!(scim.delete(&format!("/Users/{gone}")).await.status, 204);
    assert_eq!(scim.get("/Users?count=1").await.json()["totalResults"], 24);
    let person = server.person_of(&acme, "late", None).await;
    let list = scim.get("/Users?startIndex=25&count=5").await.json();
    assert_eq!((list["totalResults"].clone(), list["Resources"][0]["userName"].clone()), (json!(25), json!("late")));
    server.act(&person, Act::Delete { months: None }).await.unwrap();
    assert_eq!(above.get("/Users").await.json()["totalResults"], 0);
    let page = |list: &Value| -> Vec<String> {
        list["Resources"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut numbered = Vec::new();
    for start in (1..=24).step_by(7) {
        numbered.extend(page(&scim.get(&format!("/Users?startIndex={start}&count=7")).await.json()));
    }
    assert_eq!(numbered, ids);
    let (mut continued, mut cursor) = (Vec::new(), Some(String::new()));
    while let Some(after) = cursor {
        let list = scim.get(&format!("/Users?cursor={after}&count=7")).await.json();
        continued.extend(page(&list));
        cursor = list["nextCursor"].as_str().map(str::to_owned);
        // Somebody comes between two pages, and is on the last one.
        if continued.len() == 7 {
            ids.push(made(&mut scim, "/Users", user("between")).await);
        }
    }
    assert_eq!(continued, ids);
    let filtered = scim.get("/Users?filter=userName%20sw%20%22u1%22&count=3&startIndex=2").await.json();
    assert_eq!(
        (filtered["totalResults"].clone(), filtered["itemsPerPage"].clone()),
        (json!(10), json!(3)),
        "{filtered}"
    );
    for (query, kind) in [("cursor=x", "invalidCursor"), ("cursor=&count=x", "invalidCount")] {
        assert_eq!(scim.get(&format!("/Users?{query}")).await.json()["scimType"], kind, "{query}");
    }
    let sorted =
        scim.get("/Users?filter=userName%20sw%20%22u1%22&sortBy=userName&sortOrder=descending&count=2").await.json();
    assert_eq!((sorted["Resources"][0]["userName"].clone(), sorted["totalResults"].clone()), (json!("u19"), json!(10)));
    server.verify().await;
}
