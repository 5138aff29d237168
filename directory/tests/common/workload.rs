//! What a busy directory goes through, the same in every run: entries, values, membership, names, subtrees, passwords,
//! logins and their locks, the life cycle, tokens, grants, alone and several in one commit.
//!
//! Used by `power_cut` and `faults`. A step may be refused by a rule; what matters is that its answer holds.

#[path = "granting.rs"]
pub mod granting;

use super::common::World;
use super::disk::{Dice, Disk};
use directory::authenticate::Verdict;
use directory::bootstrap;
use directory::change::{Act, Change, Modification, ModificationKind, Receipt, Request, Target, claims};
use directory::clock::Span;
use directory::entry::record::Record;
use directory::error::{Reason, Refusal};
use directory::store::view::View;
use directory::token::{NewToken, Scope};

const PEOPLE: usize = 16;
const GROUPS: usize = 6;
const UNITS: [&str; 3] = ["north", "south", "east"];
const SUFFIX: &str = "dc=example,dc=com";

/// What a step was told.
#[derive(Debug)]
pub enum Answer {
    Done,
    Refused(Reason),
    Admitted,
    NotAdmitted,
    Busy,
}

impl From<Result<Receipt, Refusal>> for Answer {
    fn from(outcome: Result<Receipt, Refusal>) -> Answer {
        match outcome {
            Ok(_) => Answer::Done,
            Err(refusal) => Answer::Refused(refusal.reason),
        }
    }
}

impl From<Verdict> for Answer {
    fn from(verdict: Verdict) -> Answer {
        match verdict {
            Verdict::Admitted(_) => Answer::Admitted,
            Verdict::Refused { .. } => Answer::NotAdmitted,
            Verdict::Busy => Answer::Busy,
        }
    }
}

/// One step. Given a disk, some steps put many changes into one commit.
pub async fn step(world: &World, dice: &mut Dice, disk: Option<&Disk>) -> Vec<Answer> {
    let (person, group) = (dn(world, &format!("p{}", dice.below(PEOPLE))), group(dice.below(GROUPS)));
    let text = ["Countess", "engineer ", "a  b", "Ä ö", "x"][dice.below(5)];
    if dice.below(4) == 0 {
        let person = format!("p{}", dice.below(PEOPLE));
        return granting::step(world, dice, &person).await;
    }
    vec![match dice.below(23) {
        0..=2 => add_person(world, dice).await.into(),
        3 => add_group(world, dice).await.into(),
        4 => {
            let unit = UNITS[dice.below(3)];
            let parent = if dice.below(3) == 0 { "ou=groups" } else { "ou=people" };
            world.add(&format!("ou={unit},{parent},{SUFFIX}"), &[("objectClass", "organizationalUnit")]).await.into()
        }
        5 => world.modify(&person, ModificationKind::Replace, "title", &[text]).await.into(),
        6 => world.modify(&person, ModificationKind::Add, "description", &[text, "of all"]).await.into(),
        7 => world.modify(&person, ModificationKind::Replace, "manager", &[&manager(world, dice)]).await.into(),
        8 => world.modify(&group, ModificationKind::Add, "member", &[&person]).await.into(),
        9 => world.modify(&group, ModificationKind::Delete, "member", &[&person]).await.into(),
        10 => {
            let inner = self::group(dice.below(GROUPS));
            world.modify(&group, ModificationKind::Add, "member", &[&inner]).await.into()
        }
        11 => {
            let parent = ["ou=people", "ou=north,ou=people", "ou=south,ou=people", "ou=system"][dice.below(4)];
            rename(world, &person, None, Some(&format!("{parent},{SUFFIX}"))).await.into()
        }
        12 => {
            let (from, to) = (UNITS[dice.below(3)], UNITS[dice.below(3)]);
            rename(world, &format!("ou={from},ou=people,{SUFFIX}"), Some(&format!("ou={to}")), None).await.into()
        }
        13 => world.delete([&person, &group][dice.below(2)], dice.below(2) == 0).await.into(),
        14 => {
            let new = Some(format!("a fine secret {}", dice.below(3)).as_str().into());
            let target = Target::Dn(person.into_bytes());
            world.change(Change::Password { target, old: None, new }).await.into()
        }
        15..=16 => world.login(&person, &format!("a fine secret {}", dice.below(3))).await.into(),
        17 => {
            let mut answers = Vec::new();
            for _ in 0..7 {
                answers.push(world.login(&person, "wrong").await.into());
            }
            return answers;
        }
        18 => {
            let act = match dice.below(6) {
                0 => Act::Disable,
                1 => Act::Enable { password: None },
                2 => Act::Unlock { password: Some("another fine secret".into()) },
                3 => Act::Lock,
                4 => Act::Delete { months: None },
                _ => Act::ForceChange,
            };
            world.act(&person, act).await.into()
        }
        19 => {
            world.clock.advance(Span::from_mins(5));
            match world.directory.flush(true).await {
                Ok(()) => Answer::Done,
                Err(refusal) => Answer::Refused(refusal.reason),
            }
        }
        20 => token(world, dice, person).await.into(),
        21 => {
            let inner = self::group(dice.below(GROUPS));
            let target = |name: &str| Target::Dn(name.as_bytes().to_vec());
            let members =
                Change::Members { target: target(&group), add: vec![target(&person)], remove: vec![target(&inner)] };
            let act = Change::Account { target: target(&person), act: Act::Active(dice.below(2) == 0) };
            let changes = vec![members, values(&person, ModificationKind::Replace, "title", &[text]), act];
            let request = Request { changes, expected: Vec::new() };
            world.directory.carry(&bootstrap::operator(&world.directory), request).await.into()
        }
        _ => return together(world, dice, disk).await,
    }]
}

