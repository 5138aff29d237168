//! From [`Filter`] to [`Resolved`]: every attribute found, every literal of the attribute's type.
//!
//! Owns what may be asked of which attribute (RFC 7644 §3.4.2.2): secrets cannot be asked for, booleans and octets have no
//! order, and an attribute that nobody knows is an error, never a filter that matches everything.

use std::sync::Arc;

use super::Mode;
use super::ast::{Filter, Literal, Op, Rest};
use super::resolved::{Operand, Resolved, Test};
use crate::protocol::error::{ScimError, echo};
use crate::protocol::path::AttrPath;
use crate::protocol::time::Instant;
use crate::protocol::value::fold;
use crate::schema::{Attribute, Kind, Place, ResourceType};

impl Filter {
    /// The filter about resources of `kind`.
    ///
    /// # Errors
    /// 400 `invalidFilter` for an attribute that is unknown or secret, and for a literal or operator that the attribute's
    /// type does not have. [`Mode::Lenient`] takes `"True"` for a boolean and `7` for a text.
    pub fn resolve(&self, kind: &ResourceType, mode: Mode) -> Result<Resolved, ScimError> {
        Resolver { kind, others: &[], mode }.filter(self)
    }
}

/// The filter for a search over several resource types, one answer per type, in their order. An attribute that only other
/// types have is one without a value (RFC 7644 §3.4.2.1).
///
/// # Errors
/// As [`Filter::resolve`], when no type knows an attribute.
pub fn resolve_across(filter: &Filter, kinds: &[&ResourceType], mode: Mode) -> Result<Vec<Resolved>, ScimError> {
    kinds.iter().map(|kind| Resolver { kind, others: kinds, mode }.filter(filter)).collect()
}

/// The filter of a value path of PATCH, about one element of `attribute`.
///
/// # Errors
/// 400 `invalidFilter`, as [`Filter::resolve`].
pub fn element(filter: &Filter, attribute: &Attribute, mode: Mode) -> Result<Resolved, ScimError> {
    Element { attribute, mode }.filter(filter)
}

struct Resolver<'a> {
    kind: &'a ResourceType,
    others: &'a [&'a ResourceType],
    mode: Mode,
}

impl Resolver<'_> {
    fn filter(&self, filter: &Filter) -> Result<Resolved, ScimError> {
        Ok(match filter {
            Filter::And(parts) => Resolved::And(parts.iter().map(|part| self.filter(part)).collect::<Result<_, _>>()?),
            Filter::Or(parts) => Resolved::Or(parts.iter().map(|part| self.filter(part)).collect::<Result<_, _>>()?),
            Filter::Not(part) => Resolved::Not(Box::new(self.filter(part)?)),
            Filter::Compare { path, op, value } => match self.place(path)? {
                Some(place) => compare(place, *op, value, self.mode)?,
                None => constant(without_value(*op, value)),
            },
            Filter::Present { path } => match self.place(path)? {
                Some(place) => Resolved::Test { place, test: Test::Present },
                None => constant(false),
            },
            Filter::ValuePath { path, inner, rest } => match self.place(path)? {
                Some(place) => {
                    let within = Element { attribute: &place.attribute, mode: self.mode };
                    let inner = within.with_rest(inner, rest.as_ref())?;
                    Resolved::Element { place, inner: Box::new(inner) }
                }
                None => constant(false),
            },
        })
    }

    /// What the path names; none when only other types have it.
    fn place(&self, path: &AttrPath) -> Result<Option<Place>, ScimError> {
        match path.place(self.kind).or_else(|| self.in_an_extension(path)) {
            Some(place) => open(place, path).map(Some),
            None if self.others.iter().any(|other| path.place(other).is_some_and(|place| !is_secret(&place))) => {
                Ok(None)
            }
            None => Err(unknown(path)),
        }
    }
}

impl Resolver<'_> {
    /// An attribute of an extension that is named without its URN, as Entra names `manager`.
    fn in_an_extension(&self, path: &AttrPath) -> Option<Place> {
        if self.mode == Mode::Strict || path.urn.is_some() {
            return None;
        }
        let urns = self.kind.extensions.iter().map(|extension| extension.schema.id.as_str());
        urns.filter_map(|urn| self.kind.place(Some(urn), &path.name, path.sub.as_deref())).next()
    }
}

/// Filters inside brackets.
struct Element<'a> {
    attribute: &'a Attribute,
    mode: Mode,
}

impl Element<'_> {
    fn with_rest(&self, inner: &Filter, rest: Option<&Rest>) -> Result<Resolved, ScimError> {
        let inner = self.filter(inner)?;
        let Some(Rest { sub, test }) = rest else { return Ok(inner) };
        let place = self.place(&AttrPath { urn: None, name: sub.clone(), sub: None })?;
        let asked = match test {
            None => Resolved::Test { place, test: Test::Present },
            Some((op, value)) => compare(place, *op, value, self.mode)?,
        };
        Ok(Resolved::And(vec![inner, asked]))
    }

    fn filter(&self, filter: &Filter) -> Result<Resolved, ScimError> {
        Ok(match filter {
            Filter::And(parts) => Resolved::And(parts.iter().map(|part| self.filter(part)).collect::<Result<_, _>>()?),
            Filter::Or(parts) => Resolved::Or(parts.iter().map(|part| self.filter(part)).collect::<Result<_, _>>()?),
            Filter::Not(part) => Resolved::Not(Box::new(self.filter(part)?)),
            Filter::Compare { path, op, value } => compare(self.place(path)?, *op, value, self.mode)?,
            Filter::Present { path } => Resolved::Test { place: self.place(path)?, test: Test::Present },
            Filter::ValuePath { path, .. } => return Err(unknown(path)),
        })
    }

    /// A sub-attribute; of plain values, `value` is the value itself.
    fn place(&self, path: &AttrPath) -> Result<Place, ScimError> {
        let own = path.urn.is_none() && path.sub.is_none();
        let found = match self.attribute.sub(&path.name) {
            Some(sub) => Some(Arc::clone(sub)),
            None if !self.attribute.is_complex() && path.name.eq_ignore_ascii_case("value") => {
                Some(Arc::new(Attribute { name: "value".to_owned(), multi_valued: false, ..self.attribute.clone() }))
            }
            None => None,
        };
        let attribute = found.filter(|_| own).ok_or_else(|| unknown(path))?;
        open(Place { extension: None, attribute, sub: None }, path)
    }
}

