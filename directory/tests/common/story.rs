//! Changes against a model: the answer of every step and everything that is visible after it.
//!
//! The model is a tree of small structs that knows the rules and nothing of stores: which refusals a step may meet (none:
//! it must succeed) and what it does. After every step all entries, memberships and states are compared.

use super::account::{Account, MINUTE};
use super::common::World;
use super::oracle::read_all;
use super::rules::{Entry, Model, Pick, SUFFIX, Sort, Value, normal};
use directory::authenticate::{LoginName, Verdict};
use directory::change::{Act, Change, Modification, ModificationKind, Target};
use directory::clock::Span;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Step {
    AddUnit { name: usize, parent: Pick },
    AddPerson { name: usize, parent: Pick, mail: Option<usize>, manager: Option<Pick>, shout: bool },
    AddGroup { name: usize, parent: Pick, members: Vec<Pick> },
    Modify { target: Pick, modifications: Vec<(ModificationKind, &'static str, Vec<Value>)> },
    Rename { target: Pick, rdn: Option<(&'static str, usize)>, delete_old: bool, parent: Option<Pick> },
    Delete { target: Pick, subtree: bool },
    Password { target: Pick, password: usize },
    Login { target: Pick, password: usize, by_name: bool, times: usize },
    Act { target: Pick, act: usize },
    Pass { minutes: u32 },
    Flush,
}

fn secret(number: usize) -> String {
    format!("quite a fine secret {number}")
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        8 => (0..6_usize).prop_map(Pick::Person),
        5 => (0..4_usize).prop_map(Pick::Group),
        3 => (0..4_usize).prop_map(Pick::Unit),
        1 => Just(Pick::Nobody),
    ]
}

fn unit() -> impl Strategy<Value = Pick> {
    prop_oneof![12 => (0..4_usize).prop_map(Pick::Unit), 1 => Just(Pick::Nobody), 1 => (0..6_usize).prop_map(Pick::Person)]
}

fn modification() -> impl Strategy<Value = (ModificationKind, &'static str, Vec<Value>)> {
    let kind = || select(vec![ModificationKind::Add, ModificationKind::Delete, ModificationKind::Replace]);
    let texts = ["Boss", "BOSS ", "a  b", "A B", "c"];
    let text = select(texts.to_vec()).prop_map(Value::Text);
    let name = prop_oneof![select(vec!["p0", "P1", "c0", "g0", "x"]), select(texts.to_vec())].prop_map(Value::Text);
    let attributes = ["title", "description", "preferredLanguage", "sn"];
    prop_oneof![
        4 => (kind(), select(attributes.to_vec()), prop::collection::vec(text, 0..3)),
        1 => (kind(), select(vec!["uid", "cn"]), prop::collection::vec(name, 0..3)),
        2 => (kind(), Just("mail"), prop::collection::vec((0..5_usize).prop_map(Value::Mail), 0..3)),
        2 => (kind(), select(vec!["manager", "seeAlso"]), prop::collection::vec(pick().prop_map(Value::Name), 0..3)),
        5 => (kind(), Just("member"), prop::collection::vec(pick().prop_map(Value::Name), 0..3)),
    ]
    .prop_map(|(kind, attribute, mut values)| {
        // An addition of nothing is refused before anything is looked at; that is the door's matter.
        if kind == ModificationKind::Add && values.is_empty() {
            values.push(match attribute {
                "member" | "manager" | "seeAlso" => Value::Name(Pick::Person(0)),
                "mail" => Value::Mail(0),
                _ => Value::Text("c"),
            });
        }
        (kind, attribute, values)
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..3_usize, unit()).prop_map(|(name, parent)| Step::AddUnit { name, parent }),
        5 => (0..6_usize, unit(), prop::option::of(0..5_usize), prop::option::of(pick()), any::<bool>()).prop_map(
            |(name, parent, mail, manager, shout)| Step::AddPerson { name, parent, mail, manager, shout }
        ),
        3 => (0..4_usize, unit(), prop::collection::vec(pick(), 0..3))
            .prop_map(|(name, parent, members)| Step::AddGroup { name, parent, members }),
        8 => (pick(), prop::collection::vec(modification(), 1..4))
            .prop_map(|(target, modifications)| Step::Modify { target, modifications }),
        3 => (
            pick(),
            prop::option::of((select(vec!["uid", "cn", "ou"]), 0..4_usize)),
            any::<bool>(),
            prop::option::of(prop_oneof![3 => unit(), 1 => pick()])
        )
            .prop_map(|(target, rdn, delete_old, parent)| Step::Rename { target, rdn, delete_old, parent }),
        2 => (pick(), any::<bool>()).prop_map(|(target, subtree)| Step::Delete { target, subtree }),
        4 => ((0..4_usize).prop_map(Pick::Group), prop_oneof![1 => pick(), 2 => (0..4_usize).prop_map(Pick::Group)]).prop_map(
            |(target, member)| {
                let modifications = vec![(ModificationKind::Add, "member", vec![Value::Name(member)])];
                Step::Modify { target, modifications }
            }
        ),
        3 => (pick(), 0..2_usize).prop_map(|(target, password)| Step::Password { target, password }),
        7 => (
            prop_oneof![5 => (0..2_usize).prop_map(Pick::Person), 1 => pick()],
            prop_oneof![4 => 0..2_usize, 1 => Just(7)],
            any::<bool>(),
            prop_oneof![2 => Just(1), 1 => 2..8_usize]
        )
            .prop_map(|(target, password, by_name, times)| Step::Login { target, password, by_name, times }),
        4 => ((0..6_usize).prop_map(Pick::Person), 0..9_usize).prop_map(|(target, act)| Step::Act { target, act }),
        2 => select(vec![1, 14, 15, 16, 30, 31, 60, 600]).prop_map(|minutes| Step::Pass { minutes }),
        1 => Just(Step::Flush),
    ]
}

/// Enough to begin with that most steps meet something.
fn prelude() -> Vec<Step> {
    let parent = Pick::Unit(0);
    let mut steps = Vec::new();
    for name in 0..3 {
        steps.push(Step::AddPerson { name, parent, mail: Some(name), manager: None, shout: false });
        steps.push(Step::Password { target: Pick::Person(name), password: 0 });
        steps.push(Step::AddGroup { name, parent, members: vec![Pick::Person(name)] });
    }
    steps
}

/// Carries a step out on both sides and compares the answers.
async fn take(world: &World, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    let target = |dn: &str| Target::Dn(dn.as_bytes().to_vec());
    let (change, expected) = match step {
        Step::Pass { minutes } => {
            world.clock.advance(Span::from_mins(*minutes));
            model.now += i64::from(*minutes) * MINUTE;
            return Ok(());
        }
        Step::Flush => {
            world.directory.flush(true).await.unwrap();
            return Ok(());
        }
        Step::Login { target, password, by_name, times } => {
            for _ in 0..*times {
                login(world, model, *target, *password, *by_name).await?;
            }
            return Ok(());
        }
        Step::AddUnit { name, parent } => {
            let rdn = format!("ou=u{name}");
            let values = [("ou", vec![format!("u{name}")])].into_iter().collect();
            let entry = Entry { rdn: String::new(), parent: None, sort: Sort::Unit, values, account: None };
            let change = addition(model, "organizationalUnit", &rdn, *parent, &entry, &[]);
            (change, model.add(*parent, rdn, entry, &[]))
        }
        Step::AddPerson { name, parent, mail, manager, shout } => {
            let uid = if *shout { format!("P{name}") } else { format!("p{name}") };
            let mut values: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
            values.insert("uid", vec![uid.clone()]);
            values.insert("cn", vec![uid.clone()]);
            values.insert("sn", vec!["s".to_owned()]);
            if let Some(mail) = mail {
                values.insert("mail", vec![format!("m{mail}@example.com")]);
            }
            if let Some(manager) = manager {
                values.insert("manager", vec![model.named(*manager)]);
            }
            let account = Some(Account { standing: "UNVERIFIED", last_failure: i64::MIN / 2, ..Account::default() });
            let entry = Entry { rdn: String::new(), parent: None, sort: Sort::Person, values, account };
            let rdn = format!("uid={uid}");
            let change = addition(model, "inetOrgPerson", &rdn, *parent, &entry, &[]);
            (change, model.add(*parent, rdn, entry, &[]))
        }
        Step::AddGroup { name, parent, members } => {
            let rdn = format!("cn=g{name}");
            let values = [("cn", vec![format!("g{name}")])].into_iter().collect();
            let entry = Entry { rdn: String::new(), parent: None, sort: Sort::Group, values, account: None };
            let change = addition(model, "groupOfNames", &rdn, *parent, &entry, members);
            (change, model.add(*parent, rdn, entry, members))
        }
        Step::Modify { target: pick, modifications } => {
            let dn = model.named(*pick);
            let request = modifications.iter().map(|(kind, attribute, values)| Modification {
                kind: *kind,
                attribute: attribute.as_bytes().to_vec(),
                values: values.iter().map(|v| shout(&model.text_of(v)).into_bytes()).collect(),
            });
            let change = Change::Modify { target: target(&dn), modifications: request.collect() };
            let mut expected = model.misspelt(modifications);
            if expected.is_empty() {
                expected = match model.pick(*pick) {
                    Some(id) => model.modify(id, modifications),
                    None => vec!["NoSuchEntry"],
                };
            }
            (change, expected)
        }
        Step::Rename { target: pick, rdn, delete_old, parent } => {
            let Some(id) = model.pick(*pick) else { return Ok(()) };
            let sort = model.entries[&id].sort;
            // What a sort of entry is named by; the rest is for the schema's own tests.
            let letter = |attribute: &str| match (sort, attribute) {
                (Sort::Person, "uid") => Some("p"),
                (Sort::Person, "cn") => Some("c"),
                (Sort::Group, "cn") => Some("g"),
                (Sort::Unit, "ou") => Some("u"),
                _ => None,
            };
            let rdn = rdn.and_then(|(a, n)| letter(a).map(|l| (a, format!("{l}{n}"))));
            let own = model.entries[&id].rdn.clone();
            let new_rdn = rdn.as_ref().map_or(own, |(a, v)| format!("{a}={v}"));
            let new_superior = parent.map(|p| model.named(p).into_bytes());
            let target = target(&model.dn(id));
            let change =
                Change::Rename { target, new_rdn: new_rdn.into_bytes(), delete_old: *delete_old, new_superior };
            let parent = parent.map(|p| model.pick(p));
            (change, model.rename(id, rdn, *delete_old, parent))
        }
        Step::Delete { target: pick, subtree } => {
            let dn = model.named(*pick);
            let expected = match model.pick(*pick) {
                None => vec!["NoSuchEntry"],
                Some(id) if !subtree && !model.children(id).is_empty() => vec!["HasChildren"],
                Some(id) => {
                    for id in model.subtree(id).into_iter().rev() {
                        model.remove(id);
                    }
                    Vec::new()
                }
            };
            (Change::Delete { target: target(&dn), subtree: *subtree }, expected)
        }
        Step::Password { target: pick, password } => {
            let dn = model.named(*pick);
            let now = model.now;
            let id = model.pick(*pick);
            let expected = match id.map(|id| model.entries.get_mut(&id).unwrap().account.as_mut()) {
                None => vec!["NoSuchEntry"],
                Some(None) => vec!["Constraint"],
                Some(Some(account)) => {
                    // In a state without logins a password forgives nothing.
                    if !account.disabled && !account.locked(now) {
                        account.clear();
                    }
                    (account.password, account.force_change) = (Some(*password), false);
                    Vec::new()
                }
            };
            let new = Some(secret(*password).as_str().into());
            (Change::Password { target: target(&dn), old: None, new }, expected)
        }
        Step::Act { target: pick, act } => {
            let Some(id) = model.pick(*pick) else { return Ok(()) };
            let dn = model.dn(id);
            (Change::Account { target: target(&dn), act: act_of(*act) }, model.act(id, *act))
        }
    };
    let outcome = world.change(change).await;
    let reason = outcome.as_ref().err().map(|refusal| {
        let text = format!("{:?}", refusal.reason);
        text.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
    });
    let fits = match &reason {
        None => expected.is_empty(),
        Some(reason) => expected.contains(&reason.as_str()),
    };
    prop_assert!(fits, "{:?}: expected {:?}, found {:?}", step, expected, outcome);
    Ok(())
}

/// Names are found in any spelling.
fn shout(text: &str) -> String {
    if text.contains("dc=") { text.to_uppercase().replace(',', " , ") } else { text.to_owned() }
}

fn addition(model: &Model, class: &str, rdn: &str, parent: Pick, entry: &Entry, members: &[Pick]) -> Change {
    let mut attributes = vec![(b"objectClass".to_vec(), vec![class.as_bytes().to_vec()])];
    for (name, values) in &entry.values {
        attributes.push((name.as_bytes().to_vec(), values.iter().map(|v| v.as_bytes().to_vec()).collect()));
    }
    if !members.is_empty() {
        let values = members.iter().map(|m| shout(&model.named(*m)).into_bytes()).collect();
        attributes.push((b"member".to_vec(), values));
    }
    let parent = match model.pick(parent) {
        Some(parent) => model.dn(parent),
        None => format!("ou=nowhere,{SUFFIX}"),
    };
    Change::Add { dn: format!("{rdn},{parent}").into_bytes(), attributes }
}

fn act_of(number: usize) -> Act {
    match number {
        0 => Act::Disable,
        1 => Act::Enable { password: None },
        2 => Act::Unlock { password: None },
        3 => Act::Unlock { password: Some(secret(7).as_str().into()) },
        4 => Act::Lock,
        5 => Act::ForceChange,
        6 => Act::Active(false),
        7 => Act::Active(true),
        _ => Act::Delete { months: None },
    }
}

async fn login(
    world: &World,
    model: &mut Model,
    pick: Pick,
    password: usize,
    by_name: bool,
) -> Result<(), TestCaseError> {
    let dn = model.named(pick);
    let now = model.now;
    let id = model.pick(pick);
    let name = id.and_then(|id| model.entries[&id].values.get("uid")).map(|v| v[0].clone());
    let name = match name {
        Some(uid) if by_name => LoginName::Username(uid),
        _ => LoginName::Dn(dn.into_bytes()),
    };
    let account = id.and_then(|id| model.entries.get_mut(&id).unwrap().account.as_mut());
    let expected = account.is_some_and(|account| account.login(password, now));
    let verdict = world.login_as(name, &secret(password)).await;
    let admitted = match verdict {
        Verdict::Admitted(_) => true,
        Verdict::Refused { .. } => false,
        Verdict::Busy => return Err(TestCaseError::fail("busy")),
    };
    prop_assert_eq!(admitted, expected, "login of {:?} with {}", pick, password);
    Ok(())
}

/// Everything that is visible is what the model says.
fn compare(world: &World, model: &Model) -> Result<(), TestCaseError> {
    let seen = read_all(&world.directory, SUFFIX);
    let names: BTreeSet<String> = seen.iter().map(|s| normal(&s.dn)).collect();
    let expected: BTreeSet<String> = model.entries.keys().map(|id| normal(&model.dn(*id))).collect();
    prop_assert_eq!(names, expected);
    for seen in &seen {
        let id = model.find(&seen.dn).unwrap();
        let entry = &model.entries[&id];
        let values = |name: &str| -> Vec<String> {
            let of = seen.attributes.iter().find(|(n, _)| n == name).into_iter().flat_map(|(_, v)| v);
            let mut all: Vec<String> = of.map(|v| normal(&String::from_utf8_lossy(v))).collect();
            all.sort();
            all
        };
        let sorted = |mut all: Vec<String>| {
            all.sort();
            all
        };
        let groups: Vec<String> =
            model.members.iter().filter(|(_, m)| *m == id).map(|(g, _)| normal(&model.dn(*g))).collect();
        prop_assert_eq!(values("memberOf"), sorted(groups), "memberOf of {}", &seen.dn);
        let members: Vec<String> =
            model.members.iter().filter(|(g, _)| *g == id).map(|(_, m)| normal(&model.dn(*m))).collect();
        prop_assert_eq!(values("member"), sorted(members), "member of {}", &seen.dn);
        let children = model.children(id).len();
        prop_assert_eq!(values("numSubordinates"), vec![children.to_string()], "children of {}", &seen.dn);
        if entry.values.is_empty() {
            continue;
        }
        for name in ["uid", "cn", "sn", "ou", "mail", "title", "description", "preferredLanguage", "manager", "seeAlso"]
        {
            let expected =
                entry.values.get(name).into_iter().flatten().map(|v| normal(v).replace(" , ", ",")).collect();
            let found: Vec<String> = values(name).iter().map(|v| v.replace(" , ", ",")).collect();
            prop_assert_eq!(found, sorted(expected), "{} of {}", name, &seen.dn);
        }
        let state = entry.account.as_ref().map(|a| a.state(model.now).to_lowercase());
        prop_assert_eq!(values("rollbookState"), state.into_iter().collect::<Vec<_>>(), "state of {}", &seen.dn);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: super::cases(48), max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_change_does_what_the_rules_say(steps in prop::collection::vec(step(), 1..50)) {
        // Goal: for any sequence of changes and logins, every answer and every visible value is the model's.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let mut model = Model::of(&world);
            for step in prelude().iter().chain(&steps) {
                take(&world, &mut model, step).await?;
                compare(&world, &model)?;
            }
            world.directory.flush(true).await.unwrap();
            compare(&world, &model)?;
            world.verify();
            Ok::<(), TestCaseError>(())
        })?;
    }
}
