//! Which attributes of a found entry are wanted (RFC 4511 §4.5.1.8), and handing them over.

use super::computed;
use crate::access::{Rights, Sight, shows};
use crate::entry::record::Record;
use crate::error::Refusal;
use crate::filter::evaluate::Evaluation;
use crate::id::EntryId;
use crate::schema::attribute::{AttributeType, Storage};
use crate::schema::kind::Kind;
use crate::schema::{AttributeDescription, AttributeId, Schema, known};
use crate::store::membership::{MEMBER, UNIQUE_MEMBER};
use crate::store::view::View;

/// Takes the attributes of an entry, one after another. Every attribute is begun and ended; types-only ones have no
/// values between.
pub trait Sink {
    /// An attribute begins.
    fn attribute(&mut self, description: &[u8]);
    /// One of its values.
    fn value(&mut self, value: &[u8]);
    /// It ends.
    fn end_attribute(&mut self);
}

/// Numbers of attribute types from here on are given at run time, and far apart.
const SHIPPED: usize = 0x8000;

/// The attributes that a request asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    user: bool,
    operational: bool,
    named: Vec<Named>,
    /// By the numbers of shipped types: named, itself or by a supertype. Most attributes of most entries are not.
    mentioned: Vec<bool>,
    /// The named attributes outside the record, once each.
    outside: Vec<AttributeId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    types: Vec<AttributeId>,
    description: AttributeDescription,
    /// As the request spells it.
    spelling: Vec<u8>,
}

impl Selection {
    /// Reads an attribute selection: nothing at all or `*` for the user attributes, `+` for the operational ones
    /// (RFC 3673), `@class` for those of a class (RFC 4529), `1.1` for none. What is not known is passed over.
    pub fn parse<'a>(schema: &Schema, attributes: impl IntoIterator<Item = &'a [u8]>) -> Selection {
        let mut selection = Selection::default();
        let mut empty = true;
        for name in attributes {
            empty = false;
            match name {
                b"*" => selection.user = true,
                b"+" => selection.operational = true,
                b"1.1" => {}
                [b'@', class @ ..] => {
                    let class = schema.find_class(class).map(|c| c.id);
                    for class in class.iter().flat_map(|c| schema.superclasses(*c)) {
                        for id in schema.allowed(*class) {
                            selection.name(schema, schema.attribute(*id).name().as_bytes());
                        }
                    }
                }
                name => selection.name(schema, name),
            }
        }
        selection.user |= empty;
        selection
    }

    fn name(&mut self, schema: &Schema, name: &[u8]) {
        if let Ok(description) = AttributeDescription::parse(schema, name) {
            let types = schema.subtypes(description.id).to_vec();
            for id in types.iter().copied().chain([description.id]) {
                let number = usize::from(id.0);
                if number < SHIPPED {
                    self.mentioned.resize(self.mentioned.len().max(number.saturating_add(1)), false);
                    self.mentioned.get_mut(number).into_iter().for_each(|m| *m = true);
                }
                if types.contains(&id) && outside_record(schema.attribute(id)) && !self.outside.contains(&id) {
                    self.outside.push(id);
                }
            }
            self.named.push(Named { types, description, spelling: name.to_vec() });
        }
    }

    /// No attribute is wanted.
    pub fn is_empty(&self) -> bool {
        !self.user && !self.operational && self.named.is_empty()
    }

    /// How an attribute is wanted: by the spelling of the request, or by its class of usage.
    fn wants<'s>(&'s self, kind: &AttributeType, options: &[u8]) -> Option<Option<&'s [u8]>> {
        let number = usize::from(kind.id.0);
        let mentioned = number >= SHIPPED || self.mentioned.get(number).copied().unwrap_or(false);
        for named in if mentioned { self.named.as_slice() } else { &[] } {
            let own = named.description.id == kind.id;
            if !own && !named.types.contains(&kind.id) {
                continue;
            }
            if named.description.covers(&options.split(|b| *b == b';')) {
                let count = named.description.options.len();
                let exact = own && count == options_count(options) && !named.description.is_range();
                return Some(exact.then_some(named.spelling.as_slice()));
            }
        }
        let by_usage = if kind.is_operational() { self.operational } else { self.user };
        by_usage.then_some(None)
    }
}

fn options_count(options: &[u8]) -> usize {
    if options.is_empty() { 0 } else { options.split(|b| *b == b';').count() }
}

