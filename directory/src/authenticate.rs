//! The one gate: every login by password passes here, whatever the door (requirements §2, reliability of the counters).
//!
//! ```text
//! name ─▶ account or nobody ─▶ source limit ─▶ reserve an attempt ─▶ hash (always: the account's, or a decoy)
//!      ─▶ facts read again ─▶ lifecycle::decide ─▶ stored first when a fact changed ─▶ verdict
//! ```
//!
//! Unknown names, wrong passwords and every state that admits nobody cost the same work and get the same answer; the
//! real reason goes into the audit record. A quiet success writes nothing, and a failure never costs a commit of its
//! own: counters live in `throttle` and reach the store with [`Directory::flush`], except a lock or a first login, which
//! is durable before the answer.

mod factor;
mod memory;
mod staged;
mod verdict;

pub use factor::{FactorProof, Prior};
pub use staged::{Awaiting, Step};

use crate::change::claims;
use crate::clock::Now;
use crate::context::Context;
use crate::credential::{Check, Decoy, Params, PasswordHash, Secret};
use crate::entry::dn::DnKey;
use crate::error::{PasswordReason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::journal::record::Note;
use crate::lifecycle::{Account, ChangePath, Event, Outcome, Policy, Proof, Verdict as Judged, decide};
use crate::random::Random;
use crate::store::codec::Credential;
use crate::store::view::View;
use crate::throttle::{
    Admission, Attempt, Fingerprints, Limits, Observation, SourceLimiter, SourceLimits, Store, Throttle,
};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Notes that wait for the next flush; more of them are counted in the last one.
const NOTES: usize = 4_096;

/// Who wants in.
#[derive(Debug, Clone)]
pub enum LoginName {
    /// By DN text, as an LDAP bind names an account.
    Dn(Vec<u8>),
    /// By username or e-mail address.
    Username(String),
    /// By technical id.
    Account(EntryId),
}

/// A login by password.
#[derive(Debug)]
pub struct Login {
    /// Who.
    pub name: LoginName,
    /// The password, not empty.
    pub password: Secret,
    /// How the client could change the password if it has to.
    pub change: ChangePath,
}

/// What the gate answers.
#[derive(Debug)]
pub enum Verdict {
    /// The login is good.
    Admitted(Admitted),
    /// It is not. Doors answer all of these alike.
    Refused {
        /// Only after the right password, and only to a client that sent the password-policy control.
        hint: Option<PasswordReason>,
    },
    /// Too many logins are waiting. Says nothing about the account.
    Busy,
}

/// A good login.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who.
    pub account: EntryId,
    /// The epoch to carry.
    pub epoch: u64,
    /// The DN.
    pub dn: String,
    /// Nothing but the change of the password is allowed.
    pub must_change: bool,
    /// Until the password reaches its greatest age.
    pub expires_in_seconds: Option<u32>,
}

/// The answer about a password outside of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proven {
    /// It is the right one.
    Yes,
    /// It is not, or nobody may look at it now.
    No,
    /// Too many are waiting.
    Busy,
}

/// The gate's memory.
pub struct Gate {
    throttle: Throttle,
    sources: SourceLimiter,
    fingerprints: Fingerprints,
    decoy: Decoy,
    notes: Mutex<Vec<Note>>,
    forgives: bool,
    /// The account that was looked at last: looked at again for a name that nobody has.
    stand_in: AtomicU64,
}

impl Gate {
    /// With keys of this run.
    pub fn new(random: &Random, hashing: Params, policy: &Policy) -> Gate {
        Gate {
            throttle: Throttle::new(Limits::default()),
            sources: SourceLimiter::new(SourceLimits::default()),
            fingerprints: Fingerprints::new(&random.bytes()),
            decoy: Decoy::new(hashing, random.bytes(), random.bytes()),
            notes: Mutex::default(),
            forgives: policy.forgive_repeats,
            stand_in: AtomicU64::new(0),
        }
    }

    /// The throttle, for metrics and tests.
    pub fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    fn note(&self, note: Note) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |n: &&mut Note| {
            (n.entry, n.by, n.address) == (note.entry, note.by, note.address)
                && n.what == note.what
                && n.reason == note.reason
        };
        if let Some(last) = notes.last_mut().filter(same) {
            last.count = last.count.saturating_add(1);
        } else if notes.len() < NOTES {
            notes.push(note);
        } else if let Some(last) = notes.last_mut() {
            last.count = last.count.saturating_add(1);
        }
    }
}

/// An account on its way through the gate.
struct Candidate {
    id: EntryId,
    facts: Account,
    credential: Option<Credential>,
}

