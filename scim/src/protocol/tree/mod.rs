//! JSON under construction: what an answer shows of a resource.
//!
//! Owns objects whose names are borrowed from whoever knows them, and which are lists in the order of their names: to build,
//! thin and write one costs few allocations. Made by [`crate::resource::to_json`], thinned by [`super::projection`]. Whatever
//! compares or changes values works on a [`Map`]: [`Object::into_map`].

mod convert;

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Tree<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A JSON object, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object<'a> {
    /// In ascending order, each name once.
    entries: Vec<(Cow<'a, str>, Tree<'a>)>,
}

impl<'a> Object<'a> {
    /// An empty one that has room.
    pub fn with_capacity(entries: usize) -> Object<'a> {
        Object { entries: Vec::with_capacity(entries) }
    }

    /// Puts a value under a name, instead of the one that is there.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Tree<'a>>) {
        let (name, value) = (name.into(), value.into());
        match self.find(&name) {
            Ok(at) => {
                if let Some((_, known)) = self.entries.get_mut(at) {
                    *known = value;
                }
            }
            Err(at) => self.entries.insert(at, (name, value)),
        }
    }

    /// The value under a name.
    pub fn get(&self, name: &str) -> Option<&Tree<'a>> {
        self.find(name).ok().and_then(|at| self.entries.get(at)).map(|(_, value)| value)
    }

    /// Takes the value under a name out.
    pub fn remove(&mut self, name: &str) -> Option<Tree<'a>> {
        self.find(name).ok().map(|at| self.entries.remove(at).1)
    }

    /// The object under a name, made when there is nothing; none: something else stands there.
    pub fn inside(&mut self, name: &'a str) -> Option<&mut Object<'a>> {
        let at = match self.find(name) {
            Ok(at) => at,
            Err(at) => {
                self.entries.insert(at, (name.into(), Tree::Object(Object::default())));
                at
            }
        };
        match self.entries.get_mut(at) {
            Some((_, Tree::Object(object))) => Some(object),
            _ => None,
        }
    }

    /// Puts all entries of another one in, instead of those that are there.
    pub fn extend(&mut self, other: Object<'a>) {
        for (name, value) in other.entries {
            self.insert(name, value);
        }
    }

    /// Keeps the entries for which this holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Tree<'a>) -> bool) {
        self.entries.retain_mut(|(name, value)| keep(name, value));
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &Cow<'a, str>> {
        self.entries.iter().map(|(name, _)| name)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same as a map.
    pub fn into_map(self) -> Map<String, Value> {
        self.entries.into_iter().map(|(name, value)| (name.into_owned(), value.into())).collect()
    }

    /// Appends the JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        drop(serde_json::to_writer(out, self));
    }

    /// Where a name stands, or would. Most are inserted in their order.
    fn find(&self, name: &str) -> Result<usize, usize> {
        match self.entries.last() {
            Some((last, _)) if order(last, name).is_ge() => {
                self.entries.binary_search_by(|(known, _)| order(known, name))
            }
            _ => Err(self.entries.len()),
        }
    }
}

/// The order of two names, most of which differ in their first octet.
fn order(one: &str, other: &str) -> Ordering {
    let first = |name: &str| name.bytes().next();
    first(one).cmp(&first(other)).then_with(|| one.cmp(other))
}

impl<'a> Tree<'a> {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value under a name, if it is an object.
    pub fn get(&self, name: &str) -> Option<&Tree<'a>> {
        match self {
            Tree::Object(object) => object.get(name),
            _ => None,
        }
    }

    /// Appends the JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        drop(serde_json::to_writer(out, self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof!["[a-c]{0,3}", "[ -~é\u{0}-\u{1f}\u{2028}😀]{0,9}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..6).prop_map(|all| all.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// Goal: a tree is written and read as serde_json does the same value, whatever the order in which it was built.
        #[test]
        fn a_tree_is_written_as_its_value(value in values(), entries in prop::collection::vec(("[a-f]{0,2}", values()), 0..9)) {
            let tree = Tree::from(value.clone());
            let mut out = Vec::new();
            tree.write(&mut out);
            let text = String::from_utf8(out).unwrap();
            prop_assert_eq!(&text, &value.to_string());
            prop_assert_eq!(&Tree::from(&value), &tree);
            prop_assert_eq!(&serde_json::from_str::<Tree<'_>>(&text).unwrap(), &tree);
            prop_assert_eq!(Value::from(tree), value);
            let (mut object, mut map) = (Object::default(), Map::new());
            for (name, value) in entries {
                prop_assert_eq!(object.get(&name).cloned().map(Value::from), map.get(&name).cloned());
                object.insert(name.clone(), value.clone());
                map.insert(name, value);
            }
            let mut out = Vec::new();
            object.write(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), Value::Object(map.clone()).to_string());
            prop_assert_eq!(object.len(), map.len());
            let gone = map.keys().next().cloned().unwrap_or_default();
            prop_assert_eq!(object.remove(&gone).map(Value::from), map.remove(&gone));
            prop_assert_eq!(object.into_map(), map);
        }
    }

    #[test]
    fn what_stands_under_a_name_is_entered_only_when_it_is_an_object() {
        // Goal: a place is made once, and nothing else is taken for one.
        let mut object = Object::default();
        object.inside("name").unwrap().insert("givenName", "Ada");
        object.inside("name").unwrap().insert("familyName", "Byron");
        object.insert("title", "Clerk");
        assert!(object.inside("title").is_none());
        let mut further = Object::default();
        further.insert("title", "Countess");
        further.insert("active", true);
        object.extend(further);
        assert_eq!(object.names().collect::<Vec<_>>(), ["active", "name", "title"]);
        object.retain(|name, _| name != "active");
        let mut out = Vec::new();
        object.write(&mut out);
        let wanted = r#"{"name":{"familyName":"Byron","givenName":"Ada"},"title":"Countess"}"#;
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
        assert!(!object.is_empty());
    }
}
