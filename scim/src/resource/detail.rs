//! What SCIM says about values and the directory's attributes cannot: types, primary, display, further addresses, `ims`.
//!
//! Owns the form of `rollbookScimDetail`: `NAME SP JSON` per value. Under the name of a multi-valued attribute stands the array
//! of its elements in their order. An element with `"$": ATTRIBUTE` decorates a value that the directory holds there, and is
//! shown only while that value is there; one without stands for itself. Under `-` stand the values that were put where the
//! directory demands one and the client gave none (`cn`, `sn`): they are shown to LDAP alone, as long as nobody changes them.

use crate::protocol::tree::{Object, Tree};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The key of an element that decorates.
pub const AT: &str = "$";
/// The name of the values that fill demanded attributes.
pub const FILLERS: &str = "-";
/// The name under which stands the value of `active` that a client took away: it is not told while it is still that.
pub const UNTOLD: &str = "active";
/// The longest detail in bytes; a longer one is refused.
pub const LONGEST: usize = 256 * 1024;

/// The details of one resource, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detail<'v> {
    parts: Vec<(Cow<'v, str>, Tree<'v>)>,
}

impl<'v> Detail<'v> {
    /// Takes a stored value in; what does not read is passed over, for LDAP clients may write here.
    pub fn take(&mut self, stored: &'v [u8]) {
        let read = std::str::from_utf8(stored).ok().and_then(|text| text.split_once(' '));
        if let Some((name, json)) = read
            && let Ok(value) = serde_json::from_str(json)
        {
            self.parts.push((name.into(), value));
        }
    }

    /// Takes the elements under a name out.
    pub fn take_elements(&mut self, name: &str) -> Vec<Tree<'v>> {
        match self.parts.iter_mut().find(|(known, _)| known == name) {
            Some((_, Tree::List(elements))) => std::mem::take(elements),
            _ => Vec::new(),
        }
    }

    /// The value that fills a demanded attribute.
    pub fn filler(&self, attribute: &str) -> Option<&str> {
        let found = self.parts.iter().find(|(known, _)| known == FILLERS);
        found.and_then(|(_, value)| value.get(attribute)).and_then(Tree::as_str)
    }

    /// Puts elements under a name; none: the name goes.
    pub fn set(&mut self, name: &'static str, elements: Vec<Tree<'v>>) {
        self.parts.retain(|(known, _)| known != name);
        if !elements.is_empty() {
            self.parts.push((name.into(), Tree::List(elements)));
        }
    }

    /// Says which values fill.
    pub fn set_fillers(&mut self, fillers: Object<'v>) {
        self.parts.retain(|(known, _)| known != FILLERS);
        if !fillers.is_empty() {
            self.parts.push((FILLERS.into(), Tree::Object(fillers)));
        }
    }

    /// The stored values.
    pub fn values(&self) -> Vec<Vec<u8>> {
        let stored = |(name, value): &(Cow<'_, str>, Tree<'_>)| {
            let mut out = Vec::with_capacity(128);
            out.extend_from_slice(name.as_bytes());
            out.push(b' ');
            value.write(&mut out);
            out
        };
        self.parts.iter().map(stored).collect()
    }
}

/// A value that the directory holds, as an element of a multi-valued attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<'v> {
    /// The attribute that holds it.
    pub at: &'static str,
    /// The `value`.
    pub value: Cow<'v, str>,
    /// The `type`, when the attribute says one.
    pub kind: Option<&'static str>,
}

impl<'v> Held<'v> {
    /// What it looks like when nothing decorates it.
    fn plain(self) -> Tree<'v> {
        let mut plain = Object::with_capacity(2);
        if let Some(kind) = self.kind {
            plain.insert("type", kind);
        }
        plain.insert("value", self.value);
        plain.into()
    }

    /// Whether an element looks like that.
    pub fn is_plainly(&self, element: &Map<String, Value>) -> bool {
        let text = |name| element.get(name).and_then(Value::as_str);
        let size = if self.kind.is_some() { 2 } else { 1 };
        element.len() == size && text("type") == self.kind && text("value") == Some(&*self.value)
    }
}

/// The elements of a multi-valued attribute: those of the detail in their order, then the values that nothing decorates.
pub fn compose<'v>(detail: Vec<Tree<'v>>, held: Vec<Held<'v>>) -> Vec<Tree<'v>> {
    let mut used = vec![false; held.len()];
    let mut out = Vec::with_capacity(held.len().max(detail.len()));
    for element in detail {
        let Tree::Object(mut element) = element else { continue };
        if let Some(at) = element.get(AT).and_then(Tree::as_str) {
            let value = element.get("value").and_then(Tree::as_str);
            let Some(found) = held.iter().position(|h| h.at == at && Some(&*h.value) == value) else { continue };
            used.get_mut(found).into_iter().for_each(|used| *used = true);
            element.remove(AT);
        }
        out.push(Tree::Object(element));
    }
    out.extend(held.into_iter().zip(used).filter(|(_, used)| !used).map(|(held, _)| held.plain()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn held(at: &'static str, value: &'static str) -> Held<'static> {
        Held { at, value: value.into(), kind: Some("work") }
    }

    #[test]
    fn what_the_directory_holds_is_the_truth() {
        // Goal: a decoration goes with its value, an undecorated value is shown plainly, what stands for itself stays.
        let detail = [
            json!({"$": "mail", "value": "a@x", "primary": true}),
            json!({"$": "mail", "value": "gone@x", "type": "home"}),
            json!({"value": "free", "type": "other"}),
        ];
        let shown = compose(detail.map(Tree::from).into(), vec![held("mail", "new@x"), held("mail", "a@x")]);
        let shown: Vec<Value> = shown.into_iter().map(Value::from).collect();
        let wanted = [
            json!({"value": "a@x", "primary": true}),
            json!({"value": "free", "type": "other"}),
            json!({"value": "new@x", "type": "work"}),
        ];
        assert_eq!(shown, wanted);
    }

    #[test]
    fn what_needs_no_detail_is_what_is_shown_without_one() {
        // Goal: the question that decides whether a detail is kept, and what is shown when there is none, agree.
        let elements = [
            json!({"value": "a"}),
            json!({"value": "b"}),
            json!({"value": "a", "type": "work"}),
            json!({"value": "a", "type": "home"}),
            json!({"value": "a", "display": "A"}),
            json!({"value": "a", "type": "work", "primary": true}),
            json!({"type": "work"}),
            json!({}),
        ];
        for held in [Held { kind: None, ..held("mail", "a") }, held("mail", "a")] {
            let shown: Vec<Value> = compose(Vec::new(), vec![held.clone()]).into_iter().map(Value::from).collect();
            for element in &elements {
                assert_eq!(held.is_plainly(element.as_object().unwrap()), shown == [element.clone()], "{element}");
            }
        }
    }

    #[test]
    fn details_survive_the_store() {
        // Goal: what is written reads back; what somebody else wrote there does no harm.
        let mut detail = Detail::default();
        detail.set("ims", vec![json!({"value": "a b", "type": "xmpp"}).into()]);
        detail.set_fillers(json!({"cn": "ada"}).as_object().unwrap().clone().into());
        let (stored, mut again) = (detail.values(), Detail::default());
        for value in stored.iter().map(Vec::as_slice).chain([b"junk".as_slice(), b"x {", b"\xff \xff"]) {
            again.take(value);
        }
        assert_eq!(again, detail);
        assert_eq!((again.filler("cn"), again.filler("sn")), (Some("ada"), None));
        again.set("ims", Vec::new());
        assert!(again.take_elements("ims").is_empty());
    }
}
