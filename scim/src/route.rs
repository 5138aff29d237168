//! What a path names: tenant, endpoint, resource; and the query behind it.
//!
//! Owns the table of endpoints and methods (RFC 7644 table 2). Pure. Paths are read here instead of by a router's patterns,
//! because `/scim/v2/{tenant}/Users` and `/scim/v2/Users/{id}` share their shape.

use crate::resource::Kind;

/// Where the door is.
pub const BASE: &str = "/scim/v2";

/// The longest query in octets: a filter may have 8 KiB, percent-encoded three times as much.
const QUERY: usize = 64 * 1024;

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `/Users`
    Resources(Kind),
    /// `/Users/{id}`
    Resource(Kind, String),
    /// `/`
    Root,
    /// `/.search`, `/Users/.search`
    Search(Option<Kind>),
    /// `/Me`
    Me,
    /// `/Bulk`
    Bulk,
    /// `/Schemas`
    Schemas,
    /// `/Schemas/{uri}`
    Schema(String),
    /// `/ResourceTypes`
    ResourceTypes,
    /// `/ResourceTypes/{name}`
    ResourceType(String),
    /// `/ServiceProviderConfig`
    Config,
    /// `/openapi.json`
    OpenApi,
}

/// The first segments that are no tenants.
const RESERVED: [&str; 10] = [
    "Users",
    "Groups",
    "Roles",
    "Me",
    "Bulk",
    "Schemas",
    "ResourceTypes",
    "ServiceProviderConfig",
    ".search",
    "openapi.json",
];

/// A path, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The tenant that the path names.
    pub tenant: Option<String>,
    /// The endpoint.
    pub endpoint: Endpoint,
}

impl Route {
    /// Reads a path; none: there is nothing.
    pub fn of(path: &str) -> Option<Route> {
        let rest = path.strip_prefix(BASE)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Some(Route { tenant: None, endpoint: Endpoint::Root });
        }
        let mut segments = rest.strip_prefix('/')?.split('/').map(decode);
        let mut first = segments.next()??;
        let mut tenant = None;
        if !RESERVED.contains(&first.as_str()) {
            tenant = Some(first).filter(|tenant| !tenant.is_empty());
            tenant.as_ref()?;
            match segments.next() {
                None => return Some(Route { tenant, endpoint: Endpoint::Root }),
                Some(next) => first = next?,
            }
        }
        let second = match segments.next() {
            None => None,
            Some(second) => Some(second.filter(|second| !second.is_empty())?),
        };
        if segments.next().is_some() {
            return None;
        }
        let endpoint = match (first.as_str(), second) {
            (".search", None) => Endpoint::Search(None),
            ("Me", None) => Endpoint::Me,
            ("Bulk", None) => Endpoint::Bulk,
            ("Schemas", None) => Endpoint::Schemas,
            ("Schemas", Some(uri)) => Endpoint::Schema(uri),
            ("ResourceTypes", None) => Endpoint::ResourceTypes,
            ("ResourceTypes", Some(name)) => Endpoint::ResourceType(name),
            ("ServiceProviderConfig", None) => Endpoint::Config,
            ("openapi.json", None) => Endpoint::OpenApi,
            (name, second) => {
                let kind = Kind::of_endpoint(name)?;
                match second {
                    None => Endpoint::Resources(kind),
                    Some(search) if search == ".search" => Endpoint::Search(Some(kind)),
                    Some(id) => Endpoint::Resource(kind, id),
                }
            }
        };
        Some(Route { tenant, endpoint })
    }
}

