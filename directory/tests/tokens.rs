//! API tokens: shown once, proven in constant time, ended with their account, remembered in the journal.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use common::World;
use common::shared::Shared;
use directory::bootstrap;
use directory::change::{Act, Change, Modification, ModificationKind, Target};
use directory::clock::Span;
use directory::context::Context;
use directory::error::Reason;
use directory::handle::Backend;
use directory::id::EntryId;
use directory::journal::record::Event;
use directory::lifecycle::State;
use directory::store::tables;
use directory::store::view::View;
use directory::token::{Issued, Live, NewToken, PER_ACCOUNT, PROVISIONER_ROLE, Scope, TokenId};

const BASE: &str = "dc=example,dc=com";
const APP: &str = "cn=entra,ou=applications,dc=example,dc=com";
const DAY: Span = Span::from_days(1);

fn operator(world: &World) -> Context {
    bootstrap::operator(&world.directory)
}

fn dn(text: &str) -> Target {
    Target::Dn(text.as_bytes().to_vec())
}

async fn issue(world: &World, label: &str, life: Span) -> Issued {
    let (account, before) = world.directory.provisioner(BASE, label).unwrap();
    let scope = Scope { base: Some(world.id(BASE)), write: true, ..Scope::default() };
    let new = NewToken { account, label: label.to_owned(), scope, life };
    world.directory.create_token(&operator(world), before, new).await.unwrap()
}

fn live(world: &World, secret: &str) -> Option<Live> {
    world.directory.token(secret, &world.directory.now()).unwrap()
}

/// The acts of the journal's records about tokens, in order.
fn recorded(world: &World) -> Vec<(String, String)> {
    let mut acts = Vec::new();
    let snapshot = world.directory.snapshot().unwrap();
    directory::journal::record::read(&snapshot.journal(), |_, record| {
        for event in &record.events {
            if let Event::Token { act, token, .. } = event {
                acts.push((act.clone(), token.clone()));
            }
        }
    })
    .unwrap();
    acts
}

#[tokio::test]
async fn a_token_is_made_with_its_account_used_and_revoked() {
    // Goal: one write set makes account, membership and token; the token acts with the account's rights until revoked.
    let world = World::new().await;
    let before = world.directory.position().unwrap();
    let issued = issue(&world, "entra", DAY).await;
    assert_eq!(issued.receipt.position.0, before.0 + 1);
    let app = world.id(APP);
    let snapshot = world.directory.snapshot().unwrap();
    assert!(snapshot.is_member(world.id(&format!("cn={PROVISIONER_ROLE},ou=roles,{BASE}")), app).unwrap());
    let found = live(&world, issued.secret.expose()).expect("it is good");
    assert_eq!((found.token.account, found.token.id, found.token.label.as_str()), (app, issued.token.id, "entra"));
    let rights = world.directory.rights(&snapshot, found.actor).unwrap();
    assert!(rights.reads_others() && !rights.is_system());

    // A second one for the same label goes to the same account.
    let second = issue(&world, "entra", DAY).await;
    assert_eq!(second.token.account, app);
    let listed: Vec<TokenId> =
        world.directory.tokens(&operator(&world)).unwrap().into_iter().map(|(token, _)| token.id).collect();
    assert!(listed.len() == 2 && listed.contains(&issued.token.id) && listed.contains(&second.token.id));

    world.directory.revoke_token(&operator(&world), issued.token.id).await.unwrap();
    assert!(live(&world, issued.secret.expose()).is_none() && live(&world, second.secret.expose()).is_some());
    let again = world.directory.revoke_token(&operator(&world), issued.token.id).await.unwrap_err();
    assert!(matches!(again.reason, Reason::NoSuchEntry { .. }));
    let [first, second] = [issued.token.id, second.token.id].map(|id| id.to_string());
    let row = |act: &str, id: &str| (act.to_owned(), id.to_owned());
    assert_eq!(recorded(&world), [row("create", &first), row("create", &second), row("revoke", &first)]);
    world.verify();
}

