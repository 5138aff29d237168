//! The laws of the life cycle over arbitrary facts, rules and times, the ends of i64 among them.

use super::super::policy::{Names, Period};
use super::super::{ChangePath, Counters, Deletion, Remover, due, due_at};
use super::*;
use crate::clock::{Doubt, Span};
use crate::id::EntryId;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Moments: near each other most of the time, anywhere else, and the ends.
fn moment() -> impl Strategy<Value = Millis> {
    prop_oneof![
        6 => (0..4_000_i64).prop_map(|hours| Millis(1_800_000_000_000 + hours * 3_600_000)),
        2 => any::<i64>().prop_map(Millis),
        1 => prop_oneof![Just(Millis::MIN), Just(Millis::MAX), Just(Millis(0)), Just(Millis(-1))],
    ]
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![(0..10_000_000_i64).prop_map(Span::from_millis), any::<i64>().prop_map(Span::from_millis)]
}

fn small_or_any() -> impl Strategy<Value = u16> {
    prop_oneof![0..8_u16, any::<u16>()]
}

fn now() -> impl Strategy<Value = Now> {
    let doubt = option::weighted(0.2, Just(Doubt::JumpedForward));
    (moment(), option::of((moment(), moment(), moment())), doubt, prop::bool::weighted(0.1)).prop_map(
        |(wall, apart, doubt, calendar_lags)| {
            let (steady, calendar, raw) = apart.unwrap_or((wall, wall, wall));
            Now { wall, steady, calendar, raw, doubt, calendar_lags }
        },
    )
}

fn counters() -> impl Strategy<Value = Counters> {
    let cause = prop_oneof![Just(LockCause::Failures), Just(LockCause::Administrator)];
    let lock = (moment(), option::of(moment()), cause).prop_map(|(at, until, cause)| Lock { at, until, cause });
    let failures = (small_or_any(), moment()).prop_map(|(count, last)| Failures { count, last });
    let stamps = (option::of(moment()), option::of(moment()));
    (any::<u32>(), any::<u32>(), failures, option::of(lock), any::<u8>(), stamps).prop_map(
        |(era, sequence, failures, lock, locks_in_a_row, (last_login, last_activity))| Counters {
            era,
            sequence,
            failures,
            lock,
            locks_in_a_row,
            last_login,
            last_activity,
        },
    )
}

fn account() -> impl Strategy<Value = Account> {
    let user_type = prop_oneof![3 => Just(UserType::Native), 1 => Just(UserType::Ldap), 1 => Just(UserType::Sso)];
    let kind = (prop::bool::weighted(0.8), user_type, prop::bool::weighted(0.1));
    let standing = prop_oneof![Just(Standing::Unverified), Just(Standing::Enabled), Just(Standing::Active)];
    let hold = moment().prop_map(|at| Hold { at, cause: HoldCause::Administrator, by: None });
    let deletion =
        (moment(), small_or_any()).prop_map(|(at, months)| Deletion { at, months, names_free: false, by: None });
    let held = (option::weighted(0.2, hold), option::weighted(0.2, moment()), option::weighted(0.2, deletion));
    let stamps = (moment(), option::of(moment()), option::of(moment()), option::of(moment()), option::of(moment()));
    let epoch = prop_oneof![any::<u64>(), Just(u64::MAX)];
    (kind, standing, held, stamps, any::<(bool, bool)>(), epoch, counters()).prop_map(
        |((person, user_type, system), standing, (hold, dormant_at, deletion), stamps, flags, epoch, counters)| {
            Account {
                audience: if person { Audience::Person } else { Audience::Api },
                user_type,
                system,
                standing,
                hold,
                dormant_at,
                deletion,
                created: stamps.0,
                imported_at: stamps.1,
                verified_at: stamps.2,
                enabled_at: stamps.3,
                force_change: flags.0,
                password_changed_at: stamps.4,
                password_never_expires: flags.1,
                epoch,
                counters,
            }
        },
    )
}