impl Directory {
    /// Judges a login by password alone.
    pub async fn authenticate(&self, context: &Context, login: Login) -> Verdict {
        match self.judge_login(context, login, false).await {
            Step::Done(verdict) => verdict,
            // Nobody waits for a factor who has not asked for steps.
            Step::Awaits(_) => Verdict::Refused { hint: None },
        }
    }

    /// Judges the password of a login, in steps or whole.
    async fn judge_login(&self, context: &Context, login: Login, in_steps: bool) -> Step {
        let gate = &self.inner().gate;
        if let Some(address) = context.origin.address
            && !gate.sources.take(address, &context.now)
        {
            return Step::Done(Verdict::Busy);
        }
        let candidate = match self.candidate(&login.name) {
            Ok(candidate) => candidate,
            Err(refusal) => {
                tracing::error!(detail = refusal.detail.as_deref(), "a login could not be looked up");
                return Step::Done(Verdict::Busy);
            }
        };
        let Some(candidate) = candidate else {
            return Step::Done(self.refuse_nobody(context, login.password, login.change).await);
        };
        gate.stand_in.store(candidate.id.0, Ordering::Relaxed);
        let step = self.attempt(context, candidate, login.password, login.change, in_steps).await;
        if let (Step::Done(Verdict::Admitted(_)) | Step::Awaits(_), Some(address)) = (&step, context.origin.address) {
            gate.sources.give_back(address, &context.now);
        }
        step
    }

    /// Whether a password is the right one: for the old password in a change. Counts as a login does.
    pub(crate) async fn prove(&self, context: &Context, id: EntryId, password: Secret) -> Proven {
        let Ok(Some(candidate)) = self.candidate(&LoginName::Account(id)) else { return Proven::No };
        match self.attempt(context, candidate, password, ChangePath::Control, false).await {
            Step::Done(Verdict::Admitted(_)) => Proven::Yes,
            Step::Done(Verdict::Busy) => Proven::Busy,
            Step::Done(Verdict::Refused { .. }) | Step::Awaits(_) => Proven::No,
        }
    }

    /// Facts with what is still in memory.
    pub fn with_counters(&self, id: EntryId, facts: Account) -> Account {
        self.inner().gate.throttle.view(id, &facts)
    }

    /// The store has these facts now: what memory holds of the counters is known.
    pub(crate) fn forget_counters(&self, id: EntryId, facts: &Account) {
        self.inner().gate.throttle.stored(&[Observation { account: id, counters: facts.counters }]);
    }

    /// The gate, for metrics.
    pub fn gate(&self) -> &Gate {
        &self.inner().gate
    }

    fn candidate(&self, name: &LoginName) -> Result<Option<Candidate>, Refusal> {
        let snapshot = self.snapshot()?;
        let view = snapshot.as_ref();
        let id = match name {
            LoginName::Account(id) => Some(*id),
            LoginName::Dn(dn) => match DnKey::parse(self.schema(), dn) {
                Ok(key) => match view.id_of(key.as_bytes())? {
                    Some(id) => Some(id),
                    None => claims::buried(view, self.schema(), dn, key.as_bytes())?,
                },
                Err(_) => None,
            },
            LoginName::Username(name) => match claims::holder_of_username(view, name)? {
                Some(id) => Some(id),
                None => claims::holder_of_email(view, name)?,
            },
        };
        let Some(id) = id else { return Ok(None) };
        let Some(facts) = view.account(id)? else { return Ok(None) };
        Ok(Some(Candidate { id, facts, credential: view.credential(id)? }))
    }

    /// What a check of the account's own password would have taken: its stored form read, the hash, and the second look
    /// at the account after it, in caches that the hash has emptied, with the judgement (row C1 of the hostile inputs).
    async fn same_work(&self, check: Check, id: EntryId, change: ChangePath) {
        let _ = check.outcome().await;
        let Ok(Some(again)) = self.candidate(&LoginName::Account(id)) else { return };
        let stored = again.credential.as_ref().and_then(|c| c.password.as_deref()).map(PasswordHash::from_stored);
        let event = Event::Login { proof: Proof::Wrong, change };
        let _ = black_box((stored, decide(&self.with_counters(id, again.facts), self.policy(), &event, &self.now())));
    }

    /// The work of a login for a name that nobody has.
    async fn refuse_nobody(&self, context: &Context, password: Secret, change: ChangePath) -> Verdict {
        let gate = &self.inner().gate;
        let stand_in = EntryId(gate.stand_in.load(Ordering::Relaxed));
        let _ = black_box(self.candidate(&LoginName::Account(stand_in)));
        let _ = black_box(gate.forgives.then(|| gate.fingerprints.of(stand_in, password.expose())));
        match self.inner().pool.verify_decoy(password, &gate.decoy) {
            Ok(check) => {
                self.same_work(check, stand_in, change).await;
                self.remember(context, None, "there is no such account");
                Verdict::Refused { hint: None }
            }
            Err(_) => Verdict::Busy,
        }
    }

