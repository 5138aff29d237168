//! What a change at the SCIM door is: the switch `active`, versions that keep updates, dry runs that tell and do nothing.

use crate::scim::{STATE, Scim, Wish, group, made, patch, user};
use directory::change::Act;
use directory::lifecycle::State;
use serde_json::{Value, json};
use testkit::{NEW_PASSWORD, PASSWORD, Server};

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