fn unknown(path: &AttrPath) -> ScimError {
    ScimError::invalid_filter(format!("no attribute `{}`", echo(&path.to_string())))
}

fn is_secret(place: &Place) -> bool {
    place.attribute.is_secret() || place.leaf().is_secret()
}

fn open(place: Place, path: &AttrPath) -> Result<Place, ScimError> {
    if is_secret(&place) {
        return Err(ScimError::invalid_filter(format!("`{}` cannot be asked for", echo(&path.to_string()))));
    }
    Ok(place)
}

fn constant(value: bool) -> Resolved {
    if value { Resolved::And(Vec::new()) } else { Resolved::Or(Vec::new()) }
}

/// What a comparison says of a resource without the attribute.
fn without_value(op: Op, value: &Literal) -> bool {
    match op {
        Op::Eq => *value == Literal::Null,
        Op::Ne => *value != Literal::Null,
        _ => false,
    }
}

fn compare(place: Place, op: Op, value: &Literal, mode: Mode) -> Result<Resolved, ScimError> {
    let place = with_default_sub(place);
    let attribute = Arc::clone(place.leaf());
    let refuse = |why: &str| Err(ScimError::invalid_filter(format!("`{}` {why}", place.path())));
    let equality = matches!(op, Op::Eq | Op::Ne);
    let parts = matches!(op, Op::Co | Op::Sw | Op::Ew);
    if *value == Literal::Null {
        if !equality {
            return refuse("is compared with null by eq and ne only");
        }
        return Ok(Resolved::Test { place, test: Test::Compare { op, operand: Operand::Null } });
    }
    let allowed = match attribute.kind {
        Kind::String | Kind::Reference(_) | Kind::DateTime => true,
        Kind::Boolean | Kind::Binary => equality,
        Kind::Decimal | Kind::Integer => !parts,
        Kind::Complex(_) => return refuse("is complex: a sub-attribute is compared"),
    };
    if !allowed {
        return refuse(&format!("cannot be compared by {}", op.name()));
    }
    let Some(operand) = operand(&attribute, parts, value, mode) else {
        return refuse(&format!("cannot be compared with {}", echo(&value.to_string())));
    };
    if let Operand::Text { given, .. } = &operand
        && parts
        && given.is_empty()
    {
        return refuse(&format!("is asked by {} for nothing", op.name()));
    }
    Ok(Resolved::Test { place, test: Test::Compare { op, operand } })
}

/// A complex attribute is compared by its `value` (RFC 7644 §3.4.2.2, RFC 7643 §2.4).
fn with_default_sub(place: Place) -> Place {
    if place.sub.is_some() {
        return place;
    }
    let sub = place.attribute.sub("value").cloned();
    Place { sub, ..place }
}

fn operand(attribute: &Attribute, parts: bool, value: &Literal, mode: Mode) -> Option<Operand> {
    let lenient = mode == Mode::Lenient;
    let word = match value {
        Literal::Text(word) | Literal::Bare(word) => Some(word.as_str()),
        _ => None,
    };
    Some(match (&attribute.kind, value) {
        (Kind::Boolean, Literal::Bool(value)) => Operand::Bool(*value),
        (Kind::Boolean, _) if lenient => Operand::Bool(boolean(word?)?),
        (Kind::Decimal | Kind::Integer, Literal::Number(number)) => Operand::Number(number.clone()),
        (Kind::Decimal | Kind::Integer, _) if lenient => Operand::Number(serde_json::from_str(word?).ok()?),
        (Kind::DateTime, Literal::Text(given) | Literal::Bare(given)) if !parts => {
            Operand::Time { given: given.clone(), instant: Instant::read(given)? }
        }
        (
            Kind::String | Kind::Reference(_) | Kind::DateTime | Kind::Binary,
            Literal::Text(given) | Literal::Bare(given),
        ) => text(attribute, given.clone()),
        (Kind::String | Kind::Reference(_), Literal::Number(number)) if lenient => text(attribute, number.to_string()),
        (Kind::String, Literal::Bool(value)) if lenient => text(attribute, value.to_string()),
        _ => return None,
    })
}

fn text(attribute: &Attribute, given: String) -> Operand {
    let folded = attribute.folds_case().then(|| fold(&given));
    Operand::Text { given, folded }
}

/// `true` or `false` in any case.
pub(crate) fn boolean(word: &str) -> Option<bool> {
    if word.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    word.eq_ignore_ascii_case("false").then_some(false)
}
