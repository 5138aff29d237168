//! Passwords that must be changed, as stories with a hand-moved time: forced, expired, too young, kept elsewhere.

use super::super::policy::{Period, PolicyOverlay};
use super::super::{ChangePath, MustChange};
use super::tests::{BLIND, GOOD, START, Story};
use super::*;
use crate::clock::Span;

/// Goal: 2.8: unlocking sets a password and forces its change; after that ENABLED; the next login makes ACTIVE.
#[test]
fn unlock_change_login() {
    let mut story = Story::new(State::Locked);
    assert_eq!(story.then(Event::Unlock { new_password: false }), Verdict::Rejected(Rejection::PasswordRequired));
    assert_eq!(story.then(Event::Unlock { new_password: true }), Verdict::Accepted);
    assert_eq!(story.state(), State::Enabled);
    assert_eq!(story.then(GOOD), Verdict::AdmittedMustChange(MustChange::Forced));
    assert_eq!(story.state(), State::Enabled, "not yet");
    assert_eq!(story.then(Event::ChangePassword { by_link: false }), Verdict::Accepted);
    assert_eq!(story.state(), State::Enabled, "2.10: the change does not make it active");
    assert_eq!(story.then(BLIND), Verdict::Admitted);
    assert_eq!(story.state(), State::Active);
}

/// Goal: 2.2 and 2.10: a forced change at the first login; without the control the policy refuses or restricts.
#[test]
fn forced_change() {
    let restrict =
        PolicyOverlay { must_change_without_control: Some(Unprompted::Restrict), ..PolicyOverlay::default() };
    for (before, after) in
        [(State::Unverified, State::Unverified), (State::Enabled, State::Enabled), (State::Active, State::Active)]
    {
        let mut story = Story::new(before);
        story.account.force_change = true;
        let untouched = story.account;
        assert_eq!(story.then(BLIND), Verdict::Denied(Denial::MustChange(MustChange::Forced)));
        assert_eq!(story.account, untouched);
        let control = Event::Login { proof: Proof::Right, change: ChangePath::Control };
        assert_eq!(story.then(control), Verdict::AdmittedMustChange(MustChange::Forced));
        assert_eq!(story.state(), after);
        let mut story = story.with(&restrict);
        assert_eq!(story.then(BLIND), Verdict::AdmittedMustChange(MustChange::Forced));
        assert_eq!(story.then(Event::ChangePassword { by_link: false }), Verdict::Accepted);
        assert_eq!(story.state(), after, "the change alone makes nothing active");
        assert_eq!(story.then(BLIND), Verdict::Admitted);
        assert_eq!(story.state(), State::Active);
    }
}

/// Goal: an expired password is a change that has to be made; who is exempt is let in.
#[test]
fn expired_password() {
    let age = PolicyOverlay { password_max_age: Some(Period::After(Span::from_days(90))), ..PolicyOverlay::default() };
    let mut story = Story::new(State::Active).with(&age);
    story.account.password_changed_at = Some(START);
    story.pass(Span::from_days(90));
    assert_eq!(story.then(GOOD), Verdict::AdmittedMustChange(MustChange::Expired));
    assert_eq!(story.then(BLIND), Verdict::Denied(Denial::MustChange(MustChange::Expired)));
    for exempt in [
        Account { password_never_expires: true, ..story.account },
        Account { audience: Audience::Api, ..story.account },
        Account { user_type: UserType::Sso, force_change: true, ..story.account },
    ] {
        assert_eq!(decide(&exempt, &story.policy, &BLIND, &story.now).verdict, Verdict::Admitted);
    }
}

/// Goal: the least age of a password binds its owner, but not after a forced change and not by a link.
#[test]
fn young_password() {
    let age = PolicyOverlay { password_min_age: Some(Span::from_days(1)), ..PolicyOverlay::default() };
    let change = Event::ChangePassword { by_link: false };
    let mut story = Story::new(State::Active).with(&age);
    story.account.password_changed_at = Some(START);
    assert_eq!(story.then(change), Verdict::Rejected(Rejection::PasswordTooYoung));
    assert_eq!(story.then(Event::ChangePassword { by_link: true }), Verdict::Accepted);
    assert_eq!(story.then(Event::SetPassword { force_change: true }), Verdict::Accepted);
    assert_eq!(story.then(change), Verdict::Accepted);
    assert_eq!(story.then(change), Verdict::Rejected(Rejection::PasswordTooYoung));
}

/// Goal: passwords that are elsewhere are not set or forced here; such accounts are unlocked and enabled without one.
#[test]
fn passwords_elsewhere() {
    let elsewhere = Verdict::Rejected(Rejection::PasswordElsewhere);
    for user_type in [UserType::Ldap, UserType::Sso] {
        let mut story = Story::new(State::Active);
        story.account.user_type = user_type;
        for event in
            [Event::ChangePassword { by_link: true }, Event::SetPassword { force_change: false }, Event::ForceChange]
        {
            assert_eq!(story.then(event), elsewhere);
        }
        assert_eq!(story.then(Event::Lock), Verdict::Accepted);
        assert_eq!(story.then(Event::Unlock { new_password: true }), elsewhere);
        assert_eq!(story.then(Event::Unlock { new_password: false }), Verdict::Accepted);
        assert_eq!(story.then(BLIND), Verdict::Admitted);
    }
}
