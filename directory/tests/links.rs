//! People whom a provider signs in: accounts of the type sso, links and what their mapping gives, accounts made for them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use common::World;
use directory::application::Provider;
use directory::authenticate::Verdict;
use directory::bootstrap;
use directory::change::{Change, ModificationKind, Target};
use directory::clock::Span;
use directory::context::{Actor, Context};
use directory::error::{Reason, Refusal};
use directory::grant::{NewLink, NewPerson, NewSession};
use directory::id::EntryId;
use directory::lifecycle::UserType;
use directory::search::Scope;
use directory::store::view::View;
use directory::trial;

const BASE: &str = "dc=example,dc=com";
const ADA: &str = "uid=ada,ou=people,dc=example,dc=com";
const PASSWORD: &str = "seven green bottles on a wall";
const SYSTEM: &str = "cn=SYSTEM_ADMIN,ou=roles,dc=example,dc=com";
const STAFF: &str = "cn=staff,ou=groups,dc=example,dc=com";
const BUYERS: &str = "cn=buyers,ou=groups,dc=example,dc=com";

async fn world() -> (World, Provider) {
    let world = World::new().await;
    person(&world, "ada", true).await;
    let attributes = [("objectClass", "rollbookProvider"), ("cn", "work"), ("rollbookProviderKind", "google")];
    world.add("cn=work,ou=system,dc=example,dc=com", &attributes).await.unwrap();
    for group in [STAFF, BUYERS] {
        world.add(group, &[("objectClass", "groupOfMembers")]).await.unwrap();
    }
    let provider = world.directory.provider("work").unwrap().unwrap();
    (world, provider)
}

async fn person(world: &World, uid: &str, verified: bool) -> EntryId {
    let mail = format!("{uid}@example.com");
    let verified = if verified { "TRUE" } else { "FALSE" };
    let classes = [("objectClass", "inetOrgPerson"), ("objectClass", "rollbookAccount")];
    let values = [("cn", uid), ("sn", uid), ("mail", &mail), ("rollbookMailVerified", verified)];
    let dn = format!("uid={uid},ou=people,{BASE}");
    world.add(&dn, &[classes.as_slice(), &values].concat()).await.unwrap();
    world.set_password(&dn, PASSWORD).await;
    world.id(&dn)
}

fn nobody(world: &World) -> Context {
    Context { actor: Actor::Anonymous, ..bootstrap::operator(&world.directory) }
}

fn link(provider: &Provider, key: &str, groups: &[EntryId]) -> NewLink {
    let (key, shown) = (key.to_owned(), "somebody@example.com".to_owned());
    NewLink { provider: provider.id, key, shown, claims: [7; 32], groups: groups.to_vec() }
}

async fn good(world: &World, dn: &str) -> bool {
    matches!(world.login(dn, PASSWORD).await, Verdict::Admitted(_))
}

async fn groups(world: &World, dn: &str) -> Vec<String> {
    world.search(BASE, Scope::Subtree, "member", dn).await
}

fn user_type(world: &World, dn: &str) -> UserType {
    world.directory.snapshot().unwrap().account(world.id(dn)).unwrap().unwrap().user_type
}

fn why<T>(outcome: Result<T, Refusal>) -> Reason {
    outcome.map(|_| ()).expect_err("it is refused").reason
}

#[tokio::test]
async fn an_account_of_the_type_sso_has_no_password_here() {
    // Goal: requirements 1.5 and 5.7: the type takes the password and all logins by it; none can be set; native again, one can.
    let (world, _) = world().await;
    assert!(good(&world, ADA).await);
    let epoch = |world: &World| world.directory.snapshot().unwrap().account(world.id(ADA)).unwrap().unwrap().epoch;
    let before = epoch(&world);
    world.modify(ADA, ModificationKind::Replace, "rollbookUserType", &["SSO"]).await.unwrap();
    assert_eq!((user_type(&world, ADA), epoch(&world)), (UserType::Sso, before + 1));
    assert!(world.directory.snapshot().unwrap().credential(world.id(ADA)).unwrap().is_none());
    assert!(!good(&world, ADA).await);
    let set = || Change::Password { target: Target::Dn(ADA.into()), old: None, new: Some(PASSWORD.into()) };
    assert!(matches!(why(world.change(set()).await), Reason::Password(_)));
    world.verify();
    world.modify(ADA, ModificationKind::Delete, "rollbookUserType", &[]).await.unwrap();
    world.change(set()).await.unwrap();
    assert!(user_type(&world, ADA) == UserType::Native && good(&world, ADA).await);
    let born = [
        ("objectClass", "inetOrgPerson"),
        ("objectClass", "rollbookAccount"),
        ("cn", "bob"),
        ("sn", "bob"),
        ("rollbookUserType", "sso"),
    ];
    let bob = "uid=bob,ou=people,dc=example,dc=com";
    let with_password = [born.as_slice(), &[("userPassword", PASSWORD)]].concat();
    assert_eq!(why(world.add(bob, &with_password).await), Reason::Constraint);
    world.add(bob, &born).await.unwrap();
    assert_eq!(user_type(&world, bob), UserType::Sso);
    world.verify();
}

