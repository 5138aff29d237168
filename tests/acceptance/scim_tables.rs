//! The tables of `fixtures/scim`: what clients send, what comes back, what is true afterwards over SCIM, LDAP and at a bind.
//! Their form is in `fixtures/scim/README.md`.

use crate::scim::Scim;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use testkit::{HttpAnswer, Scope, Server, Tenant};

type Kept = HashMap<String, String>;

#[tokio::test]
async fn the_tables_hold() {
    // Goal: every quirk of every client, every example of the RFCs, every hostile request is answered as its table says.
    let server = Server::start().await;
    let tenant = server.tenant("tables").await;
    let mut clients: HashMap<String, Scim> = HashMap::new();
    let (mut failures, mut run) = (Vec::new(), 0u32);
    let only = std::env::var("SCIM_TABLES").unwrap_or_default();
    for file in files(Path::new("fixtures/scim")) {
        let shown = file.strip_prefix("fixtures/scim").unwrap().display().to_string();
        if !shown.contains(&only) {
            continue;
        }
        let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for case in &cases {
            run += 1;
            let dialect = case["dialect"].as_str().unwrap_or_default().to_owned();
            if !clients.contains_key(&dialect) {
                clients.insert(dialect.clone(), Scim::of(&server, Some("tables"), &dialect).await);
            }
            let client = clients.get_mut(&dialect).unwrap();
            let mut kept = Kept::from([("n".to_owned(), format!("x{run}q"))]);
            if let Err(why) = play(&server, &tenant, client, case, &mut kept).await {
                failures.push(format!("{shown}: {}: {why}", case["name"].as_str().unwrap_or("?")));
            }
        }
    }
    assert!(run > 0 && failures.is_empty(), "{} of {run} cases\n{}", failures.len(), failures.join("\n"));
    server.verify().await;
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

async fn play(
    server: &Server,
    tenant: &Tenant,
    client: &mut Scim,
    case: &Value,
    kept: &mut Kept,
) -> Result<(), String> {
    for request in case["requests"].as_array().into_iter().flatten() {
        ask(client, request, kept).await?;
    }
    let then = filled(&case["then"], kept);
    for (path, wanted) in then["scim"].as_object().into_iter().flatten() {
        let answer = client.get(&encoded(path)).await;
        match wanted.as_u64() {
            Some(status) if status == u64::from(answer.status.as_u16()) => {}
            Some(status) => return Err(format!("then {path}: {}, wanted {status}", answer.status)),
            None => {
                if answer.status != 200 {
                    return Err(format!("then {path}: {}: {}", answer.status, answer.text()));
                }
                lacks(Some(&answer.json()), wanted, path)?;
            }
        }
    }
    for (rdn, wanted) in then["ldap"].as_object().into_iter().flatten() {
        entry(server, tenant, rdn, wanted).await?;
    }
    for (user, wanted) in then["bind"].as_object().into_iter().flatten() {
        let dn = format!("uid={user},{}", tenant.container("people"));
        let good = server.bind(&dn, wanted["password"].as_str().unwrap()).await.is_good();
        if Some(good) != wanted["good"].as_bool() {
            return Err(format!("bind as {user}: {good}"));
        }
    }
    Ok(())
}

async fn ask(client: &mut Scim, request: &Value, kept: &mut Kept) -> Result<(), String> {
    let request = filled(request, kept);
    let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
    let headers: Vec<(&str, &str)> = request["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let body = match request.get("body") {
        None => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(body) => Some(body.to_string()),
    };
    let answer = client.call(method, &encoded(path), &headers, body).await;
    let what = format!("{method} {path}");
    let expect = &request["expect"];
    let status = u64::from(answer.status.as_u16());
    let good = match &expect["status"] {
        Value::Array(any) => any.iter().any(|one| one.as_u64() == Some(status)),
        one => one.as_u64() == Some(status),
    };
    if !good {
        return Err(format!("{what}: {status}, wanted {}: {}", expect["status"], answer.text()));
    }
    for (name, value) in expect["headers"].as_object().into_iter().flatten() {
        let got = answer.headers.get(name).and_then(|got| got.to_str().ok());
        if got.is_none() || (value != "*" && got != value.as_str()) {
            return Err(format!("{what}: header {name} is {got:?}, wanted {value}"));
        }
    }
    if let Some(wanted) = expect.get("body").filter(|_| status != 204) {
        lacks(Some(&answer.json()), wanted, &what)?;
    }
    for (name, place) in expect["keep"].as_object().into_iter().flatten() {
        kept.insert(name.clone(), at(&answer, place.as_str().unwrap()).ok_or(format!("{what}: nothing at {place}"))?);
    }
    Ok(())
}

fn at(answer: &HttpAnswer, place: &str) -> Option<String> {
    if let Some(name) = place.strip_prefix("header:") {
        return Some(answer.header(name).to_owned());
    }
    let mut value = answer.json();
    for key in place.split('.') {
        value = match key.parse::<usize>() {
            Ok(index) if value.is_array() => value.get(index)?.clone(),
            _ => value.get(key)?.clone(),
        };
    }
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// `<name>` in every string becomes what was kept under it.
fn filled(value: &Value, kept: &Kept) -> Value {
    let text =
        |text: &str| kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("<{name}>"), value));
    match value {
        Value::String(one) => Value::String(text(one)),
        Value::Array(all) => all.iter().map(|one| filled(one, kept)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(name, value)| (text(name), filled(value, kept))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// A path whose query is written plainly.
fn encoded(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.replace(' ', "%20") };
    let mut out = format!("{path}?");
    for byte in query.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~=&$:,/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What `got` lacks of the subset `wanted`.
fn lacks(got: Option<&Value>, wanted: &Value, place: &str) -> Result<(), String> {
    let wrong = || Err(format!("{place} is {}, wanted {wanted}", got.map_or("absent".to_owned(), Value::to_string)));
    match (wanted, got) {
        (Value::Null, None | Some(Value::Null)) => Ok(()),
        (Value::Null, _) => wrong(),
        (Value::String(any), Some(got)) if any == "*" && !got.is_null() => Ok(()),
        (Value::Object(wanted), Some(Value::Object(got))) => {
            wanted.iter().try_for_each(|(name, wanted)| lacks(got.get(name), wanted, &format!("{place}.{name}")))
        }
        (Value::Array(wanted), Some(Value::Array(got))) if wanted.len() == got.len() && pairs(got, wanted) => Ok(()),
        (Value::Object(_) | Value::Array(_), _) => wrong(),
        (wanted, Some(got)) if wanted == got => Ok(()),
        _ => wrong(),
    }
}

/// Whether each of `wanted` finds an element of its own.
fn pairs(got: &[Value], wanted: &[Value]) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return true };
    got.iter().enumerate().any(|(at, one)| {
        let mut left = got.to_vec();
        left.remove(at);
        lacks(Some(one), first, "").is_ok() && pairs(&left, rest)
    })
}

async fn entry(server: &Server, tenant: &Tenant, rdn: &str, wanted: &Value) -> Result<(), String> {
    let (kind, name) = rdn.split_once('=').unwrap();
    let escaped: String = name
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("\\{b:02x}") })
        .collect();
    let mut admin = server.admin().await;
    let found = admin.search(&tenant.dn, Scope::Subtree, &format!("({kind}={escaped})"), &["*", "+"]).await;
    let found =
        found.entries.iter().find(|entry| entry.dn.to_lowercase().starts_with(&format!("{},", rdn.to_lowercase())));
    let (found, wanted) = match (found, wanted) {
        (None, Value::Null) => return Ok(()),
        (None, _) => return Err(format!("LDAP: there is no {rdn}")),
        (Some(found), Value::Null) => return Err(format!("LDAP: there is {}", found.dn)),
        (Some(found), wanted) => (found, wanted),
    };
    for (name, wanted) in wanted.as_object().into_iter().flatten() {
        let first = |value: String| {
            let is_dn = value.to_lowercase().ends_with(&tenant.dn.to_lowercase());
            if is_dn { value.split(',').next().unwrap().to_owned() } else { value }
        };
        let mut got: Vec<String> = found.values(name).into_iter().map(first).collect();
        let mut list: Vec<String> = match wanted {
            Value::String(any) if any == "*" && !got.is_empty() => continue,
            Value::Null => Vec::new(),
            Value::Array(all) => all.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
            one => vec![one.as_str().unwrap().to_owned()],
        };
        got.sort();
        list.sort();
        if got != list {
            return Err(format!("LDAP: {rdn} {name} is {got:?}, wanted {list:?}"));
        }
    }
    Ok(())
}
