//! `rollbook keys`: there from the first line on, rolled with an overlap, and thrown away when one was stolen.

use crate::demo::Demo;
use serde_json::Value;
use std::collections::BTreeSet;

const ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "RS256"];

/// What is published: key identifiers and algorithms.
async fn published(demo: &Demo) -> Vec<(String, String)> {
    let set = demo.http().await.get("/oauth2/jwks").await.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    set["keys"].as_array().unwrap().iter().map(|key| (text(&key["kid"]), text(&key["alg"]))).collect()
}

fn kids(keys: &[(String, String)]) -> BTreeSet<&str> {
    keys.iter().map(|(kid, _)| kid.as_str()).collect()
}

/// The identifiers of those that sign now.
fn signing(listed: &Value) -> BTreeSet<&str> {
    let signs = listed.as_array().unwrap().iter().filter(|key| key["signs"] == "now");
    signs.map(|key| key["kid"].as_str().unwrap()).collect()
}

/// Goal: whoever asks first finds a key of each algorithm (doors were once open before there were keys); successors are
/// published before they sign; in an emergency the others are gone at once. On a demo of its own, whose tokens nobody needs.
#[tokio::test]
async fn keys_from_the_first_line_to_an_emergency() {
    let demo = Demo::start();
    let first = published(&demo).await;
    let algorithms: BTreeSet<&str> = first.iter().map(|(_, algorithm)| algorithm.as_str()).collect();
    assert_eq!(algorithms, BTreeSet::from(ALGORITHMS));
    let listed = demo.json(&["keys", "list"]);
    assert_eq!(signing(&listed), kids(&first), "they are there, and all sign");

    let rolled = demo.json(&["keys", "roll"]);
    let both = published(&demo).await;
    assert_eq!(both.len(), 2 * ALGORITHMS.len());
    assert!(kids(&both).is_superset(&kids(&first)));
    assert_eq!(signing(&rolled), kids(&first), "successors sign in a day");

    let rolled = demo.json(&["keys", "roll", "--emergency"]);
    let fresh = published(&demo).await;
    assert_eq!(fresh.len(), ALGORITHMS.len());
    assert!(kids(&fresh).is_disjoint(&kids(&both)), "whoever has a stolen key has nothing");
    assert_eq!(signing(&rolled), kids(&fresh));
    let text = demo.done(&["keys", "list"]);
    assert!(kids(&fresh).iter().all(|kid| text.contains(kid)) && !text.contains("private"), "{text}");
}
