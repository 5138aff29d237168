//! The schema as the text of RFC 4512 §4.1: what the subschema entry shows.
//!
//! Owns the writing of definitions; [`super::extension`] reads them. Called by the LDAP door for `cn=Subschema` and by
//! the manual's tables. The whole projection is pinned in `golden/subschema.txt`.

use std::fmt::{self, Display, Formatter};

use super::{
    AttributeType, FIRST_CUSTOM, MatchingRule, ObjectClass, RuleKind, Schema, Syntax, Usage,
    attribute::AttributeId,
    kind::ClassKind,
    known::attribute::{ATTRIBUTE_TYPES, LDAP_SYNTAXES, MATCHING_RULE_USE, MATCHING_RULES, OBJECT_CLASSES},
};

impl Schema {
    /// The attributes of the subschema entry that list definitions, with their values.
    pub fn subschema(&self) -> [(AttributeId, Vec<String>); 5] {
        let rules = || MatchingRule::ALL.iter().copied();
        [
            (LDAP_SYNTAXES, Syntax::ALL.iter().copied().map(describe_syntax).collect()),
            (MATCHING_RULES, rules().map(describe_rule).collect()),
            (MATCHING_RULE_USE, rules().filter_map(|rule| self.describe_rule_use(rule)).collect()),
            (ATTRIBUTE_TYPES, self.attributes().map(|attribute| self.describe_attribute(attribute)).collect()),
            (OBJECT_CLASSES, self.classes().map(|class| self.describe_class(class)).collect()),
        ]
    }

    /// RFC 4512 §4.1.2. What a type inherits is not repeated.
    pub fn describe_attribute(&self, attribute: &AttributeType) -> String {
        let above = attribute.supertype.map(|id| self.attribute(id));
        let own = |rule: Option<MatchingRule>, of: fn(&AttributeType) -> Option<MatchingRule>| {
            rule.filter(|_| above.and_then(of) != rule)
        };
        let mut text = Text::new(attribute.oid, attribute.names, attribute.description);
        text.word("SUP", above.map(AttributeType::name));
        text.word("EQUALITY", own(attribute.equality, |above| above.equality).map(MatchingRule::name));
        text.word("ORDERING", own(attribute.ordering, |above| above.ordering).map(MatchingRule::name));
        text.word("SUBSTR", own(attribute.substring, |above| above.substring).map(MatchingRule::name));
        let inherited = above.map(|above| (above.syntax, above.max_length));
        if inherited != Some((attribute.syntax, attribute.max_length)) {
            let length = (attribute.max_length > 0).then(|| format!("{{{}}}", attribute.max_length));
            text.word("SYNTAX", Some(format!("{}{}", attribute.syntax.oid(), length.unwrap_or_default())));
        }
        text.flag("SINGLE-VALUE", attribute.single_value);
        text.flag("NO-USER-MODIFICATION", attribute.no_user_modification);
        text.word(
            "USAGE",
            match attribute.usage {
                Usage::User => None,
                Usage::Directory => Some("directoryOperation"),
                Usage::Distributed => Some("distributedOperation"),
                Usage::Dsa => Some("dSAOperation"),
            },
        );
        // What the shipped ones are to the other doors is in the manual, and clients parse their definitions as they are.
        if attribute.id.0 >= FIRST_CUSTOM {
            text.word("X-SCIM", attribute.scim.map(Quoted));
            text.word("X-CLAIM", attribute.claim.map(Quoted));
        }
        text.finish(attribute.origin)
    }

    /// RFC 4512 §4.1.1.
    pub fn describe_class(&self, class: &ObjectClass) -> String {
        let attributes = |ids: &[AttributeId]| ids.iter().map(|id| self.attribute(*id).name()).collect::<Vec<_>>();
        let superclasses: Vec<&str> =
            class.superclasses.iter().filter_map(|id| self.class(*id)).map(ObjectClass::name).collect();
        let mut text = Text::new(class.oid, class.names, class.description);
        text.list("SUP", &superclasses);
        text.flag(
            match class.kind {
                ClassKind::Abstract => "ABSTRACT",
                ClassKind::Structural => "STRUCTURAL",
                ClassKind::Auxiliary => "AUXILIARY",
            },
            true,
        );
        text.list("MUST", &attributes(&class.must));
        text.list("MAY", &attributes(&class.may));
        text.finish(class.origin)
    }

