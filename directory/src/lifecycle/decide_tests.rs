//! The table of requirements §2 as data, and the stories of its numbered lines with a hand-moved time.

use super::super::policy::{Period, PolicyOverlay};
use super::super::{ChangePath, Deletion, Due, Remover, due, inactive_from};
use super::*;
use crate::clock::Span;
use crate::id::EntryId;

pub(super) const START: Millis = Millis(1_800_000_000_000);
pub(super) const GOOD: Event = Event::Login { proof: Proof::Right, change: ChangePath::Page };
pub(super) const BLIND: Event = Event::Login { proof: Proof::Right, change: ChangePath::None };
pub(super) const WRONG: Event = Event::Login { proof: Proof::Wrong, change: ChangePath::None };

pub(super) fn policy() -> Policy {
    let overlay = PolicyOverlay { attempts: Some(3), ..PolicyOverlay::default() };
    Policy::default().with(&overlay).unwrap()
}

/// An account in this state at [`START`], native and a person.
pub(super) fn account_in(wanted: State) -> Account {
    let now = Now::at(START);
    let mut account = Account::new(Audience::Person, UserType::Native, &now);
    account.standing = match wanted {
        State::Unverified => Standing::Unverified,
        State::Enabled => Standing::Enabled,
        _ => Standing::Active,
    };
    account.epoch = 7;
    match wanted {
        State::Locked => account.counters.lock = Some(Lock { at: START, until: None, cause: LockCause::Failures }),
        State::Dormant => account.dormant_at = Some(START),
        State::Disabled => account.hold = Some(Hold { at: START, cause: HoldCause::Administrator, by: None }),
        State::Deleted => account.deletion = Some(Deletion { at: START, months: 1, names_free: false, by: None }),
        State::Unverified | State::Enabled | State::Active => {}
    }
    assert_eq!(state(&account, &policy(), &now), wanted);
    account
}

/// An account, its rules and its time, for stories.
pub(super) struct Story {
    pub(super) account: Account,
    pub(super) policy: Policy,
    pub(super) now: Now,
}

impl Story {
    pub(super) fn new(wanted: State) -> Story {
        Story { account: account_in(wanted), policy: policy(), now: Now::at(START) }
    }

    pub(super) fn with(mut self, overlay: &PolicyOverlay) -> Story {
        self.policy = self.policy.with(overlay).unwrap();
        self
    }

    pub(super) fn pass(&mut self, span: Span) -> &mut Story {
        self.now = Now::at(self.now.wall.saturating_add(span));
        self
    }

    pub(super) fn months(&mut self, months: u16) -> &mut Story {
        self.now = Now::at(self.now.wall.add_months(months).unwrap());
        self
    }

    /// The event happens; the facts are stored.
    pub(super) fn then(&mut self, event: Event) -> Verdict {
        let outcome = decide(&self.account, &self.policy, &event, &self.now);
        self.account = outcome.next;
        outcome.verdict
    }

    pub(super) fn state(&self) -> State {
        state(&self.account, &self.policy, &self.now)
    }
}