#[tokio::test]
async fn nothing_but_the_secret_is_taken() {
    // Goal: a known id with another secret, an unknown id, and what is no token at all are nobody's.
    let world = World::new().await;
    let (one, two) = (issue(&world, "entra", DAY).await, issue(&world, "okta", DAY).await);
    let (good, other) = (one.secret.expose().to_owned(), two.secret.expose().to_owned());
    assert!(live(&world, &good).is_some());
    let flipped = good.replace(&good[59..], if good.ends_with('A') { "B" } else { "A" });
    let crossed = format!("{}{}", &good[..17], &other[17..]);
    let unknown = format!("rbs_bbbbbbbbbbbb{}", &good[16..]);
    let spaced = format!(" {good}");
    let longer = format!("{good}A");
    for text in [&flipped, &crossed, &unknown, &spaced, &longer, &good.to_lowercase(), "", "rbs_", &good[..59]] {
        assert!(live(&world, text).is_none(), "{text}");
    }
    world.verify();
}

#[tokio::test]
async fn time_ends_a_token_and_the_sweep_removes_it() {
    // Goal: good to the last millisecond, nobody's from then on, and gone with the sweep, which says so.
    let world = World::new().await;
    let issued = issue(&world, "entra", DAY).await;
    world.clock.advance(Span::from_millis(DAY.millis() - 1));
    assert!(live(&world, issued.secret.expose()).is_some());
    world.clock.advance(Span::from_millis(1));
    assert!(live(&world, issued.secret.expose()).is_none());
    assert_eq!(world.directory.tokens(&operator(&world)).unwrap().len(), 1);
    assert!(world.directory.rotate_token(&operator(&world), issued.token.id, DAY).await.is_err());
    assert_eq!(world.directory.sweep().await.unwrap(), 1);
    assert!(world.directory.tokens(&operator(&world)).unwrap().is_empty());
    assert_eq!(recorded(&world).last().unwrap().0, "expire");
    assert_eq!(world.directory.sweep().await.unwrap(), 0);
    world.verify();
}

#[tokio::test]
async fn a_rotated_token_lives_beside_its_successor_for_a_while() {
    // Goal: the successor has the same label, scope and length of life; the old one ends with the overlap, or with its
    // own time when that is sooner.
    let world = World::new().await;
    let old = issue(&world, "entra", DAY).await;
    world.clock.advance(Span::from_hours(20));
    let new = world.directory.rotate_token(&operator(&world), old.token.id, Span::from_hours(2)).await.unwrap();
    assert_eq!(new.token.predecessor, Some(old.token.id));
    assert_eq!((&new.token.label, &new.token.scope), (&old.token.label, &old.token.scope));
    assert_eq!(new.token.expires.since(new.token.created), DAY);
    assert!(live(&world, old.secret.expose()).is_some() && live(&world, new.secret.expose()).is_some());
    world.clock.advance(Span::from_hours(2));
    assert!(live(&world, old.secret.expose()).is_none() && live(&world, new.secret.expose()).is_some());
    // At once.
    let third = world.directory.rotate_token(&operator(&world), new.token.id, Span::from_millis(0)).await.unwrap();
    assert!(live(&world, new.secret.expose()).is_none() && live(&world, third.secret.expose()).is_some());
    // No overlap makes a token live longer than it would have.
    world.clock.advance(Span::from_hours(23));
    let fourth = world.directory.rotate_token(&operator(&world), third.token.id, Span::from_days(30)).await.unwrap();
    world.clock.advance(Span::from_hours(1));
    assert!(live(&world, third.secret.expose()).is_none() && live(&world, fourth.secret.expose()).is_some());
    assert!(world.directory.rotate_token(&operator(&world), fourth.token.id, Span::from_days(31)).await.is_err());
    world.verify();
}

#[tokio::test]
async fn tokens_end_with_the_logins_of_their_account() {
    // Goal: requirements 2.4 and 2.6: a lock and a new password leave them be; disabling and deleting end them in the
    // same commit and for good; so does the deletion of the entry, and dormancy.
    let world = World::new().await;
    let end: [(&str, Vec<Change>, bool); 6] = [
        ("lock", vec![Change::Account { target: dn(APP), act: Act::Lock }], true),
        ("password", vec![Change::Password { target: dn(APP), old: None, new: None }], true),
        ("disable", vec![Change::Account { target: dn(APP), act: Act::Disable }], false),
        ("inactive", vec![Change::Account { target: dn(APP), act: Act::Active(false) }], false),
        ("delete", vec![Change::Account { target: dn(APP), act: Act::Delete { months: Some(0) } }], false),
        ("remove", vec![Change::Delete { target: dn(APP), subtree: false }], false),
    ];
    for (what, changes, survives) in end {
        let issued = issue(&world, "entra", DAY).await;
        let held = live(&world, issued.secret.expose()).expect("it is good");
        for change in changes {
            world.change(change).await.unwrap();
        }
        assert_eq!(live(&world, issued.secret.expose()).is_some(), survives, "{what}");
        assert_eq!(world.directory.use_token(&held, &world.directory.now()).unwrap(), what == "lock", "{what}");
        world.verify();
        if survives {
            world.change(Change::Delete { target: dn(APP), subtree: false }).await.unwrap();
        } else if matches!(what, "disable" | "inactive") {
            assert_eq!(recorded(&world).last().unwrap().0, "end");
            world.act(APP, Act::Enable { password: None }).await.unwrap();
            assert!(live(&world, issued.secret.expose()).is_none(), "{what}: it does not come back");
            world.change(Change::Delete { target: dn(APP), subtree: false }).await.unwrap();
        }
    }
    world.verify();
}

