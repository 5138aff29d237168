//! Sessions, codes and refresh families: proven, used once where once is all, ended with their account, told of.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;
mod ends;
mod kept;
mod sessions;
mod tokens;

use common::World;
use directory::authenticate::Verdict;
use directory::bootstrap;
use directory::clock::Span;
use directory::context::Context;
use directory::grant::{Answer, Ended, FamilyTerms, LiveSession, NewCode, NewSession, Redeemed, Redemption, Why};
use directory::id::EntryId;
use directory::token::Secret;
use std::sync::{Arc, Mutex};

const ADA: &str = "uid=ada,ou=people,dc=example,dc=com";
const PASSWORD: &str = "seven green bottles on a wall";
const REDIRECT: &str = "https://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const APP: EntryId = EntryId(4);
const HOUR: Span = Span::from_hours(1);
const DAY: Span = Span::from_days(1);

fn operator(world: &World) -> Context {
    bootstrap::operator(&world.directory)
}

fn terms() -> FamilyTerms {
    FamilyTerms { refresh: true, offline: false, idle: DAY, life: Span::from_days(30), grace: Span::ZERO }
}

async fn world() -> World {
    let world = World::new().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    world.set_password(ADA, PASSWORD).await;
    world
}

async fn sign_in(world: &World) -> (Secret, LiveSession) {
    let Verdict::Admitted(admitted) = world.login(ADA, PASSWORD).await else { panic!("the login is good") };
    let new = NewSession {
        account: admitted.account,
        epoch: admitted.epoch,
        auth_time: world.directory.now().wall,
        amr: vec!["pwd".into()],
        acr: "pwd".into(),
        upstream: None,
        agent: "Firefox".into(),
        idle: HOUR,
        life: DAY,
    };
    let (secret, _) = world.directory.start_session(&operator(world), new).await.unwrap();
    let live = live(world, &secret).unwrap();
    (secret, live)
}

fn live(world: &World, secret: &Secret) -> Option<LiveSession> {
    world.directory.session(secret.expose(), &world.directory.now()).unwrap()
}

fn code(world: &World, live: &LiveSession) -> Secret {
    let new = NewCode {
        client: APP,
        redirect_uri: REDIRECT.into(),
        challenge: CHALLENGE.into(),
        nonce: Some("n".into()),
        scopes: vec!["openid".into(), "email".into(), "offline_access".into()],
        claims: None,
    };
    world.directory.issue_code(&world.directory.now(), live, new).unwrap()
}

async fn redeem(world: &World, code: &Secret, terms: FamilyTerms) -> Answer<Redeemed> {
    let shown = Redemption { code: code.expose(), client: APP, redirect_uri: REDIRECT, verifier: VERIFIER };
    world.directory.redeem_code(&operator(world), shown, terms).await.unwrap()
}

async fn granted(world: &World, terms: FamilyTerms) -> (LiveSession, Redeemed) {
    let (_, live) = sign_in(world).await;
    let code = code(world, &live);
    (live, redeem(world, &code, terms).await.granted().unwrap())
}

async fn refresh(world: &World, token: &str) -> Result<Secret, Why> {
    match world.directory.rotate(&operator(world), token, APP, None).await.unwrap() {
        Answer::Granted(rotated) => Ok(rotated.refresh),
        Answer::Refused(why) => Err(why),
    }
}

/// What has ended since the call.
fn listen(world: &World) -> Arc<Mutex<Vec<Ended>>> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let to = heard.clone();
    world.directory.on_ended(move |ended| to.lock().unwrap().push(ended.clone()));
    heard
}
