//! `rollbook init`: an empty store with its suffixes and, if wanted, its first administrator.
//!
//! Owns the arguments and what must be known before the store is touched: the administrator's password. Parsing the DNs
//! and making the entries is the directory's.

use super::{Exit, Failure, prompt};
use crate::config::secret::Secret;
use std::path::PathBuf;

/// Arguments of `init`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A naming context, such as dc=example,dc=com; may be repeated
    #[arg(long, value_name = "DN", required = true)]
    pub suffix: Vec<String>,
    /// The DN that the first administrator binds with, also that of another server
    #[arg(long, value_name = "DN")]
    pub admin_dn: Option<String>,
    /// A file with the administrator's password in its first line [default: ask at the terminal]
    #[arg(long, value_name = "FILE", requires = "admin_dn")]
    pub admin_password_file: Option<PathBuf>,
}

/// What is to be made.
#[derive(Debug)]
pub struct Plan {
    /// The suffixes, in the order given, none twice.
    pub suffixes: Vec<String>,
    /// The administrator's DN and password.
    pub administrator: Option<(String, Secret)>,
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
        let administrator = match &args.admin_dn {
            None => None,
            Some(dn) => Some((dn.clone(), prompt::new_password(args.admin_password_file.as_deref())?)),
        };
        Ok(Self { suffixes: args.suffix.clone(), administrator })
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
        assert!(plan.administrator.is_none());
        assert_eq!(Plan::of(&args(&["dc=a", "DC=A"], None)).unwrap_err().exit, Exit::Usage);
        assert_eq!(Plan::of(&args(&[" "], None)).unwrap_err().exit, Exit::Usage);
        assert_eq!(Plan::of(&args(&["dc=a"], Some("/nowhere"))).unwrap_err().exit, Exit::Config);
    }
}
