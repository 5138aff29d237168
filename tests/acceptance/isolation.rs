//! Nothing of another tenant, through any door, by any filter (requirement 4.1).

use testkit::{BASE, Client, Kind, PASSWORD, Person, Scope, Server, Tenant};

struct World {
    server: Server,
    acme: Tenant,
    globex: Tenant,
    /// Of acme, in a group of each tenant.
    ada: Person,
    /// Of globex, in a group of each tenant.
    hank: Person,
    acme_group: String,
    globex_group: String,
}

async fn world() -> World {
    let server = Server::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let ada = server.person_of(&acme, "ada", None).await;
    let hank = server.person_of(&globex, "hank", None).await;
    let acme_group = format!("cn=builders,{}", acme.container("groups"));
    let globex_group = format!("cn=diggers,{}", globex.container("groups"));
    for (dn, own) in [(&acme_group, &ada), (&globex_group, &hank)] {
        server.add(dn, &[("objectClass", "groupOfNames"), ("member", &own.dn)]).await.unwrap();
    }
    // A system administrator has crossed the border on purpose.
    server.grant(&globex_group, &ada).await;
    server.grant(&acme_group, &hank).await;
    World { server, acme, globex, ada, hank, acme_group, globex_group }
}

async fn nothing_foreign(client: &mut Client, world: &World, who: &str) {
    let foreign = world.globex.dn.to_lowercase();
    let hank = &world.hank;
    let filters = [
        "(objectClass=*)".to_owned(),
        "(|(uid=hank)(cn=*)(sn=h*))".to_owned(),
        format!("(mail={})", hank.mail),
        format!("(entryDN={})", hank.dn),
        format!("(memberOf={})", world.globex_group),
        format!("(member={})", hank.dn),
        format!("(memberOf:1.2.840.113556.1.4.1941:={})", world.globex_group),
        format!("(member:1.2.840.113556.1.4.1941:={})", hank.dn),
        "(!(uid=ada))".to_owned(),
        "(uid>=a)".to_owned(),
        "(uid:caseIgnoreMatch:=hank)".to_owned(),
        "(ou:dn:=globex)".to_owned(),
        "(createTimestamp>=20000101000000Z)".to_owned(),
        "(hasSubordinates=TRUE)".to_owned(),
    ];
    for base in ["", BASE, &world.acme.dn, &world.globex.dn, &world.globex.container("people"), &hank.dn] {
        for scope in [Scope::Base, Scope::One, Scope::Subtree] {
            for filter in &filters {
                let found = client.search(base, scope, filter, &["*", "+"]).await;
                let what = format!("{who}: {filter} {scope:?} below {base:?}");
                for entry in &found.entries {
                    assert!(!entry.dn.to_lowercase().ends_with(&foreign), "{what}: {}", entry.dn);
                    for (name, values) in &entry.attributes {
                        for value in values.iter().map(|v| String::from_utf8_lossy(v).to_lowercase()) {
                            assert!(!value.contains("globex") && !value.contains("hank"), "{what}: {name}: {value}");
                        }
                    }
                }
                let matched = found.reply.matched.to_lowercase();
                assert!(!matched.contains("globex"), "{what}: matched {matched}");
            }
        }
    }
}

#[tokio::test]
async fn r4_01_nothing_of_another_tenant_is_visible() {
    // Goal: whatever role somebody has in a tenant, no base, scope, filter or attribute shows anything of another tenant,
    // not even through groups that cross the border; what is their own they see.
    let world = world().await;
    for role in [None, Some("DIRECTORY_READER"), Some("MONITORING"), Some("USER_ADMIN"), Some("TENANT_ADMIN")] {
        let uid = role.unwrap_or("plain").to_lowercase().replace('_', "-");
        let person = world.server.person_of(&world.acme, &uid, role).await;
        let mut client = world.server.bound(&person.dn, PASSWORD).await;
        nothing_foreign(&mut client, &world, &uid).await;
        let own = client.search(BASE, Scope::Subtree, "(uid=ada)", &["memberOf"]).await;
        assert_eq!(own.entries.len(), usize::from(role.is_some()), "{uid}");
        if let Some(ada) = own.entries.first() {
            assert_eq!(ada.values("memberOf"), [world.acme_group.as_str()], "{uid}");
        }
        let group = client.search(BASE, Scope::Subtree, "(cn=builders)", &["member"]).await;
        if let Some(group) = group.entries.first() {
            assert_eq!(group.values("member"), [world.ada.dn.as_str()], "{uid}");
        }
    }
    let mut anonymous = world.server.client().await;
    nothing_foreign(&mut anonymous, &world, "nobody").await;
    world.server.verify().await;
}

