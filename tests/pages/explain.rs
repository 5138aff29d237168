//! What is remembered of a sign-in for whoever explains it: every step with the rule that refused it, and nothing that was
//! typed.

use crate::factor::{code, demand, key};
use directory::change::Act;
use directory::trail::Step;
use testkit::{Browser, NEW_PASSWORD, PASSWORD, Server, WRONG};

fn steps(server: &Server, browser: &Browser) -> Vec<Step> {
    server.directory.trail().explain(browser.page.header("x-request-id"))
}

/// Steps, and what refused them.
fn told(steps: &[Step]) -> Vec<(&str, &str)> {
    steps.iter().map(|step| (step.what.as_str(), step.refused.as_deref().unwrap_or_default())).collect()
}

/// Goal: the page says nothing, the trail says which rule it was; a name that nobody has, which may be a password in the
/// wrong field, is in neither.
#[tokio::test]
async fn refusals_by_their_rule() {
    let server = Server::start().await;
    let (person, _) = (server.active("bruno").await, server.active("clara").await);
    for (uid, password, times, rule) in [
        ("clara", WRONG, 1, "wrong password"),
        ("bruno", WRONG, 5, "wrong password"),
        ("bruno", WRONG, 1, "wrong password; the account is locked now"),
        ("bruno", PASSWORD, 1, "the account is LOCKED"),
        ("hunter2-in-the-wrong-field", PASSWORD, 1, "there is no such account"),
    ] {
        for _ in 0..times {
            let mut browser = Browser::open(&server).await;
            browser.sign_in(uid, password).await;
            let steps = steps(&server, &browser);
            let expected = [("sign-in page", ""), ("username and password", ""), ("gate", rule)];
            assert_eq!(told(&steps), expected, "{uid}");
            assert_eq!(steps[2].request, steps[1].request, "the gate's step has the request's name");
            let whose = (uid == "bruno").then_some(person.id);
            assert!(uid == "clara" || steps[2].account == whose, "{uid}");
            let all = format!("{steps:?}");
            assert!(!all.contains("hunter2") && !all.contains(password), "{all}");
        }
    }
    let mut stale = Browser::open(&server).await;
    stale.visit("/sign-in").await;
    stale.cookies.clear();
    stale.submit("/sign-in", &[("username", "clara"), ("password", PASSWORD)]).await;
    assert_eq!(told(&steps(&server, &stale)), [("form", "it is not one that this server gave to this browser")]);
    server.verify().await;
}

/// Goal: a login with everything that can stand on its way is told in its order: the change of the password, the setting up of
/// a second factor, a wrong code, the session.
#[tokio::test]
async fn the_longest_way_in() {
    let server = Server::start().await;
    let person = server.active("karl").await;
    demand(&server, &person).await;
    server.act(&person, Act::ForceChange).await.unwrap();
    let mut browser = Browser::open(&server).await;
    browser.sign_in("karl", PASSWORD).await;
    let app = key(&browser);
    browser.submit("/sign-in/enrol", &[("code", "000000")]).await;
    browser.submit("/sign-in/enrol", &[("code", &code(&server, &app))]).await;
    browser.submit("/sign-in/codes", &[("stored", "yes")]).await;
    browser.follow().await;
    assert_eq!(browser.heading(), "Choose a new password");
    for new in ["short", NEW_PASSWORD] {
        browser.submit("/sign-in/password", &[("new", new), ("again", new)]).await;
    }
    browser.follow().await;
    server.pass(directory::clock::Span::from_secs(30));
    browser.sign_in("karl", NEW_PASSWORD).await;
    for typed in ["000000", &code(&server, &app)] {
        browser.submit("/sign-in/factor", &[("code", typed)]).await;
    }
    let all = steps(&server, &browser);
    browser.follow().await;
    assert_eq!(browser.heading(), "Where you are signed in");
    assert!(all.iter().all(|step| step.account.is_none_or(|account| account == person.id)));
    assert_eq!(
        told(&all),
        [
            ("sign-in page", ""),
            ("username and password", ""),
            ("gate: a second factor is due", ""),
            ("asked to set up a second factor", ""),
            ("app set up", "wrong code"),
            ("app set up", ""),
            ("gate: admitted, to change the password", ""),
            ("asked for a new password", ""),
            ("new password", "the password is shorter than 15 characters"),
            ("new password", ""),
            ("sign-in page", ""),
            ("username and password", ""),
            ("gate: a second factor is due", ""),
            ("asked for a second factor", ""),
            ("code of the app", ""),
            ("gate", "wrong second factor"),
            ("code of the app", ""),
            ("gate: admitted", ""),
            ("session started", ""),
        ]
    );
    assert!(server.directory.trail().explain("").is_empty());
    server.verify().await;
}
