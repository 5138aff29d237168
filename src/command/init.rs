//! `rollbook init`: an empty store with its suffixes and its first administrator.
//!
//! Owns the arguments and what must be known before the store is touched: the administrator's password. Parsing the DNs
//! and making the entries is the directory's.

use super::{Exit, Failure, configuration, prompt, say, store};
use crate::cli::Global;
use crate::config::secret::Secret;
use directory::bootstrap;
use directory::handle::Directory;
use std::path::PathBuf;

/// Arguments of `init`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A naming context, such as dc=example,dc=com; may be repeated
    #[arg(long, value_name = "DN", required = true)]
    pub suffix: Vec<String>,
    /// The DN that the first administrator binds with, also that of another server
    /// [default: uid=admin,ou=people,SUFFIX]
    #[arg(long, value_name = "DN")]
    pub admin_dn: Option<String>,
    /// A file with the administrator's password in its first line [default: one is made and printed once]
    #[arg(long, value_name = "FILE")]
    pub admin_password_file: Option<PathBuf>,
}

/// Makes the store.
///
/// # Errors
/// When there is one already, or the directory refuses a suffix, the administrator or the password.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let config = configuration(global, &[])?;
    let plan = Plan::of(args)?;
    let directory = store::open_or_make(&config)?;
    let outcome = make(&directory, &plan);
    directory.stop();
    say(&outcome?);
    Ok(Exit::Done)
}

/// Makes everything; returns what to tell.
fn make(directory: &Directory, plan: &Plan) -> Result<String, Failure> {
    let present = directory.suffixes().map_err(store::refused)?;
    if let Some(first) = present.first() {
        let message = format!("the store has been initialised: it holds {first}");
        return Err(Failure::new(Exit::Refused, message));
    }
    for suffix in &plan.suffixes {
        bootstrap::suffix(directory, suffix).map_err(store::refused)?;
    }
    let (password, made) = match &plan.password {
        Some(given) => (directory::credential::Secret::from(given.expose()), None),
        None => {
            let made = directory.make_password();
            (made.clone(), Some(made))
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start: {error}")))?;
    runtime.block_on(bootstrap::administrator(directory, &plan.administrator, password)).map_err(store::refused)?;
    let mut text = format!("naming contexts: {}\nadministrator: {}\n", plan.suffixes.join("; "), plan.administrator);
    if let Some(made) = made {
        text.push_str(&format!("password: {}\n", String::from_utf8_lossy(made.expose())));
    }
    Ok(text)
}

/// What is to be made.
#[derive(Debug)]
pub struct Plan {
    /// The suffixes, in the order given, none twice.
    pub suffixes: Vec<String>,
    /// The administrator's DN.
    pub administrator: String,
    /// The administrator's password; none: one is made.
    pub password: Option<Secret>,
}

impl Plan {
    /// Reads the password, so that nothing is made when it is refused.
    ///
    /// # Errors
    /// When the password cannot be had, or a suffix is empty or given twice.
    pub fn of(args: &Args) -> Result<Self, Failure> {
        for (place, suffix) in args.suffix.iter().enumerate() {
            let earlier = args.suffix.iter().take(place);
            if suffix.trim().is_empty() || earlier.into_iter().any(|other| other.eq_ignore_ascii_case(suffix)) {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("--suffix \"{}\" is empty or given twice", suffix.escape_debug()),
                ));
            }
        }
        let password = args.admin_password_file.as_deref().map(|file| prompt::new_password(Some(file))).transpose()?;
        let first = args.suffix.first().map(String::as_str).unwrap_or_default();
        let administrator = args.admin_dn.clone().unwrap_or_else(|| format!("uid=admin,ou=people,{first}"));
        Ok(Self { suffixes: args.suffix.clone(), administrator, password })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: suffixes must be given, once each; a refused password file stops before anything is made.
    #[test]
    fn a_plan_is_whole_or_none() {
        let args = |suffix: &[&str], file: Option<&str>| Args {
            suffix: suffix.iter().map(|text| (*text).to_owned()).collect(),
            admin_dn: file.map(|_| "cn=admin,dc=example,dc=com".to_owned()),
            admin_password_file: file.map(PathBuf::from),
        };
        let plan = Plan::of(&args(&["dc=example,dc=com", "o=lab"], None)).unwrap();
        assert_eq!(plan.suffixes, ["dc=example,dc=com", "o=lab"]);
        assert_eq!(plan.administrator, "uid=admin,ou=people,dc=example,dc=com");
        assert!(plan.password.is_none());
        assert_eq!(Plan::of(&args(&["dc=a", "DC=A"], None)).unwrap_err().exit, Exit::Usage);
        assert_eq!(Plan::of(&args(&[" "], None)).unwrap_err().exit, Exit::Usage);
        assert_eq!(Plan::of(&args(&["dc=a"], Some("/nowhere"))).unwrap_err().exit, Exit::Config);
    }
}
