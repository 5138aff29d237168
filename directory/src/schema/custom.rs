//! Definitions of the deployment: what its schema files give and what the store remembers, made into one schema.
//!
//! Records and index keys hold numbers, so a definition keeps the number that it got when the store first saw it, and its
//! text stays in the store: a file that is gone takes no attribute away from the entries that have it. A definition may
//! change in what nothing stored depends on (description, further names, further `MAY`, its faces); another syntax or rule
//! would make index keys wrong, and is refused with both texts.

use std::collections::HashMap;
use std::sync::Arc;

use super::catalog::line::{AttributeLine, ClassLine};
use super::{FIRST_CUSTOM, Schema, SchemaBuilder, extension};
use serde::{Deserialize, Serialize};

/// The most definitions of either kind.
pub const DEFINITIONS: usize = 4_096;

/// Claims of tokens that are nobody's to define (RFC 7519 §4.1, OpenID Connect Core §2 and §3, and sessions').
const PROTOCOL_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
    "client_id",
    "scope",
];

/// What a text defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Defines {
    /// RFC 4512 §4.1.2.
    AttributeType,
    /// RFC 4512 §4.1.1.
    ObjectClass,
}

/// A definition as a file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Which kind.
    pub defines: Defines,
    /// The text of RFC 4512 §4.1.
    pub text: String,
    /// File and line, for messages.
    pub place: String,
}

/// A definition as the store remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    defines: Defines,
    number: u16,
    text: String,
}

/// One schema out of both.
#[derive(Debug)]
pub struct Merged {
    /// The schema.
    pub schema: Arc<Schema>,
    /// What the store is to remember.
    pub kept: Vec<Kept>,
    /// It is not what the store remembers now.
    pub changed: bool,
    /// Names or OIDs of definitions that no file gives any more; they hold all the same.
    pub forgotten: Vec<String>,
}

/// A definition, read.
enum Line {
    Attribute(Box<AttributeLine>),
    Class(Box<ClassLine>),
}