/// Rules within bounds and out of them: the function is total over both.
fn policy() -> impl Strategy<Value = Policy> {
    let lock = prop_oneof![span().prop_map(LockDuration::For), Just(LockDuration::UntilUnlocked)];
    let months = prop_oneof![small_or_any().prop_map(Period::After), Just(Period::Never)];
    let max_age = prop_oneof![span().prop_map(Period::After), Just(Period::Never)];
    (any::<[bool; 8]>(), small_or_any(), lock, [span(), span(), span()], months, max_age, moment(), small_or_any())
        .prop_map(
            |(
                flags,
                attempts,
                lock_duration,
                spans,
                dormancy_months,
                password_max_age,
                dormancy_from,
                purge_months,
            )| Policy {
                lockout: flags[0],
                attempts,
                failure_window: spans[0],
                lock_duration,
                lock_duration_cap: spans[1],
                lock_api_accounts: flags[1],
                dormancy_months,
                dormancy_from,
                password_max_age,
                password_min_age: spans[2],
                must_change_without_control: if flags[2] { Unprompted::Refuse } else { Unprompted::Restrict },
                unlock_requires_password: flags[3],
                enable_requires_password: flags[4],
                purge_months,
                purge_early: flags[5],
                names_after_deletion: if flags[6] { Names::Free } else { Names::Reserved },
                names_after_scim_deletion: if flags[7] { Names::Free } else { Names::Reserved },
                ..Policy::default()
            },
        )
}

fn event() -> impl Strategy<Value = Event> {
    let proof = prop_oneof![4 => Just(Proof::Right), 4 => Just(Proof::Wrong), 1 => Just(Proof::WrongAgain), 1 => Just(Proof::Unchecked)];
    let change = prop_oneof![Just(ChangePath::Control), Just(ChangePath::Page), Just(ChangePath::None)];
    let remover = prop_oneof![Just(Remover::Administrator), Just(Remover::Provisioning)];
    prop_oneof![
        6 => (proof, change).prop_map(|(proof, change)| Event::Login { proof, change }),
        2 => Just(Event::Activity),
        1 => any::<bool>().prop_map(|by_link| Event::ChangePassword { by_link }),
        3 => any::<bool>().prop_map(|force_change| Event::SetPassword { force_change }),
        2 => Just(Event::RemovePassword),
        1 => Just(Event::ForceChange),
        1 => Just(Event::SignOut),
        1 => Just(Event::Lock),
        1 => any::<bool>().prop_map(|new_password| Event::Unlock { new_password }),
        1 => Just(Event::Disable { by: Some(EntryId(3)) }),
        1 => any::<bool>().prop_map(|new_password| Event::Enable { new_password }),
        1 => (option::of(small_or_any()), remover).prop_map(|(months, remover)| Event::Delete { months, remover, by: None }),
        1 => any::<bool>().prop_map(|active| Event::ScimActive { active, by: None }),
        1 => Just(Event::Purge),
        2 => Just(Event::Sweep),
    ]
}

