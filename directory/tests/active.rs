//! SCIM's `active` (requirements §2, last paragraph): the administrator's switch, and nothing else.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use common::World;
use directory::authenticate::Verdict;
use directory::bootstrap;
use directory::change::{Act, Change, Modification, ModificationKind, Receipt, Request, Target};
use directory::clock::Span;
use directory::context::{Context, Door};
use directory::error::{Reason, Refusal};
use directory::journal::record::Event;
use directory::lifecycle::{HoldCause, State};
use directory::store::view::View;

const BASE: &str = "dc=example,dc=com";
const PASSWORD: &str = "correct horse battery";

/// A directory, the circumstances of a provisioning client of it, and a person who is ACTIVE.
async fn world() -> (World, Context, String) {
    let world = World::new().await;
    let secret = bootstrap::scim_token(&world.directory, BASE, "entra", Span::from_days(3_000)).await.unwrap();
    let live = world.directory.token(&secret, &world.directory.now()).unwrap().expect("it is good");
    let mut context = Context { actor: live.actor, ..bootstrap::operator(&world.directory) };
    context.origin.door = Door::Scim;
    let dn = person(&world, "eve").await;
    (world, context, dn)
}

async fn person(world: &World, uid: &str) -> String {
    let dn = format!("uid={uid},ou=people,{BASE}");
    world.person(uid, "ou=people,dc=example,dc=com").await.unwrap();
    world.set_password(&dn, PASSWORD).await;
    assert!(matches!(world.login(&dn, PASSWORD).await, Verdict::Admitted(_)));
    dn
}

async fn write(world: &World, context: &Context, dn: &str, active: bool) -> Result<Receipt, Refusal> {
    let context = Context { now: world.directory.now(), ..*context };
    let target = Target::Dn(dn.as_bytes().to_vec());
    world.directory.change(&context, Change::Account { target, act: Act::Active(active) }).await
}

#[tokio::test]
async fn inactive_is_disabled_at_once() {
    // Goal: the next login after the answer is refused, from every state; repeating it is nothing; it ends what was granted.
    let (world, context, dn) = world().await;
    let epoch = world.directory.snapshot().unwrap().account(world.id(&dn)).unwrap().unwrap().epoch;
    write(&world, &context, &dn, false).await.unwrap();
    assert_eq!(world.state(&dn), State::Disabled);
    assert!(matches!(world.login(&dn, PASSWORD).await, Verdict::Refused { hint: None }));
    let facts = world.directory.snapshot().unwrap().account(world.id(&dn)).unwrap().unwrap();
    assert!(facts.epoch > epoch && facts.hold.unwrap().cause == HoldCause::Provisioning);
    let at = world.directory.position().unwrap();
    write(&world, &context, &dn, false).await.unwrap();
    assert_eq!(world.directory.position().unwrap(), at, "the second time is nothing");

    for (uid, act) in [("lou", Act::Lock), ("fay", Act::ForceChange)] {
        let dn = person(&world, uid).await;
        world.act(&dn, act).await.unwrap();
        write(&world, &context, &dn, false).await.unwrap();
        assert_eq!(world.state(&dn), State::Disabled);
    }
    let fresh = format!("uid=new,ou=people,{BASE}");
    world.person("new", "ou=people,dc=example,dc=com").await.unwrap();
    write(&world, &context, &fresh, false).await.unwrap();
    assert_eq!(world.state(&fresh), State::Disabled);
    world.verify();
}

#[tokio::test]
async fn active_enables_what_is_disabled_and_nothing_else() {
    // Goal: the cells of `active:true`: DISABLED becomes ENABLED with its password, whoever disabled it; every other state
    // stays as it is, without a write.
    let (world, context, dn) = world().await;
    for disabled_by_provisioning in [true, false] {
        if disabled_by_provisioning {
            write(&world, &context, &dn, false).await.unwrap();
        } else {
            world.act(&dn, Act::Disable).await.unwrap();
        }
        write(&world, &context, &dn, true).await.unwrap();
        assert_eq!(world.state(&dn), State::Enabled);
        assert!(matches!(world.login(&dn, PASSWORD).await, Verdict::Admitted(_)), "its last password");
        assert_eq!(world.state(&dn), State::Active);
    }
    let unchanged = |dn: String, state: State| {
        let (world, context) = (&world, &context);
        async move {
            let at = world.directory.position().unwrap();
            let receipt = write(world, context, &dn, true).await.unwrap();
            assert_eq!((world.state(&dn), world.directory.position().unwrap()), (state, at), "{}", state.name());
            assert_eq!(receipt.entries, [None]);
        }
    };
    unchanged(dn.clone(), State::Active).await;
    let fresh = format!("uid=new,ou=people,{BASE}");
    world.person("new", "ou=people,dc=example,dc=com").await.unwrap();
    unchanged(fresh, State::Unverified).await;

    // A lock by hand, and one by wrong passwords: neither is lifted, on its own or beside other changes.
    world.act(&dn, Act::Lock).await.unwrap();
    unchanged(dn.clone(), State::Locked).await;
    let guessed = person(&world, "gus").await;
    for _ in 0..20 {
        world.login(&guessed, "wrong").await;
        world.clock.advance(Span::from_secs(20));
    }
    world.directory.flush(true).await.unwrap();
    assert_eq!(world.state(&guessed), State::Locked);
    unchanged(guessed.clone(), State::Locked).await;
    let values = vec![b"Countess".to_vec()];
    let modification = Modification { kind: ModificationKind::Replace, attribute: b"title".to_vec(), values };
    let target = Target::Dn(guessed.clone().into_bytes());
    let changes = vec![
        Change::Modify { target: target.clone(), modifications: vec![modification] },
        Change::Account { target, act: Act::Active(true) },
    ];
    world.directory.carry(&context, Request { changes, expected: Vec::new() }).await.unwrap();
    assert_eq!(world.state(&guessed), State::Locked);
    assert!(matches!(world.login(&guessed, PASSWORD).await, Verdict::Refused { .. }));
    world.verify();
}