/// Puts both together. Without either it is the shipped schema.
///
/// # Errors
/// Everything that is wrong with the given definitions, each with its place.
pub fn merge(kept: &[Kept], given: &[Given]) -> Result<Merged, Vec<String>> {
    if kept.is_empty() && given.is_empty() {
        return Ok(Merged { schema: Schema::standard(), kept: Vec::new(), changed: false, forgotten: Vec::new() });
    }
    let mut problems = Vec::new();
    let mut known: HashMap<(Defines, &'static str), &Kept> = HashMap::new();
    for definition in kept {
        match read(definition.defines, definition.number, &definition.text) {
            Ok(line) => {
                known.insert((definition.defines, line.oid()), definition);
            }
            Err(why) => problems.push(format!("a definition that the store remembers: {why}: {}", definition.text)),
        }
    }
    let mut next = Next::after(kept);
    let mut merged: Vec<Kept> = Vec::new();
    let mut lines: Vec<(Line, &str)> = Vec::new();
    for definition in given {
        let place = definition.place.as_str();
        let line = match read(definition.defines, FIRST_CUSTOM, &definition.text) {
            Ok(line) => line,
            Err(why) => {
                problems.push(format!("{place}: {why}"));
                continue;
            }
        };
        if line.is_shipped() {
            continue;
        }
        let key = (definition.defines, line.oid());
        if lines.iter().any(|(other, _)| (other.defines(), other.oid()) == key) {
            problems.push(format!("{place}: {} is defined twice", line.oid()));
            continue;
        }
        let number = match known.remove(&key) {
            Some(former) => {
                if let Ok(before) = read(former.defines, former.number, &former.text)
                    && let Some(what) = differs(&before, &line)
                {
                    let text = &former.text;
                    problems.push(format!("{place}: {what} of {} cannot change any more; it is {text}", line.name()));
                }
                Some(former.number)
            }
            None => next.number(definition.defines),
        };
        let Some(number) = number else {
            problems.push(format!("{place}: more than {DEFINITIONS} definitions"));
            continue;
        };
        merged.push(Kept { defines: definition.defines, number, text: definition.text.clone() });
        lines.push((line.numbered(number), place));
    }
    let mut forgotten = Vec::new();
    for definition in kept.iter().filter(|definition| known.values().any(|left| left == definition)) {
        if let Ok(line) = read(definition.defines, definition.number, &definition.text) {
            forgotten.push(line.name().to_owned());
            lines.push((line, "the store"));
            merged.push(definition.clone());
        }
    }
    problems.extend(faces(&lines));
    merged.sort_by_key(|definition| (definition.defines == Defines::ObjectClass, definition.number));
    let mut builder = SchemaBuilder::with_catalog();
    for (line, _) in lines {
        match line {
            Line::Attribute(line) => builder.attribute(*line),
            Line::Class(line) => builder.class(*line),
        };
    }
    match builder.build() {
        Ok(schema) if problems.is_empty() => {
            let changed = merged != kept;
            Ok(Merged { schema: Arc::new(schema), kept: merged, changed, forgotten })
        }
        Ok(_) => Err(problems),
        Err(errors) => {
            problems.extend(errors.iter().map(ToString::to_string));
            Err(problems)
        }
    }
}

fn read(defines: Defines, number: u16, text: &str) -> Result<Line, String> {
    let read = match defines {
        Defines::AttributeType => extension::attribute_type(number, text).map(|line| Line::Attribute(Box::new(line))),
        Defines::ObjectClass => extension::object_class(number, text).map(|line| Line::Class(Box::new(line))),
    };
    read.map_err(|error| error.to_string())
}

/// Every SCIM path and every claim is one attribute's.
fn faces(lines: &[(Line, &str)]) -> Vec<String> {
    let shipped = Schema::standard();
    let mut scim: HashMap<String, &str> = HashMap::new();
    let mut claims: HashMap<&str, &str> = PROTOCOL_CLAIMS.iter().map(|claim| (*claim, "the protocol's")).collect();
    claims.extend(shipped.attributes().filter_map(|a| a.claim.map(|claim| (claim, a.name()))));
    let mut problems = Vec::new();
    for (line, place) in lines {
        let Line::Attribute(line) = line else { continue };
        let name = line.names.first().copied().unwrap_or(line.oid);
        if let Some(path) = line.scim
            && let Some(other) = scim.insert(path.to_ascii_lowercase(), name)
        {
            problems.push(format!("{place}: X-SCIM of {name} is {other}'s already"));
        }
        if let Some(claim) = line.claim
            && let Some(other) = claims.insert(claim, name)
        {
            problems.push(format!("{place}: X-CLAIM of {name} is {other}'s already"));
        }
    }
    problems
}

/// What of a definition differs that entries and index keys depend on.
fn differs(before: &Line, after: &Line) -> Option<&'static str> {
    let fewer = |before: &[&str], after: &[&str]| {
        before.iter().any(|name| !after.iter().any(|other| name.eq_ignore_ascii_case(other)))
    };
    let words = |text: &'static str| text.split_ascii_whitespace().collect::<Vec<&str>>();
    let unequal = |a: &'static str, b: &'static str| {
        let (a, b) = (words(a), words(b));
        fewer(&a, &b) || fewer(&b, &a)
    };
    match (before, after) {
        (Line::Attribute(a), Line::Attribute(b)) => [
            (!a.supertype.eq_ignore_ascii_case(b.supertype), "SUP"),
            (a.syntax != b.syntax, "SYNTAX"),
            (a.equality != b.equality, "EQUALITY"),
            (a.ordering != b.ordering, "ORDERING"),
            (a.substring != b.substring, "SUBSTR"),
            (a.single_value != b.single_value, "SINGLE-VALUE"),
            (a.no_user_modification != b.no_user_modification, "NO-USER-MODIFICATION"),
            (a.usage != b.usage, "USAGE"),
            (fewer(a.names, b.names), "a NAME"),
        ]
        .into_iter()
        .find_map(|(differs, what)| differs.then_some(what)),
        (Line::Class(a), Line::Class(b)) => [
            (a.kind != b.kind, "the kind"),
            (unequal(a.superclasses, b.superclasses), "SUP"),
            (unequal(a.must, b.must), "MUST"),
            (fewer(&words(a.may), &words(b.may)), "a MAY"),
            (fewer(a.names, b.names), "a NAME"),
        ]
        .into_iter()
        .find_map(|(differs, what)| differs.then_some(what)),
        _ => Some("the kind"),
    }
}

