//! Search against scan: for any content and any filter the planner's indexes lose nothing and invent nothing.
//!
//! Content begins with many entries of one value, so that ranges are used, and with ids around the border of two chunks
//! of the trigram index; then values of every syntax come, change, move and go.

use super::common::World;
use super::disk::Disk;
use super::oracle::{Oracle, read_all};
use directory::change::{Change, Modification, ModificationKind, Target};
use directory::entry::dn::DnKey;
use directory::filter::Filter;
use directory::handle::Backend;
use directory::search::Scope;
use directory::store::tables;
use directory::store::view::View;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::OnceLock;

const SUFFIX: &str = "dc=example,dc=com";
const PEOPLE: usize = 12;
const GROUPS: usize = 4;

/// Attributes that are written, each with values that are equal, ordered or contained in one another.
const WRITTEN: &[(&str, Values)] = &[
    ("cn", Values::Text),
    ("cn;lang-de", Values::Text),
    ("cn;lang-de;x-a", Values::Text),
    ("sn", Values::Text),
    ("givenName", Values::Text),
    ("title", Values::Text),
    ("description", Values::Text),
    ("description;lang-en", Values::Text),
    ("l", Values::Text),
    ("telephoneNumber", Values::Telephone),
    ("mail", Values::Ascii),
    ("labeledURI", Values::Text),
    ("postalAddress", Values::Postal),
    ("uidNumber", Values::Number),
    ("gidNumber", Values::Number),
    ("memberUid", Values::Ascii),
    ("seeAlso", Values::Name),
    ("manager", Values::Name),
    ("dnQualifier", Values::Printable),
    ("sudoNotBefore", Values::Time),
    ("x121Address", Values::Digits),
    ("jpegPhoto", Values::Text),
    ("audio", Values::Text),
];

/// Attributes that are asked for besides those.
const ASKED: &[(&str, Values)] = &[
    ("CN", Values::Text),
    ("2.5.4.3", Values::Text),
    ("name", Values::Text),
    ("name;lang-de", Values::Text),
    ("cn;lang-", Values::Text),
    ("objectClass", Values::Class),
    ("entryUUID", Values::Uuid),
    ("entryDN", Values::Name),
    ("createTimestamp", Values::Time),
    ("modifyTimestamp", Values::Time),
    ("creatorsName", Values::Name),
    ("structuralObjectClass", Values::Class),
    ("hasSubordinates", Values::Boolean),
    ("numSubordinates", Values::Number),
    ("subschemaSubentry", Values::Name),
    ("memberOf", Values::Name),
    ("member", Values::Name),
    ("uniqueMember", Values::Name),
    ("member;x-a", Values::Name),
    ("entryUUID;x-a", Values::Uuid),
    ("rollbookState", Values::State),
    ("pwdChangedTime", Values::Time),
    ("userPassword", Values::Text),
    ("ou", Values::Text),
    ("uid", Values::Ascii),
    ("noSuchAttribute", Values::Text),
    ("not an attribute", Values::Text),
];

