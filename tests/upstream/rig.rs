//! A provider, rollbook's side of the protocol, and a person who agrees to everything.

use directory::application::{Provider, ProviderKind};
use directory::clock::Millis;
use oidc::upstream::{Ask, Begun, CallbackAnswer, Fault, Identity, Upstreams};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use testkit::{Asked, START, UPSTREAM_SECRET, Upstream};

/// Where answers go.
pub const BACK: &str = "https://rollbook.example/sso/upstream/callback";

/// All kinds of provider.
pub const KINDS: [ProviderKind; 3] = ProviderKind::ALL;

/// The question that is asked when nothing else is said.
pub const ASK: Ask<'_> =
    Ask { redirect_uri: BACK, login_hint: None, force_login: false, max_age: None, ui_locales: None };

/// Both sides.
pub struct Rig {
    /// The other side.
    pub there: Upstream,
    /// Ours.
    pub here: Upstreams,
    /// What our side knows of the other one.
    pub provider: Provider,
    /// What our clock says.
    pub now: Millis,
}

impl Rig {
    /// A provider of this kind, and somebody who has never heard of it.
    pub async fn start(kind: ProviderKind) -> Rig {
        let there = Upstream::start(kind).await;
        let here = Upstreams::new(there.fetcher());
        let provider = there.provider();
        Rig { there, here, provider, now: START }
    }

    /// The same, with something else in the provider's entry.
    pub async fn with(kind: ProviderKind, change: impl FnOnce(&mut Provider)) -> Rig {
        let mut rig = Rig::start(kind).await;
        change(&mut rig.provider);
        rig
    }

    /// Tells the other side what to say, and what nothing is said of is true again.
    pub fn tell(&self, what: impl FnOnce(&mut Asked)) {
        self.there.tell(|asked| {
            *asked = Asked::default();
            what(asked);
        });
    }

    /// A question.
    pub async fn begin(&self) -> Begun {
        self.here.begin(&self.provider, &ASK).await.unwrap()
    }

    /// The person agrees, and the browser comes back with this.
    pub fn agree(&self, begun: &Begun) -> CallbackAnswer {
        let back = self.there.authorize(&begun.address);
        let (address, _) = back.split_once('?').unwrap();
        assert_eq!(address, BACK);
        let mut given = parameters(&back);
        CallbackAnswer {
            code: given.remove("code"),
            state: given.remove("state"),
            iss: given.remove("iss"),
            error: given.remove("error"),
            error_description: given.remove("error_description"),
        }
    }

    /// The answer is checked.
    pub async fn finish(&self, begun: &Begun, answer: &CallbackAnswer) -> Result<Identity, Fault> {
        let secret = Some(UPSTREAM_SECRET.as_bytes());
        self.here.finish(&self.provider, secret, &begun.pending, BACK, answer, self.now).await
    }

    /// All of it.
    pub async fn sign_in(&self) -> Result<Identity, Fault> {
        let begun = self.here.begin(&self.provider, &ASK).await?;
        self.finish(&begun, &self.agree(&begun)).await
    }

    /// All of it, with this said over the claims of the person.
    pub async fn person(&self, claims: Value) -> Result<Identity, Fault> {
        self.tell(|asked| asked.person = claims);
        self.sign_in().await
    }

    /// All of it by somebody who has learnt nothing of the other side.
    pub async fn sign_in_anew(&mut self) -> Result<Identity, Fault> {
        self.here = Upstreams::new(self.there.fetcher());
        self.sign_in().await
    }
}

/// The parameters of an address.
pub fn parameters(address: &str) -> HashMap<String, String> {
    let query = address.split_once('?').unwrap().1;
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap();
        octets.push(match octet {
            b'+' => b' ',
            b'%' => u8::try_from(digit() * 16 + digit()).unwrap(),
            octet => octet,
        });
    }
    String::from_utf8(octets).unwrap()
}

/// Time goes by for what has been learnt, with nobody waiting for it.
pub async fn later(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
