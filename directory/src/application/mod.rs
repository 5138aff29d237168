//! Applications and providers as typed views of their entries: what they may do, read in place, decided nowhere else.
//!
//! An application signs people in here; its entry is of the class `rollbookApplication` and says everything about it but
//! its secrets (`grant::secret`). A provider (`provider`) signs people in for us. Both are ordinary entries: every door
//! that writes entries can make them, and a change holds for the next request.

mod address;
mod issue;
mod provider;

pub use issue::NewEntry;
pub use provider::{Cloud, LinkPolicy, Provider, ProviderKind};

use crate::access::tenant_key;
use crate::change::claims;
use crate::clock::Span;
use crate::entry::dn::DnKey;
use crate::entry::record::Record;
use crate::error::Refusal;
use crate::grant::Algorithm;
use crate::handle::Directory;
use crate::id::{EntryId, Position};
use crate::schema::Schema;
use crate::schema::attribute::AttributeId;
use crate::schema::kind::Kind;
use crate::schema::known::attribute as known;
use crate::store::membership;
use crate::store::view::View;
use uuid::Uuid;

/// How long an access token lives unless the application says otherwise.
pub const ACCESS: Span = Span::from_mins(10);
/// The longest life of an access token.
pub const LONGEST_ACCESS: Span = Span::from_hours(1);
/// How long a refresh token lives without use unless the application says otherwise.
pub const REFRESH_IDLE: Span = Span::from_days(14);
/// How long a refresh family lives in any case unless the application says otherwise.
pub const REFRESH: Span = Span::from_days(90);

/// A grant that an application may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantType {
    /// `authorization_code`.
    Code,
    /// `refresh_token`.
    Refresh,
    /// `client_credentials`.
    ClientCredentials,
}

impl GrantType {
    /// All of them.
    pub const ALL: [GrantType; 3] = [GrantType::Code, GrantType::Refresh, GrantType::ClientCredentials];

    /// The name in requests.
    pub fn name(self) -> &'static str {
        match self {
            GrantType::Code => "authorization_code",
            GrantType::Refresh => "refresh_token",
            GrantType::ClientCredentials => "client_credentials",
        }
    }

    /// The grant of that name.
    pub fn from_name(name: &str) -> Option<GrantType> {
        GrantType::ALL.into_iter().find(|grant| grant.name().eq_ignore_ascii_case(name))
    }
}

/// How an application proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientAuthentication {
    /// `client_secret_basic`; the same secret in the body is as good.
    Basic,
    /// `client_secret_post`; the same secret in the header is as good.
    Post,
    /// `private_key_jwt`.
    PrivateKeyJwt,
    /// `none`: a public client, with PKCE alone.
    None,
}

impl ClientAuthentication {
    /// All of them.
    pub const ALL: [ClientAuthentication; 4] = [
        ClientAuthentication::Basic,
        ClientAuthentication::Post,
        ClientAuthentication::PrivateKeyJwt,
        ClientAuthentication::None,
    ];

