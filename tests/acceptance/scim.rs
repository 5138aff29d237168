//! What the tests of the SCIM door share: a token, and requests with it.

use axum::body::Body;
use axum::http::{Method, Request};
use directory::bootstrap;
use directory::clock::Span;
use directory::token::{NewToken, Scope};
use serde_json::{Value, json};
use testkit::{HttpAnswer, HttpClient, Server};

/// A user.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// A group.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The state of an account.
pub const STATE: &str = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:AccountState";

/// A provisioning client.
pub struct Scim {
    http: HttpClient,
    base: String,
    /// Its token.
    pub secret: String,
}

/// What a token may.
#[derive(Clone, Default)]
pub struct Wish<'a> {
    /// The tenant's name; none: the naming context.
    pub tenant: Option<&'a str>,
    /// The dialect.
    pub dialect: &'a str,
    /// It only reads.
    pub read_only: bool,
    /// The resource types.
    pub types: &'a [&'a str],
    /// The account's name.
    pub label: &'a str,
}

impl Scim {
    /// A client with a writing token of a tenant.
    pub async fn of(server: &Server, tenant: Option<&str>, dialect: &str) -> Scim {
        Scim::with(server, Wish { tenant, dialect, label: "idp", ..Wish::default() }).await
    }

    /// A client with any token.
    pub async fn with(server: &Server, wish: Wish<'_>) -> Scim {
        let secret = token(server, &wish).await;
        Scim::presenting(server, &secret).await
    }

    /// A client that presents a token.
    pub async fn presenting(server: &Server, secret: &str) -> Scim {
        let http = server.http().await.bearer(secret);
        Scim { http, base: "/scim/v2".into(), secret: secret.to_owned() }
    }

    /// From now on below the path of a tenant.
    #[must_use]
    pub fn at(mut self, tenant: &str) -> Scim {
        self.base = format!("/scim/v2/{tenant}");
        self
    }

    /// GET.
    pub async fn get(&mut self, path: &str) -> HttpAnswer {
        self.call("GET", path, &[], None).await
    }

    /// POST.
    pub async fn post(&mut self, path: &str, body: Value) -> HttpAnswer {
        self.call("POST", path, &[], Some(body.to_string())).await
    }

    /// PUT.
    pub async fn put(&mut self, path: &str, body: Value) -> HttpAnswer {
        self.call("PUT", path, &[], Some(body.to_string())).await
    }

    /// PATCH.
    pub async fn patch(&mut self, path: &str, body: Value) -> HttpAnswer {
        self.call("PATCH", path, &[], Some(body.to_string())).await
    }

    /// DELETE.
    pub async fn delete(&mut self, path: &str) -> HttpAnswer {
        self.call("DELETE", path, &[], None).await
    }

    /// Any request; a body is `application/scim+json` unless a header says otherwise.
    pub async fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> HttpAnswer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        let typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if body.is_some() && !typed {
            request = request.header("content-type", "application/scim+json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.http.send(request.body(body.map_or_else(Body::empty, Body::from)).unwrap()).await
    }
}

/// Makes a token as the operator.
pub async fn token(server: &Server, wish: &Wish<'_>) -> String {
    let context = bootstrap::operator(&server.directory);
    let (base, dn) = server.directory.tenant(&context, wish.tenant).unwrap();
    let (account, before) = server.directory.provisioner(&dn, wish.label).unwrap();
    let scope = Scope {
        base: Some(base),
        write: !wish.read_only,
        types: wish.types.iter().map(|&name| name.to_owned()).collect(),
        dialect: wish.dialect.to_owned(),
    };
    let new = NewToken { account, label: wish.label.to_owned(), scope, life: Span::from_days(365) };
    let issued = server.directory.create_token(&context, before, new).await.unwrap();
    issued.secret.expose().to_owned()
}

/// The least that a user is made of.
pub fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

/// A group of these users.
pub fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": name, "members": members})
}

/// A PATCH of these operations.
#[expect(clippy::needless_pass_by_value, reason = "bodies are made where they are sent")]
pub fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

/// Makes a resource; its id.
pub async fn made(scim: &mut Scim, path: &str, body: Value) -> String {
    let answer = scim.post(path, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}
