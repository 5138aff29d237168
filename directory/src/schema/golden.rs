//! Golden files beside the schema: what others depend on, pinned. `UPDATE_GOLDEN=1 cargo test` writes them anew.

use std::path::Path;

/// Compares a text with a file in `src/schema/golden`.
pub(super) fn check(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema/golden").join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (expected, found)) in golden.lines().zip(text.lines()).enumerate() {
        assert_eq!(expected, found, "{file} line {}", number + 1);
    }
    assert_eq!(golden.lines().count(), text.lines().count(), "{file}: lines");
}