impl Endpoint {
    /// The methods that it answers to.
    pub fn methods(&self) -> &'static [&'static str] {
        match self {
            Endpoint::Resources(Kind::Role) | Endpoint::Resource(Kind::Role, _) => &["GET", "HEAD"],
            Endpoint::Resources(_) => &["GET", "HEAD", "POST"],
            Endpoint::Resource(..) | Endpoint::Me => &["GET", "HEAD", "PUT", "PATCH", "DELETE"],
            Endpoint::Search(_) | Endpoint::Bulk => &["POST"],
            _ => &["GET", "HEAD"],
        }
    }

    /// Discovery: what may be for everybody.
    pub fn is_discovery(&self) -> bool {
        matches!(
            self,
            Endpoint::Schemas
                | Endpoint::Schema(_)
                | Endpoint::ResourceTypes
                | Endpoint::ResourceType(_)
                | Endpoint::Config
                | Endpoint::OpenApi
        )
    }

    /// The name that it is counted under.
    pub fn counted(&self) -> &'static str {
        match self {
            Endpoint::Resources(kind) | Endpoint::Resource(kind, _) => kind.endpoint(),
            Endpoint::Search(_) | Endpoint::Root => "search",
            Endpoint::Me => "Me",
            Endpoint::Bulk => "Bulk",
            _ => "discovery",
        }
    }
}

/// The parameters of a query. Those that are not known are nobody's business.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query; none: it is too long or not UTF-8.
    pub fn of(query: Option<&str>) -> Option<Query> {
        let Some(query) = query else { return Some(Query::default()) };
        if query.len() > QUERY {
            return None;
        }
        let mut parameters = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.push((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?));
        }
        Some(Query(parameters))
    }

    /// All parameters.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of a parameter; names are compared as they are, then in any case.
    pub fn value(&self, name: &str) -> Option<&str> {
        let exact = self.0.iter().find(|(known, _)| known == name);
        let found = exact.or_else(|| self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)));
        found.map(|(_, value)| value.as_str())
    }
}

/// Resolves `%XX`; none: it is not one, or what comes out is not UTF-8 or holds NUL.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned()).filter(|text| !text.contains('\0'));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
    }
    String::from_utf8(out).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_and_without_a_tenant() {
        // Goal: both base URLs reach the same endpoints, and what is no endpoint is nothing.
        let route = |tenant: Option<&str>, endpoint| Some(Route { tenant: tenant.map(Into::into), endpoint });
        let user = |id: &str| Endpoint::Resource(Kind::User, id.into());
        let rows = [
            ("/scim/v2/Users", route(None, Endpoint::Resources(Kind::User))),
            ("/scim/v2/Users/", route(None, Endpoint::Resources(Kind::User))),
            ("/scim/v2/Users/1", route(None, user("1"))),
            ("/scim/v2/acme/Users/1", route(Some("acme"), user("1"))),
            ("/scim/v2/a%20b/Users", route(Some("a b"), Endpoint::Resources(Kind::User))),
            ("/scim/v2/.search", route(None, Endpoint::Search(None))),
            ("/scim/v2/Groups/.search", route(None, Endpoint::Search(Some(Kind::Group)))),
            ("/scim/v2/acme/Schemas/urn:x", route(Some("acme"), Endpoint::Schema("urn:x".into()))),
            ("/scim/v2/Users/..%2f..%2fMe", route(None, user("../../Me"))),
            ("/scim/v2", route(None, Endpoint::Root)),
            ("/scim/v2/", route(None, Endpoint::Root)),
            ("/scim/v2//Users", None),
            ("/scim/v2/acme", route(Some("acme"), Endpoint::Root)),
            ("/scim/v2/users/x", None),
            ("/scim/v22/Users", None),
            ("/scim/v2/Users/1/2", None),
            ("/scim/v2/Me/1", None),
            ("/scim/v2/Users/%00", None),
            ("/scim/v2/Users/%f", None),
            ("/scim/v1/Users", None),
        ];
        for (path, wanted) in rows {
            assert_eq!(Route::of(path), wanted, "{path}");
        }
    }

    #[test]
    fn queries_are_decoded_once() {
        // Goal: filters come through with their quotes and plus signs, unknown parameters do no harm.
        let query = Query::of(Some("aadOptscim062020&filter=userName+eq+%22a%2Bb%22&startindex=3")).unwrap();
        assert_eq!(query.value("filter"), Some("userName eq \"a+b\""));
        assert_eq!((query.value("startIndex"), query.value("aadOptscim062020")), (Some("3"), Some("")));
        assert_eq!(query.value("count"), None);
        assert_eq!(Query::of(Some("a=%ff")), None);
        assert_eq!(Query::of(Some(&"x".repeat(QUERY + 1))), None);
    }
}
