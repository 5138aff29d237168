//! The house rules that no tool checks. Each rule is a function from text to findings, shown on a bad sample and run over the tree.
//!
//! Owns the rules of shape: headers, lengths, arrows between the crates, words. Formatting is rustfmt's, style clippy's, and what may be
//! depended on from outside is in `deny.toml`. A finding names the file and says how to mend it.

use std::fs;
use std::io;
use std::path::Path;

/// Lines of a source file, and of one that holds tests only.
const SOURCE_LINES: usize = 500;
const TEST_LINES: usize = 800;

/// The crates that speak a protocol to peers: none of them may know another.
const DOORS: [&str; 4] = ["ldap", "scim", "oidc", "console"];

/// What would teach the domain a protocol.
const PROTOCOL_CRATES: [&str; 16] = [
    "axum",
    "http",
    "hyper",
    "jsonwebtoken",
    "ldap",
    "ldap3_lber",
    "ldap3_proto",
    "openidconnect",
    "quick-xml",
    "rasn",
    "reqwest",
    "rustls",
    "scim",
    "serde_json",
    "simd-json",
    "tower-http",
];

/// Words of work that is not done. Written in two parts, for this file is checked as well.
const UNFINISHED: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimplemen", "ted!"), concat!("to", "do!(")];

/// Places outside the repository: a clone has none of them.
const OUTSIDE: [&str; 2] = [concat!("../", "shared"), concat!("/work", "/")];

/// The commands that a newcomer needs.
const COMMANDS: [&str; 2] = ["cargo run --release -- demo", "tests/run"];

/// Folders that are not ours to check; `.git` is a file in a second worktree.
const SKIPPED: [&str; 6] = [".git", "target", "node_modules", ".venv", "__pycache__", "corpus"];

/// A text file of the tree.
struct File {
    path: String,
    text: String,
}

/// What a rule finds in a file.
type Rule = fn(&File) -> Vec<String>;

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn is_manifest(&self) -> bool {
        self.path == "Cargo.toml" || self.path.ends_with("/Cargo.toml")
    }

    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches") || part.ends_with("_tests.rs"))
    }
}