    /// RFC 4512 §4.1.4: the types that an extensible filter may name together with the rule; `None` when there are
    /// none.
    fn describe_rule_use(&self, rule: MatchingRule) -> Option<String> {
        let applies = |attribute: &&AttributeType| {
            let own = [attribute.equality, attribute.ordering, attribute.substring].contains(&Some(rule));
            let special = rule.kind() == RuleKind::Special && rule.syntax() == attribute.syntax;
            attribute.is_filterable() && (own || special)
        };
        let names: Vec<&str> = self.attributes().filter(applies).map(AttributeType::name).collect();
        if names.is_empty() {
            return None;
        }
        let mut text = Text::new(rule.oid(), &[rule.name()], "");
        text.list("APPLIES", &names);
        Some(text.finish(""))
    }
}

/// RFC 4512 §4.1.3.
fn describe_rule(rule: MatchingRule) -> String {
    let mut text = Text::new(rule.oid(), &[rule.name()], "");
    text.word("SYNTAX", Some(rule.syntax().oid()));
    text.finish("")
}

/// RFC 4512 §4.1.5, with the two extensions by which clients tell binary values.
fn describe_syntax(syntax: Syntax) -> String {
    let mut text = Text::new(syntax.oid(), &[], syntax.description());
    text.word("X-NOT-HUMAN-READABLE", syntax.is_binary().then_some("'TRUE'"));
    text.word("X-BINARY-TRANSFER-REQUIRED", syntax.needs_binary_transfer().then_some("'TRUE'"));
    text.finish("")
}

/// A definition being written.
struct Text(String);

impl Text {
    fn new(oid: &str, names: &[&str], description: &str) -> Text {
        let mut text = Text(format!("( {oid}"));
        let quoted: Vec<String> = names.iter().map(|name| Quoted(name).to_string()).collect();
        match quoted.as_slice() {
            [] => {}
            [name] => text.word("NAME", Some(name)),
            names => text.word("NAME", Some(format!("( {} )", names.join(" ")))),
        }
        text.word("DESC", Some(description).filter(|text| !text.is_empty()).map(Quoted));
        text
    }

    fn flag(&mut self, keyword: &str, set: bool) {
        if set {
            self.0.push(' ');
            self.0.push_str(keyword);
        }
    }

    fn word(&mut self, keyword: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.flag(keyword, true);
            self.flag(&value.to_string(), true);
        }
    }

    fn list(&mut self, keyword: &str, names: &[&str]) {
        match names {
            [] => {}
            [name] => self.word(keyword, Some(name)),
            names => self.word(keyword, Some(format!("( {} )", names.join(" $ ")))),
        }
    }

    fn finish(mut self, origin: &str) -> String {
        self.word("X-ORIGIN", Some(origin).filter(|origin| !origin.is_empty()).map(Quoted));
        self.0.push_str(" )");
        self.0
    }
}

/// RFC 4512 §4.1 `qdstring`.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\\', "\\5C").replace('\'', "\\27"))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_projection_is_pinned() {
        // Goal: clients parse and cache the subschema; it changes only when the catalog does.
        let schema = Schema::standard();
        let mut text = String::from("dn: cn=Subschema\n");
        for (attribute, values) in schema.subschema() {
            for value in values {
                writeln!(text, "{}: {value}", schema.attribute(attribute).name()).unwrap();
            }
        }
        crate::schema::golden::check("subschema.txt", &text);
    }

    #[test]
    fn every_value_is_of_its_syntax() {
        // Goal: what the server shows would pass its own check.
        let schema = Schema::standard();
        for (attribute, values) in schema.subschema() {
            for value in values {
                assert_eq!(schema.attribute(attribute).syntax.validate(value.as_bytes()), Ok(()), "{value}");
            }
        }
    }

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        // Goal: a description cannot end its own quotes.
        assert_eq!(Quoted(r"it's \ here").to_string(), r"'it\27s \5C here'");
    }
}
