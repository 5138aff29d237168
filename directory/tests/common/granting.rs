//! Grants in the workload: sessions, codes, refresh families and their ends, consents, names good once, recovery codes, notices. A step is
//! one commit, so that the state after each is known.

use super::super::common::World;
use super::super::disk::Dice;
use super::{Answer, SUFFIX, holder};
use directory::authenticate::Verdict;
use directory::bootstrap;
use directory::clock::Span;
use directory::entry::dn::DnKey;
use directory::error::Refusal;
use directory::grant::{Answer as Grant, Cause, FamilyTerms, NewCode, NewSession, Redemption};
use directory::id::EntryId;
use directory::store::view::View;
use std::cell::RefCell;

const REDIRECT: &str = "https://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What relying parties and browsers hold.
#[derive(Default)]
pub struct Held {
    sessions: Vec<String>,
    codes: Vec<String>,
    refresh: Vec<String>,
}

thread_local! {
    static HELD: RefCell<Held> = RefCell::default();
}

/// Another world: what was held in the one before is worth nothing.
pub fn forget() {
    HELD.with(|held| *held.borrow_mut() = Held::default());
}

fn with<T>(work: impl FnOnce(&mut Held) -> T) -> T {
    HELD.with(|held| work(&mut held.borrow_mut()))
}

fn pick(dice: &mut Dice, of: fn(&mut Held) -> &mut Vec<String>) -> Option<String> {
    with(|held| {
        let list = of(held);
        // The latest ones more often than those of long ago.
        let back = dice.below(list.len().clamp(1, 6));
        list.len().checked_sub(back + 1).map(|at| list[at].clone())
    })
}

fn done<T>(outcome: Result<T, Refusal>) -> Answer {
    match outcome {
        Ok(_) => Answer::Done,
        Err(refusal) => Answer::Refused(refusal.reason),
    }
}

/// Whether a commit was made of it: what is not good may end a family, which is one as well.
fn granted<T>(outcome: Result<Grant<T>, Refusal>) -> Answer {
    done(outcome)
}

/// One step for a person.
pub async fn step(world: &World, dice: &mut Dice, person: &str) -> Vec<Answer> {
    let (directory, context) = (&world.directory, bootstrap::operator(&world.directory));
    let Some(app) = application(world) else {
        return vec![add_application(world).await];
    };
    let account = holder(world, person).map(|dn| world.id(&dn));
    vec![match (dice.below(16), account) {
        (0..=3, _) => return sign_in(world, dice, person).await,
        (4..=6, _) => {
            let Some(live) = pick(dice, |held| &mut held.sessions)
                .and_then(|secret| directory.session(&secret, &directory.now()).ok().flatten())
            else {
                return vec![Answer::NotAdmitted];
            };
            let new = NewCode {
                client: app,
                redirect_uri: REDIRECT.into(),
                challenge: CHALLENGE.into(),
                nonce: None,
                scopes: vec!["openid".into()],
                claims: None,
            };
            let issued = directory.issue_code(&directory.now(), &live, new);
            if let Ok(code) = &issued {
                with(|held| held.codes.push(code.expose().to_owned()));
            }
            done(issued)
        }
        (7..=8, _) => {
            let Some(code) = pick(dice, |held| &mut held.codes) else { return vec![Answer::NotAdmitted] };
            let shown = Redemption { code: &code, client: app, redirect_uri: REDIRECT, verifier: VERIFIER };
            let terms = FamilyTerms {
                refresh: true,
                offline: dice.below(2) == 0,
                idle: Span::from_days(1),
                life: Span::from_days(30),
                grace: Span::ZERO,
            };
            let redeemed = directory.redeem_code(&context, shown, terms).await;
            if let Ok(Grant::Granted(redeemed)) = &redeemed {
                let fresh = redeemed.refresh.as_ref().map(|secret| secret.expose().to_owned());
                with(|held| held.refresh.extend(fresh));
            }
            granted(redeemed)
        }
        (9..=10, _) => {
            let Some(token) = pick(dice, |held| &mut held.refresh) else { return vec![Answer::NotAdmitted] };
            let rotated = directory.rotate(&context, &token, app, None).await;
            if let Ok(Grant::Granted(rotated)) = &rotated {
                with(|held| held.refresh.push(rotated.refresh.expose().to_owned()));
            }
            granted(rotated)
        }
        (11, _) => {
            let live = pick(dice, |held| &mut held.sessions)
                .and_then(|secret| directory.session(&secret, &directory.now()).ok().flatten());
            let Some(live) = live else { return vec![Answer::NotAdmitted] };
            done(directory.end_session(&context, live.session.id, Cause::SignedOut).await)
        }
        (12, _) => {
            let notices = directory.notices(None, 1 + dice.below(3)).unwrap();
            done(directory.told(directory.now(), notices.iter().map(|notice| notice.id).collect()).await)
        }
        (13, Some(account)) => match dice.below(3) {
            0 => done(directory.end_sessions(&context, account, None).await),
            1 => done(directory.withdraw_consent(&context, account, app).await),
            _ => done(directory.give_consent(&context, account, app, vec!["openid".into(), "email".into()]).await),
        },
        (14, Some(account)) => done(directory.make_recovery_codes(&context, account).await),
        _ => {
            let until = directory.now().wall.saturating_add(Span::from_mins(5));
            done(directory.use_once(&context, &format!("name {}", dice.below(20)), until).await)
        }
    }]
}

async fn sign_in(world: &World, dice: &mut Dice, person: &str) -> Vec<Answer> {
    let Some(dn) = holder(world, person) else { return vec![Answer::NotAdmitted] };
    let admitted = match world.login(&dn, &format!("a fine secret {}", dice.below(3))).await {
        Verdict::Admitted(admitted) => admitted,
        refused => return vec![refused.into()],
    };
    let new = NewSession {
        account: admitted.account,
        epoch: admitted.epoch,
        auth_time: world.directory.now().wall,
        amr: vec!["pwd".into()],
        acr: "pwd".into(),
        upstream: None,
        agent: "Firefox".into(),
        idle: Span::from_hours(1),
        life: Span::from_days(1),
    };
    let started = world.directory.start_session(&bootstrap::operator(&world.directory), new).await;
    if let Ok((secret, _)) = &started {
        with(|held| held.sessions.push(secret.expose().to_owned()));
    }
    vec![Answer::Admitted, done(started)]
}

const APPLICATION: &str = "cn=orders,ou=applications";

fn application(world: &World) -> Option<EntryId> {
    let dn = format!("{APPLICATION},{SUFFIX}");
    let key = DnKey::parse(world.directory.schema(), dn.as_bytes()).unwrap();
    world.directory.snapshot().unwrap().id_of(key.as_bytes()).unwrap()
}

async fn add_application(world: &World) -> Answer {
    let attributes = [
        ("objectClass", "rollbookApplication"),
        ("cn", "orders"),
        ("rollbookClientId", "orders"),
        ("rollbookRedirectUri", REDIRECT),
        ("rollbookBackChannelLogoutUri", "https://app.example/told"),
    ];
    world.add(&format!("{APPLICATION},{SUFFIX}"), &attributes).await.into()
}
