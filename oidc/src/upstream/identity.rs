//! Who somebody is by the word of a provider, proven.

use super::fault::Fault;
use super::presets::{CONSUMERS, speaks_for};
use crate::jose::token::moment;
use directory::application::{Provider, ProviderKind};
use directory::clock::Millis;
use serde_json::{Map, Value};

/// Octets of the longest text of a claim that is taken.
const TEXT: usize = 512;
/// Octets of the longest subject (OpenID Connect Core §2).
const SUBJECT: usize = 255;

/// A proven identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What a link is made by, of immutable claims alone: `ISSUER|SUBJECT`, of Entra `ISSUER|TENANT|OBJECT`.
    pub key: String,
    /// `iss`, in its one spelling.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `tid`, of Entra.
    pub tenant: Option<String>,
    /// `oid`, of Entra.
    pub object: Option<String>,
    /// `email`. To be shown; never to be looked up by, unless the next field says so.
    pub email: Option<String>,
    /// The provider speaks for the address: it is proven to be this person's now.
    pub email_is_authoritative: bool,
    /// `name`.
    pub name: Option<String>,
    /// `given_name`.
    pub given_name: Option<String>,
    /// `family_name`.
    pub family_name: Option<String>,
    /// `preferred_username`. Anybody may be called anything.
    pub preferred_username: Option<String>,
    /// What the person recognises the account by: an address or a name, never empty. To be shown, nothing else.
    pub shown: String,
    /// `groups`.
    pub groups: Groups,
    /// `roles`.
    pub roles: Vec<String>,
    /// `acr`.
    pub acr: Option<String>,
    /// `amr`.
    pub amr: Vec<String>,
    /// When the person signed in there.
    pub auth_time: Option<Millis>,
    /// The token proves that there was a second factor. Whether that counts is the provider's `trusts_second_factor`.
    pub second_factor: bool,
    /// `sid`: the session there.
    pub sid: Option<String>,
    /// Everything that the token says.
    pub claims: Map<String, Value>,
}

/// What a token says of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// These, and no others.
    Known(Vec<String>),
    /// More than the token holds: which ones is not known (R12: nobody keeps what may have been taken).
    Overage,
    /// Nothing: the provider was not asked, or has none.
    Absent,
}

impl Identity {
    /// Who the claims of a proven token are of (§5.1 of OpenID Connect Core, and what Google and Entra add).
    ///
    /// # Errors
    /// [`Fault::Claim`] when what the link is made by is missing.
    pub(super) fn of(provider: &Provider, issuer: String, claims: Map<String, Value>) -> Result<Identity, Fault> {
        let one = |name: &str| text(&claims, name);
        let subject = one("sub").filter(|sub| sub.len() <= SUBJECT).ok_or(Fault::Claim("sub"))?;
        let (mut tenant, mut object) = (None, None);
        let key = match provider.kind {
            // `sub` is another one for each client at Entra, `oid` is the same for all of them. An issuer holds no `|`.
            ProviderKind::Entra => {
                (tenant, object) = (one("tid"), one("oid"));
                let tid = tenant.as_deref().ok_or(Fault::Claim("tid"))?;
                match object.as_deref() {
                    Some(oid) => format!("{issuer}|{tid}|{oid}"),
                    None if tid.eq_ignore_ascii_case(CONSUMERS) => format!("{issuer}|{tid}||{subject}"),
                    None => return Err(Fault::Claim("oid")),
                }
            }
            ProviderKind::Google | ProviderKind::Oidc => format!("{issuer}|{subject}"),
        };
        let email = one("email").filter(|email| email.split('@').filter(|part| !part.is_empty()).count() == 2);
        let (name, preferred_username) = (one("name"), one("preferred_username"));
        let shown = [&email, &preferred_username, &name].into_iter().flatten().next().unwrap_or(&subject).clone();
        let (acr, amr) = (one("acr"), list(&claims, "amr").unwrap_or_default());
        Ok(Identity {
            key,
            email_is_authoritative: email.as_deref().is_some_and(|email| speaks_for(provider, &claims, email)),
            given_name: one("given_name"),
            family_name: one("family_name"),
            groups: groups(&claims),
            roles: list(&claims, "roles").unwrap_or_default(),
            second_factor: second_factor(acr.as_deref(), &amr),
            auth_time: moment(&claims, "auth_time").ok().flatten(),
            sid: one("sid"),
            issuer,
            subject,
            tenant,
            object,
            email,
            name,
            preferred_username,
            shown,
            acr,
            amr,
            claims,
        })
    }
}

/// A claim that is a text: not empty, not long, nothing in it that moves a cursor.
pub(super) fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name).and_then(Value::as_str)?.trim();
    let is_plain = (1..=TEXT).contains(&text.len()) && !text.chars().any(char::is_control);
    is_plain.then(|| text.to_owned())
}

/// A claim that is a truth, as a truth, a text or a number: `email_verified` and `xms_edov` have been seen in all three.
pub(super) fn flag(claims: &Map<String, Value>, name: &str) -> bool {
    match claims.get(name) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text == "true" || text == "1",
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        _ => false,
    }
}

/// A claim that is a list of texts, or one text; none when anything else is in it.
fn list(claims: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    match claims.get(name)? {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) => many.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Entra leaves the groups out of the token when they are too many, and says where they could be asked for; that address is
/// never followed. A claim that is not a list of texts is no list that could be believed either.
fn groups(claims: &Map<String, Value>) -> Groups {
    let elsewhere = claims.get("_claim_names").is_some_and(|names| names.get("groups").is_some());
    if elsewhere || flag(claims, "hasgroups") {
        return Groups::Overage;
    }
    match claims.get("groups") {
        None => Groups::Absent,
        Some(_) => list(claims, "groups").map_or(Groups::Overage, Groups::Known),
    }
}

/// The token says that there was a second factor: by its own word for that, or by two methods of different kinds
/// (RFC 8176 §2: something known, had, been).
fn second_factor(acr: Option<&str>, amr: &[String]) -> bool {
    const LEVELS: [&str; 2] = ["http://schemas.microsoft.com/claims/multipleauthn", "https://refeds.org/profile/mfa"];
    const KINDS: [&[&str]; 3] =
        [&["pwd", "pin", "kba"], &["otp", "sms", "tel", "hwk", "swk", "sc"], &["face", "fpt", "iris", "retina", "vbm"]];
    let used = |names: &&&[&str]| amr.iter().any(|method| names.contains(&method.as_str()));
    acr.is_some_and(|acr| LEVELS.contains(&acr))
        || amr.iter().any(|method| method == "mfa")
        || KINDS.iter().filter(used).count() > 1
}