/// All text files below the root of the repository, in order of their paths. What is not UTF-8 is no text.
fn tree() -> io::Result<Vec<File>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut files) = (vec![root.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if SKIPPED.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.extend(read(root, &entry.path())?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read(root: &Path, path: &Path) -> io::Result<Option<File>> {
    let Ok(text) = String::from_utf8(fs::read(path)?) else { return Ok(None) };
    let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    Ok(Some(File { path, text }))
}

/// What `rule` finds in the files that it is for.
fn findings(files: &[File], concerns: impl Fn(&File) -> bool, rule: impl Fn(&File) -> Vec<String>) -> Vec<String> {
    files.iter().filter(|file| concerns(file)).flat_map(rule).collect()
}

// --- the rules ---

fn header(file: &File) -> Vec<String> {
    // An inner attribute (`#![deny(…)]`) may stand above it.
    if file.text.lines().find(|line| !line.starts_with("#![")).is_some_and(|line| line.starts_with("//! ")) {
        return Vec::new();
    }
    vec![format!("{}: begins without a `//!` header: what it owns, what not, who calls it", file.path)]
}

fn length(file: &File) -> Vec<String> {
    let (lines, bound) = (file.text.lines().count(), if file.is_test() { TEST_LINES } else { SOURCE_LINES });
    if lines <= bound {
        return Vec::new();
    }
    vec![format!("{}: {lines} lines, at most {bound}: part it by what it is about", file.path)]
}

fn silenced_lint(file: &File) -> Vec<String> {
    let patterns = [concat!("#[al", "low("), concat!("#![al", "low(")];
    lines_with(file, &patterns, "use `#[expect(lint, reason = \"…\")]` on the one item")
}

fn unfinished(file: &File) -> Vec<String> {
    lines_with(file, &UNFINISHED, "finish it, or open an issue and leave no mark here")
}

fn outside(file: &File) -> Vec<String> {
    lines_with(file, &OUTSIDE, "name nothing outside the repository")
}

fn lines_with(file: &File, patterns: &[&str], mend: &str) -> Vec<String> {
    let numbered = file.text.lines().zip(1..);
    let found = numbered.filter_map(|(line, number)| patterns.iter().find(|p| line.contains(**p)).map(|p| (number, p)));
    found.map(|(number, pattern)| format!("{}:{number}: `{pattern}`: {mend}", file.path)).collect()
}

fn arrows(file: &File) -> Vec<String> {
    let package = package_of(file);
    let shipped = dependencies(&file.text).into_iter().filter(|d| d.section != "dev-dependencies");
    let names: Vec<String> = shipped.map(|d| d.name).collect();
    let mut found = Vec::new();
    if DOORS.contains(&package) {
        let others = names.iter().filter(|name| DOORS.contains(&name.as_str()));
        found.extend(others.map(|name| format!("{}: door `{package}` depends on door `{name}`", file.path)));
    }
    if package == "directory" {
        let protocols = names.iter().filter(|name| PROTOCOL_CRATES.contains(&name.as_str()));
        found.extend(protocols.map(|name| format!("{}: the domain knows no protocol, and `{name}` is one", file.path)));
    }
    let testkit = names.iter().filter(|name| *name == "testkit");
    found.extend(testkit.map(|_| format!("{}: `testkit` is for dev-dependencies", file.path)));
    found
}

fn one_version(file: &File) -> Vec<String> {
    let own = dependencies(&file.text).into_iter().filter(|d| !d.from_workspace);
    own.map(|d| format!("{}: `{}` has a version of its own: put it into [workspace.dependencies]", file.path, d.name))
        .collect()
}

fn readme(file: &File) -> Vec<String> {
    let named = |command: &&str| file.text.lines().any(|line| line.trim() == *command);
    COMMANDS.iter().filter(|c| !named(c)).map(|c| format!("{}: no line is the command `{c}`", file.path)).collect()
}

/// The folder of a manifest is the name of its package; the root's is `rollbook`.
fn package_of(file: &File) -> &str {
    match file.path.strip_suffix("/Cargo.toml") {
        Some(folder) => folder.rsplit('/').next().unwrap_or(folder),
        None => "rollbook",
    }
}

struct Dependency {
    section: String,
    name: String,
    from_workspace: bool,
}

/// The dependencies that a manifest names, in `[dependencies]`, `[dev-dependencies]`, `[build-dependencies]`, those of a target, and tables
/// such as `[dependencies.name]`. `[workspace.dependencies]` only says versions.
fn dependencies(manifest: &str) -> Vec<Dependency> {
    let (mut out, mut section) = (Vec::<Dependency>::new(), None::<String>);
    for line in manifest.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = None;
            let (outer, last) = heading.rsplit_once('.').unwrap_or(("", heading));
            if is_section(last) && outer != "workspace" {
                section = Some(last.to_owned());
            } else if let Some(kind) = outer.rsplit('.').next().filter(|kind| is_section(kind)) {
                out.push(Dependency { section: kind.to_owned(), name: last.to_owned(), from_workspace: false });
            }
        } else if let (Some(section), Some((key, value))) = (&section, line.split_once('=')) {
            let (name, from_workspace) = match key.trim().strip_suffix(".workspace") {
                Some(name) => (name, true),
                None => (key.trim(), value.contains("workspace = true")),
            };
            out.push(Dependency { section: section.clone(), name: name.trim_matches('"').to_owned(), from_workspace });
        }
    }
    out
}

fn is_section(name: &str) -> bool {
    matches!(name, "dependencies" | "dev-dependencies" | "build-dependencies")
}

// --- each rule over the tree ---

#[test]
fn every_source_file_has_a_header() {
    // Goal: a reader learns from the first lines what a file owns.
    assert_none(&findings(&tree().unwrap(), File::is_rust, header));
}

#[test]
fn no_source_file_is_too_long() {
    // Goal: a file can be read in one go.
    assert_none(&findings(&tree().unwrap(), File::is_rust, length));
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    // Goal: every exception says why, and goes when it is not needed any more.
    assert_none(&findings(&tree().unwrap(), File::is_rust, silenced_lint));
}

#[test]
fn nothing_is_left_unfinished() {
    // Goal: what is on the main branch is done.
    assert_none(&findings(&tree().unwrap(), File::is_rust, unfinished));
}

#[test]
fn nothing_outside_the_repository_is_named() {
    // Goal: a fresh clone is all that is needed.
    assert_none(&findings(&tree().unwrap(), |_| true, outside));
}

#[test]
fn the_crates_keep_to_the_arrows() {
    // Goal: no door knows another, the domain knows no protocol, tests are not shipped.
    assert_none(&findings(&tree().unwrap(), File::is_manifest, arrows));
}

#[test]
fn a_dependency_has_one_version() {
    // Goal: versions and features are said once, in the root manifest.
    assert_none(&findings(&tree().unwrap(), |f| f.is_manifest() && !f.path.starts_with("fuzz/"), one_version));
}

#[test]
fn the_readme_names_the_two_commands() {
    // Goal: a newcomer runs and tests the server from the first page.
    let files = tree().unwrap();
    assert_eq!(files.iter().filter(|f| f.path == "README.md").count(), 1);
    assert_none(&findings(&files, |f| f.path == "README.md", readme));
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

// --- each rule on samples ---

fn count(rule: Rule, path: &str, text: &str) -> usize {
    rule(&File { path: path.to_owned(), text: text.to_owned() }).len()
}

#[test]
fn the_rules_see_bad_text_and_pass_good() {
    // Goal: none of the rules of text is one that cannot fail.
    let long = |n: usize| "//! x\n".repeat(n);
    let rows: [(Rule, &str, String, usize); 16] = [
        (header, "src/a.rs", "//! Owns a.\n".into(), 0),
        (header, "src/a.rs", "#![deny(warnings)]\n//! Owns a.\n".into(), 0),
        (header, "src/a.rs", "use std::fs;\n//! late\n".into(), 1),
        (header, "src/a.rs", String::new(), 1),
        (length, "src/a.rs", long(SOURCE_LINES), 0),
        (length, "src/a.rs", long(SOURCE_LINES + 1), 1),
        (length, "ldap/tests/a.rs", long(SOURCE_LINES + 1), 0),
        (length, "directory/src/entry/tests.rs", long(TEST_LINES + 1), 1),
        (silenced_lint, "src/a.rs", "#[expect(dead_code, reason = \"x\")]\n".into(), 0),
        (silenced_lint, "src/a.rs", concat!("#![al", "low(dead_code)]\n#[al", "low(unused)]\n").into(), 2),
        (unfinished, "src/a.rs", "// done\n".into(), 0),
        (unfinished, "src/a.rs", concat!("// TO", "DO: more\nfn a() { to", "do!() }\n").into(), 2),
        (outside, "docs/a.md", "see docs/b.md, `/var/lib/rollbook`\n".into(), 0),
        (outside, "docs/a.md", concat!("see ../", "shared/x\n").into(), 1),
        (readme, "README.md", "    cargo run --release -- demo\n\n    tests/run\n".into(), 0),
        (readme, "README.md", "`cargo run` and tests/run --quick\n".into(), 2),
    ];
    for (at, (rule, path, text, wanted)) in rows.iter().enumerate() {
        assert_eq!(count(*rule, path, text), *wanted, "row {at}: {path}");
    }
}

#[test]
fn the_rules_see_bad_manifests_and_pass_good() {
    // Goal: a forbidden arrow is found in every way to write it.
    let rows: [(Rule, &str, &str, usize); 13] = [
        (arrows, "ldap/Cargo.toml", "[dependencies]\ndirectory.workspace = true\nldap3_proto.workspace = true\n", 0),
        (arrows, "ldap/Cargo.toml", "[dependencies]\nscim.workspace = true\n", 1),
        (arrows, "scim/Cargo.toml", "[dependencies]\nldap = { path = \"../ldap\" }\n", 1),
        (arrows, "oidc/Cargo.toml", "[dependencies.console]\nworkspace = true\n", 1),
        (arrows, "oidc/Cargo.toml", "[target.'cfg(unix)'.dependencies]\nldap.workspace = true\n", 1),
        (arrows, "directory/Cargo.toml", "[dependencies]\nserde_json.workspace = true\n", 1),
        (arrows, "directory/Cargo.toml", "[dev-dependencies]\nserde_json.workspace = true\n", 0),
        (arrows, "directory/Cargo.toml", "[build-dependencies]\naxum.workspace = true\n", 1),
        (arrows, "ldap/Cargo.toml", "[dependencies]\ntestkit.workspace = true\n", 1),
        (
            arrows,
            "Cargo.toml",
            "[workspace.dependencies]\ntestkit = { path = \"testkit\" }\nldap = { path = \"ldap\" }\n",
            0,
        ),
        (
            one_version,
            "ldap/Cargo.toml",
            "[dependencies]\nbytes.workspace = true\ntokio = { workspace = true, features = [] }\n",
            0,
        ),
        (one_version, "ldap/Cargo.toml", "[dependencies]\nbytes = \"1\"\n", 1),
        (one_version, "Cargo.toml", "[workspace.dependencies]\nbytes = \"1\"\n", 0),
    ];
    for (at, (rule, path, text, wanted)) in rows.iter().enumerate() {
        assert_eq!(count(*rule, path, text), *wanted, "row {at}: {path}");
    }
}