const RULES: &[&str] = &[
    "caseExactMatch",
    "caseIgnoreMatch",
    "2.5.13.3",
    "caseIgnoreOrderingMatch",
    "caseIgnoreSubstringsMatch",
    "caseExactSubstringsMatch",
    "integerMatch",
    "integerOrderingMatch",
    "integerBitAndMatch",
    "1.2.840.113556.1.4.804",
    "distinguishedNameMatch",
    "1.2.840.113556.1.4.1941",
    "wordMatch",
    "objectIdentifierMatch",
    "generalizedTimeOrderingMatch",
    "telephoneNumberMatch",
    "noSuchRule",
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Values {
    Text,
    Ascii,
    Printable,
    Telephone,
    Postal,
    Number,
    Digits,
    Name,
    Time,
    Class,
    Uuid,
    Boolean,
    State,
}

impl Values {
    /// Values that fit, and for assertions some that do not.
    fn pool(self) -> Vec<Vec<u8>> {
        let long = |end: &str| format!("{}{end}", "q".repeat(230));
        let texts: Vec<String> = match self {
            Values::Text => {
                let short = ["a", "A", "ab", "Abc", "abc def", " abc   DEF ", "abcdef", "ÄÖÜ", "äöü ß", "x*y", "(z)"];
                let more = ["filler", "filler 7", "de", "c d", " ", "\u{0}", "abc\u{0}def", "ﬁller", "a\u{300}bc"];
                let all = short.iter().chain(&more).map(|v| (*v).to_owned());
                all.chain([long(""), long("a"), long("b"), long("b c")]).collect()
            }
            Values::Ascii => ["a@b", "abc", "ABC@example.com", "abc d", "x", "filler"].map(str::to_owned).to_vec(),
            Values::Printable => ["abc", "ABD", "b", "abc d"].map(str::to_owned).to_vec(),
            Values::Telephone => ["+49 30 123", "+49-30-123", "4930123", "030 1"].map(str::to_owned).to_vec(),
            Values::Postal => ["abc$def", "ABC $ def", "abc", "abcdef$g", "a\\24b$c"].map(str::to_owned).to_vec(),
            Values::Number => {
                ["0", "1", "-1", "10", "9", "255", "-128", "123456789012345678901234567890"].map(str::to_owned).to_vec()
            }
            Values::Digits => ["12 34", "1234", "123", "9"].map(str::to_owned).to_vec(),
            Values::Name => {
                let mut names: Vec<String> = (0..PEOPLE).map(person).chain((0..GROUPS).map(group)).collect();
                names.push(person(0).to_uppercase().replace(',', " , "));
                names.push("uid=nobody,dc=example,dc=com".to_owned());
                names.push("cn=Subschema".to_owned());
                names
            }
            Values::Time => {
                let times =
                    ["20260921142640Z", "20260921142640.0Z", "202609211526+0100", "19990101000000Z", "2030010100Z"];
                times.map(str::to_owned).to_vec()
            }
            Values::Class => {
                let classes = ["inetOrgPerson", "person", "TOP", "2.5.6.6", "groupOfNames", "extensibleObject", "nope"];
                classes.map(str::to_owned).to_vec()
            }
            Values::Uuid => {
                // The first entries of every run: the bytes are drawn from one seed.
                let uuids = ["01a0c3c2-0000-7000-8000-000000000000", "00000000-0000-0000-0000-000000000000"];
                uuids.map(str::to_owned).to_vec()
            }
            Values::Boolean => ["TRUE", "FALSE", "true"].map(str::to_owned).to_vec(),
            Values::State => ["UNVERIFIED", "unverified", "ACTIVE"].map(str::to_owned).to_vec(),
        };
        texts.into_iter().map(String::into_bytes).collect()
    }
}

fn person(number: usize) -> String {
    format!("uid=p{number},ou=people,{SUFFIX}")
}

fn group(number: usize) -> String {
    format!("cn=g{number},ou=groups,{SUFFIX}")
}

/// A change of the content.
#[derive(Debug, Clone)]
enum Step {
    Values { person: usize, kind: ModificationKind, attribute: &'static str, values: Vec<Vec<u8>> },
    Member { group: usize, member: Option<usize>, inner: usize, attribute: &'static str, add: bool },
    Move { person: usize, away: bool },
    Delete { person: usize },
    Password { person: usize },
}

fn written() -> impl Strategy<Value = (&'static str, Vec<Vec<u8>>)> {
    select(WRITTEN).prop_flat_map(|(name, values)| (Just(name), prop::collection::vec(select(values.pool()), 0..3)))
}

fn step() -> impl Strategy<Value = Step> {
    let kind = select(vec![ModificationKind::Add, ModificationKind::Delete, ModificationKind::Replace]);
    prop_oneof![
        12 => (0..PEOPLE, kind, written())
            .prop_map(|(person, kind, (attribute, values))| Step::Values { person, kind, attribute, values }),
        4 => (0..GROUPS, prop::option::of(0..PEOPLE), 0..GROUPS, select(vec!["member", "uniqueMember"]), any::<bool>())
            .prop_map(|(group, member, inner, attribute, add)| Step::Member { group, member, inner, attribute, add }),
        1 => (0..PEOPLE, any::<bool>()).prop_map(|(person, away)| Step::Move { person, away }),
        1 => (0..PEOPLE).prop_map(|person| Step::Delete { person }),
        1 => (0..PEOPLE).prop_map(|person| Step::Password { person }),
    ]
}

fn asked() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let all: Vec<(&str, Values)> = WRITTEN.iter().chain(ASKED).copied().collect();
    let other = select(vec![b"abc".to_vec(), b"".to_vec(), b"1".to_vec(), vec![0xff, 0xfe], b"cn=x".to_vec()]);
    select(all)
        .prop_flat_map(move |(name, values)| (Just(name), prop_oneof![6 => select(values.pool()), 1 => other.clone()]))
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    let parts = [
        "a", "ab", "abc", "bc", "b", "c d", "abc def", "def", " ", " a", "c ", "ill", "fill", "filler", "qqqq", "qa",
        "Ä", "öü", "4930", "+49", "30", "$", "x*", "ab@", "example", "1", "2", "TRUE",
    ];
    select(parts.map(|p| p.as_bytes().to_vec()).to_vec())
}

fn item() -> impl Strategy<Value = Filter> {
    let name = |n: &str| n.as_bytes().to_vec();
    prop_oneof![
        3 => asked().prop_map(move |(n, v)| Filter::Equal(name(n), v)),
        2 => asked().prop_map(move |(n, _)| Filter::Present(name(n))),
        2 => asked().prop_map(move |(n, v)| Filter::GreaterOrEqual(name(n), v)),
        2 => asked().prop_map(move |(n, v)| Filter::LessOrEqual(name(n), v)),
        1 => asked().prop_map(move |(n, v)| Filter::Approximate(name(n), v)),
        4 => (asked(), prop::option::of(part()), prop::collection::vec(part(), 0..3), prop::option::of(part()))
            .prop_map(move |((n, _), initial, any, last)| Filter::Substrings { attribute: name(n), initial, any, last }),
        3 => (asked(), prop::option::weighted(0.8, select(RULES)), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
            move |((n, value), rule, attribute, dn_attributes)| Filter::Extensible {
                rule: rule.map(name),
                attribute: (attribute || rule.is_none()).then(|| name(n)),
                value,
                dn_attributes,
            }
        ),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    item().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            3 => prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
            1 => inner.prop_map(|f| Filter::Not(Box::new(f))),
        ]
    })
}

