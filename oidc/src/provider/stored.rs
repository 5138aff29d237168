//! What the endpoints ask of the directory: clients, names, who may enter, keys.

use super::client::{Client, Grant, Method, Registered};
use super::client_auth::keys_of;
use super::{Provider, mint};
use crate::jose::Algorithm;
use crate::jose::sign::SigningKey;
use crate::keys::{Key, Ring};
use directory::application::{Application, ClientAuthentication, GrantType};
use directory::clock::Millis;
use directory::entry::record::Record;
use directory::error::{Reason, Refusal};
use directory::grant::SigningKey as StoredKey;
use directory::id::{EntryId, Position};
use directory::schema::known::attribute as known;
use directory::store::view::View;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// So many clients are kept; one more, and it begins anew.
const CLIENTS: usize = 1_024;

fn broken(what: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Store, "the store failed").with_detail(what)
}

/// The stored keys, ready to sign and to check.
///
/// # Errors
/// `Store` for a key that is none.
pub(super) fn ring_of(keys: &[StoredKey]) -> Result<Ring, Refusal> {
    let mut ring = Vec::with_capacity(keys.len());
    for key in keys {
        let unusable = || broken(format!("the signing key {} cannot be used", key.kid));
        let pair = SigningKey::from_pkcs8(key.algorithm, &key.pkcs8).map_err(|_| unusable())?;
        ring.push(Key {
            kid: key.kid.clone(),
            key: Arc::new(pair),
            use_from: key.use_from,
            retire_at: key.retire_at.unwrap_or(Millis::MAX),
        });
    }
    Ok(Ring::new(ring))
}

/// A client, from its application's entry.
fn registered(application: Application) -> Registered {
    let method = match application.authentication {
        ClientAuthentication::Basic | ClientAuthentication::Post => Method::SecretBasic,
        ClientAuthentication::PrivateKeyJwt => Method::PrivateKeyJwt,
        ClientAuthentication::None => Method::None,
    };
    let grant = |grant: &GrantType| match grant {
        GrantType::Code => Grant::AuthorizationCode,
        GrantType::Refresh => Grant::RefreshToken,
        GrantType::ClientCredentials => Grant::ClientCredentials,
    };
    let client = Client {
        client_id: application.client_id.clone(),
        name: application.name.clone(),
        redirect_uris: application.redirect_uris.clone(),
        post_logout_uris: application.post_logout_uris.clone(),
        grants: application.grants.iter().map(grant).collect(),
        scopes: application.scopes.clone(),
        algorithm: Algorithm::from_name(application.algorithm.name()).unwrap_or(Algorithm::Rs256),
        access_algorithm: application.access_algorithm,
        needs_acr: application.required_acr.clone(),
        first_party: !application.asks_consent,
    };
    let jwks = application.key_set.as_deref().map(keys_of).unwrap_or_default();
    let back_channel = application.back_channel_logout_uri.clone();
    Registered { client, entry: application.id, method, jwks, back_channel, application }
}

/// Clients that were asked for lately, each as its entry's version says.
#[derive(Default)]
pub(super) struct Clients(Mutex<HashMap<EntryId, (Position, Arc<Registered>)>>);

impl Clients {
    fn get(&self, id: EntryId, version: Position) -> Option<Arc<Registered>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).filter(|(of, _)| *of == version).map(|(_, client)| Arc::clone(client))
    }

    fn learn(&self, id: EntryId, version: Position, client: &Arc<Registered>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CLIENTS {
            known.clear();
        }
        known.insert(id, (version, Arc::clone(client)));
    }
}

impl Provider {
    /// The client of an identifier, when it is in use.
    ///
    /// # Errors
    /// `Store`.
    pub(super) fn client(&self, client_id: &str) -> Result<Option<Arc<Registered>>, Refusal> {
        let Some((id, version)) = self.directory().application_version(client_id)? else { return Ok(None) };
        let client = match self.inner.clients.get(id, version) {
            Some(known) => known,
            None => {
                // It may have changed since: then it is newer than its version here, which will not be asked for again.
                let Some(read) = self.client_of(id)?.map(Arc::new) else { return Ok(None) };
                self.inner.clients.learn(id, version, &read);
                read
            }
        };
        Ok(Some(client).filter(|client| client.application.enabled))
    }

    /// The client of an entry, in use or not.
    ///
    /// # Errors
    /// `Store`.
    pub(super) fn client_of(&self, entry: EntryId) -> Result<Option<Registered>, Refusal> {
        Ok(self.directory().application_of(entry)?.map(registered))
    }

    /// Whether an account may enter an application.
    ///
    /// # Errors
    /// `Store`.
    pub(super) fn may_enter(&self, client: &Registered, account: EntryId) -> Result<bool, Refusal> {
        self.directory().may_enter(&client.application, account)
    }

    /// Whether a client may be told a claim that it asks for by name: only what one of its scopes stands for.
    ///
    /// # Errors
    /// `Store`.
    pub(super) fn nameable(&self, entry: EntryId) -> Result<Vec<String>, Refusal> {
        Ok(self.client_of(entry)?.map(|client| client.client.scopes).unwrap_or_default())
    }

    /// Signs claims.
    ///
    /// # Errors
    /// `Store` when there is no key for it.
    pub(super) fn sign(
        &self,
        algorithm: Algorithm,
        typ: &str,
        claims: &Map<String, Value>,
        now: Millis,
    ) -> Result<String, Refusal> {
        self.ring().sign(algorithm, typ, claims, now).map_err(|flaw| broken(flaw.to_string()))
    }

    /// Signs the claims of an access token.
    ///
    /// # Errors
    /// As [`Provider::sign`].
    pub(super) fn sign_access(
        &self,
        client: &Registered,
        claims: &Map<String, Value>,
        now: Millis,
    ) -> Result<String, Refusal> {
        let signed = self.ring().sign_ours(client.client.access_algorithm, mint::ACCESS, claims, now);
        signed.map_err(|flaw| broken(flaw.to_string()))
    }

    /// The `sub` of an account: its entryUUID, which no other account ever has.
    ///
    /// # Errors
    /// `NoSuchEntry` when it is gone; `Store`.
    pub(super) fn subject(&self, account: EntryId) -> Result<String, Refusal> {
        let gone = || Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "the account is gone");
        self.with_record(account, |record| record.uuid().to_string())?.ok_or_else(gone)
    }

    /// The username of an account.
    ///
    /// # Errors
    /// `Store`.
    pub(super) fn username(&self, account: EntryId) -> Result<Option<String>, Refusal> {
        let name = |record: &Record<'_>| {
            let uid = record.values(known::UID).next()?;
            String::from_utf8(uid.to_vec()).ok()
        };
        Ok(self.with_record(account, name)?.flatten())
    }

    fn with_record<T>(&self, id: EntryId, ask: impl FnOnce(&Record<'_>) -> T) -> Result<Option<T>, Refusal> {
        let snapshot = self.directory().snapshot()?;
        let Some(guard) = snapshot.record(id)? else { return Ok(None) };
        let record = Record::parse(guard.value()).map_err(|e| broken(e.to_string()))?;
        Ok(Some(ask(&record)))
    }
}
