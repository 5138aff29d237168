//! `rollbook application`: make, list and delete the applications that sign people in here, and change their secrets.
//!
//! Owns the words of the command; what an application may be is the directory's decision. A secret is printed once, on
//! standard output alone.

use super::grant::{Form, Wanted, ask};
use super::{Exit, Failure};
use crate::client::Client;
use clap::builder::PossibleValuesParser;
use oidc::provider::client_auth::keys_of;
use std::path::{Path, PathBuf};

/// The subcommands of `application`. NAME is its name or its client identifier.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// Make one and print its client identifier and secret; the secret is never shown again
    Create(Box<Create>),
    /// List them
    List(Form),
    /// Its client secret
    #[command(subcommand)]
    Secret(Secret),
    /// Delete one; what it holds of anybody ends
    Delete {
        /// Which
        name: String,
    },
}

/// The subcommands of `application secret`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Secret {
    /// Make another and print it; the former ones are good for the overlap yet
    Rotate {
        /// Which application
        name: String,
        /// How long: a number and s, m, h or d; at most 30d
        #[arg(long, value_name = "TIME", default_value = "0s", value_parser = super::token::span)]
        overlap: std::time::Duration,
        /// How to show it.
        #[command(flatten)]
        form: Form,
    },
}

/// The application to make.
#[derive(Clone, Debug, clap::Args)]
pub struct Create {
    /// Its name
    name: String,
    /// Where it may be returned to after sign-in; compared character by character
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Where it may be returned to after sign-out
    #[arg(long, value_name = "URI")]
    post_logout_uri: Vec<String>,
    /// Where it is told of a sign-out
    #[arg(long, value_name = "URI")]
    back_channel_logout_uri: Option<String>,
    /// It keeps no secret: an app on a phone, a page in a browser
    #[arg(long, conflicts_with = "key_set")]
    public: bool,
    /// A file with its public keys, a JSON Web Key Set; it proves itself by them (private_key_jwt)
    #[arg(long, value_name = "FILE")]
    key_set: Option<PathBuf>,
    /// A scope that it may ask for [default: those of OpenID Connect]
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// A grant that it may use [default: authorization_code and refresh_token]
    #[arg(long, value_name = "GRANT", value_parser = PossibleValuesParser::new(["authorization_code", "refresh_token", "client_credentials"]))]
    grant: Vec<String>,
    /// A group or role whose members may enter [default: everybody of the tenant]
    #[arg(long, value_name = "DN")]
    allow_group: Vec<String>,
    /// The level of sign-in that it needs
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(["pwd", "mfa"]))]
    acr: Option<String>,
    /// How its ID tokens are signed [default: RS256]
    #[arg(long, value_name = "ALG", value_parser = PossibleValuesParser::new(["RS256", "ES256", "EdDSA"]))]
    alg: Option<String>,
    /// It is the deployment's own: nobody is asked for consent
    #[arg(long)]
    first_party: bool,
    /// Its client identifier [default: one is made]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
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
    let named = |name: &String| Wanted::default().with("name", [name]);
    match action {
        Action::Create(args) => {
            let keys = args.key_set.as_deref().map(key_set).transpose()?;
            let wanted = named(&args.name)
                .with("redirect-uri", &args.redirect_uri)
                .with("post-logout-uri", &args.post_logout_uri)
                .with("back-channel-logout-uri", &args.back_channel_logout_uri)
                .with("scope", &args.scope)
                .with("grant", &args.grant)
                .with("allow-group", &args.allow_group)
                .with("acr", &args.acr)
                .with("alg", &args.alg)
                .with("client-id", &args.client_id)
                .with("display-name", &args.display_name)
                .with("tenant", &args.tenant)
                .with("key-set", &keys)
                .when(args.public, "authentication", "none")
                .when(keys.is_some(), "authentication", "private_key_jwt")
                .when(args.first_party, "first-party", "TRUE");
            ask(client, "application create", wanted.details(), args.form)
        }
        Action::List(form) => ask(client, "application list", Vec::new(), form),
        Action::Secret(Secret::Rotate { name, overlap, form }) => {
            let wanted = named(&name).with("overlap", [&overlap.as_secs().to_string()]);
            ask(client, "application secret", wanted.details(), form)
        }
        Action::Delete { name } => ask(client, "application delete", named(&name).details(), Form { json: false }),
    }
}

/// A file with public keys that an application can prove itself by.
fn key_set(path: &Path) -> Result<String, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::new(Exit::Usage, format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&format_args!("cannot read it: {error}")))?;
    if keys_of(&text).is_empty() {
        return Err(wrong(&"no JSON Web Key Set with a public key of RSA, P-256 or Ed25519"));
    }
    Ok(text)
}
