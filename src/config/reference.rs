//! The page `docs/manual/configuration.md`, written from the table of settings.
//!
//! A test compares the page in the repository with what this renders, so the manual cannot say anything else than the
//! program does. Defaults are rendered as one would write them in the file.

use super::SECTIONS;
use super::setting::{Kind, Setting};
use super::value::{Value, expected};
use std::fmt::Write;

/// The page as Markdown.
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for section in SECTIONS {
        let _ = write!(page, "\n## [{}]\n\n{}\n", section.name, prose(section.about));
        for setting in section.settings {
            let _ = write!(page, "\n### {}\n\n{}\n\n{}", setting.key, facts(setting), prose(setting.about));
            page.push('\n');
        }
    }
    page
}

fn facts(setting: &Setting) -> String {
    let default = match Value::from_text(setting.kind, setting.default) {
        Ok(value) => format!("`{value}`"),
        Err(_) => format!("`{}`", setting.default),
    };
    let credential =
        if setting.kind == Kind::SecretFile { format!(" Credential: `{}`.", setting.key) } else { String::new() };
    format!("Takes {}. Default: {default}. Variable: `{}`.{credential}", expected(setting.kind), setting.variable())
}

/// Documentation comments begin every line with a space; the manual does not.
fn prose(about: &str) -> String {
    about.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

const INTRODUCTION: &str = "\
# Configuration

This page is written from the program's own table of settings.

rollbook runs without a configuration file: every setting has a default. A value is taken from the first of these that
has one:

1. a flag: `--data DIR`, or `--set KEY=VALUE` for any setting,
2. an environment variable: `ROLLBOOK_` and the key in capitals with `_` for the dot,
3. the file: `--config FILE` (or `ROLLBOOK_CONFIG`), else `/etc/rollbook/rollbook.toml` if it exists,
4. a systemd credential, for a setting that names a secret's file: the file in `$CREDENTIALS_DIRECTORY` that is named
   like the key,
5. the default.

In variables and flags, the items of a list are separated by commas. Durations are numbers with their units: `ms`, `s`,
`m`, `h`, `d`, as in `\"15m\"` or `\"1h30m\"`. Sizes are bytes, or have one of `KiB`, `MiB`, `GiB`.

The daemon refuses to start on anything that it does not know or cannot use, and names every such place at once, by file
and line. Unknown variables that begin with `ROLLBOOK_` are only warned about, because container platforms invent such
names. `rollbook config check` looks without starting; `rollbook config show` prints each value and where it came from.

No secret can be written into the file. A secret is in a file of its own, which must belong to root or to the daemon's
user and be closed to group and others (`chmod 600`); else it is refused. A file in `$CREDENTIALS_DIRECTORY` may be
readable by its group, because systemd grants access there through an ACL that shows as group permission.

The file is read at the start. On `SIGHUP` only certificates are read again; other changes need a restart.
";

#[cfg(test)]
mod tests {
    use crate::testing::golden;

    /// Goal: the manual's page is what the table of settings says.
    #[test]
    fn the_manual_is_current() {
        golden("docs/manual/configuration.md", &super::page());
    }
}
