//! Telling applications of a sign-out (OpenID Connect Back-Channel Logout 1.0).
//!
//! ```text
//! write lane ─ rows of `notices` ─ wake ─▶ deliver ─▶ one task per notice ─▶ POST, again after a while ─▶ clear: the row goes
//! ```
//! Owns the reading and the tries. The rows are the queue: they are written with the end itself, so that what could not be told
//! before a crash is told after the next start, and an application may be told twice, never not at all while it can be reached.
//! An application that cannot be reached by the last try finds out at its next refresh or introspection.

use super::Provider;
use super::mint::{self, About};
use crate::fetch::{Failure, Fetcher};
use directory::clock::{Millis, Span};
use directory::error::Refusal;
use directory::grant::{Notice, NoticeId, SessionId};
use directory::handle::Directory;
use directory::id::EntryId;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

/// Rows that are read at once.
const PAGE: usize = 256;
/// Notices that are in memory, most of them waiting for their next try.
const HELD: usize = 2_048;
/// Applications that are told at once.
const AT_ONCE: usize = 16;
/// After a try that failed, the next one comes after so long.
const AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];
/// What was told last, so that the end of a session and a later one of its families are told once.
const REMEMBERED: usize = 4_096;
/// An older sign-out is told to nobody: every token of that time has expired.
const OLD: Span = Span::from_days(1);
/// Rows that have been told are removed together, so often.
const TOGETHER: Duration = Duration::from_millis(100);
/// What did not work here, not at the application, is tried again after so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Who was told what.
type Told = (EntryId, Uuid, SessionId);

/// Is woken when something has ended.
pub fn subscribe(directory: &Directory) -> Arc<Notify> {
    let wake = Arc::new(Notify::new());
    let waker = Arc::clone(&wake);
    directory.on_ended(move |_| waker.notify_one());
    wake
}

/// Tells applications: first what a former run of the program has left, then what ends.
pub(super) async fn deliver(provider: Provider, fetcher: Fetcher, wake: Arc<Notify>) {
    // Without a name of its own the provider can sign nothing.
    while provider.issuer().is_empty() {
        sleep_until(deadline(PAUSE)).await;
    }
    let (sender, receiver) = mpsc::channel(HELD);
    tokio::spawn(clear(provider.clone(), receiver));
    let (places, held) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(HELD)));
    let (mut told, mut last) = (VecDeque::new(), None);
    loop {
        let page = match provider.directory().notices(last, PAGE) {
            Ok(page) => page,
            Err(refusal) => {
                tracing::error!(detail = refusal.detail.as_deref(), "the sign-outs to be told could not be read");
                sleep_until(deadline(PAUSE)).await;
                continue;
            }
        };
        if page.is_empty() {
            wake.notified().await;
        }
        for notice in page {
            last = Some(notice.id);
            let Ok(room) = Arc::clone(&held).acquire_owned().await else { return };
            let is_new = provider.is_to_be_told(&notice, &mut told);
            let (provider, fetcher, places, sender) =
                (provider.clone(), fetcher.clone(), Arc::clone(&places), sender.clone());
            tokio::spawn(async move {
                if is_new {
                    provider.tell_client(&fetcher, &notice, &places).await;
                }
                _ = sender.send(notice.id).await;
                drop(room);
            });
        }
    }
}

/// Removes the rows of what has been told, many at once.
async fn clear(provider: Provider, mut done: mpsc::Receiver<NoticeId>) {
    let mut ids = Vec::new();
    while done.recv_many(&mut ids, PAGE).await > 0 {
        sleep_until(deadline(TOGETHER)).await;
        while let Ok(id) = done.try_recv() {
            ids.push(id);
        }
        let now = provider.directory().now();
        if let Err(refusal) = provider.directory().told(now, std::mem::take(&mut ids)).await {
            // They are told again after the next start.
            tracing::warn!(detail = refusal.detail.as_deref(), "sign-outs that were told could not be crossed off");
        }
    }
}

impl Provider {
    /// Whether a notice is neither old nor told already.
    fn is_to_be_told(&self, notice: &Notice, told: &mut VecDeque<Told>) -> bool {
        if notice.at.saturating_add(OLD) <= self.directory().now().wall {
            tracing::warn!("a sign-out of long ago is told to nobody any more");
            return false;
        }
        let Some(session) = notice.session else { return true };
        let what = (notice.client, notice.uuid, session);
        if told.contains(&what) {
            return false;
        }
        told.push_back(what);
        if told.len() > REMEMBERED {
            told.pop_front();
        }
        true
    }

    async fn tell_client(&self, fetcher: &Fetcher, notice: &Notice, places: &Semaphore) {
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
                Ok(token) => {
                    // Whoever waits for the next try holds no place.
                    let Ok(place) = places.acquire().await else { return };
                    let end = post(fetcher, &address, &token).await;
                    drop(place);
                    end
                }
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
        let sub = notice.uuid.to_string();
        let about = About {
            issuer: self.issuer(),
            sub: &sub,
            client_id: &client.client.client_id,
            now,
            life: mint::LOGOUT_LIFE,
        };
        let sid = notice.session.map(|sid| sid.to_string());
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
