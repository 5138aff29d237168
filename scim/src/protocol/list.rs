//! What a query asks for, and the ListResponse: RFC 7644 §3.4.2, §3.4.3, RFC 9865.
//!
//! Owns the parameters of a query, from a URL or the body of `/.search`, and the numbers of its pages. Parameters that are not
//! known are ignored: some clients add their own.

use serde_json::{Map, Value, json};

use super::error::{ScimError, ScimType};

/// The schema of the answer.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The schema of the body of `/.search`.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The most octets of a parameter; filters have a bound of their own.
const MAX_PARAMETER: usize = 16 * 1024;

/// What a query asks for, as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// `filter`.
    pub filter: Option<String>,
    /// `sortBy`.
    pub sort_by: Option<String>,
    /// `sortOrder`; anything but `descending` ascends.
    pub descending: bool,
    /// `attributes`.
    pub attributes: Vec<String>,
    /// `excludedAttributes`.
    pub excluded: Vec<String>,
    /// `startIndex`.
    pub start_index: Option<i64>,
    /// `count`.
    pub count: Option<i64>,
    /// `cursor`; empty asks for the first page.
    pub cursor: Option<String>,
}

/// Sizes of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSizes {
    /// When the client does not say.
    pub default: u32,
    /// At most.
    pub max: u32,
}

/// The page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// By number.
    Index {
        /// The first resource, from 1.
        start: u64,
        /// At most so many.
        count: u32,
    },
    /// After a cursor; none: the first page.
    Cursor {
        /// The cursor.
        after: Option<String>,
        /// At most so many.
        count: u32,
    },
}

impl Query {
    /// Reads the parameters of a URL, decoded.
    ///
    /// # Errors
    /// 400 `invalidValue` for a parameter that is given twice or too long or no number (`invalidCount` with a cursor).
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Query, ScimError> {
        let mut query = Query::default();
        let mut count = None;
        for (name, value) in pairs {
            if value.len() > MAX_PARAMETER {
                return Err(ScimError::invalid_value("a parameter is too long"));
            }
            let known = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            if known("filter") {
                once(&mut query.filter, "filter", value.to_owned())?;
            } else if known("sortBy") {
                once(&mut query.sort_by, "sortBy", value.to_owned())?;
            } else if known("sortOrder") {
                query.descending = descending(value)?;
            } else if known("attributes") {
                query.attributes.extend(value.split(',').map(str::to_owned));
            } else if known("excludedAttributes") {
                query.excluded.extend(value.split(',').map(str::to_owned));
            } else if known("startIndex") {
                once(&mut query.start_index, "startIndex", number(value, "startIndex")?)?;
            } else if known("count") {
                once(&mut count, "count", value.to_owned())?;
            } else if known("cursor") {
                once(&mut query.cursor, "cursor", value.to_owned())?;
            }
        }
        let read = count.map(|text| number(&text, "count")).transpose();
        query.count = read.map_err(|error| query.wrong_count(error))?;
        Ok(query)
    }

    /// Reads the body of `/.search`.
    ///
    /// # Errors
    /// 400 `invalidSyntax` for what is no such body, 400 `invalidValue` for a value of another type.
    pub fn of_body(body: Value) -> Result<Query, ScimError> {
        let Value::Object(body) = body else { return Err(ScimError::invalid_syntax("a search is a JSON object")) };
        let (mut query, mut named, mut count) = (Query::default(), false, None);
        for (name, value) in body {
            let known = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            if known("schemas") {
                let uris = value.as_array().map(Vec::as_slice).unwrap_or_default();
                named = uris.iter().any(|uri| uri.as_str().is_some_and(|uri| uri.eq_ignore_ascii_case(SEARCH_REQUEST)));
            } else if value.is_null() {
            } else if known("filter") {
                query.filter = Some(text(value, "filter")?);
            } else if known("sortBy") {
                query.sort_by = Some(text(value, "sortBy")?);
            } else if known("sortOrder") {
                query.descending = descending(&text(value, "sortOrder")?)?;
            } else if known("attributes") {
                query.attributes = texts(value, "attributes")?;
            } else if known("excludedAttributes") {
                query.excluded = texts(value, "excludedAttributes")?;
            } else if known("startIndex") {
                query.start_index = Some(whole(&value, "startIndex")?);
            } else if known("count") {
                count = Some(value);
            } else if known("cursor") {
                query.cursor = Some(text(value, "cursor")?);
            }
        }
        if !named {
            return Err(ScimError::invalid_syntax(format!("`schemas` lists `{SEARCH_REQUEST}`")));
        }
        let read = count.map(|value| whole(&value, "count")).transpose();
        query.count = read.map_err(|error| query.wrong_count(error))?;
        Ok(query)
    }

