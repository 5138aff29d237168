//! What bounds a client at the SCIM door: its fuse, its rate, its pages.

use crate::scim::{Scim, Wish, made, patch, user};
use directory::bootstrap;
use directory::change::Act;
use directory::clock::Span;
use directory::context::{Context, Door};
use directory::error::Reason;
use serde_json::{Value, json};
use testkit::Setup;

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
    // Who may not give the token may not close its fuse: the provisioning account itself, for one.
    let token = directory::token::TokenId::parse(scim.secret.split('_').nth(1).unwrap()).unwrap();
    let live = server.directory.token(&scim.secret, &server.directory.now()).unwrap().unwrap();
    let own = Context { actor: live.actor, ..server.context(Door::Ldap) };
    assert!(server.directory.fuses(&own).unwrap().is_empty());
    assert_eq!(
        server.directory.close_fuse(&own, token).unwrap_err().reason,
        Reason::NoSuchEntry { matched: String::new() }
    );
    let operator = bootstrap::operator(&server.directory);
    assert_eq!(server.directory.fuses(&operator).unwrap()[0].2.count, 1);
    server.directory.close_fuse(&operator, token).unwrap();
    assert!(server.directory.fuses(&operator).unwrap().is_empty());
    assert_eq!(server.trail().await.notes("fuse-closed").len(), 1, "the journal says so");
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
