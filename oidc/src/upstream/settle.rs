//! Whose a proven identity is, and what follows: the account is entered, linked, made, asked for, or nobody gets in.
//!
//! ```text
//! policy::decide ─▶ may the provider sign this account in? ─▶ state (R13) ─▶ link and mapping, one write set ─▶ second factor
//!                                                                                    (R14) or session
//! ```
//! Every refusal has one page, whatever the reason; the reason is in the trail and in the audit record.

use super::flow::Flow;
use super::policy::{Decision, Known, decide};
use super::{Identity, join, mapping};
use crate::jose::token::SKEW;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::Response;
use directory::application::Provider;
use directory::authenticate::Verdict;
use directory::clock::Millis;
use directory::context::Actor;
use directory::entry::dn::DnKey;
use directory::error::Refusal;
use directory::grant::{NewLink, Upstream};
use directory::id::EntryId;
use directory::store::view::View;
use web::{Method, Progress, Stage, Visit, Wish};

/// Why nobody gets in.
#[derive(Debug)]
pub(super) enum Refused {
    /// By a rule: which, and what it says.
    Rule(&'static str, String),
    /// By the account's state, or what the gate said; it is in the audit record.
    Gate,
    /// The server's own trouble.
    Failed(Refusal),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        match refusal.reason {
            directory::error::Reason::Store | directory::error::Reason::Busy => Refused::Failed(refusal),
            _ => Refused::Rule("R11", refusal.message),
        }
    }
}

impl Flow {
    /// Carries out what the policy decides.
    pub(super) async fn settle(
        &self,
        visit: &Visit,
        flow: &str,
        provider: &Provider,
        identity: &Identity,
        wish: &Wish,
    ) -> Response<Body> {
        let tell = |what: &str, end: Result<(), String>| self.tell(visit, flow, what, &provider.name, end);
        let decision = match self.decide(provider, identity) {
            Ok(decision) => decision,
            Err(refusal) => return visit.failed(&refusal),
        };
        let outcome = match decision {
            Decision::Refuse => Err(Refused::Rule(decision.rule(), "nobody here is linked to it".to_owned())),
            Decision::Ask => {
                tell("asked to sign in here and to link", Ok(()));
                return join::begin(self, visit, provider, identity, wish);
            }
            Decision::Enter(account) | Decision::Link(account) => self.enter(visit, provider, identity, account).await,
            Decision::Make => self.make(visit, provider, identity).await,
        };
        match outcome {
            Ok(progress) => {
                tell(&format!("{}: {}", decision.rule(), spoken(decision)), Ok(()));
                web::proceed(visit, progress).await
            }
            Err(refused) => self.refuse(visit, flow, provider, wish, refused),
        }
    }

    /// One page for all who do not get in.
    pub(super) fn refuse(
        &self,
        visit: &Visit,
        flow: &str,
        provider: &Provider,
        wish: &Wish,
        refused: Refused,
    ) -> Response<Body> {
        let why = match refused {
            Refused::Rule(rule, why) => format!("{rule}: {why}"),
            Refused::Gate => "R13: the account's state does not admit it".to_owned(),
            Refused::Failed(refusal) => return visit.failed(&refusal),
        };
        self.tell(visit, flow, "whose it is", &provider.name, Err(why));
        web::upstream_refused(visit, wish, &provider.display_name)
    }

    /// What the policy says, from what is stored now.
    pub(super) fn decide(&self, provider: &Provider, identity: &Identity) -> Result<Decision, Refusal> {
        let linked = self.directory().link_of(provider.id, &identity.key)?.map(|link| link.account);
        let spoken_for = identity.email.as_deref().filter(|_| identity.email_is_authoritative);
        let addressed = spoken_for.map(|address| self.directory().addressed(address)).transpose()?.flatten();
        Ok(decide(provider, Known { linked, addressed }))
    }

    /// What is to be remembered of it, with the groups that the mapping gives.
    pub(super) fn link_for(&self, provider: &Provider, identity: &Identity) -> Result<NewLink, Refusal> {
        let snapshot = self.directory().snapshot()?;
        let mut groups = Vec::new();
        for dn in mapping::wanted(provider, identity) {
            let Ok(key) = DnKey::parse(self.directory().schema(), dn.as_bytes()) else { continue };
            groups.extend(snapshot.id_of(key.as_bytes())?);
        }
        let text = serde_json::to_vec(&identity.claims).unwrap_or_default();
        let mut claims = [0; 32];
        claims.copy_from_slice(digest(&SHA256, &text).as_ref());
        let (key, shown) = (identity.key.clone(), identity.shown.clone());
        Ok(NewLink { provider: provider.id, key, shown, claims, groups })
    }