fn search() -> impl Strategy<Value = (String, Scope, Filter)> {
    let bases = vec![SUFFIX.to_owned(), SUFFIX.to_owned(), format!("ou=people,{SUFFIX}"), group(0), person(1)];
    let scopes = vec![Scope::Subtree, Scope::Subtree, Scope::One, Scope::Base, Scope::Children];
    (select(bases), select(scopes), filter())
}

/// A store with many entries of one value, whose next ids lie at the border of two chunks.
fn template() -> Vec<u8> {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let disk = Disk::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::open(Backend::Other(disk.backend())).unwrap();
            world.begin().await;
            for number in 0..40 {
                let dn = format!("cn=filler {number},ou=system,{SUFFIX}");
                let attributes =
                    [("objectClass", "person"), ("sn", "filler"), ("cn", "filler"), ("description", "abc def")];
                world.add(&dn, &attributes).await.unwrap();
            }
            world.verify();
        });
        let database = crate::common::database(disk.clone());
        let txn = database.begin_write().unwrap();
        let next = directory::store::text::CHUNK - 6;
        txn.open_table(tables::META).unwrap().insert(tables::meta::NEXT_ID, next.to_le_bytes().as_slice()).unwrap();
        txn.commit().unwrap();
        drop(database);
        disk.bytes()
    };
    MADE.get_or_init(make).clone()
}

async fn fill(world: &World) {
    for number in 0..PEOPLE {
        let uid = format!("p{number}");
        let attributes = [
            ("objectClass", "inetOrgPerson"),
            ("objectClass", "extensibleObject"),
            ("uid", &uid),
            ("cn", "a"),
            ("sn", "x"),
        ];
        world.add(&person(number), &attributes).await.unwrap();
    }
    for number in 0..GROUPS {
        let attributes = [("objectClass", "groupOfNames"), ("objectClass", "extensibleObject")];
        world.add(&group(number), &attributes).await.unwrap();
    }
}

