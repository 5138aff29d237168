//! What is fuzzed: one function per reader of what strangers send. Each takes any octets; a panic is a finding.
//!
//! Beside not panicking, each says what must hold of what was taken: it prints and reads again as the same, an error changes
//! nothing. Run without end by the binaries of this folder, and with drawn octets in every test run by `tests/fuzz.rs`.

use std::io::Cursor;
use std::sync::LazyLock;

use directory::clock::{Millis, Span};
use directory::entry::dn::Dn;
use directory::entry::record::Record;
use ldap::wire::{self, Frame, Limits};
use oidc::jose;
use oidc::jose::jws::Unproven;
use oidc::jose::key::PublicKey;
use oidc::jose::token::{self, Expected, Lifetime};
use scim::protocol::cursor::{Binding, CursorKey};
use scim::protocol::filter::{Mode, parse, parse_path};
use scim::protocol::json::{self, Bounds};
use scim::protocol::patch::{self, Touched};
use scim::protocol::projection::Projection;
use scim::protocol::rules::Rules;
use scim::protocol::{accept, bulk};
use scim::schema::Schemas;
use serde_json::{Map, Value};

/// A target: its name, the function, and octets to begin with.
pub type Target = (&'static str, fn(&[u8]), &'static [&'static [u8]]);

/// Every target.
pub const ALL: [Target; 13] = [
    ("scim_filter", scim_filter, &[
        b"userName eq \"bjensen\" and (emails[type eq \"work\" and value co \"@\"] or not (title pr))",
        b"emails[type eq \"work\"].value eq \"x\"",
        b"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value ne null",
        b"meta.lastModified gt \"2011-05-13T04:42:34Z\" or active eq True",
    ]),
    ("scim_path", scim_path, &[
        b"emails[type eq \"work\"].value",
        b"name.givenName",
        b"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    ]),
    ("scim_body", scim_body, &[
        br#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b","emails":[{"value":"a","primary":true}]}"#,
        br#"{"userName":"b","active":"True","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":"m"}}"#,
    ]),
    ("scim_patch", scim_patch, &[
        br#"{"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"z"}]}"#,
        br#"{"Operations":[{"op":"add","value":{"name.givenName":"z","members":[{"value":"u"}],"active":"False"}}]}"#,
        br#"{"Operations":[{"op":"remove","path":"emails[primary eq true]"},{"op":"add","path":"roles","value":["{\"value\":\"x\"}"]}]}"#,
    ]),
    ("scim_bulk", scim_bulk, &[
        br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Groups","bulkId":"a","data":{"members":[{"value":"bulkId:b"}]}},{"method":"POST","path":"/Groups","bulkId":"b","data":{"members":[{"value":"bulkId:a"}]}}]}"#,
    ]),
    ("scim_cursor", scim_cursor, &[b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"]),
    ("ldap_filter", ldap_filter, &[b"(&(objectClass=person)(|(cn=a*b*c)(!(sn>=x))(1.2.3:dn:=\\00)))"]),
    ("ldap_message", ldap_message, &[
        b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00",
        b"\x30\x06\x02\x01\x07\x4a\x01x",
    ]),
    ("dn", dn, &[b"uid=b\\6fb+cn=\\#a,ou=People,dc=example,dc=com", b"cn=#0403626f62"]),
    ("ldif", ldif, &[b"version: 1\ndn: cn=a\nchangetype: modify\nadd: x\nx:: YQ==\n-\n\ndn:: Y249YQ==\nobjectClass: top\n y\n"]),
    ("record", record, &[&[1; 120]]),
    ("jose_token", jose_token, &[
        b"eyJhbGciOiJFUzI1NiIsImtpZCI6ImEiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2EiLCJhdWQiOlsiYiJdLCJleHAiOjJ9.AAAA",
        br#"{"iss":"https://id.example.com","aud":["a","b"],"exp":1790000600,"iat":1790000000,"nbf":1.5e9,"sub":"s"}"#,
        br#"{"iss":"https://id.example.com","aud":"a","exp":"1790000600","iat":-1}"#,
    ]),
    ("jose_key", jose_key, &[
        br#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#,
        br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig"}"#,
        br#"{"kty":"RSA","n":"AQAB","e":"AQAB","alg":"RS256"}"#,
    ]),
];

/// A key of each kind, of nobody.
static KEYS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
    let seeds = ALL.iter().filter(|(name, ..)| *name == "jose_key").flat_map(|(_, _, seeds)| seeds.iter());
    let jwks = seeds.filter_map(|seed| jose::json::object(seed, jose::json::Bounds::DOCUMENT).ok());
    jwks.filter_map(|jwk| PublicKey::from_jwk(&jwk).ok()).collect()
});

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::of(&directory::schema::Schema::standard()));

fn user() -> Map<String, Value> {
    let user = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b", "active": true,
        "emails": [{"value": "a", "type": "work", "primary": true}, {"value": "b", "type": "home"}], "name": {"familyName": "J"}
    });
    match user {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Filters of SCIM: read, printed, resolved, evaluated.
pub fn scim_filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for mode in [Mode::Strict, Mode::Lenient] {
        match parse(text, mode) {
            Ok(filter) => {
                assert_eq!(parse(&filter.to_string(), mode).as_ref(), Ok(&filter), "{text}");
                for kind in &SCHEMAS.resource_types {
                    if let Ok(resolved) = filter.resolve(kind, mode) {
                        resolved.matches_map(&user());
                    }
                }
            }
            Err(invalid) => assert!(invalid.position <= text.len(), "{text}"),
        }
    }
}

/// Paths of PATCH, and names of projections.
pub fn scim_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for kind in &SCHEMAS.resource_types {
        if let Ok(target) = parse_path(text, Mode::Lenient) {
            let _ = target.path.place(kind);
            let _ = target.path.extension(kind);
        }
        if let Ok(projection) = Projection::parse(kind, Some(text), None) {
            projection.wants(text);
            projection.apply(&mut user().into());
        }
    }
}

/// Resources that are posted: what is taken is taken again as it is.
pub fn scim_body(data: &[u8]) {
    let Ok(value) = json::read(data, &Bounds::default()) else { return };
    for kind in &SCHEMAS.resource_types {
        for rules in [Rules::STRICT, Rules::LENIENT] {
            if let Ok(accepted) = accept::accept(kind, value.clone(), &rules) {
                let again = accept::accept(kind, Value::Object(accepted.resource.clone()), &rules);
                assert_eq!(again.map(|again| again.resource), Ok(accepted.resource));
            }
        }
    }
}

/// PATCH: done, or nothing is done.
pub fn scim_patch(data: &[u8]) {
    let Ok(value) = json::read(data, &Bounds::default()) else { return };
    for rules in [Rules::STRICT, Rules::LENIENT] {
        for kind in &SCHEMAS.resource_types {
            let mut touched = Touched::default();
            let Ok(operations) = patch::parse(value.clone(), &rules, &mut touched) else { continue };
            let Ok((operations, _)) = patch::split_edges(kind, operations, &rules, &mut touched) else { continue };
            let mut resource = user();
            if patch::apply(kind, &mut resource, operations, &rules).is_err() {
                assert_eq!(resource, user());
            }
        }
    }
}

/// Bulk: every good operation has its turn, once.
pub fn scim_bulk(data: &[u8]) {
    let Ok(value) = json::read(data, &Bounds::default()) else { return };
    let Ok(mut request) = bulk::parse(value, &SCHEMAS, &bulk::Limits::default()) else { return };
    let mut runs = 0;
    for step in bulk::plan(&request) {
        if let bulk::Step::Run(at, held) = step {
            runs += 1;
            if let Some(Ok(operation)) = request.items.get_mut(at).map(|item| item.operation.as_mut()) {
                bulk::hold(&mut operation.data, &held);
            }
        }
    }
    assert_eq!(runs, request.items.iter().filter(|item| item.operation.is_ok()).count());
}

/// Cursors: none that was not sealed here is opened.
pub fn scim_cursor(data: &[u8]) {
    let (Ok(text), Some(key)) = (std::str::from_utf8(data), CursorKey::new(&[7; 32])) else { return };
    assert!(key.open(text, &Binding::of(&[b"x"]), 0, 1).is_err());
}

/// Filters of LDAP as text: what is read goes over the wire and comes back.
pub fn ldap_filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(filter) = wire::filter::parse_string(text) {
        let printed = filter.as_filter().to_string();
        let again = wire::filter::parse_string(&printed).map(|again| again.as_filter().to_string());
        assert_eq!(again.as_deref(), Ok(printed.as_str()), "{text}");
    }
}