    /// The page that is asked for. What is out of range is brought into it (RFC 7644 §3.4.2.4, RFC 9865 §2). `cursors`: whether
    /// a query without `cursor` and `startIndex` is paged by cursors.
    ///
    /// # Errors
    /// 400 `invalidValue` for a cursor and a `startIndex`.
    pub fn page(&self, sizes: PageSizes, cursors: bool) -> Result<Page, ScimError> {
        let count = self.count.unwrap_or_else(|| i64::from(sizes.default)).clamp(0, i64::from(sizes.max));
        let count = u32::try_from(count).unwrap_or(sizes.max);
        let by_cursor = self.cursor.is_some() || (cursors && self.start_index.is_none());
        if !by_cursor {
            let start = self.start_index.unwrap_or(1).max(1);
            return Ok(Page::Index { start: start.unsigned_abs(), count });
        }
        if self.start_index.is_some() {
            return Err(ScimError::invalid_value("`startIndex` and `cursor` exclude each other"));
        }
        Ok(Page::Cursor { after: self.cursor.clone().filter(|cursor| !cursor.is_empty()), count })
    }

    fn wrong_count(&self, error: ScimError) -> ScimError {
        match self.cursor {
            Some(_) => ScimError::of(ScimType::InvalidCount, error.detail),
            None => error,
        }
    }
}

/// A page of resources.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct List {
    /// How many there are in all; none: not counted (RFC 9865 §2).
    pub total: Option<u64>,
    /// The number of the first, for pages by number.
    pub start: Option<u64>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The resources.
    pub resources: Vec<Value>,
}

impl List {
    /// The body. `Resources` is there even when it is empty: clients look for it.
    pub fn body(self) -> Value {
        let mut body = Map::new();
        body.insert("schemas".into(), json!([LIST_RESPONSE]));
        let numbers = [("totalResults", self.total), ("startIndex", self.start)];
        body.extend(numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?.into()))));
        body.insert("itemsPerPage".into(), self.resources.len().into());
        body.extend(self.next.map(|cursor| ("nextCursor".to_owned(), Value::String(cursor))));
        body.insert("Resources".into(), Value::Array(self.resources));
        Value::Object(body)
    }
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), ScimError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(ScimError::invalid_value(format!("`{name}` is given twice"))),
    }
}

fn descending(word: &str) -> Result<bool, ScimError> {
    match () {
        () if word.is_empty() || word.eq_ignore_ascii_case("ascending") => Ok(false),
        () if word.eq_ignore_ascii_case("descending") => Ok(true),
        () => Err(ScimError::invalid_value("`sortOrder` is ascending or descending")),
    }
}

/// A whole number; what is out of the range of `i64` is its nearest end.
fn number(text: &str, name: &str) -> Result<i64, ScimError> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ScimError::invalid_value(format!("`{name}` is a whole number")));
    }
    Ok(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

fn whole(value: &Value, name: &str) -> Result<i64, ScimError> {
    match value {
        Value::Number(value) if value.is_i64() => Ok(value.as_i64().unwrap_or(i64::MAX)),
        Value::Number(value) if value.is_u64() => Ok(i64::MAX),
        _ => Err(ScimError::invalid_value(format!("`{name}` is a whole number"))),
    }
}

fn text(value: Value, name: &str) -> Result<String, ScimError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(ScimError::invalid_value(format!("`{name}` is a text"))),
    }
}

