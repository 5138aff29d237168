//! `rollbook config check|show`: the configuration without the daemon.

use super::{Exit, Failure, complain, configuration, say};
use crate::cli::Global;
use crate::config::Config;
use std::fmt::Write;

/// What to do with it.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub enum Action {
    /// Say whether the daemon would start with it
    Check,
    /// Print every setting's value, in the file's syntax, and where it came from
    Show,
}

/// Checks or shows.
///
/// # Errors
/// Everything that is wrong with the configuration.
pub fn run(global: &Global, action: Action) -> Result<Exit, Failure> {
    let config = configuration(global, &[])?;
    for warning in &config.warnings {
        complain(&warning.to_string());
    }
    match action {
        Action::Check => {
            crate::daemon::tls::check(&config)?;
            say("the configuration is good\n");
        }
        Action::Show => say(&shown(&config)),
    }
    Ok(Exit::Done)
}

/// A file that says the same, by section, with each value's origin behind it.
fn shown(config: &Config) -> String {
    let mut text = String::new();
    for section in crate::config::SECTIONS {
        let _ = writeln!(text, "{}[{}]", if text.is_empty() { "" } else { "\n" }, section.name);
        for setting in section.settings {
            if let Some((value, origin)) = config.origins.get(setting.key)
                && let Some((_, name)) = setting.key.split_once('.')
            {
                let line = format!("{name} = {value}");
                let _ = writeln!(text, "{line:48} # {origin}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    /// Goal: what is shown is a file that gives the same configuration, and names origins.
    #[test]
    fn shown_is_a_file() {
        let flags = vec![("--set", "policy.attempts".to_owned(), "7".to_owned())];
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let text = shown(&config);
        assert!(text.contains("attempts = 7") && text.contains("# --set\n") && text.contains("# default\n"), "{text}");
        let again = Config::load(&Sources { file: Some(("c.toml".into(), text)), ..Sources::default() }).unwrap();
        assert_eq!(again.policy, config.policy);
        assert_eq!(again.limits, config.limits);
        assert_eq!(again.listen, config.listen);
    }
}