/// Messages of LDAP: framed, checked, decoded with everything in them.
pub fn ldap_message(data: &[u8]) {
    let limits = Limits::AFTER_BIND;
    let Ok(Frame::Complete { len }) = wire::peek(data, limits.message_octets) else { return };
    assert!(len <= data.len());
    let Some(message) = data.get(..len) else { return };
    if let Ok(message) = wire::decode(message, &limits) {
        let _ = format!("{message:?}");
    }
}

/// Names: what is read prints as what reads as the same.
pub fn dn(data: &[u8]) {
    if let Ok(name) = Dn::parse(data) {
        let printed = name.to_string();
        let again = Dn::parse(printed.as_bytes()).map(|again| again.to_string());
        assert_eq!(again.ok(), Some(printed));
    }
}

/// LDIF: every record or its refusal, until the end.
pub fn ldif(data: &[u8]) {
    let mut reader = ::ldif::Reader::new(Cursor::new(data));
    let mut records = 0;
    while let Some(record) = reader.next_record() {
        let _ = record.is_ok();
        records += 1;
        assert!(records <= data.len() + 1, "the reader comes to an end");
    }
}

/// Stored records: what a damaged file holds is refused, never misread.
pub fn record(data: &[u8]) {
    let Ok(record) = Record::parse(data) else { return };
    let values: usize = record.attributes().map(|attribute| attribute.values().count()).sum();
    assert!(values <= data.len());
    let _ = (record.kind(), record.parent(), record.uuid(), record.classes().count());
    if let Ok(draft) = record.draft() {
        let encoded = draft.encode();
        assert!(Record::parse(&encoded).is_ok());
    }
}

