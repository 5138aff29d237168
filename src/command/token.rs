//! `rollbook token`: make, list, replace and revoke API tokens, through the running daemon and its Unix socket.
//!
//! Owns the words of the command and what is printed. As with `account`, the operating system says who one is; what a
//! token may be is the directory's decision. A new secret is printed once, on standard output alone.

mod text;

use super::account::find;
use super::grant::{self, Form};
use super::{Exit, Failure, say};
use crate::client::{self, Client};
use ldap::token_request::{Create as Wanted, TokenRequest, TokenResponse};
use ldap::wire::ResultCode;
use std::time::Duration;

/// The resource types that a token can be narrowed to.
pub const TYPES: [&str; 3] = ["User", "Group", "Role"];

/// The subcommands of `token`. ID is what `list` calls a token, no secret.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// Make a token and print it; it is never shown again
    Create(Create),
    /// List the tokens: what for, whose, until when, last used
    List(List),
    /// Make a token that takes another's place, and print it; the other ends with the overlap
    Rotate(Rotate),
    /// End a token at once
    Revoke(Revoke),
    /// What stops a token that takes too many accounts away
    #[command(subcommand)]
    Fuse(Fuse),
}

/// The subcommands of `token fuse`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Fuse {
    /// List the tokens that deactivated or deleted accounts of late, and whose fuse has blown
    List(Form),
    /// Let a token go on whose fuse has blown
    Close {
        /// The token's id
        id: String,
    },
}

/// The token to make.
#[derive(Clone, Debug, clap::Args)]
pub struct Create {
    /// For the SCIM door
    #[arg(long, required = true)]
    scim: bool,
    /// Name or DN of the tenant that it provisions [default: the only naming context]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// An account to make it for, with that account's rights; a user name, an e-mail address or a DN [default: one of the
    /// label's name in ou=applications of the tenant, made when there is none, with the role SCIM_PROVISIONER]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// What the client is; decides which of its habits are understood
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(scim::dialect::names()))]
    dialect: Option<String>,
    /// It may read and not write
    #[arg(long)]
    read_only: bool,
    /// The resource types that it may touch, such as User,Group [default: all]
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(TYPES))]
    types: Vec<String>,
    /// How long it is good: a number and s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = span)]
    expires: Duration,
    /// What it is for [default: the dialect, or scim]
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// How to list.
#[derive(Clone, Debug, clap::Args)]
pub struct List {
    /// As a JSON array
    #[arg(long)]
    json: bool,
}

/// The token to replace.
#[derive(Clone, Debug, clap::Args)]
pub struct Rotate {
    /// Its id
    id: String,
    /// How long it is good beside its successor: a number and s, m, h or d; at most 30d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span)]
    overlap: Duration,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// The token to end.
#[derive(Clone, Debug, clap::Args)]
pub struct Revoke {
    /// Its id
    id: String,
}

/// Runs a subcommand.
///
/// # Errors
/// With the exit code of the help.
pub fn run(client: &mut Client, action: Action) -> Result<Exit, Failure> {
    match action {
        Action::Create(args) => {
            let request = TokenRequest::Create(wanted(client, &args)?);
            say(&text::made(&ask(client, &request)?, args.json)?);
        }
        Action::List(args) => say(&text::list(&ask(client, &TokenRequest::List)?, args.json)),
        Action::Rotate(args) => {
            let request = TokenRequest::Rotate { token: args.id, overlap: seconds(args.overlap) };
            say(&text::made(&ask(client, &request)?, args.json)?);
        }
        Action::Revoke(args) => {
            ask(client, &TokenRequest::Revoke { token: args.id.clone() })?;
            say(&format!("{}: revoked\n", crate::command::account::text::shown(&args.id)));
        }
        Action::Fuse(Fuse::List(form)) => return grant::ask(client, "fuse list", Vec::new(), form),
        Action::Fuse(Fuse::Close { id }) => {
            let wanted = grant::Wanted::default().with("token", [&id]);
            return grant::ask(client, "fuse close", wanted.details(), Form { json: false });
        }
    }
    Ok(Exit::Done)
}

fn wanted(client: &mut Client, args: &Create) -> Result<Wanted, Failure> {
    let account = match &args.account {
        Some(name) => Some(find::account(client, name, &[find::STATE])?.dn),
        None => None,
    };
    let dialect = args.dialect.clone().unwrap_or_default();
    let named = if dialect.is_empty() { "scim" } else { dialect.as_str() };
    Ok(Wanted {
        tenant: args.tenant.clone(),
        account,
        label: args.label.clone().unwrap_or_else(|| named.to_owned()),
        seconds: seconds(args.expires),
        write: !args.read_only,
        types: args.types.clone(),
        dialect,
    })
}

fn ask(client: &mut Client, request: &TokenRequest) -> Result<TokenResponse, Failure> {
    client.token(request).map_err(|error| match error {
        client::Error::Refused { code: ResultCode::NO_SUCH_OBJECT, diagnostic } if diagnostic.is_empty() => {
            Failure::new(Exit::Refused, "there is no such token")
        }
        other => other.into(),
    })
}

/// What fits into the request; whatever is longer is refused there.
fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(i32::MAX.unsigned_abs()).min(i32::MAX.unsigned_abs())
}

/// `90s`, `15m`, `24h`, `365d`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a number and s, m, h or d, such as 365d".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number: u64 = text.strip_suffix(unit).and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    let of_unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(of_unit).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        action: Action,
    }

    fn parse(line: &str) -> Result<Action, String> {
        let words = std::iter::once("token").chain(line.split(' '));
        Line::try_parse_from(words).map(|line| line.action).map_err(|error| error.to_string())
    }

    /// Goal: each line is its subcommand with its defaults, and a wrong one is refused before anything is asked.
    #[test]
    fn lines_are_read() {
        let Ok(Action::Create(made)) = parse("create --scim --types User,Group --dialect okta") else { unreachable!() };
        assert_eq!((made.types, made.dialect.as_deref()), (vec!["User".to_owned(), "Group".to_owned()], Some("okta")));
        assert_eq!((made.expires, made.read_only), (Duration::from_secs(365 * 86_400), false));
        let Ok(Action::Rotate(rotated)) = parse("rotate abc --json") else { unreachable!() };
        assert_eq!((rotated.overlap, rotated.json), (Duration::from_secs(86_400), true));
        for line in [
            "create",
            "create --scim --dialect ldap",
            "create --scim --types users",
            "create --scim --expires never",
            "create --scim --expires 365",
            "rotate",
            "revoke",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    /// Goal: times are read with their unit; what does not fit is refused, here or by the directory.
    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("0s", Some(0)),
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("24h", Some(86_400)),
            ("365d", Some(31_536_000)),
            ("", None),
            ("d", None),
            ("5", None),
            ("-5d", None),
            ("5w", None),
            ("99999999999999999999d", None),
            ("5ä", None),
        ] {
            assert_eq!(span(text).ok().map(|span| span.as_secs()), expected, "{text}");
        }
        assert_eq!(seconds(Duration::from_secs(u64::MAX)), 0x7fff_ffff);
    }
}
