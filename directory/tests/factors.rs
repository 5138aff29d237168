//! Second factors and providers' words at the gate: counted together, each code once, the state decides every time.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use common::World;
use directory::authenticate::{Awaiting, FactorProof, Login, LoginName, Prior, Step, Verdict};
use directory::bootstrap;
use directory::change::{Act, ModificationKind};
use directory::clock::Span;
use directory::context::{Actor, Context};
use directory::error::Reason;
use directory::grant::{FACTOR_ATTEMPTS, NewLink, RECOVERY_CODES};
use directory::id::EntryId;
use directory::lifecycle::{ChangePath, State};
use directory::store::view::View;
use hmac::{Hmac, KeyInit, Mac};

const ADA: &str = "uid=ada,ou=people,dc=example,dc=com";
const PASSWORD: &str = "seven green bottles on a wall";
const PROVIDER: &str = "cn=work,ou=system,dc=example,dc=com";

fn nobody(world: &World) -> Context {
    Context { actor: Actor::Anonymous, ..bootstrap::operator(&world.directory) }
}

async fn world() -> World {
    let world = World::new().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    world.set_password(ADA, PASSWORD).await;
    world
}

async fn begin(world: &World, password: &str) -> Step {
    let name = LoginName::Dn(ADA.as_bytes().to_vec());
    let login = Login { name, password: password.into(), change: ChangePath::Page };
    world.directory.begin_login(&nobody(world), login).await
}

async fn awaiting(world: &World) -> Awaiting {
    match begin(world, PASSWORD).await {
        Step::Awaits(awaiting) => awaiting,
        Step::Done(verdict) => panic!("{verdict:?}"),
    }
}

/// An authenticator app, as far from ours as can be: base32 by hand, RFC 6238.
struct App(Vec<u8>);

impl App {
    fn of(seed: &str) -> App {
        let value = |c: u8| if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
        let bits: String = seed.bytes().map(|c| format!("{:05b}", value(c))).collect();
        let bytes = bits.as_bytes().chunks_exact(8);
        App(bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect())
    }

