//! Telling applications of a sign-out (OpenID Connect Back-Channel Logout 1.0).
//!
//! ```text
//! write lane ─(bounded queue)─▶ deliver ─▶ one task per application, so many at once ─▶ POST, again after a while
//! ```
//! Owns the queue and the tries. What has ended is told after it was stored; a restart forgets what was still in the queue,
//! and applications find out at their next refresh or introspection. An application is told once per session, however many
//! grants of it end together.

use super::Provider;
use super::mint::{self, About};
use crate::fetch::{Failure, Fetcher};
use directory::clock::Millis;
use directory::error::Refusal;
use directory::grant::{Cause, Ended, SessionId, What};
use directory::handle::Directory;
use directory::id::EntryId;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

/// Ends that wait to be told.
const QUEUE: usize = 10_000;
/// Applications that are told at once.
const AT_ONCE: usize = 16;
/// After a try that failed, the next one comes after so long.
const AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];
/// What was told last, so that one sign-out is told once.
const REMEMBERED: usize = 4_096;

/// Who is told what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Notice {
    client: EntryId,
    sub: Uuid,
    sid: Option<SessionId>,
}

/// Subscribes to what ends. What does not fit into the queue is not told, and the log says so.
pub fn subscribe(directory: &Directory) -> mpsc::Receiver<Ended> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    directory.on_ended(move |ended| {
        if sender.try_send(ended.clone()).is_err() {
            tracing::warn!("the queue of sign-outs to be told is full");
        }
    });
    receiver
}

/// Tells applications until the directory is gone.
pub(super) async fn deliver(provider: Provider, fetcher: Fetcher, mut queue: mpsc::Receiver<Ended>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut told = VecDeque::new();
    while let Some(ended) = queue.recv().await {
        for notice in notices(&ended) {
            if notice.sid.is_some() && told.contains(&notice) {
                continue;
            }
            told.push_back(notice.clone());
            if told.len() > REMEMBERED {
                told.pop_front();
            }
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let (provider, fetcher) = (provider.clone(), fetcher.clone());
            tokio::spawn(async move {
                provider.tell_client(&fetcher, &notice).await;
                drop(place);
            });
        }
    }
}

/// Who is to be told of an end. The end of a refresh family alone is no sign-out, unless the account's logins were ended.
fn notices(ended: &Ended) -> Vec<Notice> {
    let of = |client: EntryId, sid: Option<SessionId>| Notice { client, sub: ended.uuid, sid };
    match &ended.what {
        What::Session { id, clients } => clients.iter().map(|client| of(*client, Some(*id))).collect(),
        What::Family { client, session, .. } if ended.cause == Cause::Account => vec![of(*client, *session)],
        What::Family { .. } => Vec::new(),
    }
}

impl Provider {
    async fn tell_client(&self, fetcher: &Fetcher, notice: &Notice) {
        let client = match self.client_of(notice.client) {
            Ok(Some(client)) => client,
            Ok(None) => return,
            Err(refusal) => {
                tracing::error!(detail = refusal.detail.as_deref(), "an application could not be looked up");
                return;
            }
        };
        let Some(address) = client.back_channel.clone() else { return };
        let id = client.client.client_id.as_str();
        for wait in AGAIN.into_iter().map(Some).chain([None]) {
            // Signed anew for every try: it is good for two minutes.
            let end = match self.logout_token(&client, notice) {
                Ok(token) => post(fetcher, &address, &token).await,
                Err(refusal) => Err(refusal.message),
            };
            let why = match end {
                Ok(true) => return tracing::debug!(client = id, "an application was told of a sign-out"),
                Ok(false) => return tracing::warn!(client = id, "an application refuses to be told of a sign-out"),
                Err(why) => why,
            };
            let Some(wait) = wait else {
                return tracing::warn!(client = id, why, "an application could not be told of a sign-out");
            };
            tracing::info!(client = id, why, "an application could not be told of a sign-out yet");
            sleep_until(deadline(wait)).await;
        }
    }

    fn logout_token(&self, client: &super::client::Registered, notice: &Notice) -> Result<String, Refusal> {
        let now: Millis = self.directory().now().wall;
        let sub = notice.sub.to_string();
        let about = About {
            issuer: self.issuer(),
            sub: &sub,
            client_id: &client.client.client_id,
            now,
            life: mint::LOGOUT_LIFE,
        };
        let sid = notice.sid.map(|sid| sid.to_string());
        let claims = mint::logout(&about, &self.jti(), sid.as_deref());
        self.sign(client.client.algorithm, mint::LOGOUT, &claims, now)
    }
}

fn deadline(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}

/// True: it was taken; false: it never will be.
async fn post(fetcher: &Fetcher, address: &str, token: &str) -> Result<bool, String> {
    match fetcher.post_form(address, &[("logout_token", token)]).await {
        Ok(answer) if answer.status.is_success() => Ok(true),
        Ok(answer) if answer.status.as_u16() == 400 => Ok(false),
        Ok(answer) => Err(format!("status {}", answer.status.as_u16())),
        Err(Failure::Address | Failure::Forbidden) => Ok(false),
        Err(failure) => Err(failure.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use directory::grant::FamilyId;

    /// Goal: the end of a session is told to all applications that it led into; that of a family only with the account's.
    #[test]
    fn who_is_told() {
        let ended = |what, cause| Ended { account: EntryId(7), uuid: Uuid::nil(), what, cause };
        let session = What::Session { id: SessionId(1), clients: vec![EntryId(8), EntryId(9)] };
        let told = notices(&ended(session, Cause::SignedOut));
        assert_eq!(
            told.iter().map(|n| (n.client.0, n.sid)).collect::<Vec<_>>(),
            [(8, Some(SessionId(1))), (9, Some(SessionId(1)))]
        );
        let family = What::Family { id: FamilyId(2), client: EntryId(8), session: Some(SessionId(1)) };
        assert!(notices(&ended(family.clone(), Cause::Reused)).is_empty());
        assert!(notices(&ended(family.clone(), Cause::Expired)).is_empty());
        assert_eq!(notices(&ended(family, Cause::Account)).len(), 1);
    }
}