#[tokio::test]
async fn use_is_activity_and_is_written_rarely() {
    // Goal: requirement 2.11: an account whose token is used does not fall dormant, one whose is not does; many uses cost
    // one write, and the list knows the latest at once.
    let world = World::new().await;
    let used = issue(&world, "entra", Span::from_days(900)).await;
    let idle = issue(&world, "okta", Span::from_days(900)).await;
    let at = |id: TokenId| {
        let tokens = world.directory.tokens(&operator(&world)).unwrap();
        tokens.into_iter().find(|(token, _)| token.id == id).unwrap().0.last_use
    };
    assert_eq!(at(used.token.id), None);
    for _ in 0..400 {
        world.clock.advance(DAY);
        let held = live(&world, used.secret.expose()).expect("it is good");
        assert!(world.directory.use_token(&held, &world.directory.now()).unwrap());
        world.directory.flush(false).await.unwrap();
    }
    assert_eq!(world.directory.state_of(used.token.account).unwrap(), Some(State::Unverified));
    assert!(live(&world, idle.secret.expose()).is_none(), "dormant before any sweep has run");
    world.directory.sweep().await.unwrap();
    assert_eq!(world.directory.state_of(idle.token.account).unwrap(), Some(State::Disabled), "never used");
    assert_eq!(world.directory.tokens(&operator(&world)).unwrap().len(), 1);

    let before = world.directory.position().unwrap();
    let held = live(&world, used.secret.expose()).unwrap();
    for _ in 0..500 {
        world.clock.advance(Span::from_secs(1));
        assert!(world.directory.use_token(&held, &world.directory.now()).unwrap());
        world.directory.flush(false).await.unwrap();
    }
    let wrote = world.directory.position().unwrap().0 - before.0;
    assert!(wrote <= 1, "the account's stamp once, and nothing else within ten minutes: {wrote}");
    let before = world.directory.position().unwrap();
    assert_eq!(at(used.token.id), Some(world.directory.now().wall));
    world.directory.flush(true).await.unwrap();
    assert_ne!(world.directory.position().unwrap(), before);
    world.verify();
}

#[tokio::test]
async fn requests_out_of_bounds_are_refused() {
    // Goal: every bound has its refusal, and nothing is made before it.
    let world = World::new().await;
    issue(&world, "entra", DAY).await;
    world.person("eve", "ou=people,dc=example,dc=com").await.unwrap();
    let good = || NewToken { account: dn(APP), label: "x".into(), scope: Scope::default(), life: DAY };
    let at = world.directory.position().unwrap();
    let scope = |types: Vec<String>, dialect: &str, base| Scope { base, write: false, types, dialect: dialect.into() };
    let bad = [
        NewToken { label: String::new(), ..good() },
        NewToken { label: "x".repeat(129), ..good() },
        NewToken { label: "a\u{1b}[2J".into(), ..good() },
        NewToken { life: Span::from_millis(0), ..good() },
        NewToken { life: Span::from_days(3_651), ..good() },
        NewToken { scope: scope(vec!["User".into(); 33], "", None), ..good() },
        NewToken { scope: scope(vec![String::new()], "", None), ..good() },
        NewToken { scope: scope(Vec::new(), "two words", None), ..good() },
        NewToken { scope: scope(Vec::new(), "", Some(EntryId(999_999))), ..good() },
        NewToken { account: dn(BASE), ..good() },
    ];
    for new in bad {
        let shown = format!("{new:?}");
        let refusal = world.directory.create_token(&operator(&world), Vec::new(), new).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::Constraint, "{shown}");
    }
    assert_eq!(world.directory.position().unwrap(), at);
    for _ in 1..PER_ACCOUNT {
        world.directory.create_token(&operator(&world), Vec::new(), good()).await.unwrap();
    }
    let refusal = world.directory.create_token(&operator(&world), Vec::new(), good()).await.unwrap_err();
    assert!(matches!(refusal.reason, Reason::Limit(_)));
    let system = NewToken { account: dn("uid=system,ou=system,dc=example,dc=com"), ..good() };
    let refusal = world.directory.create_token(&operator(&world), Vec::new(), system).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::Unwilling);
    world.act(APP, Act::Disable).await.unwrap();
    let refusal = world.directory.create_token(&operator(&world), Vec::new(), good()).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::Unwilling);
    world.verify();
}