#[tokio::test]
async fn no_system_administrator_signs_in_through_a_provider() {
    // Goal: requirement 1.5 from every side: not by type, not by role (through groups too), not by a link old or new, not by
    // a mapping. R19 rests on it.
    let (world, provider) = world().await;
    person(&world, "root", true).await;
    let root = "uid=root,ou=people,dc=example,dc=com";
    world.modify(SYSTEM, ModificationKind::Add, "member", &[root]).await.unwrap();
    let typed = world.modify(root, ModificationKind::Replace, "rollbookUserType", &["sso"]).await;
    assert_eq!(why(typed), Reason::Unwilling);
    let linked = world.directory.link(&nobody(&world), world.id(root), link(&provider, "root", &[])).await;
    assert_eq!(why(linked), Reason::Unwilling);
    assert!(world.directory.bars(&provider, world.id(root)).unwrap().is_some_and(|why| why.contains("administrators")));
    world.modify(ADA, ModificationKind::Replace, "rollbookUserType", &["sso"]).await.unwrap();
    assert_eq!(why(world.modify(SYSTEM, ModificationKind::Add, "member", &[ADA]).await), Reason::Unwilling);
    world.modify(SYSTEM, ModificationKind::Add, "member", &[STAFF]).await.unwrap();
    assert_eq!(why(world.modify(STAFF, ModificationKind::Add, "member", &[ADA]).await), Reason::Unwilling);
    let mapped = link(&provider, "ada", &[world.id(STAFF)]);
    assert_eq!(why(world.directory.link(&nobody(&world), world.id(ADA), mapped).await), Reason::Unwilling);
    world.modify(SYSTEM, ModificationKind::Delete, "member", &[STAFF]).await.unwrap();
    world.modify(STAFF, ModificationKind::Add, "member", &[ADA]).await.unwrap();
    assert_eq!(why(world.modify(SYSTEM, ModificationKind::Add, "member", &[STAFF]).await), Reason::Unwilling);
    // Linked while an ordinary person, an administrator later: the link is good for nothing.
    let bob = person(&world, "bob", true).await;
    world.directory.link(&nobody(&world), bob, link(&provider, "bob", &[])).await.unwrap();
    let dn = "uid=bob,ou=people,dc=example,dc=com";
    world.modify(SYSTEM, ModificationKind::Add, "member", &[dn]).await.unwrap();
    assert_eq!(why(world.directory.link(&nobody(&world), bob, link(&provider, "bob", &[])).await), Reason::Unwilling);
    world.verify();
}

#[tokio::test]
async fn a_mapping_takes_away_what_it_gave_and_nothing_else() {
    // Goal: R12: given by the mapping, taken by the mapping; given by hand, left alone, whatever the mapping says in between.
    let (world, provider) = world().await;
    let (ada, staff, buyers) = (world.id(ADA), world.id(STAFF), world.id(BUYERS));
    world.modify(STAFF, ModificationKind::Add, "member", &[ADA]).await.unwrap();
    let says = async |groups: &[EntryId]| {
        world.directory.link(&nobody(&world), ada, link(&provider, "ada", groups)).await.unwrap();
    };
    says(&[staff, buyers]).await;
    assert_eq!(groups(&world, ADA).await, [STAFF, BUYERS]);
    assert_eq!(world.directory.link_of(provider.id, "ada").unwrap().unwrap().mapped, [buyers]);
    says(&[]).await;
    assert_eq!(groups(&world, ADA).await, [STAFF], "that one was given by hand");
    says(&[staff, buyers, buyers]).await;
    world.modify(BUYERS, ModificationKind::Delete, "member", &[ADA]).await.unwrap();
    says(&[buyers]).await;
    assert_eq!(groups(&world, ADA).await, [STAFF, BUYERS], "the mapping decides about what is its own");
    world.verify();
    world.delete(BUYERS, false).await.unwrap();
    says(&[buyers]).await;
    assert!(world.directory.link_of(provider.id, "ada").unwrap().unwrap().mapped.is_empty());
    world.modify(STAFF, ModificationKind::Delete, "member", &[ADA]).await.unwrap();
    says(&[staff]).await;
    world.directory.unlink(&bootstrap::operator(&world.directory), ada, provider.id).await.unwrap();
    assert!(groups(&world, ADA).await.is_empty(), "it goes with the link");
    says(&[staff]).await;
    world.delete(&provider.dn, false).await.unwrap();
    assert!(groups(&world, ADA).await.is_empty(), "and with the provider");
    world.verify();
}