    async fn attempt(
        &self,
        context: &Context,
        candidate: Candidate,
        password: Secret,
        change: ChangePath,
        in_steps: bool,
    ) -> Step {
        let gate = &self.inner().gate;
        let fingerprint = gate.forgives.then(|| gate.fingerprints.of(candidate.id, password.expose()));
        let attempt = Attempt {
            account: candidate.id,
            facts: &candidate.facts,
            policy: self.policy(),
            change,
            fingerprint,
            now: context.now,
        };
        let reservation = match gate.throttle.reserve(attempt).await {
            Admission::Granted(reservation) => reservation,
            Admission::Refused { outcome, store, .. } => {
                let check = self.inner().pool.verify_decoy(password, &gate.decoy);
                let Ok(check) = check else { return Step::Done(Verdict::Busy) };
                self.same_work(check, candidate.id, change).await;
                if store == Store::Now {
                    self.store_outcome(context, &candidate, outcome.as_ref()).await;
                }
                return Step::Done(self.refused(context, candidate.id, outcome.verdict, false));
            }
        };
        let stored = candidate.credential.as_ref().and_then(|c| c.password.as_deref()).map(PasswordHash::from_stored);
        let Ok(check) = self.inner().pool.prove(stored.as_ref(), password.clone(), &gate.decoy) else {
            return Step::Done(Verdict::Busy);
        };
        let waited = matches!(check, Check::Later(_));
        let found = check.outcome().await.unwrap_or_default();
        self.alarm(&candidate, &found);
        // What happened while the hash was computed counts: a lock, a disabling, another password.
        let (fresh, now) = if waited {
            match self.candidate(&LoginName::Account(candidate.id)) {
                Ok(Some(fresh)) => (fresh, Now { ..self.now() }),
                _ => return Step::Done(Verdict::Refused { hint: None }),
            }
        } else {
            (Candidate { credential: candidate.credential.clone(), ..candidate }, context.now)
        };
        let right = found.matched && fresh.credential == candidate.credential;
        if in_steps && right {
            match self.awaits(fresh.id, &fresh.facts, change, &now) {
                Ok(None) => {}
                // Neither right nor wrong before the factor is: what was guessed is not forgotten by it.
                Ok(Some(awaiting)) => {
                    self.tell(context, Some(fresh.id), "gate: a second factor is due", None);
                    return Step::Awaits(awaiting);
                }
                Err(refusal) => {
                    tracing::error!(detail = refusal.detail.as_deref(), "second factors could not be looked up");
                    return Step::Done(Verdict::Busy);
                }
            }
        }
        let resolved = reservation.resolve(&fresh.facts, self.policy(), right, change, &now);
        if resolved.store == Store::Now && !self.store_outcome(context, &fresh, &resolved.outcome).await {
            return Step::Done(Verdict::Refused { hint: None });
        }
        Step::Done(match resolved.outcome.verdict {
            Judged::Admitted | Judged::AdmittedMustChange(_) => {
                if found.upgrade && self.inner().upgrade_hashes {
                    self.upgrade(context, &fresh, password).await;
                }
                self.admitted(context, fresh.id, &resolved.outcome, &now)
            }
            verdict => self.refused(context, fresh.id, verdict, right),
        })
    }

    /// A session, token or other grant is used (requirement 2.11): counts as activity, and says whether it may go on.
    pub fn activity(&self, id: EntryId, epoch: u64) -> Result<bool, Refusal> {
        let Some(facts) = self.snapshot()?.account(id)? else { return Ok(false) };
        if facts.epoch != epoch {
            return Ok(false);
        }
        let now = self.now();
        let resolved = self.inner().gate.throttle.activity(id, &facts, self.policy(), &now);
        Ok(resolved.outcome.verdict.is_good())
    }

    /// What the life cycle says of an account now, for administrators.
    pub fn state_of(&self, id: EntryId) -> Result<Option<crate::lifecycle::State>, Refusal> {
        let Some(facts) = self.snapshot()?.account(id)? else { return Ok(None) };
        Ok(Some(crate::lifecycle::state(&self.with_counters(id, facts), self.policy(), &self.now())))
    }

    /// Judges an event without carrying it out.
    pub fn would(&self, id: EntryId, event: &crate::lifecycle::Event) -> Result<Option<Outcome>, Refusal> {
        let Some(facts) = self.snapshot()?.account(id)? else { return Ok(None) };
        Ok(Some(decide(&self.with_counters(id, facts), self.policy(), event, &self.now())))
    }
}
