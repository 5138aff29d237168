//! One user and one group, made, read, changed and deleted over SCIM, seen over LDAP each time.

use crate::scim::Scim;
use serde_json::json;
use testkit::{Scope, Server};

#[tokio::test]
async fn a_user_and_a_group_live_their_lives_over_scim() {
    // Goal: the plainest way through every endpoint of resources, with each step seen through LDAP.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let made = scim
        .post(
            "/Users",
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "active": true,
                "name": {"givenName": "Ada", "familyName": "Lovelace"},
                "emails": [{"value": "ada@example.com", "type": "work", "primary": true}]}),
        )
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let user = made.json();
    let id = user["id"].as_str().unwrap().to_owned();
    assert_eq!(user["emails"][0]["primary"], true);
    let location = made.header("location").to_owned();
    assert!(location.ends_with(&format!("/scim/v2/Users/{id}")), "{location}");
    let mut ldap = server.admin().await;
    let found = ldap.search("dc=example,dc=com", Scope::Subtree, "(uid=ada)", &["*", "+"]).await;
    assert_eq!(found.entries[0].value("entryUUID").unwrap(), id);
    assert_eq!(found.entries[0].values("mail"), ["ada@example.com"]);
    let listed = scim.get("/Users?filter=userName%20eq%20%22ADA%22").await.json();
    assert_eq!(listed["totalResults"], 1, "{listed}");
    let group = scim
        .post("/Groups", json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Ops", "members": [{"value": id}]}))
        .await;
    assert_eq!(group.status, 201, "{group:?}");
    let gid = group.json()["id"].as_str().unwrap().to_owned();
    let read = scim.get(&format!("/Users/{id}")).await.json();
    assert_eq!(read["groups"][0]["value"], gid.as_str(), "{read}");
    let patch = |op: serde_json::Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [op]});
    let answer =
        scim.patch(&format!("/Users/{id}"), patch(json!({"op": "replace", "path": "active", "value": false}))).await;
    assert_eq!((answer.status.as_u16(), answer.json()["active"].clone()), (200, json!(false)), "{answer:?}");
    let answer = scim
        .patch(&format!("/Groups/{gid}"), patch(json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")})))
        .await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let answer = scim.delete(&format!("/Groups/{gid}")).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    for status in [204, 404] {
        assert_eq!(scim.delete(&format!("/Users/{id}")).await.status, status);
    }
    server.verify().await;
}

#[tokio::test]
async fn discovery_is_for_everybody_and_the_rest_is_not() {
    // Goal: what the server is needs no token, everything else does, and says how to come by one.
    let server = Server::start().await;
    let mut nobody = server.http().await;
    for path in ["/Schemas", "/ResourceTypes", "/ResourceTypes/User", "/ServiceProviderConfig"] {
        let answer = nobody.get(&format!("/scim/v2{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(answer.json()["schemas"].is_array(), "{path}");
    }
    for path in ["/Users", "/Groups", "/Roles", "/Me", "/acme/Users"] {
        let answer = nobody.get(&format!("/scim/v2{path}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("www-authenticate")),
            (401, "Bearer realm=\"scim\""),
            "{path}"
        );
        assert_eq!(answer.json()["status"], "401");
    }
    server.verify().await;
}

#[tokio::test]
async fn a_bulk_request_makes_a_department() {
    // Goal: forward references, a circle, an operation that fails alone, all in one request.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let user = |name: &str, manager: Option<&str>| {
        let mut data = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
        if let Some(manager) = manager {
            data["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] = json!({"manager": {"value": manager}});
        }
        data
    };
    assert_eq!(scim.post("/Users", user("carl", None)).await.status, 201);
    let post = |path: &str, id: &str, data: serde_json::Value| json!({"method": "POST", "path": path, "bulkId": id, "data": data});
    let operations = json!([
        post("/Groups", "g", json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "dept", "members": [{"value": "bulkId:a"}, {"value": "bulkId:b"}]})),
        post("/Users", "a", user("anna", Some("bulkId:b"))),
        post("/Users", "b", user("bert", Some("bulkId:a"))),
        post("/Users", "c", user("CARL", None)),
        {"method": "PATCH", "path": "/Users/bulkId:b", "data": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "title", "value": "clerk"}]}},
    ]);
    let answer = scim
        .post(
            "/Bulk",
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}),
        )
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let statuses: Vec<&str> =
        answer["Operations"].as_array().unwrap().iter().map(|o| o["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["201", "201", "201", "409", "200"], "{answer:#}");
    let people = scim.get("/Users?filter=title%20eq%20%22clerk%22").await.json();
    let bert = &people["Resources"][0];
    assert_eq!(bert["userName"], "bert");
    let manager =
        bert["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"]["value"].as_str().unwrap();
    let anna = scim.get(&format!("/Users/{manager}")).await.json();
    assert_eq!(anna["userName"], "anna");
    assert_eq!(anna["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"]["value"], bert["id"]);
    assert_eq!(anna["groups"][0]["display"], "dept");
    server.verify().await;
}

#[tokio::test]
async fn a_token_in_the_clear_is_refused() {
    // Goal: whoever sends a token without TLS is told so at once, and learns nothing about the token.
    let server = Server::start().await;
    let good = Scim::of(&server, None, "").await.secret;
    for secret in [good.as_str(), "no token at all"] {
        let answer = server.http_in_the_clear().await.bearer(secret).get("/scim/v2/Users").await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.json()["detail"], "a token is not taken in the clear: HTTPS is needed");
    }
    let mut nobody = server.http_in_the_clear().await;
    assert_eq!(nobody.get("/scim/v2/ServiceProviderConfig").await.status, 200, "what needs no token is no secret");
    assert_eq!(nobody.get("/scim/v2/Users").await.status, 401);
    server.verify().await;
}
