//! Golden files for the tests of this package: compared, or written when `UPDATE_GOLDEN` is set.

use std::path::Path;

/// Compares a text with a file of the repository.
#[track_caller]
pub fn golden(path: &str, actual: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(&full, actual).unwrap();
    }
    let stored = std::fs::read_to_string(&full).unwrap_or_default();
    assert!(
        stored == actual,
        "{path} is not what the program says now; run the tests with UPDATE_GOLDEN=1 and look at the difference"
    );
}