fn texts(value: Value, name: &str) -> Result<Vec<String>, ScimError> {
    match value {
        Value::Array(elements) => elements.into_iter().map(|element| text(element, name)).collect(),
        Value::String(names) => Ok(names.split(',').map(str::to_owned).collect()),
        _ => Err(ScimError::invalid_value(format!("`{name}` is an array of texts"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: PageSizes = PageSizes { default: 100, max: 1_000 };

    fn page(pairs: &[(&str, &str)]) -> Result<Page, &'static str> {
        let read = Query::of_pairs(pairs.iter().copied()).and_then(|query| query.page(SIZES, false));
        read.map_err(|error| error.scim_type.unwrap().name())
    }

    #[test]
    fn pages_are_brought_into_range() {
        // Goal: RFC 7644 §3.4.2.4 and hostile row D9: numbers are clamped, never trusted.
        let index = |start, count| Ok(Page::Index { start, count });
        type Pairs = Vec<(&'static str, &'static str)>;
        let rows: Vec<(Pairs, Result<Page, &str>)> = vec![
            (vec![], index(1, 100)),
            (vec![("startIndex", "0"), ("count", "-1")], index(1, 0)),
            (vec![("startIndex", "-5"), ("count", "0")], index(1, 0)),
            (vec![("startIndex", "101"), ("count", "1000000000")], index(101, 1_000)),
            (
                vec![("startIndex", "9223372036854775808"), ("COUNT", "99999999999999999999")],
                index(i64::MAX as u64, 1_000),
            ),
            (vec![("startIndex", "-9223372036854775809")], index(1, 100)),
            (vec![("count", "ten")], Err("invalidValue")),
            (vec![("count", "1.5")], Err("invalidValue")),
            (vec![("startIndex", "")], Err("invalidValue")),
            (vec![("count", "1"), ("count", "2")], Err("invalidValue")),
            (vec![("filter", "a pr"), ("filter", "b pr")], Err("invalidValue")),
            (vec![("sortOrder", "up")], Err("invalidValue")),
            (vec![("aadOptscim062020", ""), ("x", "y"), ("count", "1")], index(1, 1)),
            (vec![("cursor", "")], Ok(Page::Cursor { after: None, count: 100 })),
            (vec![("cursor", "abc"), ("count", "7")], Ok(Page::Cursor { after: Some("abc".into()), count: 7 })),
            (vec![("cursor", "abc"), ("count", "-7")], Ok(Page::Cursor { after: Some("abc".into()), count: 0 })),
            (vec![("count", "x"), ("cursor", "abc")], Err("invalidCount")),
            (vec![("cursor", "abc"), ("startIndex", "1")], Err("invalidValue")),
        ];
        for (pairs, wanted) in rows {
            assert_eq!(page(&pairs), wanted, "{pairs:?}");
        }
        let nothing = Query::default();
        assert_eq!(nothing.page(SIZES, true), Ok(Page::Cursor { after: None, count: 100 }));
    }

    #[test]
    fn a_search_says_what_a_url_says() {
        // Goal: the body of `/.search` and the query of a URL are one thing (RFC 7644 §3.4.3).
        let body = json!({
            "schemas": [SEARCH_REQUEST], "filter": "a pr", "sortBy": "b", "sortOrder": "Descending", "startIndex": 2,
            "count": 3, "attributes": ["x", "y"], "excludedAttributes": null, "more": {}
        });
        let pairs = [
            ("filter", "a pr"),
            ("sortBy", "b"),
            ("sortOrder", "descending"),
            ("startIndex", "2"),
            ("count", "3"),
            ("attributes", "x,y"),
        ];
        assert_eq!(Query::of_body(body), Query::of_pairs(pairs));
        for bad in [
            json!([]),
            json!({"filter": "a pr"}),
            json!({"schemas": [SEARCH_REQUEST], "filter": 7}),
            json!({"schemas": [SEARCH_REQUEST], "count": "7"}),
            json!({"schemas": [SEARCH_REQUEST], "count": 1.5}),
            json!({"schemas": [SEARCH_REQUEST], "attributes": [7]}),
        ] {
            assert_eq!(Query::of_body(bad).unwrap_err().status, 400);
        }
    }

    #[test]
    fn a_list_has_its_numbers() {
        // Goal: totalResults and itemsPerPage are numbers, Resources is always there, a cursor stands for startIndex.
        let one = List { total: Some(7), start: Some(3), next: None, resources: vec![json!({"id": "a"})] };
        let wanted = json!({"schemas": [LIST_RESPONSE], "totalResults": 7, "startIndex": 3, "itemsPerPage": 1, "Resources": [{"id": "a"}]});
        assert_eq!(one.body(), wanted);
        let none = List { next: Some("c".into()), ..List::default() };
        assert_eq!(
            none.body(),
            json!({"schemas": [LIST_RESPONSE], "itemsPerPage": 0, "nextCursor": "c", "Resources": []})
        );
    }
}