/// Goal: every cell, seven states by all events: what is not in the requirements' table is refused and changes nothing.
///
/// A cell is the verdict (`in`, `ok`, `as` for nothing to do, `no`) and the state afterwards; `no` alone: nothing changed.
#[test]
fn the_table() {
    let disable = Event::Disable { by: None };
    let delete = Event::Delete { months: None, remover: Remover::Administrator, by: None };
    let scim = |active| Event::ScimActive { active, by: None };
    let passing = |proof| Event::Login { proof, change: ChangePath::Page };
    #[rustfmt::skip]
    let table: [(&str, Event, [&str; 7]); 22] = [
        // event                                                              UNVERIFIED      ACTIVE         ENABLED        LOCKED         DORMANT        DISABLED       DELETED
        ("good login",      GOOD,                                           ["in ACTIVE",   "in ACTIVE",   "in ACTIVE",   "no",          "no",          "no",          "no"]),
        ("wrong login",     WRONG,                                          ["no+",         "no+",         "no+",         "no",          "no",          "no",          "no"]),
        ("same wrong one",  passing(Proof::WrongAgain),                     ["no",          "no",          "no",          "no",          "no",          "no",          "no"]),
        ("unchecked",       passing(Proof::Unchecked),                      ["no",          "no",          "no",          "no",          "no",          "no",          "no"]),
        ("activity",        Event::Activity,                                ["in UNVERIFIED", "in ACTIVE", "in ENABLED",  "in LOCKED",   "no",          "no",          "no"]),
        ("own change",      Event::ChangePassword { by_link: false },       ["ok UNVERIFIED", "ok ACTIVE", "ok ENABLED",  "no",          "no",          "no",          "no"]),
        ("change by link",  Event::ChangePassword { by_link: true },        ["ok UNVERIFIED", "ok ACTIVE", "ok ENABLED",  "no",          "no",          "no",          "no"]),
        ("set password",    Event::SetPassword { force_change: true },      ["ok UNVERIFIED", "ok ACTIVE", "ok ENABLED",  "ok LOCKED",   "ok DORMANT",  "ok DISABLED", "no"]),
        ("remove password", Event::RemovePassword,                          ["ok UNVERIFIED", "ok ACTIVE", "ok ENABLED",  "ok LOCKED",   "ok DORMANT",  "ok DISABLED", "no"]),
        ("force change",    Event::ForceChange,                             ["no",          "ok ACTIVE",   "no",          "no",          "no",          "no",          "no"]),
        ("sign out",        Event::SignOut,                                 ["ok UNVERIFIED", "ok ACTIVE", "ok ENABLED",  "ok LOCKED",   "no",          "no",          "no"]),
        ("lock",            Event::Lock,                                    ["ok LOCKED",   "ok LOCKED",   "ok LOCKED",   "no",          "no",          "no",          "no"]),
        ("unlock",          Event::Unlock { new_password: true },           ["no",          "no",          "no",          "ok ENABLED",  "no",          "no",          "no"]),
        ("bare unlock",     Event::Unlock { new_password: false },          ["no",          "no",          "no",          "no",          "no",          "no",          "no"]),
        ("disable",         disable,                                        ["ok DISABLED", "ok DISABLED", "ok DISABLED", "ok DISABLED", "ok DISABLED", "no",          "no"]),
        ("enable",          Event::Enable { new_password: false },          ["no",          "no",          "no",          "no",          "ok ENABLED",  "ok ENABLED",  "no"]),
        ("enable anew",     Event::Enable { new_password: true },           ["no",          "no",          "no",          "no",          "ok ENABLED",  "ok ENABLED",  "no"]),
        ("delete",          delete,                                         ["ok DELETED",  "ok DELETED",  "ok DELETED",  "ok DELETED",  "ok DELETED",  "ok DELETED",  "no"]),
        ("active: true",    scim(true),                                     ["as",          "as",          "as",          "as",          "as",          "ok ENABLED",  "no"]),
        ("active: false",   scim(false),                                    ["ok DISABLED", "ok DISABLED", "ok DISABLED", "ok DISABLED", "ok DISABLED", "as",          "no"]),
        ("purge",           Event::Purge,                                   ["no",          "no",          "no",          "no",          "no",          "no",          "no"]),
        ("sweep",           Event::Sweep,                                   ["as",          "as",          "as",          "as",          "as",          "as",          "as"]),
    ];
    for (name, event, cells) in table {
        for (before, cell) in State::ALL.into_iter().zip(cells) {
            let account = account_in(before);
            let now = Now::at(START.saturating_add(Span::from_mins(1)));
            let outcome = decide(&account, &policy(), &event, &now);
            let word = match outcome.verdict {
                Verdict::Admitted | Verdict::AdmittedMustChange(_) => "in",
                Verdict::Accepted => "ok",
                Verdict::Unchanged => "as",
                Verdict::Denied(_) | Verdict::Rejected(_) => "no",
            };
            assert_eq!(outcome.before, before);
            let seen = match (word, outcome.next == account) {
                ("no" | "as", true) => word.to_owned(),
                ("no", false) if outcome.after == before => "no+".to_owned(),
                _ => format!("{word} {}", outcome.after.name()),
            };
            assert_eq!(seen, cell, "{name} in {}", before.name());
        }
    }
}