/// Signed tokens and what they say: one that nobody has signed is never proven, whatever its header says.
pub fn jose_token(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(token) = Unproven::parse(text)
    {
        assert!(KEYS.iter().all(|key| token.prove(key).is_err()), "{text}");
    }
    let Ok(claims) = jose::json::object(data, jose::json::Bounds::TOKEN) else { return };
    for lifetime in [Lifetime::Good, Lifetime::AtMost(Span::from_mins(5)), Lifetime::MayHaveEnded] {
        let issuer = "https://id.example.com";
        let expected = Expected { issuer, audience: Some("a"), lifetime, now: Millis(1_790_000_000_000) };
        if token::check(&claims, &expected).is_ok() {
            assert!(claims.get("iss").and_then(Value::as_str) == Some(issuer) && claims.contains_key("exp"));
            assert!(token::audience(&claims).is_ok_and(|all| all.contains(&"a")));
        }
    }
}

/// Keys of providers and applications: what is taken is published as what it is.
pub fn jose_key(data: &[u8]) {
    let Ok(jwk) = jose::json::object(data, jose::json::Bounds::DOCUMENT) else { return };
    let Ok(key) = PublicKey::from_jwk(&jwk) else { return };
    let published = key.to_jwk("kid").as_object().cloned().unwrap_or_default();
    let again = PublicKey::from_jwk(&published).map(|again| again.thumbprint());
    assert_eq!(again, Ok(key.thumbprint()));
}
