//! Golden files: what clients read of the schemas, pinned. `UPDATE_GOLDEN=1 cargo test` writes them anew.

use std::path::Path;

use serde_json::Value;

use super::discovery::{Roles, resource_types, schemas};
use super::{Schemas, openapi};

/// Where the door is in the files.
const BASE: &str = "https://directory.example/scim/v2";

fn check(file: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema/golden").join(file);
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    for ((expected, found), number) in golden.lines().zip(text.lines()).zip(1..) {
        assert_eq!(expected, found, "{file} line {number}");
    }
    assert_eq!(golden.lines().count(), text.lines().count(), "{file}: lines");
}

#[test]
fn what_clients_read_changes_only_on_purpose() {
    // Goal: identity providers map attributes by these documents: a change is seen in review.
    let standard = Schemas::of(&directory::schema::Schema::standard());
    check("schemas.json", &schemas(&standard, BASE));
    check("resource_types.json", &resource_types(&standard, Roles::Own, BASE));
    check("openapi.json", &openapi::document(&standard, "0", BASE));
}
