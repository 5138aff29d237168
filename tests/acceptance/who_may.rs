//! Who may do what to whose account (requirement 2.12).

use directory::change::Act;
use directory::lifecycle::State;
use testkit::{Kind, PASSWORD, Person, Server};

const ACTS: [&str; 5] = ["lock", "unlock", "disable", "enable", "delete"];

/// The act, on an account that is made for it and brought into a state in which it is possible.
async fn tried(server: &Server, actor: &Person, target: &Person, act: &str) -> bool {
    let new = || Some("a brand new pass phrase".into());
    let act = match act {
        "lock" => Act::Lock,
        "unlock" => {
            server.act(target, Act::Lock).await.unwrap();
            Act::Unlock { password: new() }
        }
        "disable" => Act::Disable,
        "enable" => {
            server.act(target, Act::Disable).await.unwrap();
            Act::Enable { password: None }
        }
        _ => Act::Delete { months: None },
    };
    let before = server.stored(target).unwrap();
    let done = server.act_as(actor, target, act).await.is_ok();
    assert_eq!(server.stored(target).unwrap() != before, done, "refused means unchanged");
    done
}

#[tokio::test]
async fn r2_12_who_may_act_upon_whom() {
    // Goal: tenant administrators' accounts belong to system administrators; tenant users to system and tenant
    // administrators (and to those who write accounts there); nobody reaches another tenant, nobody else acts at all.
    let server = Server::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let system = Person {
        dn: testkit::ADMIN.0.into(),
        uid: String::new(),
        mail: String::new(),
        id: server.id(testkit::ADMIN.0),
    };
    let admin = server.person_of(&acme, "admin-acme", Some("TENANT_ADMIN")).await;
    let users = server.person_of(&acme, "users-acme", Some("USER_ADMIN")).await;
    let reader = server.person_of(&acme, "reader-acme", Some("DIRECTORY_READER")).await;
    let user = server.person_of(&acme, "user-acme", None).await;
    // One who stays, so that no act fails for want of another administrator.
    server.person_of(&acme, "second-acme", Some("TENANT_ADMIN")).await;
    server.person_of(&globex, "second-globex", Some("TENANT_ADMIN")).await;
    let table = [
        // who       tenant admin  user admin  tenant user  admin of another  user of another
        (&system, [true, true, true, true, true]),
        (&admin, [false, true, true, false, false]),
        (&users, [false, true, true, false, false]),
        (&reader, [false, false, false, false, false]),
        (&user, [false, false, false, false, false]),
    ];
    for (n, (actor, may)) in table.into_iter().enumerate() {
        let targets = [
            (&acme, Some("TENANT_ADMIN")),
            (&acme, Some("USER_ADMIN")),
            (&acme, None),
            (&globex, Some("TENANT_ADMIN")),
            (&globex, None),
        ];
        for (m, ((tenant, role), may)) in targets.into_iter().zip(may).enumerate() {
            for act in ACTS {
                let target = server.person_of(tenant, &format!("t{n}-{m}-{act}"), role).await;
                let what = format!("{} {act} {role:?} of {}", actor.dn, tenant.dn);
                assert_eq!(tried(&server, actor, &target, act).await, may, "{what}");
            }
        }
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_12_the_same_through_ldap() {
    // Goal: lock, forced change and password of a tenant administrator are refused to the tenant's others at the LDAP door,
    // too; of a tenant user they are allowed.
    let server = Server::start().await;
    let acme = server.tenant("acme").await;
    let admin = server.person_of(&acme, "admin", Some("TENANT_ADMIN")).await;
    let colleague = server.person_of(&acme, "colleague", Some("TENANT_ADMIN")).await;
    let users = server.person_of(&acme, "users", Some("USER_ADMIN")).await;
    let user = server.person_of(&acme, "user", None).await;
    for person in [&admin, &colleague, &users, &user] {
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    }
    for actor in [&admin, &users, &user] {
        let mut client = server.bound(&actor.dn, PASSWORD).await;
        for (attribute, value) in
            [("pwdAccountLockedTime", "000001010000Z"), ("pwdReset", "TRUE"), ("userPassword", "four marble fountains")]
        {
            let reply = client.modify(&colleague.dn, &[(Kind::Replace, attribute, &[value])]).await;
            assert!(matches!(reply.code, 50 | 32), "{}: {attribute}: {reply:?}", actor.dn);
        }
        assert!(matches!(client.delete(&colleague.dn).await.code, 50 | 32));
        assert_eq!(server.state(&colleague), State::Active);
    }
    assert!(server.bind(&colleague.dn, PASSWORD).await.is_good(), "nothing of it has worked");
    for actor in [&admin, &users] {
        let mut client = server.bound(&actor.dn, PASSWORD).await;
        let reply = client.modify(&user.dn, &[(Kind::Replace, "pwdReset", &["TRUE"])]).await;
        assert!(reply.is_good(), "{}: {reply:?}", actor.dn);
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_12_nobody_but_system_administrators_acts_upon_the_own_account() {
    // Goal: a tenant administrator neither disables nor deletes the own account: that is the system administrators'.
    let server = Server::start().await;
    let acme = server.tenant("acme").await;
    for role in ["TENANT_ADMIN", "USER_ADMIN"] {
        let person = server.person_of(&acme, &role.to_lowercase().replace('_', "-"), Some(role)).await;
        let second = server.person_of(&acme, &format!("second-{}", person.uid), Some(role)).await;
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
        for act in ACTS.into_iter().filter(|a| !matches!(*a, "unlock" | "enable")) {
            assert!(!tried(&server, &person, &person, act).await, "{role} {act}");
        }
        let mut client = server.bound(&person.dn, PASSWORD).await;
        assert_eq!(client.delete(&person.dn).await.code, 50);
        assert_eq!(server.state(&person), State::Active);
        assert_eq!(server.state(&second), State::Unverified);
    }
    server.verify().await;
}