/// Goal: the column "inactivity": what each state becomes when the period passes, seen at once and made a fact by the
/// next login and by the sweep alike.
#[test]
fn inactivity() {
    for (before, after, found) in [
        (State::Unverified, State::Disabled, Some(Due::Disabled)),
        (State::Active, State::Dormant, Some(Due::Dormant)),
        (State::Enabled, State::Dormant, Some(Due::Dormant)),
        (State::Locked, State::Dormant, Some(Due::Dormant)),
        (State::Dormant, State::Dormant, None),
        (State::Disabled, State::Disabled, None),
        (State::Deleted, State::Deleted, Some(Due::Purge)),
    ] {
        for event in [GOOD, WRONG, Event::Activity, Event::Sweep] {
            let mut story = Story::new(before);
            story.months(6);
            story.now = Now::at(Millis(story.now.wall.0 - 1));
            if before != State::Deleted {
                assert_eq!(
                    (story.state(), due(&story.account, &story.policy, &story.now)),
                    (before, None),
                    "a moment before"
                );
            }
            story.pass(Span::from_millis(1));
            assert_eq!(story.state(), after, "{before:?} without any write");
            assert_eq!(due(&story.account, &story.policy, &story.now), found);
            let epoch = story.account.epoch;
            let verdict = story.then(event);
            assert!(!verdict.admits(), "{before:?} {event:?}");
            assert_eq!(story.state(), after, "{before:?} {event:?}");
            story.policy.dormancy_months = Period::Never;
            assert_eq!(story.state(), after, "a longer period does not bring it back");
            assert_eq!(
                story.account.epoch > epoch,
                matches!(found, Some(Due::Dormant | Due::Disabled)),
                "sessions end"
            );
        }
    }
}

/// Goal: 2.1 to 2.3: a new account is UNVERIFIED and active from its first good login; the second changes no state.
#[test]
fn the_first_login() {
    let mut story = Story::new(State::Unverified);
    assert_eq!(story.then(GOOD), Verdict::Admitted);
    assert_eq!((story.state(), story.account.verified_at), (State::Active, Some(START)));
    story.pass(Span::from_days(1));
    let outcome = decide(&story.account, &story.policy, &GOOD, &story.now);
    assert_eq!((outcome.verdict, outcome.effects), (Verdict::Admitted, vec![]));
    assert_eq!(outcome.next.verified_at, Some(START));
}

/// Goal: 2.6: disabling ends everything at once; enabling gives back the last password and touches nothing else.
#[test]
fn disable_and_enable() {
    let mut story = Story::new(State::Active);
    story.account.password_changed_at = Some(Millis(5));
    let outcome = decide(&story.account, &story.policy, &Event::Disable { by: Some(EntryId(9)) }, &story.now);
    assert_eq!(outcome.effects, [Effect::EndSessions, Effect::EndTokens]);
    assert_eq!(outcome.next.epoch, story.account.epoch + 1);
    story.account = outcome.next;
    assert_eq!(story.then(GOOD), Verdict::Denied(Denial::Disabled));
    assert_eq!(story.then(Event::Activity), Verdict::Denied(Denial::Disabled));
    assert_eq!(story.then(Event::Enable { new_password: false }), Verdict::Accepted);
    assert_eq!((story.account.password_changed_at, story.account.force_change), (Some(Millis(5)), false));
    assert_eq!(story.state(), State::Enabled);
    assert_eq!(story.then(GOOD), Verdict::Admitted);
    assert_eq!(story.state(), State::Active);
}

/// Goal: 2.7: deletion hides, keeps names or frees them by its way, and is purged after its months, zero included.
#[test]
fn delete_and_purge() {
    for (months, remover, free, until_purge) in [
        (Some(3), Remover::Administrator, false, 3),
        (None, Remover::Administrator, false, 1),
        (None, Remover::Provisioning, true, 1),
        (Some(0), Remover::Provisioning, true, 0),
    ] {
        let mut story = Story::new(State::Active);
        let outcome = decide(&story.account, &story.policy, &Event::Delete { months, remover, by: None }, &story.now);
        assert_eq!(outcome.effects.contains(&Effect::FreeNames), free);
        assert_eq!(outcome.next.epoch, story.account.epoch + 1);
        story.account = outcome.next;
        if until_purge > 0 {
            assert_eq!(story.then(Event::Purge), Verdict::Rejected(Rejection::PurgeNotDue));
            story.months(until_purge);
        }
        assert_eq!(due(&story.account, &story.policy, &story.now), Some(Due::Purge));
        for event in [Event::Purge, Event::Sweep] {
            let outcome = decide(&story.account, &story.policy, &event, &story.now);
            assert_eq!((outcome.verdict, outcome.effects.as_slice()), (Verdict::Accepted, [Effect::Erase].as_slice()));
        }
        story.now.calendar_lags = true;
        assert_eq!(due(&story.account, &story.policy, &story.now), None);
        assert_eq!(story.then(Event::Purge), Verdict::Rejected(Rejection::ClockInDoubt));
        assert_eq!(story.then(Event::Sweep), Verdict::Unchanged);
    }
    let mut story = Story::new(State::Active);
    let delete = Event::Delete { months: Some(121), remover: Remover::Administrator, by: None };
    assert_eq!(story.then(delete), Verdict::Rejected(Rejection::TooManyMonths));
    let mut story =
        Story::new(State::Deleted).with(&PolicyOverlay { purge_early: Some(true), ..PolicyOverlay::default() });
    assert_eq!(story.then(Event::Purge), Verdict::Accepted, "at once, by policy");
}