#[tokio::test]
async fn a_link_leaves_nothing_to_whoever_set_the_account_up() {
    // Goal: R10: an address that nobody has verified: password and sessions end with the link; a verified one: all stays.
    let (world, provider) = world().await;
    let bob = person(&world, "bob", false).await;
    let bob_dn = "uid=bob,ou=people,dc=example,dc=com";
    for (dn, id, key, stays) in [(ADA, world.id(ADA), "1", true), (bob_dn, bob, "2", false)] {
        let Verdict::Admitted(admitted) = world.login(dn, PASSWORD).await else {
            unreachable!("the password is right")
        };
        let new = NewSession {
            account: id,
            epoch: admitted.epoch,
            auth_time: world.directory.now().wall,
            amr: vec!["pwd".into()],
            acr: "pwd".into(),
            upstream: None,
            agent: "browser".into(),
            idle: Span::from_mins(10),
            life: Span::from_hours(1),
        };
        let (secret, _) = world.directory.start_session(&nobody(&world), new).await.unwrap();
        world.directory.link(&nobody(&world), id, link(&provider, key, &[])).await.unwrap();
        let session = world.directory.session(secret.expose(), &world.directory.now()).unwrap();
        assert_eq!((good(&world, dn).await, session.is_some()), (stays, stays), "{dn}");
        // A later use of the link takes nothing more.
        if stays {
            world.modify(dn, ModificationKind::Replace, "rollbookMailVerified", &["FALSE"]).await.unwrap();
            world.directory.link(&nobody(&world), id, link(&provider, key, &[])).await.unwrap();
            assert!(good(&world, dn).await);
        }
    }
    world.verify();
}

#[tokio::test]
async fn an_account_that_is_made_is_nobody_elses() {
    // Goal: R11: account and link in one write set; a taken username gets a number; a taken address or key makes nothing; the
    // new account has no password and no groups but the mapped ones.
    let (world, provider) = world().await;
    let ada = NewPerson { username: "ada".into(), address: Some("ada.b@example.com".into()), ..NewPerson::default() };
    let make = async |person: &NewPerson, new: NewLink| {
        world.directory.make_linked(&nobody(&world), &provider, person, new).await
    };
    let made = make(&ada, link(&provider, "1", &[world.id(STAFF)])).await.unwrap();
    let dn = "uid=ada-2,ou=people,dc=example,dc=com";
    assert_eq!((made, user_type(&world, dn)), (world.id(dn), UserType::Sso));
    assert_eq!(groups(&world, dn).await, [STAFF]);
    let found = world.directory.link_of(provider.id, "1").unwrap().unwrap();
    assert_eq!((found.account, found.claims, found.mapped), (made, [7; 32], vec![world.id(STAFF)]));
    assert_eq!(world.search(BASE, Scope::Subtree, "rollbookUpstreamSubject", "1").await, [dn]);
    let addressed = world.directory.addressed("ADA.B@example.com").unwrap().unwrap();
    assert!(addressed.account == made && addressed.verified && !addressed.privileged);
    let position = world.directory.position().unwrap();
    let thief = NewPerson { username: "eve".into(), address: Some("ada@example.com".into()), ..NewPerson::default() };
    assert!(matches!(
        why(make(&thief, link(&provider, "2", &[])).await),
        Reason::NameTaken { what: "e-mail address", .. }
    ));
    assert_eq!(
        why(make(&NewPerson { username: "ada".into(), ..NewPerson::default() }, link(&provider, "1", &[])).await),
        Reason::EntryExists
    );
    assert_eq!(world.directory.position().unwrap(), position, "nothing was made");
    assert!(good(&world, ADA).await && world.directory.link_of(provider.id, "2").unwrap().is_none());
    world.verify();
}