    /// The name in metadata.
    pub fn name(self) -> &'static str {
        match self {
            ClientAuthentication::Basic => "client_secret_basic",
            ClientAuthentication::Post => "client_secret_post",
            ClientAuthentication::PrivateKeyJwt => "private_key_jwt",
            ClientAuthentication::None => "none",
        }
    }

    /// The method of that name.
    pub fn from_name(name: &str) -> Option<ClientAuthentication> {
        ClientAuthentication::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(name))
    }
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its entry.
    pub id: EntryId,
    /// entryUUID.
    pub uuid: Uuid,
    /// Its DN.
    pub dn: String,
    /// `displayName`, or else `cn`: what people are shown.
    pub name: String,
    /// `client_id`.
    pub client_id: String,
    /// It is in use.
    pub enabled: bool,
    /// Where it may be returned to after sign-in; compared as they are.
    pub redirect_uris: Vec<String>,
    /// Where it may be returned to after sign-out.
    pub post_logout_uris: Vec<String>,
    /// Where it is told of a sign-out.
    pub back_channel_logout_uri: Option<String>,
    /// What it is told must name the session.
    pub back_channel_session_required: bool,
    /// The grants that it may use; without any: code and refresh.
    pub grants: Vec<GrantType>,
    /// How it proves itself.
    pub authentication: ClientAuthentication,
    /// Its public keys, as a JSON Web Key Set.
    pub key_set: Option<String>,
    /// Where they are.
    pub key_set_uri: Option<String>,
    /// The scopes that it may ask for; without any: those of OpenID Connect.
    pub scopes: Vec<String>,
    /// How its ID tokens are signed.
    pub algorithm: Algorithm,
    /// How its access tokens are signed: as its ID tokens where the entry says how, else by ES256, which costs a twentieth.
    pub access_algorithm: Algorithm,
    /// How long its access tokens live.
    pub access: Span,
    /// How long its refresh tokens live without use.
    pub refresh_idle: Span,
    /// How long its refresh families live.
    pub refresh: Span,
    /// DNs of the groups and roles whose members may enter; without any: everybody of the tenant.
    pub allowed_groups: Vec<String>,
    /// The level of sign-in that it needs.
    pub required_acr: Option<String>,
    /// The owner is asked before it sees anything.
    pub asks_consent: bool,
    /// It is the deployment's own.
    pub first_party: bool,
}

impl Application {
    /// It keeps no secret.
    pub fn is_public(&self) -> bool {
        self.authentication == ClientAuthentication::None
    }

    /// Whether it may use a grant.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// The view of a record; none when it is no application, or one without a client identifier.
    fn of(schema: &Schema, id: EntryId, record: &Record<'_>) -> Option<Application> {
        if record.kind() != Kind::Application {
            return None;
        }
        let values = Values { record };
        let client_id = values.one(known::ROLLBOOK_CLIENT_ID)?;
        let mut grants: Vec<_> =
            values.all(known::ROLLBOOK_GRANT_TYPE).iter().filter_map(|name| GrantType::from_name(name)).collect();
        if grants.is_empty() && !values.has(known::ROLLBOOK_GRANT_TYPE) {
            grants = vec![GrantType::Code, GrantType::Refresh];
        }
        let method = values.one(known::ROLLBOOK_CLIENT_AUTHENTICATION);
        let method = method.map_or(Some(ClientAuthentication::Basic), |name| ClientAuthentication::from_name(&name))?;
        let algorithm = values.one(known::ROLLBOOK_TOKEN_ALGORITHM);
        let first_party = values.truth(known::ROLLBOOK_FIRST_PARTY).unwrap_or(false);
        let consent = values.one(known::ROLLBOOK_CONSENT).map(|mode| mode.eq_ignore_ascii_case("ask"));
        let mut scopes = values.all(known::ROLLBOOK_ALLOWED_SCOPE);
        if scopes.is_empty() {
            scopes = ["openid", "profile", "email", "address", "phone", "offline_access"].map(str::to_owned).to_vec();
        }
        Some(Application {
            id,
            uuid: record.header().uuid,
            dn: record.dn().to_owned(),
            name: values.name(schema),
            client_id,
            enabled: values.truth(known::ROLLBOOK_ENABLED).unwrap_or(true),
            redirect_uris: values.all(known::ROLLBOOK_REDIRECT_URI),
            post_logout_uris: values.all(known::ROLLBOOK_POST_LOGOUT_URI),
            back_channel_logout_uri: values.one(known::ROLLBOOK_BACK_CHANNEL_LOGOUT_URI),
            back_channel_session_required: values.truth(known::ROLLBOOK_BACK_CHANNEL_SESSION).unwrap_or(false),
            grants,
            authentication: method,
            key_set: values.one(known::ROLLBOOK_KEY_SET),
            key_set_uri: values.one(known::ROLLBOOK_KEY_SET_URI),
            scopes,
            access_algorithm: algorithm.as_deref().map_or(Some(Algorithm::Es256), Algorithm::from_name)?,
            algorithm: algorithm.map_or(Some(Algorithm::Rs256), |name| Algorithm::from_name(&name))?,
            access: values.seconds(known::ROLLBOOK_ACCESS_SECONDS).unwrap_or(ACCESS).min(LONGEST_ACCESS),
            refresh_idle: values.seconds(known::ROLLBOOK_REFRESH_IDLE_SECONDS).unwrap_or(REFRESH_IDLE),
            refresh: values.seconds(known::ROLLBOOK_REFRESH_SECONDS).unwrap_or(REFRESH),
            allowed_groups: values.all(known::ROLLBOOK_ALLOWED_GROUP),
            required_acr: values.one(known::ROLLBOOK_REQUIRED_LEVEL),
            asks_consent: consent.unwrap_or(!first_party),
            first_party,
        })
    }
}