/// Goal: 2.11: logins, refreshes and API tokens keep an account awake; failures, edits and provisioning do not.
#[test]
fn what_keeps_awake() {
    let awake = |story: &Story| inactive_from(&story.account, &story.policy);
    for (event, counts) in [
        (GOOD, true),
        (Event::Activity, true),
        (WRONG, false),
        (Event::SetPassword { force_change: false }, false),
        (Event::ForceChange, false),
        (Event::SignOut, false),
        (Event::ScimActive { active: true, by: None }, false),
        (Event::Sweep, false),
    ] {
        let mut story = Story::new(State::Active);
        story.months(2);
        let before = awake(&story);
        assert!(story.then(event) != Verdict::Denied(Denial::Dormant));
        assert_eq!(awake(&story) > before, counts, "{event:?}");
    }
    let mut story = Story::new(State::Locked);
    story.months(4);
    assert_eq!(story.then(Event::Activity), Verdict::Admitted);
    story.months(4);
    assert_eq!(story.state(), State::Locked, "what goes on under a lock keeps awake");
}

/// Goal: dormancy counts from enabling, from the import and from the beginning of the rule.
#[test]
fn baselines() {
    let mut story = Story::new(State::Dormant);
    story.months(12);
    assert_eq!(story.then(Event::Enable { new_password: false }), Verdict::Accepted);
    let months_later = |story: &Story, months: u16| story.now.wall.add_months(months);
    assert_eq!(inactive_from(&story.account, &story.policy), months_later(&story, 6));
    let mut story = Story::new(State::Active);
    story.months(24);
    story.account.imported_at = Some(story.now.wall);
    assert_eq!(story.state(), State::Active, "old stamps of another server do not count");
    let mut story = Story::new(State::Active);
    story.months(24);
    story.policy.dormancy_from = story.now.wall;
    assert_eq!(story.state(), State::Active, "a new rule does not put everybody to sleep");
}

/// Goal: 1.6: the built-in account is not edited, disabled, deleted, or dormant; its owner may still change the password.
#[test]
fn the_built_in_account() {
    let mut story = Story::new(State::Active);
    story.account.system = true;
    let rejected = Verdict::Rejected(Rejection::BuiltIn);
    for event in [
        Event::Disable { by: None },
        Event::Delete { months: None, remover: Remover::Administrator, by: None },
        Event::Lock,
        Event::ForceChange,
        Event::SetPassword { force_change: false },
        Event::RemovePassword,
        Event::ScimActive { active: false, by: None },
    ] {
        assert_eq!(story.then(event), rejected, "{event:?}");
    }
    story.months(120);
    assert_eq!(story.state(), State::Active);
    assert_eq!(story.then(Event::ChangePassword { by_link: false }), Verdict::Accepted);
    for _ in 0..4 {
        let _ = story.then(WRONG);
    }
    assert_eq!(story.then(Event::Unlock { new_password: true }), rejected);
    assert_eq!(story.then(Event::Unlock { new_password: false }), Verdict::Accepted);
}

/// Goal: an application is unlocked with a new password, but no change is forced that it could not make.
#[test]
fn applications() {
    let mut story = Story::new(State::Locked);
    story.account.audience = Audience::Api;
    assert_eq!(story.then(Event::Unlock { new_password: true }), Verdict::Accepted);
    assert!(!story.account.force_change);
    assert_eq!(story.then(BLIND), Verdict::Admitted);
    let rejected = Verdict::Rejected(Rejection::NotForApplications);
    assert_eq!(story.then(Event::ForceChange), rejected);
    assert_eq!(story.then(Event::ChangePassword { by_link: false }), rejected);
    story.policy.lock_api_accounts = false;
    for _ in 0..20 {
        assert_eq!(story.then(WRONG), Verdict::Denied(Denial::WrongPassword));
    }
}