#[tokio::test]
async fn a_lock_below_a_hold_comes_to_light_again() {
    // Goal: disabling and enabling over SCIM is no way around a lock.
    let (world, context, dn) = world().await;
    world.act(&dn, Act::Lock).await.unwrap();
    write(&world, &context, &dn, false).await.unwrap();
    assert_eq!(world.state(&dn), State::Disabled);
    write(&world, &context, &dn, true).await.unwrap();
    assert_eq!(world.state(&dn), State::Locked);
    assert!(matches!(world.login(&dn, PASSWORD).await, Verdict::Refused { .. }));
    world.verify();
}

#[tokio::test]
async fn the_dormant_sleep_on() {
    // Goal: `active:true` wakes nobody and provisioning is no activity (requirement 2.11), before the sweep and after it;
    // `active:false` makes the dormant one DISABLED, and only then `active:true` has something to do.
    let (world, context, dn) = world().await;
    let keep = |days: u32| {
        for _ in 0..days {
            world.clock.advance(Span::from_days(1));
        }
    };
    keep(200);
    let values = vec![b"Countess".to_vec()];
    let modification = Modification { kind: ModificationKind::Replace, attribute: b"title".to_vec(), values };
    let target = Target::Dn(dn.clone().into_bytes());
    // The client's own account is in use.
    let secret = bootstrap::scim_token(&world.directory, BASE, "other", Span::from_days(3_000)).await.unwrap();
    let live = world.directory.token(&secret, &world.directory.now()).unwrap().expect("it is good");
    let context = Context { actor: live.actor, ..context };
    world.directory.change(&context, Change::Modify { target, modifications: vec![modification] }).await.unwrap();
    while world.state(&dn) != State::Dormant {
        keep(30);
        assert!(world.directory.use_token(&live, &world.directory.now()).unwrap());
    }
    for swept in [false, true] {
        if swept {
            world.directory.sweep().await.unwrap();
        }
        write(&world, &context, &dn, true).await.unwrap();
        assert_eq!(world.state(&dn), State::Dormant, "swept: {swept}");
        assert!(matches!(world.login(&dn, PASSWORD).await, Verdict::Refused { .. }));
    }
    write(&world, &context, &dn, false).await.unwrap();
    assert_eq!(world.state(&dn), State::Disabled);
    write(&world, &context, &dn, true).await.unwrap();
    assert_eq!(world.state(&dn), State::Enabled);
    world.verify();
}

#[tokio::test]
async fn the_same_act_by_any_door_is_the_same_change() {
    // Goal: `active:false` over SCIM and `rollbookState: DISABLED` over LDAP leave the same entry and the same kind of
    // record, but for who did it and why.
    let (world, context, one) = world().await;
    let two = person(&world, "ivy").await;
    write(&world, &context, &one, false).await.unwrap();
    world.modify(&two, ModificationKind::Replace, "rollbookState", &["DISABLED"]).await.unwrap();
    let snapshot = world.directory.snapshot().unwrap();
    let mut kinds = Vec::new();
    directory::journal::record::read(&snapshot.journal(), |_, record| {
        let one = |event: &Event| match event {
            Event::Account { dn, act, .. } => format!("account {dn} {act}"),
            other => format!("{other:?}"),
        };
        kinds.push(record.events.iter().map(one).collect::<Vec<_>>());
    })
    .unwrap();
    let last: Vec<_> = kinds.split_off(kinds.len() - 2);
    assert_eq!(last, [vec![format!("account {one} deactivate")], vec![format!("account {two} disable")]]);
    let [a, b] = [&one, &two].map(|dn| snapshot.account(world.id(dn)).unwrap().unwrap());
    assert_eq!((a.epoch, a.standing, a.hold.is_some()), (b.epoch, b.standing, b.hold.is_some()));
    // Nobody is switched off who has to stay, by this door either.
    let admin =
        bootstrap::administrator(&world.directory, &format!("uid=root,ou=system,{BASE}"), PASSWORD.into()).await;
    let target = Target::Id(admin.unwrap());
    let switch =
        |context| world.directory.change(context, Change::Account { target: target.clone(), act: Act::Active(false) });
    assert!(matches!(switch(&context).await.unwrap_err().reason, Reason::NotAllowed));
    let operator = bootstrap::operator(&world.directory);
    assert_eq!(switch(&operator).await.unwrap_err().reason, Reason::Unwilling);
    world.verify();
}