#[tokio::test]
async fn only_who_governs_the_account_gives_and_takes() {
    // Goal: a token is as good as a password: provisioning, readers and strangers make none, see none and end none.
    let world = World::new().await;
    let issued = issue(&world, "entra", DAY).await;
    let held = live(&world, issued.secret.expose()).unwrap();
    let own = Context { actor: held.actor, ..operator(&world) };
    let new = || NewToken { account: dn(APP), label: "x".into(), scope: Scope::default(), life: DAY };
    assert!(world.directory.tokens(&own).unwrap().is_empty());
    let refusal = world.directory.create_token(&own, Vec::new(), new()).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::NotAllowed);
    for refusal in [
        world.directory.revoke_token(&own, issued.token.id).await.unwrap_err(),
        world.directory.rotate_token(&own, issued.token.id, DAY).await.map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(refusal.reason, Reason::NoSuchEntry { .. } | Reason::NotAllowed), "{refusal:?}");
    }

    // The tenant's administrator does; who writes accounts does not give what only groups' writers have.
    for (uid, role, may) in [("ada", "TENANT_ADMIN", true), ("ula", "USER_ADMIN", false)] {
        world.person(uid, "ou=people,dc=example,dc=com").await.unwrap();
        let member = format!("uid={uid},ou=people,{BASE}");
        let values = vec![member.clone().into_bytes()];
        let modification = Modification { kind: ModificationKind::Add, attribute: b"member".to_vec(), values };
        let target = dn(&format!("cn={role},ou=roles,{BASE}"));
        world.change(Change::Modify { target, modifications: vec![modification] }).await.unwrap();
        let (id, epoch) = (world.id(&member), 0);
        let actor = directory::context::Actor::Account { id, epoch, must_change_password: false };
        let context = Context { actor, ..operator(&world) };
        let made = world.directory.create_token(&context, Vec::new(), new()).await;
        assert_eq!(made.is_ok(), may, "{role}: {made:?}");
        assert_eq!(world.directory.tokens(&context).unwrap().is_empty(), !may, "{role}");
    }
    world.verify();
}

#[tokio::test]
async fn tokens_outlive_a_restart_and_an_older_store_is_brought_up_to_date() {
    // Goal: what was issued is good after the store is opened again; a store of the format before gets the tables.
    let disk = Shared::default();
    let secret = {
        let world = World::open(Backend::Other(Box::new(disk.clone()))).unwrap();
        world.begin().await;
        let secret = issue(&world, "entra", DAY).await.secret;
        world.directory.stop();
        secret
    };
    {
        let world = World::open(Backend::Other(Box::new(disk.clone()))).unwrap();
        assert!(live(&world, secret.expose()).is_some());
        world.change(Change::Delete { target: dn(APP), subtree: false }).await.unwrap();
        world.verify();
        world.directory.stop();
    }
    {
        let database = common::database(disk.clone());
        let txn = database.begin_write().unwrap();
        txn.open_table(tables::META).unwrap().insert(tables::meta::FORMAT, 1_u32.to_le_bytes().as_slice()).unwrap();
        assert!(txn.delete_table(tables::TOKENS).unwrap() && txn.delete_table(tables::OWNERS).unwrap());
        txn.commit().unwrap();
    }
    let world = World::open(Backend::Other(Box::new(disk))).unwrap();
    let secret = issue(&world, "entra", DAY).await.secret;
    assert!(live(&world, secret.expose()).is_some());
    world.verify();
}
