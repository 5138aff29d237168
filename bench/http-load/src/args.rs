//! The command line: words, and `--name value` pairs.

use std::collections::BTreeMap;

/// What was given.
pub struct Args {
    words: Vec<String>,
    given: BTreeMap<String, String>,
}

impl Args {
    /// Reads the process's arguments.
    pub fn read() -> Result<Self, String> {
        let (mut args, mut rest) = (Self { words: Vec::new(), given: BTreeMap::new() }, std::env::args().skip(1));
        while let Some(word) = rest.next() {
            let Some(name) = word.strip_prefix("--") else {
                args.words.push(word);
                continue;
            };
            let value = rest.next().ok_or_else(|| format!("--{name} has no value"))?;
            args.given.insert(name.to_owned(), value);
        }
        Ok(args)
    }

    /// The first word that is no option.
    pub fn word(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }

    /// An option.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// An option that must be there.
    pub fn needed(&self, name: &str) -> Result<&str, String> {
        self.text(name).ok_or_else(|| format!("--{name} is missing"))
    }

    /// An option that is a number.
    pub fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        self.text(name).map_or(Ok(default), |v| v.parse().map_err(|_| format!("--{name} {v}: no number")))
    }
}