/// The next free number of each kind. None is given twice, whatever became of its first owner.
struct Next {
    attributes: usize,
    classes: usize,
}

impl Next {
    fn after(kept: &[Kept]) -> Next {
        let after = |defines| {
            let numbers = kept.iter().filter(|d| d.defines == defines).map(|d| d.number);
            numbers.max().map_or(0, |number| usize::from(number.saturating_sub(FIRST_CUSTOM)).saturating_add(1))
        };
        Next { attributes: after(Defines::AttributeType), classes: after(Defines::ObjectClass) }
    }

    fn number(&mut self, defines: Defines) -> Option<u16> {
        let next = match defines {
            Defines::AttributeType => &mut self.attributes,
            Defines::ObjectClass => &mut self.classes,
        };
        let number = (*next < DEFINITIONS).then_some(*next)?;
        *next = next.saturating_add(1);
        u16::try_from(number).ok().and_then(|number| number.checked_add(FIRST_CUSTOM))
    }
}

impl Line {
    fn defines(&self) -> Defines {
        match self {
            Line::Attribute(_) => Defines::AttributeType,
            Line::Class(_) => Defines::ObjectClass,
        }
    }

    fn oid(&self) -> &'static str {
        match self {
            Line::Attribute(line) => line.oid,
            Line::Class(line) => line.oid,
        }
    }

    fn name(&self) -> &'static str {
        let names = match self {
            Line::Attribute(line) => line.names,
            Line::Class(line) => line.names,
        };
        names.first().copied().unwrap_or(self.oid())
    }

    /// The catalog has it: files of standard schemas may be given as they are.
    fn is_shipped(&self) -> bool {
        let schema = Schema::standard();
        let oid = self.oid().as_bytes();
        match self {
            Line::Attribute(_) => schema.find_attribute(oid).is_some(),
            Line::Class(_) => schema.find_class(oid).is_some(),
        }
    }

    fn numbered(mut self, number: u16) -> Line {
        match &mut self {
            Line::Attribute(line) => line.id = number,
            Line::Class(line) => line.id = number,
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BADGE: &str = "( 1.2.3.1 NAME 'acmeBadge' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 \
                         SINGLE-VALUE X-SCIM 'urn:acme:2.0:User:badge' X-CLAIM 'badge' )";
    const FLOOR: &str = "( 1.2.3.2 NAME 'acmeFloor' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )";
    const PERSON: &str = "( 1.2.3.9 NAME 'acmePerson' SUP top AUXILIARY MAY ( acmeBadge ) )";

    fn given(defines: Defines, text: &str) -> Given {
        Given { defines, text: text.to_owned(), place: "acme.ldif:3".to_owned() }
    }

    fn attribute(text: &str) -> Given {
        given(Defines::AttributeType, text)
    }

    fn class(text: &str) -> Given {
        given(Defines::ObjectClass, text)
    }

    #[test]
    fn numbers_stay_whatever_order_the_files_have() {
        // Goal: a definition keeps its number when others come before it, when its file is gone, and when it is back.
        let first = merge(&[], &[attribute(BADGE), class(PERSON)]).unwrap();
        let badge = first.schema.find_attribute(b"acmebadge").unwrap();
        assert_eq!((badge.id.0, first.changed, first.forgotten.len()), (FIRST_CUSTOM, true, 0));
        assert_eq!((badge.scim, badge.claim), (Some("urn:acme:2.0:User:badge"), Some("badge")));

        let second = merge(&first.kept, &[attribute(FLOOR), class(PERSON), attribute(BADGE)]).unwrap();
        let number = |merged: &Merged, name: &[u8]| merged.schema.find_attribute(name).unwrap().id.0;
        assert_eq!((number(&second, b"acmeBadge"), number(&second, b"acmeFloor")), (FIRST_CUSTOM, FIRST_CUSTOM + 1));

        let third = merge(&second.kept, &[]).unwrap();
        assert_eq!((third.forgotten.len(), third.changed), (3, false));
        assert_eq!(number(&third, b"acmeFloor"), FIRST_CUSTOM + 1);
        assert!(third.schema.find_class(b"acmePerson").is_some());

        let fourth = merge(&third.kept, &[attribute(BADGE)]).unwrap();
        assert_eq!((number(&fourth, b"acmeBadge"), fourth.changed), (FIRST_CUSTOM, false));
        assert!(Arc::ptr_eq(&merge(&[], &[]).unwrap().schema, &Schema::standard()));
    }

    #[test]
    fn what_is_stored_binds_the_definition() {
        // Goal: what index keys and entries depend on cannot change; the rest can.
        let kept = merge(&[], &[attribute(BADGE), class(PERSON)]).unwrap().kept;
        let allowed = [
            attribute(&BADGE.replace("NAME 'acmeBadge'", "NAME ( 'acmeBadge' 'badgeNumber' ) DESC 'what opens doors'")),
            attribute(&BADGE.replace("User:badge", "User:badgeNumber").replace("X-CLAIM 'badge'", "")),
            class(&PERSON.replace("acmeBadge", "acmeBadge $ mail")),
        ];
        for definition in allowed {
            let shown = definition.text.clone();
            assert!(merge(&kept, &[definition]).unwrap().changed, "{shown}");
        }
        let refused = [
            (attribute(&BADGE.replace("121.1.15", "121.1.26").replace("caseIgnore", "caseIgnoreIA5")), "SYNTAX"),
            (attribute(&BADGE.replace("caseIgnore", "caseExact")), "EQUALITY"),
            (attribute(&BADGE.replace("SINGLE-VALUE", "")), "SINGLE-VALUE"),
            (attribute(&BADGE.replace("'acmeBadge'", "'badge'")), "a NAME"),
            (class(&PERSON.replace("AUXILIARY", "STRUCTURAL")), "the kind"),
            (class(&PERSON.replace("MAY", "MUST")), "MUST"),
            (class(&PERSON.replace("acmeBadge", "mail")), "a MAY"),
        ];
        for (definition, what) in refused {
            let shown = definition.text.clone();
            let problems = merge(&kept, &[definition]).unwrap_err();
            let told = problems.iter().any(|p| p.starts_with("acme.ldif:3: ") && p.contains(what));
            assert!(told, "{shown}: {problems:?}");
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        // Goal: nothing half-read becomes a definition, and a face has one owner.
        let bad: &[&[Given]] = &[
            &[attribute("( acme NAME 'x' )")],
            &[attribute(BADGE), attribute(BADGE)],
            &[attribute("( 1.2.3.1 NAME 'cn' SUP name )")],
            &[class("( 1.2.3.9 NAME 'acmePerson' MAY acmeBadge )")],
            &[attribute(BADGE), attribute(&FLOOR.replace(" )", " X-SCIM 'URN:acme:2.0:user:BADGE' )"))],
            &[attribute(&FLOOR.replace(" )", " X-CLAIM 'sub' )"))],
            &[attribute(&FLOOR.replace(" )", " X-CLAIM 'email' )"))],
            &[attribute(&FLOOR.replace(" )", " X-CLAIM 'two words' )"))],
            &[attribute(&FLOOR.replace(" )", " X-SCIM 'floor' )"))],
            &[attribute(&FLOOR.replace(" )", " X-SCIM 'urn:acme:2.0:User:9floor' )"))],
            &[attribute(&FLOOR.replace(" )", " X-SCIM 'urn:ietf:params:scim:schemas:core:2.0:User:floor' )"))],
        ];
        for given in bad {
            assert!(!merge(&[], given).unwrap_err().is_empty(), "{given:?}");
        }
        // The shipped ones may be given as other servers have them.
        let shipped = merge(&[], &[attribute("( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )")]).unwrap();
        assert!(shipped.kept.is_empty());
        let many: Vec<Given> = (0..=DEFINITIONS)
            .map(|n| attribute(&format!("( 1.2.4.{n} NAME 'a{n}' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )")))
            .collect();
        assert!(merge(&[], &many).unwrap_err().iter().any(|p| p.contains("more than")));
    }
}