    /// The account is entered: its state decides first (R13), then the link is written, with what the mapping gives (R12).
    async fn enter(
        &self,
        visit: &Visit,
        provider: &Provider,
        identity: &Identity,
        account: EntryId,
    ) -> Result<Progress, Refused> {
        let directory = self.directory();
        if let Some(why) = directory.bars(provider, account)? {
            return Err(Refused::Rule("R19", why.to_owned()));
        }
        let context = visit.context(Actor::Anonymous);
        if directory.would_admit(account, &visit.now())?.is_none() {
            // For the audit record, and for what time has made of the account.
            directory.admit(&context, account).await;
            return Err(Refused::Gate);
        }
        directory.link(&context, account, self.link_for(provider, identity)?).await?;
        self.progress(visit, provider, identity, account).await
    }

    /// An account is made, with its link, and entered (R11).
    async fn make(&self, visit: &Visit, provider: &Provider, identity: &Identity) -> Result<Progress, Refused> {
        let context = visit.context(Actor::Anonymous);
        let (person, link) = (mapping::person(identity), self.link_for(provider, identity)?);
        let account = self.directory().make_linked(&context, provider, &person, link).await?;
        self.progress(visit, provider, identity, account).await
    }

    /// How far the sign-in is: the second factor is asked for here, unless the provider's counts and the token proves it (R14).
    async fn progress(
        &self,
        visit: &Visit,
        provider: &Provider,
        identity: &Identity,
        account: EntryId,
    ) -> Result<Progress, Refused> {
        let directory = self.directory();
        let factors = directory.factors_of(account)?;
        let proven = provider.trusts_second_factor && identity.second_factor;
        let (epoch, stage) = if (factors.any() || factors.required) && !proven {
            let awaiting = directory.would_admit(account, &visit.now())?.ok_or(Refused::Gate)?;
            (awaiting.epoch, Stage::Awaits { must_enrol: awaiting.must_enrol })
        } else {
            match directory.admit(&visit.context(Actor::Anonymous), account).await {
                Verdict::Admitted(admitted) => (admitted.epoch, Stage::Admitted { must_change: admitted.must_change }),
                Verdict::Refused { .. } | Verdict::Busy => return Err(Refused::Gate),
            }
        };
        let method = if proven { Method::UpstreamFactors } else { Method::Upstream };
        let mut progress = Progress::new(visit, account, epoch, method, stage);
        progress.since = since(progress.since, identity.auth_time);
        let (subject, sid) = (identity.key.clone(), identity.sid.clone());
        progress.upstream = Some(Upstream { provider: provider.id, subject, sid });
        Ok(progress)
    }
}

/// Since when somebody is signed in, by what the provider says of it. It says so in whole seconds and by its own clock: a
/// moment so near to now that these may make the difference is now. Otherwise nobody who is to sign in anew would have.
fn since(now: Millis, said: Option<Millis>) -> Millis {
    said.filter(|at| at.saturating_add(SKEW) < now).unwrap_or(now)
}

/// What was decided, in words.
pub(super) fn spoken(decision: Decision) -> &'static str {
    match decision {
        Decision::Enter(_) => "the linked account",
        Decision::Link(_) => "linked by an address that both sides have verified",
        Decision::Make => "an account is made",
        Decision::Ask => "asked to sign in here and to link",
        Decision::Refuse => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use directory::clock::Span;

    /// Goal: a sign-in at the provider a moment ago is one of now, although it is told in whole seconds; an old one stays old,
    /// and none is of tomorrow.
    #[test]
    fn since_when() {
        let now = Millis(1_800_000_000_900);
        let ago = |span: Span| Millis(now.0 - span.millis());
        for (said, wanted) in [
            (None, now),
            (Some(Millis(1_800_000_000_000)), now),
            (Some(ago(SKEW)), now),
            (Some(ago(Span::from_secs(61))), ago(Span::from_secs(61))),
            (Some(ago(Span::from_mins(540))), ago(Span::from_mins(540))),
            (Some(now.saturating_add(Span::from_secs(30))), now),
        ] {
            assert_eq!(since(now, said), wanted, "{said:?}");
        }
    }
}
