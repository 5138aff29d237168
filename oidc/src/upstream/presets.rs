//! What each kind of provider says of itself, and who of its people may sign in.
//!
//! Google and Entra need no issuer in their entry; one that is there takes the place of the public one (a national cloud
//! without a name here, a proxy, a test), of Entra without tenant and version.

use super::fault::Fault;
use super::identity::{flag, text};
use directory::application::{Cloud, Provider, ProviderKind};
use serde_json::{Map, Value};

/// The tenant of Entra that holds everybody's personal accounts.
pub(super) const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// Stands for the tenant in the issuer of Entra's shared metadata.
const TENANT: &str = "{tenantid}";

/// How an ID token may be signed at all (R4): never by `none`, never with a secret that two share.
const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

/// What a provider is asked by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Preset {
    /// Where its metadata is.
    pub(super) document: String,
    /// Who the metadata must say that it is of (R18).
    pub(super) issuer: Issuer,
    /// What is asked for besides `openid`.
    pub(super) scopes: Vec<String>,
    /// How ID tokens may be signed (R4).
    pub(super) algorithms: Vec<String>,
    /// The value of `prompt` that makes somebody sign in again, as far as the provider can.
    pub(super) again: &'static str,
    /// The value of `hd`: what Google offers its people to choose from. A hint: [`Preset::admits`] decides.
    pub(super) hosted_domain: Option<String>,
}

/// An issuer, or one for each tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Issuer {
    /// This one, letter by letter.
    One(String),
    /// This one, which may be spelled without `https://`.
    Bare(String),
    /// What stands before and after the tenant.
    Tenants(String, String),
}

impl Issuer {
    /// The issuer in a member of a document of Entra: a template, or one.
    pub(super) fn read(text: &str) -> Issuer {
        match text.split_once(TENANT) {
            Some((before, after)) => Issuer::Tenants(before.to_owned(), after.to_owned()),
            None => Issuer::One(text.to_owned()),
        }
    }

    /// As a document spells it.
    pub(super) fn spelling(&self) -> String {
        match self {
            Issuer::One(issuer) | Issuer::Bare(issuer) => issuer.clone(),
            Issuer::Tenants(before, after) => format!("{before}{TENANT}{after}"),
        }
    }

    /// The issuer that a token must name, by the tenant that it claims to be of. What the claim says is not believed: the
    /// token is then checked against this issuer and its keys.
    pub(super) fn of(&self, tenant: Option<&str>) -> Option<String> {
        match self {
            Issuer::One(issuer) | Issuer::Bare(issuer) => Some(issuer.clone()),
            Issuer::Tenants(before, after) => {
                tenant.filter(|tenant| is_guid(tenant)).map(|tenant| format!("{before}{tenant}{after}"))
            }
        }
    }

    /// This issuer may be meant by that text.
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Issuer::One(issuer) => issuer == text,
            Issuer::Bare(issuer) => issuer == text || issuer.strip_prefix("https://") == Some(text),
            Issuer::Tenants(before, after) => text
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .is_some_and(is_guid),
        }
    }
}

impl Preset {
    /// What a provider's entry makes of its kind.
    ///
    /// # Errors
    /// [`Fault::Setup`].
    pub(super) fn of(provider: &Provider) -> Result<Preset, Fault> {
        let given = provider.issuer.as_deref().map(is_address).transpose()?;
        if provider.client_id.is_empty() {
            return Err(Fault::Setup("it has no client identifier"));
        }
        let rs256 = || vec!["RS256".to_owned()];
        let asked = |defaults: &[&str], always: &[&str]| {
            let own = provider.scopes.iter().map(String::as_str).chain(always.iter().copied());
            let mut scopes: Vec<&str> = if provider.scopes.is_empty() { defaults.to_vec() } else { own.collect() };
            scopes.retain(|scope| *scope != "openid");
            scopes.sort_unstable();
            scopes.dedup();
            scopes.into_iter().map(str::to_owned).collect()
        };
        Ok(match provider.kind {
            ProviderKind::Google => {
                let issuer = given.unwrap_or("https://accounts.google.com");
                Preset {
                    document: well_known(issuer),
                    issuer: Issuer::Bare(issuer.to_owned()),
                    scopes: asked(&["email", "profile"], &[]),
                    algorithms: rs256(),
                    // Google knows no `login`: choosing an account is the most that it can be asked for.
                    again: "select_account",
                    hosted_domain: match provider.allowed_domains.as_slice() {
                        [] => None,
                        [one] => Some(one.clone()),
                        _ => Some("*".to_owned()),
                    },
                }
            }
            ProviderKind::Entra => {
                let cloud = given.unwrap_or(match provider.cloud {
                    Cloud::Global => "https://login.microsoftonline.com",
                    Cloud::Us => "https://login.microsoftonline.us",
                    Cloud::China => "https://login.partner.microsoftonline.cn",
                });
                let (cloud, authority) = (cloud.trim_end_matches('/'), Tenants::of(provider)?.authority());
                let issued_by = if is_guid(&authority) { &authority } else { TENANT };
                Preset {
                    document: well_known(&format!("{cloud}/{authority}/v2.0")),
                    issuer: Issuer::read(&format!("{cloud}/{issued_by}/v2.0")),
                    // Without `profile` there is no `oid`, by which people are known.
                    scopes: asked(&["email", "profile"], &["profile"]),
                    algorithms: rs256(),
                    again: "login",
                    hosted_domain: None,
                }
            }
            ProviderKind::Oidc => {
                let issuer = given.ok_or(Fault::Setup("it has no issuer"))?;
                if !provider.algorithms.iter().all(|name| ALGORITHMS.contains(&name.as_str())) {
                    return Err(Fault::Setup("it signs in a way that is not taken"));
                }
                let algorithms = if provider.algorithms.is_empty() { rs256() } else { provider.algorithms.clone() };
                Preset {
                    document: well_known(issuer),
                    issuer: Issuer::One(issuer.to_owned()),
                    scopes: asked(&["email", "profile"], &[]),
                    algorithms,
                    again: "login",
                    hosted_domain: None,
                }
            }
        })
    }
}