/// The facts without what a login counts and what inactivity has done.
fn apart_from_counters(account: &Account, settled: &Account) -> Account {
    Account { counters: settled.counters, ..*account }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Goal: the laws that hold for every single event over any facts, rules and time, none of which makes it panic.
    #[test]
    fn laws(account in account(), policy in policy(), event in event(), now in now()) {
        let outcome = decide(&account, &policy, &event, &now);
        let next = &outcome.next;
        prop_assert_eq!(&outcome, &decide(&account, &policy, &event, &now), "equal inputs, equal outcome");
        prop_assert_eq!(outcome.before, state(&account, &policy, &now));
        prop_assert_eq!(outcome.after, state(next, &policy, &now));
        prop_assert!(next.epoch >= account.epoch, "the epoch never falls");
        prop_assert!((next.counters.era, next.counters.sequence) >= (account.counters.era, account.counters.sequence)
            || account.counters.era == u32::MAX, "newer counters are newer");
        if outcome.verdict.admits() {
            prop_assert!(outcome.before.may_continue(), "admission implies a state that may");
            if matches!(event, Event::Login { .. }) {
                prop_assert!(outcome.before.may_log_in(), "a login implies a state that may log in");
                prop_assert!(matches!(event, Event::Login { proof: Proof::Right, .. }), "and a right password");
            }
            prop_assert!(account.deletion.is_none(), "deleted is never admitted");
        }
        if !outcome.verdict.is_good() {
            let locks = outcome.verdict == Verdict::Denied(Denial::WrongPasswordLocks);
            prop_assert!(outcome.after == outcome.before || (locks && outcome.after == State::Locked), "only the lock changes it");
            let settled = outcome.effects.iter().any(|effect| {
                matches!(effect, Effect::Audit(Transition::BecameDormant | Transition::BecameDisabled))
            });
            if !settled {
                prop_assert_eq!(apart_from_counters(&account, next), *next, "a refusal changes nothing but counters");
            }
            if !matches!(event, Event::Login { proof: Proof::Wrong, .. }) {
                prop_assert_eq!(account.counters, next.counters, "and those only for a wrong password");
            }
        }
        if matches!(event, Event::SetPassword { .. } | Event::RemovePassword) {
            prop_assert_eq!(outcome.after, outcome.before, "a password moves no state");
            prop_assert_eq!((next.hold, next.dormant_at), (account.hold, account.dormant_at), "and finds nothing");
            if !outcome.before.may_log_in() {
                prop_assert_eq!(next.counters, account.counters, "and forgives nothing");
                prop_assert!(next.force_change || !account.force_change || !next.changes_own_password() || outcome.verdict != Verdict::Accepted);
            }
        }
        if account.deletion.is_some() {
            prop_assert_eq!(next, &account, "nothing touches what is deleted");
        }
        let ended = outcome.effects.contains(&Effect::EndSessions);
        prop_assert_eq!(ended, next.epoch > account.epoch || (ended && account.epoch == u64::MAX), "an epoch rises aloud");
    }

    /// Goal: settling is invisible: whatever the sweep makes a fact was the state before, and a second sweep at the same
    /// moment finds nothing.
    #[test]
    fn sweeping_changes_no_state(account in account(), policy in policy(), now in now()) {
        let found = due(&account, &policy, &now);
        let outcome = decide(&account, &policy, &Event::Sweep, &now);
        prop_assert_eq!(outcome.after, outcome.before);
        prop_assert_eq!(found.is_some(), outcome.verdict == Verdict::Accepted, "the short cut and the calendar agree");
        prop_assert_eq!(outcome.effects.contains(&Effect::Erase), found == Some(super::super::Due::Purge));
        if !outcome.effects.contains(&Effect::Erase) {
            prop_assert_eq!(decide(&outcome.next, &policy, &Event::Sweep, &now).verdict, Verdict::Unchanged);
        }
        let _ = due_at(&account, &policy);
    }

    /// Goal: over any story of events with time going on, deleted stays deleted, the epoch never falls, and nobody gets
    /// in with more wrong passwords behind him than the policy lets pass.
    #[test]
    fn stories(events in vec((event(), 0..7_200_000_i64), 1..60), attempts in 1..6_u16, until_unlocked in any::<bool>()) {
        let mut policy = Policy { attempts, ..Policy::default() };
        if until_unlocked {
            policy.lock_duration = LockDuration::UntilUnlocked;
        }
        let mut now = Now::at(Millis(1_800_000_000_000));
        let mut account = Account::new(Audience::Person, UserType::Native, &now);
        let (mut wrong_in_a_row, mut last_wrong) = (0_u16, now.wall);
        for (event, passed) in events {
            now = Now::at(now.wall.saturating_add(Span::from_millis(passed)));
            let outcome = decide(&account, &policy, &event, &now);
            prop_assert!(outcome.next.epoch >= account.epoch);
            prop_assert!(account.deletion.is_none() || outcome.after == State::Deleted);
            match event {
                Event::Login { proof: Proof::Wrong, .. } if outcome.before.may_log_in() => {
                    let anew = now.wall.since(last_wrong) > policy.failure_window || account.counters.lock.is_some();
                    wrong_in_a_row = if anew { 1 } else { wrong_in_a_row + 1 };
                    last_wrong = now.wall;
                    prop_assert_eq!(outcome.after == State::Locked, wrong_in_a_row > attempts);
                }
                _ if outcome.verdict.is_good() && outcome.next.counters.failures.count == 0 => wrong_in_a_row = 0,
                _ => {}
            }
            if matches!(event, Event::Login { .. }) && outcome.verdict.admits() {
                prop_assert!(account.counters.failures.count <= attempts || account.counters.lock.is_some());
            }
            account = outcome.next;
        }
    }
}