    fn code(&self, world: &World) -> String {
        let step = u64::try_from(world.directory.now().wall.0 / 30_000).unwrap();
        let mac = Hmac::<sha1::Sha1>::new_from_slice(&self.0).unwrap().chain_update(step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = usize::from(digest[19] & 15);
        let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

async fn enrol(world: &World) -> App {
    let id = world.id(ADA);
    let new = world.directory.begin_totp(&nobody(world), id, "Example Org", "ada").await.unwrap();
    assert!(new.uri.expose().starts_with("otpauth://totp/Example%20Org:ada?secret="));
    let app = App::of(new.seed.expose());
    assert!(!world.directory.confirm_totp(&nobody(world), id, "000000").await.unwrap());
    assert!(!world.directory.factors_of(id).unwrap().any(), "not before it is proven");
    assert!(world.directory.confirm_totp(&nobody(world), id, &app.code(world)).await.unwrap());
    world.clock.advance(Span::from_secs(30));
    app
}

async fn prove(world: &World, awaiting: &Awaiting, proof: FactorProof<'_>) -> Verdict {
    world.directory.verify_factor(&nobody(world), awaiting, Prior::Password, proof).await
}

fn admitted(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Admitted(_))
}

#[tokio::test]
async fn a_login_is_one_when_both_factors_are_proven() {
    // Goal: the password alone makes nobody ACTIVE; a code is good once, the one that enrolled it included.
    let world = world().await;
    assert!(matches!(begin(&world, "wrong").await, Step::Done(Verdict::Refused { .. })));
    let id = world.id(ADA);
    let app = enrol(&world).await;
    assert_eq!(world.state(ADA), State::Unverified);
    let waits = awaiting(&world).await;
    assert_eq!((waits.account, waits.must_enrol, world.state(ADA)), (id, false, State::Unverified));
    let code = app.code(&world);
    assert!(admitted(&prove(&world, &waits, FactorProof::Totp(&code)).await));
    assert_eq!(world.state(ADA), State::Active);
    assert!(!admitted(&prove(&world, &waits, FactorProof::Totp(&code)).await), "used");
    world.clock.advance(Span::from_secs(30));
    let next = app.code(&world);
    assert!(admitted(&prove(&world, &waits, FactorProof::Totp(&next)).await));
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_with_one_code_one_gets_in() {
    // Goal: the journal's order decides about a step, and about a recovery code.
    let world = std::sync::Arc::new(world().await);
    let app = enrol(&world).await;
    let codes = world.directory.make_recovery_codes(&nobody(&world), world.id(ADA)).await.unwrap();
    assert_eq!(codes.len(), RECOVERY_CODES);
    let waits = awaiting(&world).await;
    let (totp, recovery) = (app.code(&world), codes[0].expose().to_owned());
    for (code, is_totp) in [(totp, true), (recovery, false)] {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (world, waits, code) = (world.clone(), waits.clone(), code.clone());
            tasks.spawn(async move {
                let proof = if is_totp { FactorProof::Totp(&code) } else { FactorProof::Recovery(&code) };
                admitted(&prove(&world, &waits, proof).await)
            });
        }
        assert_eq!(tasks.join_all().await.into_iter().filter(|good| *good).count(), 1);
    }
    assert_eq!(world.directory.factors_of(world.id(ADA)).unwrap().recovery_codes, RECOVERY_CODES - 1);
    world.verify();
}

#[tokio::test]
async fn wrong_factors_lock_with_wrong_passwords_and_pause_by_themselves() {
    // Goal: failures at password and factor count together; whoever knows the password cannot reset the factor's count.
    let world = world().await;
    let app = enrol(&world).await;
    let waits = awaiting(&world).await;
    for _ in 0..3 {
        assert!(!admitted(&prove(&world, &waits, FactorProof::Totp("000000")).await));
    }
    for _ in 0..3 {
        assert!(!admitted(&world.login(ADA, "wrong").await));
    }
    assert_eq!(world.state(ADA), State::Locked, "three and three are more than five");
    let code = app.code(&world);
    assert!(!admitted(&prove(&world, &waits, FactorProof::Totp(&code)).await), "locked is locked");
    world.verify();

    let world = self::world().await;
    let app = enrol(&world).await;
    for _ in 0..FACTOR_ATTEMPTS {
        let waits = awaiting(&world).await;
        assert!(!admitted(&prove(&world, &waits, FactorProof::Totp("000000")).await));
        // A bind with the right password clears the count that both share.
        assert!(admitted(&world.login(ADA, PASSWORD).await));
    }
    assert_eq!(world.state(ADA), State::Active);
    world.clock.advance(Span::from_mins(14));
    let waits = awaiting(&world).await;
    let code = app.code(&world);
    assert!(!admitted(&prove(&world, &waits, FactorProof::Totp(&code)).await), "nobody looks at it");
    world.clock.advance(Span::from_mins(2));
    let code = app.code(&world);
    assert!(admitted(&prove(&world, &waits, FactorProof::Totp(&code)).await));
    world.verify();
}

#[tokio::test]
async fn what_ended_the_logins_voids_the_step_between() {
    // Goal: a password that was right a moment ago is worth nothing after a disabling, or with a new password.
    let world = world().await;
    let app = enrol(&world).await;
    let waits = awaiting(&world).await;
    world.set_password(ADA, "nine blue kettles on a stove").await;
    let code = app.code(&world);
    assert!(!admitted(&prove(&world, &waits, FactorProof::Totp(&code)).await));
    world.act(ADA, Act::Disable).await.unwrap();
    assert!(matches!(begin(&world, "nine blue kettles on a stove").await, Step::Done(Verdict::Refused { .. })));
    world.verify();
}

#[tokio::test]
async fn a_policy_demands_a_factor_and_administrators_take_one_away() {
    // Goal: account, or the policy above it, decides; enrolling on the way in completes the login; help for the lost phone.
    let world = world().await;
    let id = world.id(ADA);
    assert!(matches!(begin(&world, PASSWORD).await, Step::Done(Verdict::Admitted(_))));
    let policy = "cn=strict,ou=system,dc=example,dc=com";
    let attributes = [("objectClass", "rollbookPolicy"), ("cn", "strict"), ("rollbookSecondFactor", "TRUE")];
    world.add(policy, &attributes).await.unwrap();
    world.modify("dc=example,dc=com", ModificationKind::Add, "rollbookPolicyName", &[policy]).await.unwrap();
    let waits = awaiting(&world).await;
    assert!(waits.must_enrol);
    assert!(!admitted(&prove(&world, &waits, FactorProof::Totp("000000")).await), "nothing is enrolled");
    enrol(&world).await;
    assert!(admitted(&world.directory.complete_login(&nobody(&world), &waits, Prior::Password).await));
    assert!(world.directory.factors_of(id).unwrap().any());

    let other =
        Context { actor: Actor::Account { id: EntryId(99), epoch: 0, must_change_password: false }, ..nobody(&world) };
    assert_eq!(world.directory.remove_factors(&other, id).await.unwrap_err().reason, Reason::NotAllowed);
    world.directory.remove_factors(&bootstrap::operator(&world.directory), id).await.unwrap();
    assert!(!world.directory.factors_of(id).unwrap().any());
    assert!(awaiting(&world).await.must_enrol);
    let objects = [("objectClass", "rollbookAccount")];
    for (name, value) in objects {
        world.modify(ADA, ModificationKind::Add, name, &[value]).await.unwrap();
    }
    world.modify(ADA, ModificationKind::Add, "rollbookSecondFactor", &["FALSE"]).await.unwrap();
    assert!(matches!(begin(&world, PASSWORD).await, Step::Done(Verdict::Admitted(_))), "the account itself says no");
    world.verify();
}

#[tokio::test]
async fn a_providers_word_is_judged_by_the_state_and_clears_nothing() {
    // Goal: requirements 2.3 and 2.9 at the upstream callback; failures and locks stay what they were.
    let world = world().await;
    let id = world.id(ADA);
    let admit = || async { admitted(&world.directory.admit(&nobody(&world), id).await) };
    assert!(admit().await);
    assert_eq!(world.state(ADA), State::Active);
    for _ in 0..5 {
        assert!(!admitted(&world.login(ADA, "wrong").await));
    }
    assert!(admit().await);
    let facts = world.directory.snapshot().unwrap().account(id).unwrap().unwrap();
    assert_eq!(world.directory.with_counters(id, facts).counters.failures.count, 5);
    assert!(!admitted(&world.login(ADA, "wrong").await));
    assert_eq!(world.state(ADA), State::Locked, "an upstream success has not forgiven the five");
    assert!(!admit().await && world.directory.would_admit(id, &world.directory.now()).unwrap().is_none());
    world.act(ADA, Act::Unlock { password: Some("another eight bottles here".into()) }).await.unwrap();
    let Verdict::Admitted(found) = world.directory.admit(&nobody(&world), id).await else { panic!("it is ENABLED") };
    assert!(found.must_change, "requirement 2.10 holds whatever the way in");
    assert_eq!(world.state(ADA), State::Enabled);
    world.act(ADA, Act::Disable).await.unwrap();
    assert!(!admit().await);
    world.act(ADA, Act::Enable { password: None }).await.unwrap();
    world.clock.advance(Span::from_days(190));
    assert!(!admit().await, "dormant is dormant, whoever vouches");
    world.verify();
}

#[tokio::test]
async fn a_link_is_one_accounts_and_goes_with_it() {
    // Goal: one key, one account; one key per provider; unlinking and the ends of account and provider leave nothing.
    let world = world().await;
    world.person("bob", "ou=people,dc=example,dc=com").await.unwrap();
    let attributes = [("objectClass", "rollbookProvider"), ("cn", "work"), ("rollbookProviderKind", "google")];
    world.add(PROVIDER, &attributes).await.unwrap();
    let (ada, bob, provider) = (world.id(ADA), world.id("uid=bob,ou=people,dc=example,dc=com"), world.id(PROVIDER));
    let link = async |account: EntryId, key: &str| {
        let (key, shown) = (key.to_owned(), "ada@example.com".to_owned());
        let new = NewLink { provider, key, shown, claims: [0; 32], groups: Vec::new() };
        world.directory.link(&nobody(&world), account, new).await
    };
    link(ada, "iss|1").await.unwrap();
    assert_eq!(world.directory.link_of(provider, "iss|1").unwrap().unwrap().account, ada);
    assert!(world.directory.link_of(provider, "iss|2").unwrap().is_none());
    for taken in [(bob, "iss|1"), (ada, "iss|2")] {
        assert_eq!(link(taken.0, taken.1).await.unwrap_err().reason, Reason::EntryExists);
    }
    world.clock.advance(Span::from_secs(9));
    link(ada, "iss|1").await.unwrap();
    let links = world.directory.links_of(&bootstrap::operator(&world.directory), ada).unwrap();
    assert!(links.len() == 1 && links.iter().all(|l| l.used.since(l.created) == Span::from_secs(9)));
    world.verify();
    world.directory.unlink(&bootstrap::operator(&world.directory), ada, provider).await.unwrap();
    assert!(world.directory.link_of(provider, "iss|1").unwrap().is_none());
    link(ada, "iss|1").await.unwrap();
    link(bob, "iss|2").await.unwrap();
    world.act(ADA, Act::Delete { months: None }).await.unwrap();
    assert!(world.directory.link_of(provider, "iss|1").unwrap().is_none());
    world.verify();
    world.delete(PROVIDER, false).await.unwrap();
    assert!(world.directory.link_of(provider, "iss|2").unwrap().is_none());
    world.verify();
}