#[tokio::test]
async fn r4_01_filters_tell_nothing_about_hidden_edges() {
    // Goal: a filter on a group or member of another tenant is answered as one on a DN that does not exist, negated or not.
    let world = world().await;
    let reader = world.server.person_of(&world.acme, "reader", Some("DIRECTORY_READER")).await;
    let mut client = world.server.bound(&reader.dn, PASSWORD).await;
    let nowhere = format!("cn=nowhere,{}", world.globex.container("groups"));
    let nobody = format!("uid=nobody,{}", world.globex.container("people"));
    for (template, real, unreal) in [
        ("(memberOf=@)", &world.globex_group, &nowhere),
        ("(!(memberOf=@))", &world.globex_group, &nowhere),
        ("(memberOf:1.2.840.113556.1.4.1941:=@)", &world.globex_group, &nowhere),
        ("(member=@)", &world.hank.dn, &nobody),
        ("(!(member=@))", &world.hank.dn, &nobody),
        ("(uniqueMember=@)", &world.hank.dn, &nobody),
        ("(member:1.2.840.113556.1.4.1941:=@)", &world.hank.dn, &nobody),
    ] {
        let mut found = Vec::new();
        for dn in [real, unreal] {
            let answer = client.search(BASE, Scope::Subtree, &template.replace('@', dn), &["1.1"]).await;
            found.push((answer.reply.code, answer.entries));
        }
        assert_eq!(found[0], found[1], "{template}");
    }
    for (dn, attribute, real, unreal) in [
        (&world.ada.dn, "memberOf", &world.globex_group, &nowhere),
        (&world.acme_group, "member", &world.hank.dn, &nobody),
    ] {
        let one = client.compare(dn, attribute, real).await;
        assert_eq!(one, client.compare(dn, attribute, unreal).await, "{attribute}");
    }
    world.server.verify().await;
}

#[tokio::test]
async fn r4_01_writing_tells_nothing_and_reaches_nothing() {
    // Goal: a tenant's administrator changes nothing of another tenant, and whether something exists there makes no
    // difference to any answer.
    let world = world().await;
    let boss = world.server.person_of(&world.acme, "boss", Some("TENANT_ADMIN")).await;
    let mut client = world.server.bound(&boss.dn, PASSWORD).await;
    let (there, not_there) = (world.hank.dn.clone(), format!("uid=nobody,{}", world.globex.container("people")));
    let (people, nowhere) = (world.globex.container("people"), world.globex.container("nowhere"));
    let person = [("objectClass", "inetOrgPerson"), ("cn", "x"), ("sn", "x")];
    for (real, unreal) in [(&there, &not_there), (&people, &nowhere)] {
        let title: &[(Kind, &str, &[&str])] = &[(Kind::Replace, "description", &["x"])];
        assert_eq!(client.modify(real, title).await, client.modify(unreal, title).await, "modify {real}");
        assert_eq!(client.delete(real).await, client.delete(unreal).await, "delete {real}");
        assert_eq!(client.compare(real, "ou", "people").await, client.compare(unreal, "ou", "people").await, "compare");
        assert_eq!(
            client.rename(real, "cn=x", false, None).await,
            client.rename(unreal, "cn=x", false, None).await,
            "rename {real}"
        );
        assert_eq!(
            client.change_password(Some(real), None, Some("four marble fountains")).await,
            client.change_password(Some(unreal), None, Some("four marble fountains")).await,
            "password {real}"
        );
        let below = |dn: &str| format!("uid=new,{dn}");
        assert_eq!(
            client.add(&below(real), &person).await,
            client.add(&below(unreal), &person).await,
            "add below {real}"
        );
        let ada = &world.ada.dn;
        assert_eq!(
            client.rename(ada, "uid=ada", false, Some(real)).await,
            client.rename(ada, "uid=ada", false, Some(unreal)).await,
            "move below {real}"
        );
    }
    assert_eq!(client.add(&there, &person).await, client.add(&not_there, &person).await, "add {there}");
    let group = world.acme_group.as_str();
    let (real, unreal) = (
        client.modify(group, &[(Kind::Delete, "member", &[&there])]).await,
        client.modify(group, &[(Kind::Delete, "member", &[&not_there])]).await,
    );
    assert_eq!(real, unreal, "take a member away");
    let fresh = format!("cn=fresh,{}", world.acme.container("groups"));
    let group = |member: &str| {
        vec![("objectClass".to_owned(), "groupOfNames".to_owned()), ("member".to_owned(), member.to_owned())]
    };
    for (real, unreal) in [(&there, &not_there), (&world.globex_group, &nowhere)] {
        let mut codes = Vec::new();
        for dn in [real, unreal] {
            let attributes = group(dn);
            let attributes: Vec<(&str, &str)> = attributes.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let add = client.add(&fresh, &attributes).await;
            let modify = client.modify(&world.acme_group, &[(Kind::Add, "member", &[dn])]).await;
            codes.push((
                add.code,
                add.message.replace(dn.as_str(), "@"),
                modify.code,
                modify.message.replace(dn.as_str(), "@"),
            ));
        }
        assert_eq!(codes[0], codes[1], "a member from outside");
        assert_ne!((codes[0].0, codes[0].2), (0, 0), "and it is refused");
    }
    assert!(world.server.bind(&there, PASSWORD).await.is_good(), "untouched");
    world.server.verify().await;
}

#[tokio::test]
async fn r4_01_a_tenant_below_is_not_part_of_the_one_above() {
    // Goal: a role holds in its tenant and not in the tenants that lie below it in the tree.
    let server = Server::start().await;
    let acme = server.tenant("acme").await;
    let inner = "ou=inner,ou=acme,dc=example,dc=com";
    server
        .add(inner, &[("objectClass", "organizationalUnit"), ("objectClass", "rollbookTenant"), ("ou", "inner")])
        .await
        .unwrap();
    server.person_in("hidden", inner).await;
    let boss = server.person_of(&acme, "boss", Some("TENANT_ADMIN")).await;
    let mut client = server.bound(&boss.dn, PASSWORD).await;
    assert!(client.search(&acme.dn, Scope::Subtree, "(|(uid=hidden)(ou=inner))", &["1.1"]).await.is_nothing());
    let reply =
        client.modify("uid=hidden,ou=inner,ou=acme,dc=example,dc=com", &[(Kind::Replace, "title", &["x"])]).await;
    assert_eq!(reply.code, 32);
    server.verify().await;
}