/// Whether the tenant or hosted domain of a proven token may sign in (R6, R7).
///
/// # Errors
/// [`Fault::Tenant`], [`Fault::HostedDomain`].
pub(super) fn admit(provider: &Provider, claims: &Map<String, Value>) -> Result<(), Fault> {
    match provider.kind {
        ProviderKind::Entra => {
            let tenant = text(claims, "tid").filter(|tenant| is_guid(tenant)).ok_or(Fault::Claim("tid"))?;
            if Tenants::of(provider)?.admit(&tenant) { Ok(()) } else { Err(Fault::Tenant) }
        }
        ProviderKind::Google if !provider.allowed_domains.is_empty() => {
            let is_one = |hd: &String| provider.allowed_domains.iter().any(|domain| domain.eq_ignore_ascii_case(hd));
            text(claims, "hd").filter(is_one).map(|_| ()).ok_or(Fault::HostedDomain)
        }
        ProviderKind::Google | ProviderKind::Oidc => Ok(()),
    }
}

/// Whether the provider speaks for the address in a proven token: that it is this person's, now (R9).
pub(super) fn speaks_for(provider: &Provider, claims: &Map<String, Value>, email: &str) -> bool {
    let Some((_, domain)) = email.rsplit_once('@') else { return false };
    let declared = provider.trusted_domains.iter().any(|trusted| trusted.eq_ignore_ascii_case(domain));
    let verified = flag(claims, "email_verified");
    match provider.kind {
        ProviderKind::Google => {
            verified && (declared || domain.eq_ignore_ascii_case("gmail.com") || text(claims, "hd").is_some())
        }
        // The administrators of any tenant write into `email` what they like: of another than our own only an address
        // counts whose domain Entra has seen proven.
        ProviderKind::Entra => {
            let ours = Tenants::of(provider).is_ok_and(|tenants| is_guid(&tenants.authority()));
            flag(claims, "xms_edov") || (ours && declared)
        }
        ProviderKind::Oidc => verified && declared,
    }
}

/// The tenants of Entra that may sign in (R6).
#[derive(Debug, PartialEq, Eq)]
struct Tenants {
    /// Everybody's, but not personal accounts.
    any: bool,
    listed: Vec<String>,
}

impl Tenants {
    fn of(provider: &Provider) -> Result<Tenants, Fault> {
        let listed = provider.allowed_tenants.iter().filter(|tenant| *tenant != "*");
        let listed: Vec<String> = listed.map(|tenant| tenant.to_ascii_lowercase()).collect();
        let any = listed.len() < provider.allowed_tenants.len();
        if !listed.iter().all(|tenant| is_guid(tenant)) {
            return Err(Fault::Setup("a tenant is named by something other than its identifier"));
        }
        if !any && listed.is_empty() {
            return Err(Fault::Setup("it names no tenant that may sign in"));
        }
        Ok(Tenants { any, listed })
    }

    fn admit(&self, tenant: &str) -> bool {
        let listed = self.listed.iter().any(|listed| listed.eq_ignore_ascii_case(tenant));
        listed || (self.any && !tenant.eq_ignore_ascii_case(CONSUMERS))
    }

    /// What the authority's address names: the one tenant, or what holds all of them.
    fn authority(&self) -> String {
        match self.listed.as_slice() {
            [one] if !self.any => one.clone(),
            listed if listed.iter().any(|tenant| tenant == CONSUMERS) => "common".to_owned(),
            _ => "organizations".to_owned(),
        }
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// An issuer: `https` without query and fragment (OpenID Connect Core §2), in characters that nothing has to escape.
fn is_address(text: &str) -> Result<&str, Fault> {
    let is_plain = text.bytes().all(|o| o.is_ascii_graphic() && !matches!(o, b'?' | b'#' | b'@' | b'|' | b'{' | b'}'));
    if is_plain && text.starts_with("https://") {
        Ok(text)
    } else {
        Err(Fault::Setup("its issuer is not an https address without query"))
    }
}

/// OpenID Connect Discovery §4.
fn well_known(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}
