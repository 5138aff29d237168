//! From lines of the catalog to a [`Schema`]: names become numbers, what a line leaves out is inherited.
//!
//! Owns the rules that definitions must obey among each other. Called once for the shipped catalog, and again
//! whenever definitions are added at run time; those have numbers from [`FIRST_CUSTOM`](super::FIRST_CUSTOM) on.

use std::collections::BTreeSet;

use super::{
    AttributeNode, ClassNode, MatchingRule, Numbered, Schema, Syntax,
    attribute::{AttributeId, AttributeType, Index, Storage},
    catalog::{
        TABLES,
        line::{AttributeLine, ClassLine},
    },
    kind::{ClassId, ClassKind, Kind, ObjectClass},
    known,
    names::NameIndex,
};

/// Chains of supertypes or superclasses longer than this are taken for a cycle.
const MAX_DEPTH: usize = 16;

/// What is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A number, name or OID that another definition already has.
    #[error("{name}: {other} is already defined")]
    Taken {
        /// The definition.
        name: &'static str,
        /// The name, OID or number that it wanted.
        other: String,
    },
    /// A supertype, superclass or attribute that is not defined.
    #[error("{name}: {missing} is not defined")]
    Missing {
        /// The definition.
        name: &'static str,
        /// What it refers to.
        missing: String,
    },
    /// Neither the type nor a supertype has a syntax.
    #[error("{0}: no syntax")]
    NoSyntax(&'static str),
    /// A type or class that is above itself.
    #[error("{0}: above itself")]
    Cycle(&'static str),
    /// A structural class below an auxiliary one, or the like (RFC 4512 §2.4).
    #[error("{0}: a class of this kind cannot be below its superclass")]
    ClassKind(&'static str),
}

/// Collects definitions.
#[derive(Debug, Default, Clone)]
pub struct SchemaBuilder {
    attributes: Vec<AttributeLine>,
    classes: Vec<ClassLine>,
}

impl SchemaBuilder {
    /// With the shipped definitions.
    pub fn with_catalog() -> Self {
        let origin = |given: &'static str, of_table: &'static str| if given.is_empty() { of_table } else { given };
        let mut builder = SchemaBuilder::default();
        for table in TABLES {
            builder.attributes.extend(
                table
                    .attributes
                    .iter()
                    .map(|line| AttributeLine { origin: origin(line.origin, table.origin), ..line.clone() }),
            );
            builder.classes.extend(
                table
                    .classes
                    .iter()
                    .map(|line| ClassLine { origin: origin(line.origin, table.origin), ..line.clone() }),
            );
        }
        builder
    }

    /// Adds an attribute type.
    pub fn attribute(&mut self, line: AttributeLine) -> &mut Self {
        self.attributes.push(line);
        self
    }

    /// Adds an object class.
    pub fn class(&mut self, line: ClassLine) -> &mut Self {
        self.classes.push(line);
        self
    }

    /// Builds the schema.
    ///
    /// # Errors
    /// Everything that is wrong with the definitions.
    pub fn build(&self) -> Result<Schema, Vec<SchemaError>> {
        let (schema, errors) = self.assemble();
        if errors.is_empty() { Ok(schema) } else { Err(errors) }
    }

    /// Builds the schema from what is right and lists what is not.
    pub(super) fn assemble(&self) -> (Schema, Vec<SchemaError>) {
        let mut errors = Vec::new();
        let mut schema = Schema {
            attributes: Numbered::new(),
            classes: Numbered::new(),
            attribute_names: NameIndex::default(),
            class_names: NameIndex::default(),
            rule_names: NameIndex::default(),
        };
        for (position, rule) in (0..).zip(MatchingRule::ALL) {
            for name in [rule.name(), rule.oid()] {
                register(&mut schema.rule_names, name, position, rule.name(), &mut errors);
            }
        }
        self.assemble_attributes(&mut schema, &mut errors);
        self.assemble_classes(&mut schema, &mut errors);
        (schema, errors)
    }

    fn assemble_attributes(&self, schema: &mut Schema, errors: &mut Vec<SchemaError>) {
        let mut taken = BTreeSet::new();
        for line in &self.attributes {
            let name = line.names.first().copied().unwrap_or(line.oid);
            if !taken.insert(line.id) {
                errors.push(SchemaError::Taken { name, other: line.id.to_string() });
            }
            for text in line.names.iter().copied().chain([line.oid]) {
                register(&mut schema.attribute_names, text, line.id, name, errors);
            }
        }
        for line in &self.attributes {
            let definition = self.resolve(line, schema, errors);
            let node = AttributeNode { definition, subtypes: Vec::new() };
            schema.attributes.insert(line.id, node);
        }
        // Every type is a subtype of itself and of everything above it.
        let mut below: Vec<(AttributeId, AttributeId)> = Vec::new();
        for line in &self.attributes {
            let mut above = Some(AttributeId(line.id));
            for _ in 0..MAX_DEPTH {
                let Some(id) = above else { break };
                below.push((id, AttributeId(line.id)));
                above = schema.attribute(id).supertype;
            }
        }
        below.sort_unstable();
        for (above, id) in below {
            if let Some(node) = schema.attributes.get_mut(above.0) {
                node.subtypes.push(id);
            }
        }
    }

    /// Fills in what the line inherits.
    fn resolve(&self, line: &AttributeLine, schema: &Schema, errors: &mut Vec<SchemaError>) -> AttributeType {
        let name = line.names.first().copied().unwrap_or(line.oid);
        let find = |name: &str| {
            let id = schema.attribute_names.find(name.as_bytes())?;
            self.attributes.iter().find(|line| line.id == id)
        };
        let mut chain = vec![line];
        let mut above = line.supertype;
        while !above.is_empty() {
            let Some(next) = find(above) else {
                errors.push(SchemaError::Missing { name, missing: above.to_owned() });
                break;
            };
            if chain.len() >= MAX_DEPTH {
                errors.push(SchemaError::Cycle(name));
                break;
            }
            chain.push(next);
            above = next.supertype;
        }
        let syntax = chain.iter().find_map(|line| line.syntax).unwrap_or_else(|| {
            errors.push(SchemaError::NoSyntax(name));
            Syntax::OctetString
        });
        let equality = chain.iter().find_map(|line| line.equality);
        let derived = if line.storage == Storage::Entry && equality.is_some() { Index::Equality } else { Index::None };
        AttributeType {
            id: AttributeId(line.id),
            oid: line.oid,
            names: line.names,
            description: line.description,
            supertype: chain.get(1).map(|line| AttributeId(line.id)),
            syntax,
            max_length: chain.iter().map(|line| line.max_length).find(|length| *length > 0).unwrap_or(0),
            equality,
            ordering: chain.iter().find_map(|line| line.ordering),
            substring: chain.iter().find_map(|line| line.substring),
            single_value: line.single_value,
            no_user_modification: line.no_user_modification,
            usage: line.usage,
            storage: line.storage,
            index: line.index.unwrap_or(derived),
            scim: line.scim,
            claim: line.claim,
            origin: line.origin,
        }
    }

    fn assemble_classes(&self, schema: &mut Schema, errors: &mut Vec<SchemaError>) {
        let mut taken = BTreeSet::new();
        for line in &self.classes {
            let name = line.names.first().copied().unwrap_or(line.oid);
            if !taken.insert(line.id) {
                errors.push(SchemaError::Taken { name, other: line.id.to_string() });
            }
            for text in line.names.iter().copied().chain([line.oid]) {
                register(&mut schema.class_names, text, line.id, name, errors);
            }
        }
        for line in &self.classes {
            let node = ClassNode {
                definition: class_definition(line, schema, errors),
                superclasses: Vec::new(),
                must: Vec::new(),
                allowed: Vec::new(),
                kind: Kind::Other,
            };
            schema.classes.insert(line.id, node);
        }
        for line in &self.classes {
            let name = line.names.first().copied().unwrap_or(line.oid);
            let superclasses = closure(ClassId(line.id), schema);
            if superclasses
                .iter()
                .skip(1)
                .any(|id| schema.class(*id).is_some_and(|above| above.superclasses.contains(&ClassId(line.id))))
            {
                errors.push(SchemaError::Cycle(name));
            }
            let mut must = BTreeSet::new();
            let mut may = BTreeSet::new();
            for class in superclasses.iter().filter_map(|id| schema.class(*id)) {
                must.extend(class.must.iter().copied());
                may.extend(class.may.iter().copied());
                if !may_be_below(line.kind, class.kind) {
                    errors.push(SchemaError::ClassKind(name));
                }
            }
            let kind = superclasses.iter().map(|id| own_kind(*id)).max_by_key(|kind| kind.precedence());
            if let Some(node) = schema.classes.get_mut(line.id) {
                node.allowed = may.union(&must).copied().collect();
                node.must = must.into_iter().collect();
                node.superclasses = superclasses;
                node.kind = kind.unwrap_or(Kind::Other);
            }
        }
    }
}

fn register(index: &mut NameIndex, text: &str, number: u16, name: &'static str, errors: &mut Vec<SchemaError>) {
    if index.insert(text.as_bytes(), number).is_err() {
        errors.push(SchemaError::Taken { name, other: text.to_owned() });
    }
}

fn class_definition(line: &ClassLine, schema: &Schema, errors: &mut Vec<SchemaError>) -> ObjectClass {
    let name = line.names.first().copied().unwrap_or(line.oid);
    let mut numbers = |index: &NameIndex, list: &str| {
        let mut found = Vec::new();
        for text in list.split_ascii_whitespace() {
            match index.find(text.as_bytes()) {
                Some(number) => found.push(number),
                None => errors.push(SchemaError::Missing { name, missing: text.to_owned() }),
            }
        }
        found
    };
    let superclasses = numbers(&schema.class_names, line.superclasses);
    let [must, may, naming] = [line.must, line.may, line.naming].map(|list| numbers(&schema.attribute_names, list));
    let attributes = |numbers: Vec<u16>| numbers.into_iter().map(AttributeId).collect();
    ObjectClass {
        id: ClassId(line.id),
        oid: line.oid,
        names: line.names,
        description: line.description,
        superclasses: superclasses.into_iter().map(ClassId).collect(),
        kind: line.kind,
        must: attributes(must),
        may: attributes(may),
        naming: attributes(naming),
        stands_alone: line.stands_alone,
        origin: line.origin,
    }
}

/// The class and everything above it, nearest first.
fn closure(id: ClassId, schema: &Schema) -> Vec<ClassId> {
    let mut found = vec![id];
    let mut position = 0;
    while let Some(class) = found.get(position).and_then(|id| schema.class(*id)) {
        for above in &class.superclasses {
            if !found.contains(above) {
                found.push(*above);
            }
        }
        position = position.saturating_add(1);
    }
    found
}

/// RFC 4512 §2.4.1 to §2.4.3.
fn may_be_below(kind: ClassKind, above: ClassKind) -> bool {
    kind == above || above == ClassKind::Abstract
}

/// The kind of entry that a class stands for by itself.
fn own_kind(id: ClassId) -> Kind {
    known::KINDS.iter().find(|(class, _)| *class == id).map_or(Kind::Other, |(_, kind)| *kind)
}
