//! `rollbook token fuse`: a token that takes too many accounts away is seen, and let go on.

use crate::demo::Demo;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

/// What is told of the fuse of a token, if anything is.
fn told(demo: &Demo, id: &str) -> Option<Value> {
    let all = demo.json(&["token", "fuse", "list"]);
    all.as_array().unwrap().iter().find(|fuse| fuse["token"] == id).cloned()
}

/// Goal: the list says how far a token is, the fuse blows at its bound, closing it lets the token go on, and a stranger's
/// fuse stays as it is.
#[tokio::test]
async fn a_fuse_is_seen_and_closed() {
    let demo = Demo::shared();
    let made = demo.json(&["token", "create", "--scim", "--tenant", "nordlicht", "--label", "Wrong filter"]);
    let id = made["id"].as_str().unwrap();
    let mut scim = demo.http().await.bearer(made["token"].as_str().unwrap());
    let mut users = Vec::new();
    for at in 0..4 {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("fuse-{at}"),
            "name": {"familyName": "Fuse"},
        });
        let answer = scim.call(Method::POST, "/scim/v2/Users", Some(&user)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        users.push(format!("/scim/v2/Users/{}", answer.json()["id"].as_str().unwrap()));
    }
    assert_eq!(told(&demo, id), None, "it has taken nobody away");
    for (at, (status, counted, blown)) in
        [(StatusCode::NO_CONTENT, "1", "no"), (StatusCode::NO_CONTENT, "2", "yes"), (StatusCode::FORBIDDEN, "2", "yes")]
            .into_iter()
            .enumerate()
    {
        assert_eq!(scim.call(Method::DELETE, &users[at], None).await.status, status);
        let fuse = told(&demo, id).unwrap();
        assert_eq!(
            (&fuse["taken_away"], &fuse["blown"], &fuse["limit"]),
            (&json!(counted), &json!(blown), &json!("2"))
        );
        assert_eq!(fuse.get("goes_on_in").is_some(), blown == "yes", "{fuse}");
    }
    let text = demo.done(&["token", "fuse", "list"]);
    assert!(text.contains("Wrong filter") && text.contains("cn=Wrong filter,ou=applications,o=Nordlicht"), "{text}");

    assert_eq!(demo.done(&["token", "fuse", "close", id]), "");
    assert_eq!(told(&demo, id), None);
    assert_eq!(scim.call(Method::DELETE, &users[2], None).await.status, StatusCode::NO_CONTENT);
    demo.done(&["token", "revoke", id]);
    for id in [id, "nonsense"] {
        demo.refused(&["token", "fuse", "close", id], 5, "there is no such token");
    }
    demo.never_kept(made["token"].as_str().unwrap());
}