#[tokio::test]
async fn a_policy_says_which_types_and_domains() {
    // Goal: requirement 4.4 for sign-in through providers, for accounts that are there and for those to be made.
    let (world, provider) = world().await;
    let policy = "cn=strict,ou=system,dc=example,dc=com";
    let attributes = [("objectClass", "rollbookPolicy"), ("rollbookAllowedSsoDomain", "corp.example")];
    world.add(policy, &attributes).await.unwrap();
    world.modify(BASE, ModificationKind::Add, "rollbookPolicyName", &[policy]).await.unwrap();
    let ada = world.id(ADA);
    assert!(world.directory.bars(&provider, ada).unwrap().is_some_and(|why| why.contains("domain")));
    let person = NewPerson { username: "zoe".into(), ..NewPerson::default() };
    let refused = world.directory.make_linked(&nobody(&world), &provider, &person, link(&provider, "z", &[])).await;
    assert_eq!(why(refused), Reason::Unwilling);
    world.modify(policy, ModificationKind::Replace, "rollbookAllowedSsoDomain", &["Example.com"]).await.unwrap();
    assert_eq!(world.directory.bars(&provider, ada).unwrap(), None);
    world.modify(policy, ModificationKind::Add, "rollbookAllowedUserType", &["native"]).await.unwrap();
    assert!(world.directory.bars(&provider, ada).unwrap().is_some_and(|why| why.contains("type")));
    world.verify();
}

#[tokio::test]
async fn a_provider_signs_in_its_own_tenant_alone() {
    // Goal: requirement 4.1: a tenant's provider is nothing to accounts beside or above the tenant.
    let (world, above) = world().await;
    let tenant = [("objectClass", "organizationalUnit"), ("objectClass", "rollbookTenant")];
    world.add("ou=acme,dc=example,dc=com", &tenant).await.unwrap();
    for container in ["people", "system"] {
        let dn = format!("ou={container},ou=acme,{BASE}");
        world.add(&dn, &[("objectClass", "organizationalUnit")]).await.unwrap();
    }
    let attributes = [("objectClass", "rollbookProvider"), ("rollbookProviderKind", "google")];
    world.add("cn=acme,ou=system,ou=acme,dc=example,dc=com", &attributes).await.unwrap();
    let own = world.directory.provider("acme").unwrap().unwrap();
    world.person("eve", "ou=people,ou=acme,dc=example,dc=com").await.unwrap();
    let eve = world.id("uid=eve,ou=people,ou=acme,dc=example,dc=com");
    assert_eq!(world.directory.bars(&own, eve).unwrap(), None);
    assert_eq!(world.directory.bars(&above, eve).unwrap(), None);
    assert!(world.directory.bars(&own, world.id(ADA)).unwrap().is_some_and(|why| why.contains("tenant")));
    let person = NewPerson { username: "zoe".into(), ..NewPerson::default() };
    let made = world.directory.make_linked(&nobody(&world), &own, &person, link(&own, "z", &[])).await.unwrap();
    assert_eq!(made, world.id("uid=zoe,ou=people,ou=acme,dc=example,dc=com"));
    world.verify();
}

#[tokio::test]
async fn a_trial_is_begun_by_administrators_and_ends_once() {
    let (world, provider) = world().await;
    let (operator, now) = (bootstrap::operator(&world.directory), world.directory.now());
    let trials = world.directory.trials();
    let begin = |context: &Context| world.directory.begin_trial(context, provider.id, "corp");
    assert_eq!(why(begin(&operator)), Reason::Unwilling, "no door is open");
    trials.open_at("https://id.example");
    assert_eq!(why(begin(&nobody(&world))), Reason::NotAllowed);
    let (address, ticket) = begin(&operator).unwrap();
    assert_eq!(address, format!("https://id.example/sso/corp/test?ticket={}", ticket.expose()));
    assert_eq!(trials.provider(ticket.expose(), &now), Some(provider.id));
    assert_eq!(trials.provider("another", &now), None);
    assert_eq!(world.directory.trial_outcome(ticket.expose(), &now).unwrap(), None);
    trials.end(ticket.expose(), vec![("sub".into(), "1".into())]);
    trials.end(ticket.expose(), Vec::new());
    assert_eq!(trials.provider(ticket.expose(), &now), None, "used up");
    assert_eq!(world.directory.trial_outcome(ticket.expose(), &now).unwrap().unwrap().len(), 1);
    let (_, late) = begin(&operator).unwrap();
    world.clock.advance(trial::LASTING);
    assert_eq!(trials.provider(late.expose(), &world.directory.now()), None);
    assert!(world.directory.trial_outcome(late.expose(), &world.directory.now()).is_err());
    world.verify();
}