/// A token made, or one of those that there are replaced or revoked.
async fn token(world: &World, dice: &mut Dice, person: String) -> Result<Receipt, Refusal> {
    let (directory, context) = (&world.directory, bootstrap::operator(&world.directory));
    let held = directory.tokens(&context)?;
    let one = held.get(dice.below(held.len().max(1))).map(|(token, _)| token.id);
    match (dice.below(4), one) {
        (0, Some(id)) => directory.revoke_token(&context, id).await,
        (1, Some(id)) => directory.rotate_token(&context, id, Span::from_hours(1)).await.map(|made| made.receipt),
        _ => {
            let account = Target::Dn(person.into_bytes());
            let new = NewToken { account, label: "job".into(), scope: Scope::default(), life: Span::from_days(1) };
            directory.create_token(&context, Vec::new(), new).await.map(|made| made.receipt)
        }
    }
}

/// Many changes in one commit: they gather while another commit waits for the disk. Some of them make the lane give up
/// the transaction half way.
async fn together(world: &World, dice: &mut Dice, disk: Option<&Disk>) -> Vec<Answer> {
    if let Some(disk) = disk {
        disk.hold();
        world.directory.store_mark();
        disk.wait_held();
    }
    let mut changes = Vec::new();
    for number in 0..4 + dice.below(12) {
        changes.push(match dice.below(4) {
            0 => person_entry(world, dice),
            1 => values(&group(0), ModificationKind::Add, "member", &[&group(1)]),
            2 => values(&group(1), ModificationKind::Add, "member", &[&group(0)]),
            _ => values(
                &dn(world, &format!("p{}", dice.below(PEOPLE))),
                ModificationKind::Replace,
                "title",
                &[&format!("title {number}")],
            ),
        });
    }
    let mut pending: Vec<_> = changes.into_iter().map(|change| (Box::pin(world.change(change)), None)).collect();
    let mut released = false;
    std::future::poll_fn(|context| {
        let mut open = false;
        for (future, answer) in &mut pending {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(outcome) => *answer = Some(Answer::from(outcome)),
                    std::task::Poll::Pending => open = true,
                }
            }
        }
        // All of them have been asked once, and stand in the queue.
        if let Some(disk) = disk.filter(|_| !std::mem::replace(&mut released, true)) {
            disk.release();
        }
        if open { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    pending.into_iter().filter_map(|(_, answer)| answer).collect()
}

async fn add_person(world: &World, dice: &mut Dice) -> Result<Receipt, Refusal> {
    world.change(person_entry(world, dice)).await
}

fn person_entry(world: &World, dice: &mut Dice) -> Change {
    let uid = format!("p{}", dice.below(PEOPLE));
    let parent = ["ou=people", "ou=north,ou=people", "ou=people"][dice.below(3)];
    let mut attributes = vec![
        ("objectClass", "inetOrgPerson".to_owned()),
        ("uid", uid.clone()),
        ("cn", format!("Person {uid} of the north")),
        ("sn", uid.clone()),
        ("mail", format!("{uid}@example.com")),
        ("userPassword", "a fine secret 0".to_owned()),
    ];
    if dice.below(2) == 0 {
        attributes.push(("manager", manager(world, dice)));
    }
    let attributes = attributes.into_iter().map(|(n, v)| (n.as_bytes().to_vec(), vec![v.into_bytes()])).collect();
    Change::Add { dn: format!("uid={uid},{parent},{SUFFIX}").into_bytes(), attributes }
}

async fn add_group(world: &World, dice: &mut Dice) -> Result<Receipt, Refusal> {
    let member = dn(world, &format!("p{}", dice.below(PEOPLE)));
    let group = group(dice.below(GROUPS));
    match dice.below(2) {
        0 => world.add(&group, &[("objectClass", "groupOfNames"), ("member", &member)]).await,
        _ => world.add(&group, &[("objectClass", "groupOfNames")]).await,
    }
}

async fn rename(world: &World, dn: &str, rdn: Option<&str>, parent: Option<&str>) -> Result<Receipt, Refusal> {
    let own = dn.split(',').next().unwrap_or_default();
    let change = Change::Rename {
        target: Target::Dn(dn.as_bytes().to_vec()),
        new_rdn: rdn.unwrap_or(own).as_bytes().to_vec(),
        delete_old: true,
        new_superior: parent.map(|p| p.as_bytes().to_vec()),
    };
    world.change(change).await
}

fn values(dn: &str, kind: ModificationKind, attribute: &str, values: &[&str]) -> Change {
    let values = values.iter().map(|v| v.as_bytes().to_vec()).collect();
    let modifications = vec![Modification { kind, attribute: attribute.as_bytes().to_vec(), values }];
    Change::Modify { target: Target::Dn(dn.as_bytes().to_vec()), modifications }
}

fn group(number: usize) -> String {
    format!("cn=g{number},ou=groups,{SUFFIX}")
}

/// The DN of the account that logs in with this name.
fn holder(world: &World, username: &str) -> Option<String> {
    let snapshot = world.directory.snapshot().unwrap();
    let id = claims::holder_of_username(snapshot.as_ref(), username).unwrap()?;
    let guard = snapshot.record(id).unwrap()?;
    Some(Record::parse(guard.value()).unwrap().dn().to_owned())
}

/// Where a person is now; where it would be added if it is nowhere.
fn dn(world: &World, uid: &str) -> String {
    let found = holder(world, uid);
    found.unwrap_or_else(|| format!("uid={uid},ou=people,{SUFFIX}"))
}

fn manager(world: &World, dice: &mut Dice) -> String {
    dn(world, &format!("p{}", dice.below(PEOPLE)))
}