/// The values of a record, as text.
struct Values<'a, 'r> {
    record: &'a Record<'r>,
}

impl Values<'_, '_> {
    fn all(&self, attribute: AttributeId) -> Vec<String> {
        self.record.values(attribute).filter_map(|value| std::str::from_utf8(value).ok()).map(str::to_owned).collect()
    }

    fn one(&self, attribute: AttributeId) -> Option<String> {
        self.all(attribute).into_iter().next()
    }

    fn has(&self, attribute: AttributeId) -> bool {
        self.record.values(attribute).next().is_some()
    }

    fn truth(&self, attribute: AttributeId) -> Option<bool> {
        self.one(attribute).map(|value| value.eq_ignore_ascii_case("TRUE"))
    }

    fn seconds(&self, attribute: AttributeId) -> Option<Span> {
        self.one(attribute)?.parse().ok().filter(|seconds| *seconds > 0).map(Span::from_secs)
    }

    fn name(&self, schema: &Schema) -> String {
        let by = |name: &[u8]| schema.find_attribute(name).and_then(|attribute| self.one(attribute.id));
        by(b"displayName").or_else(|| by(b"cn")).unwrap_or_default()
    }
}

impl Directory {
    /// The application of this client identifier, which no two of the deployment have.
    ///
    /// # Errors
    /// `Store`.
    pub fn application(&self, client_id: &str) -> Result<Option<Application>, Refusal> {
        match self.application_version(client_id)? {
            Some((id, _)) => self.application_of(id),
            None => Ok(None),
        }
    }

    /// The entry of a client identifier, and its version: whoever has read the application since it came about need not read
    /// it again.
    ///
    /// # Errors
    /// `Store`.
    pub fn application_version(&self, client_id: &str) -> Result<Option<(EntryId, Position)>, Refusal> {
        let snapshot = self.snapshot()?;
        let Some(id) = claims::holder_of_client(snapshot.as_ref(), client_id)? else { return Ok(None) };
        let guard = snapshot.record(id)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        Ok(record.map(|record| (id, record.header().version)))
    }

    /// The application of this entry.
    ///
    /// # Errors
    /// `Store`.
    pub fn application_of(&self, id: EntryId) -> Result<Option<Application>, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = snapshot.record(id)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        Ok(record.and_then(|record| Application::of(self.schema(), id, &record)))
    }

    /// Whether an account may enter an application: it is of the application's tenant or of one below it, and in one of
    /// the groups that may, directly or through others.
    ///
    /// # Errors
    /// `Store`.
    pub fn may_enter(&self, application: &Application, account: EntryId) -> Result<bool, Refusal> {
        let snapshot = self.snapshot()?;
        let view = snapshot.as_ref();
        let Some(guard) = view.record(account)? else { return Ok(false) };
        let Ok(record) = Record::parse(guard.value()) else { return Ok(false) };
        if !record.key().starts_with(&tenant_key(view, application.id)?) {
            return Ok(false);
        }
        if application.allowed_groups.is_empty() {
            return Ok(true);
        }
        let held = membership::closure(view, account)?;
        for dn in &application.allowed_groups {
            let Ok(key) = DnKey::parse(self.schema(), dn.as_bytes()) else { continue };
            if view.id_of(key.as_bytes())?.is_some_and(|group| held.contains(&group)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