/// Hands the wanted and visible attributes of an entry to a sink.
#[expect(clippy::too_many_arguments, reason = "one call site per door; a struct would only rename them")]
pub(super) fn emit<V: View>(
    evaluation: &Evaluation<'_, V>,
    rights: &Rights,
    id: EntryId,
    record: &Record<'_>,
    sight: Sight,
    selection: &Selection,
    types_only: bool,
    sink: &mut impl Sink,
) -> Result<(), Refusal> {
    if selection.is_empty() {
        return Ok(());
    }
    let schema = evaluation.schema;
    let mut name = Vec::new();
    for attribute in record.attributes() {
        let kind = schema.attribute(attribute.id);
        let Some(spelling) = selection.wants(kind, attribute.options) else { continue };
        if !shows(sight, kind) {
            continue;
        }
        sink.attribute(describe(kind, attribute.options, spelling, &mut name));
        if !types_only {
            for value in attribute.values() {
                sink.value(value);
            }
        }
        sink.end_attribute();
    }
    let mut outside = Outside { evaluation, rights, id, record, selection, types_only, sink };
    let may_hold = matches!(record.kind(), Kind::Group | Kind::Role | Kind::Other);
    if may_hold || record.has_class(known::class::EXTENSIBLE_OBJECT) {
        outside.edges("member", MEMBER)?;
        outside.edges("uniqueMember", UNIQUE_MEMBER)?;
    }
    outside.computed(sight)
}

fn describe<'n>(kind: &AttributeType, options: &[u8], spelling: Option<&'n [u8]>, name: &'n mut Vec<u8>) -> &'n [u8] {
    if let Some(spelling) = spelling {
        return spelling;
    }
    name.clear();
    name.extend_from_slice(kind.name().as_bytes());
    if kind.syntax.needs_binary_transfer() {
        name.extend_from_slice(b";binary");
    }
    if !options.is_empty() {
        name.push(b';');
        name.extend_from_slice(options);
    }
    name
}

/// The attributes that are not in the record.
struct Outside<'a, 'e, V, S> {
    evaluation: &'a Evaluation<'e, V>,
    rights: &'a Rights,
    id: EntryId,
    record: &'a Record<'a>,
    selection: &'a Selection,
    types_only: bool,
    sink: &'a mut S,
}

impl<V: View, S: Sink> Outside<'_, '_, V, S> {
    fn edges(&mut self, name: &str, by: u8) -> Result<(), Refusal> {
        let Some(kind) = self.evaluation.schema.find_attribute(name.as_bytes()) else { return Ok(()) };
        let Some(spelling) = self.selection.wants(kind, &[]) else { return Ok(()) };
        let mut opened = false;
        let (sink, types_only) = (&mut *self.sink, self.types_only);
        computed::members(self.evaluation.view, self.rights, self.id, by, &mut |dn| {
            if !std::mem::replace(&mut opened, true) {
                sink.attribute(spelling.unwrap_or(kind.name().as_bytes()));
            }
            if !types_only {
                sink.value(dn);
            }
        })?;
        if opened {
            self.sink.end_attribute();
        }
        Ok(())
    }

    fn computed(&mut self, sight: Sight) -> Result<(), Refusal> {
        let schema = self.evaluation.schema;
        if self.selection.operational {
            for kind in schema.attributes().filter(|k| outside_record(k)) {
                self.one(kind, sight)?;
            }
            return Ok(());
        }
        self.selection.outside.iter().try_for_each(|id| self.one(schema.attribute(*id), sight))
    }

    fn one(&mut self, kind: &AttributeType, sight: Sight) -> Result<(), Refusal> {
        let Some(spelling) = self.selection.wants(kind, &[]) else { return Ok(()) };
        if !shows(sight, kind) {
            return Ok(());
        }
        let mut opened = false;
        let (sink, types_only) = (&mut *self.sink, self.types_only);
        let mut each = |value: &[u8]| {
            if !std::mem::replace(&mut opened, true) {
                sink.attribute(spelling.unwrap_or(kind.name().as_bytes()));
            }
            if !types_only {
                sink.value(value);
            }
        };
        if kind.storage == Storage::Edge {
            computed::groups(self.evaluation, self.rights, self.id, &mut each)?;
        } else {
            computed::values(self.evaluation, kind.id, self.id, self.record, &mut each)?;
        }
        if opened {
            self.sink.end_attribute();
        }
        Ok(())
    }
}

/// Attributes of this server that no record holds; `member` and `uniqueMember` are handled with the record.
fn outside_record(kind: &AttributeType) -> bool {
    match kind.storage {
        Storage::Computed | Storage::Account => true,
        Storage::Edge => kind.is_operational(),
        Storage::Entry | Storage::Credential => false,
    }
}