async fn take(world: &World, step: Step) {
    let modify = |dn: String, kind, attribute: &str, values: Vec<Vec<u8>>| Change::Modify {
        target: Target::Dn(dn.into_bytes()),
        modifications: vec![Modification { kind, attribute: attribute.as_bytes().to_vec(), values }],
    };
    let change = match step {
        Step::Values { person, kind, attribute, values } => modify(self::person(person), kind, attribute, values),
        Step::Member { group, member, inner, attribute, add } => {
            let kind = if add { ModificationKind::Add } else { ModificationKind::Delete };
            let value = member.map_or_else(|| self::group(inner), person);
            modify(self::group(group), kind, attribute, vec![value.into_bytes()])
        }
        Step::Move { person, away } => Change::Rename {
            target: Target::Dn(self::person(person).into_bytes()),
            new_rdn: format!("uid=p{person}").into_bytes(),
            delete_old: true,
            new_superior: Some(if away { self::person((person + 1) % PEOPLE) } else { self::group(0) }.into_bytes()),
        },
        Step::Delete { person } => {
            Change::Delete { target: Target::Dn(self::person(person).into_bytes()), subtree: false }
        }
        Step::Password { person } => Change::Password {
            target: Target::Dn(self::person(person).into_bytes()),
            old: None,
            new: Some("a fine secret".into()),
        },
    };
    // Whether a step is allowed is not the question here.
    let _ = world.change(change).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: super::cases(64), max_shrink_iters: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_a_walk_over_everything_finds(
        steps in prop::collection::vec(step(), 0..40),
        searches in prop::collection::vec(search(), 1..40),
    ) {
        // Goal: whatever index the planner takes, the answer is that of evaluating the filter on every entry.
        let template = template();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::open(Backend::Other(Disk::of(template).backend())).unwrap();
            fill(&world).await;
            for step in steps {
                take(&world, step).await;
            }
            world.verify();
            let entries = read_all(&world.directory, SUFFIX);
            let oracle = Oracle::new(world.directory.schema(), &entries);
            for (base, scope, filter) in &searches {
                if has(&world, base) {
                    let found = world.find(base, *scope, filter).await;
                    let expected = oracle.find(base, *scope, filter);
                    let lost: Vec<_> = expected.iter().filter(|dn| !found.contains(dn)).collect();
                    let invented: Vec<_> = found.iter().filter(|dn| !expected.contains(dn)).collect();
                    prop_assert!(found == expected, "{:?} {}: lost {:?}, invented {:?}", scope, text(filter), lost, invented);
                }
            }
            Ok(())
        })?;
    }
}

fn has(world: &World, dn: &str) -> bool {
    let key = DnKey::parse(world.directory.schema(), dn.as_bytes()).unwrap();
    world.directory.snapshot().unwrap().id_of(key.as_bytes()).unwrap().is_some()
}

/// A filter as people write it.
fn text(filter: &Filter) -> String {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = |parts: &[Filter]| parts.iter().map(text).collect::<String>();
    match filter {
        Filter::And(parts) => format!("(&{})", all(parts)),
        Filter::Or(parts) => format!("(|{})", all(parts)),
        Filter::Not(part) => format!("(!{})", text(part)),
        Filter::Present(name) => format!("({}=*)", lossy(name)),
        Filter::Equal(name, value) => format!("({}={:?})", lossy(name), lossy(value)),
        Filter::Approximate(name, value) => format!("({}~={:?})", lossy(name), lossy(value)),
        Filter::GreaterOrEqual(name, value) => format!("({}>={:?})", lossy(name), lossy(value)),
        Filter::LessOrEqual(name, value) => format!("({}<={:?})", lossy(name), lossy(value)),
        Filter::Substrings { attribute, initial, any, last } => {
            let part = |p: &Option<Vec<u8>>| p.as_deref().map_or(String::new(), lossy);
            let any: String = any.iter().map(|a| format!("{}*", lossy(a))).collect();
            format!("({}={:?}*{any:?}{:?})", lossy(attribute), part(initial), part(last))
        }
        Filter::Extensible { rule, attribute, value, dn_attributes } => {
            let part = |p: &Option<Vec<u8>>| p.as_deref().map_or(String::new(), lossy);
            let dn = if *dn_attributes { ":dn" } else { "" };
            format!("({}{dn}:{}:={:?})", part(attribute), part(rule), lossy(value))
        }
    }
}
