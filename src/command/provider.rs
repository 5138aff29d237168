//! `rollbook provider`: the providers that sign people in for us: Google, Microsoft Entra, any OpenID provider.
//!
//! Owns the words of the command; what a provider may is the directory's decision. A provider is off until it is enabled.

use super::account::find;
use super::grant::{Form, Wanted, ask, show};
use super::{Exit, Failure, say};
use crate::client::Client;
use clap::builder::PossibleValuesParser;
use ldap::grant_request::{Details, GrantRequest};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// The subcommands of `provider`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// Add one; it is off until it is enabled
    Add(Box<Add>),
    /// List them
    List(Form),
    /// Let people sign in through it
    Enable {
        /// Which
        name: String,
    },
    /// Let nobody sign in through it any more; running sessions go on
    Disable {
        /// Which
        name: String,
    },
    /// Try one, in use or not: sign in through it in a browser, and see its claims and what would become of them
    ///
    /// Nothing is changed and nobody is signed in. Waits for ten minutes.
    Test {
        /// Which
        name: String,
        /// How to show it.
        #[command(flatten)]
        form: Form,
    },
    /// List who is linked to one, or the links of an account
    Links {
        /// Which
        #[arg(required_unless_present = "account")]
        name: Option<String>,
        /// Whose: a user name, an e-mail address or a DN
        #[arg(long, value_name = "ACCOUNT", conflicts_with = "name")]
        account: Option<String>,
        /// How to show it.
        #[command(flatten)]
        form: Form,
    },
    /// Take a link away, with what its mapping gave; sessions by it end
    Unlink {
        /// Which
        name: String,
        /// Whose: a user name, an e-mail address or a DN
        account: String,
    },
    /// Remove one, with its secret and all links to it
    Remove {
        /// Which
        name: String,
    },
}

/// The provider to add.
#[derive(Clone, Debug, clap::Args)]
pub struct Add {
    /// What it is
    #[arg(value_parser = PossibleValuesParser::new(["google", "entra", "oidc"]))]
    kind: String,
    /// Its name here, part of its return address
    name: String,
    /// Our client identifier there
    #[arg(long, value_name = "ID", required = true)]
    client_id: String,
    /// A file with our client secret there; never given on the command line, where others could read it
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Its issuer
    #[arg(long, value_name = "URI", required_if_eq("kind", "oidc"))]
    issuer: Option<String>,
    /// The national cloud of Entra [default: global]
    #[arg(long, value_name = "CLOUD", value_parser = PossibleValuesParser::new(["global", "us", "china"]))]
    cloud: Option<String>,
    /// A tenant of Entra that may sign in, by its id; * for any
    #[arg(long, value_name = "ID", required_if_eq("kind", "entra"))]
    allow_tenant: Vec<String>,
    /// A hosted domain of Google that may sign in
    #[arg(long, value_name = "DOMAIN")]
    allow_domain: Vec<String>,
    /// A mail domain that it speaks for
    #[arg(long, value_name = "DOMAIN")]
    trust_domain: Vec<String>,
    /// What happens to an account that is not linked [default: deny]
    #[arg(long, value_name = "POLICY", value_parser = PossibleValuesParser::new(["deny", "prompt", "trusted-email"]))]
    link: Option<String>,
    /// Somebody without an account gets one
    #[arg(long)]
    just_in_time: bool,
    /// Its second factor counts here
    #[arg(long)]
    trust_mfa: bool,
    /// A group or role there and ours: NAME=DN
    #[arg(long, value_name = "NAME=DN")]
    map: Vec<String>,
    /// A scope to ask for besides openid
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// What people are shown [default: its name]
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Name or DN of its tenant [default: the only naming context]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    #[command(flatten)]
    form: Form,
}

/// Runs a subcommand.
///
/// # Errors
/// With the exit code of the help.
pub fn run(client: &mut Client, action: Action) -> Result<Exit, Failure> {
    let quiet = Form { json: false };
    let named = |name: &String| Wanted::default().with("name", [name]);
    match action {
        Action::Add(args) => {
            let secret = match &args.client_secret_file {
                None => None,
                Some(path) => {
                    Some(std::fs::read_to_string(path).map(|text| text.trim().to_owned()).map_err(|error| {
                        Failure::new(Exit::Config, format!("cannot read {}: {error}", path.display()))
                    })?)
                }
            };
            let wanted = named(&args.name)
                .with("kind", [&args.kind])
                .with("client-id", [&args.client_id])
                .with("client-secret", &secret)
                .with("issuer", &args.issuer)
                .with("cloud", &args.cloud)
                .with("allow-tenant", &args.allow_tenant)
                .with("allow-domain", &args.allow_domain)
                .with("trust-domain", &args.trust_domain)
                .with("link", &args.link)
                .with("map", &args.map)
                .with("scope", &args.scope)
                .with("display-name", &args.display_name)
                .with("tenant", &args.tenant)
                .when(args.just_in_time, "just-in-time", "TRUE")
                .when(args.trust_mfa, "trust-mfa", "TRUE");
            ask(client, "provider add", wanted.details(), args.form)
        }
        Action::Test { name, form } => test(client, &named(&name).details(), form),
        Action::Links { name: Some(name), form, .. } => ask(client, "link list", named(&name).details(), form),
        Action::Links { name: None, account, form } => {
            let dn = find::account(client, account.as_deref().unwrap_or_default(), &[find::STATE])?.dn;
            ask(client, "link list", Wanted::default().with("account", [&dn]).details(), form)
        }
        Action::Unlink { name, account } => {
            let dn = find::account(client, &account, &[find::STATE])?.dn;
            ask(client, "link remove", named(&name).with("account", [&dn]).details(), quiet)
        }
        Action::List(form) => ask(client, "provider list", Vec::new(), form),
        Action::Enable { name } => ask(client, "provider enable", named(&name).details(), quiet),
        Action::Disable { name } => ask(client, "provider disable", named(&name).details(), quiet),
        Action::Remove { name } => ask(client, "provider remove", named(&name).details(), quiet),
    }
}

/// Tells the address, waits for the sign-in in the browser, and shows what came of it.
fn test(client: &mut Client, named: &Details, form: Form) -> Result<Exit, Failure> {
    let request = GrantRequest { act: "provider test".to_owned(), details: named.clone() };
    let begun = client.grant(&request)?.shown.into_iter().next().unwrap_or_default();
    let told = |name: &str| begun.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let address = told("open").unwrap_or_default();
    // Not part of the answer, which may go into a file.
    _ = writeln!(io::stderr(), "Open this address in a browser and sign in there, within ten minutes:\n{address}");
    let wanted = Wanted::default().with("ticket", &told("ticket"));
    let request = GrantRequest { act: "provider trial".to_owned(), details: wanted.details() };
    loop {
        let shown = client.grant(&request)?.shown;
        if let Some(outcome) = shown.first() {
            say(&show(&shown, form));
            let refused = outcome.first().is_some_and(|(name, _)| name == "refused");
            return Ok(if refused { Exit::Refused } else { Exit::Done });
        }
    }
}
