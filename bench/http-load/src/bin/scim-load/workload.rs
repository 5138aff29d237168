//! What the workloads send, and what a right answer to each is.
//!
//! Owns names and bodies. Users are `u0`, `u1`, … in the order of their making; ids are kept in `STATE/users`, one
//! number and id per line, and of groups in `STATE/group-NAME`.

use http_load::Request;
use std::fmt::Write as _;
use std::fs;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// Users of one page, operations of one bulk request, members of one filling request.
const PAGE: u64 = 100;
const BULK_OPERATIONS: u64 = 1000;
const MEMBERS_AT_ONCE: u64 = 1000;

/// The workloads; `Mixed` draws from the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create,
    Get,
    Filter,
    List,
    Active,
    Title,
    Group,
    Fill,
    MemberAdd,
    MemberRemove,
    GroupGet,
    Bulk,
    Mixed,
}

const KINDS: [(&str, Kind); 13] = [
    ("create", Kind::Create),
    ("get", Kind::Get),
    ("filter", Kind::Filter),
    ("list", Kind::List),
    ("active", Kind::Active),
    ("title", Kind::Title),
    ("group", Kind::Group),
    ("fill", Kind::Fill),
    ("member-add", Kind::MemberAdd),
    ("member-remove", Kind::MemberRemove),
    ("group-get", Kind::GroupGet),
    ("bulk", Kind::Bulk),
    ("mixed", Kind::Mixed),
];

/// Out of a hundred requests of an identity provider that keeps a directory up to date: mostly looking, some writing.
const MIX: [(u64, Kind); 8] = [
    (40, Kind::Filter),
    (25, Kind::Get),
    (12, Kind::Title),
    (5, Kind::Active),
    (5, Kind::Create),
    (4, Kind::MemberAdd),
    (4, Kind::MemberRemove),
    (5, Kind::GroupGet),
];

/// A connection's own state: its random numbers, and what it added to the group.
pub struct Worker {
    random: u64,
    added: Vec<u64>,
}

impl Worker {
    pub fn new(number: u64) -> Self {
        Self { random: 0x9E37_79B9_7F4A_7C15 ^ (number + 1).wrapping_mul(0xBF58_476D_1CE4_E5B9), added: Vec::new() }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound.max(1)
    }
}

/// What is to be sent.
pub struct Plan {
    kind: Kind,
    state: Option<String>,
    users: Vec<String>,
    group: Option<String>,
    group_name: String,
    first: u64,
    size: u64,
}

impl Plan {
    /// `users`: how many of the ids in `state` are used, 0 for all. `first`: where numbers of new names begin. `size`: how
    /// many members `fill` gives a group, or `group` makes it with; beyond the known users they are made up, for servers
    /// that check no references.
    pub fn new(
        workload: &str,
        state: Option<&str>,
        users: u64,
        group: Option<&str>,
        first: u64,
        size: u64,
    ) -> Result<Self, String> {
        let known = KINDS.iter().find(|(name, _)| *name == workload);
        let kind = known.map(|(_, kind)| *kind).ok_or_else(|| format!("no workload {workload}"))?;
        let read = |name: &str| state.and_then(|s| fs::read_to_string(format!("{s}/{name}")).ok());
        let mut ids: Vec<String> = read("users")
            .unwrap_or_default()
            .lines()
            .filter_map(|l| l.split_once(' '))
            .map(|(_, id)| id.to_owned())
            .collect();
        if users > 0 {
            ids.truncate(users as usize);
        }
        let group_name = group.unwrap_or_default().to_owned();
        let group = read(&format!("group-{group_name}")).map(|t| t.trim().to_owned());
        if ids.is_empty() && !matches!(kind, Kind::Create | Kind::Bulk | Kind::Group) {
            return Err(format!("{workload}: no users in --state"));
        }
        if group.is_none()
            && matches!(kind, Kind::Fill | Kind::MemberAdd | Kind::MemberRemove | Kind::GroupGet | Kind::Mixed)
        {
            return Err(format!("{workload}: no --group {group_name} in --state"));
        }
        Ok(Self { kind, state: state.map(str::to_owned), users: ids, group, group_name, first, size })
    }

    /// Request number `sequence`.
    pub fn request(&self, sequence: u64, worker: &mut Worker) -> Request {
        self.of(self.kind, sequence, worker)
    }

    fn of(&self, kind: Kind, sequence: u64, worker: &mut Worker) -> Request {
        let number = self.first + sequence;
        let count = self.users.len() as u64;
        let user = |at: u64| self.users.get((at % count.max(1)) as usize).map_or("", String::as_str);
        let group = self.group.as_deref().unwrap_or_default();
        let request = |method: &'static str, path, body, expect: &str| Request {
            method: method.into(),
            path,
            headers: String::new(),
            body,
            expect: expect.to_owned(),
        };
        match kind {
            Kind::Create => request("POST", "/Users".to_owned(), body_of_user(number), "201 id"),
            Kind::Get => {
                let id = user(worker.below(count));
                request("GET", format!("/Users/{id}"), String::new(), &format!("200 {id}"))
            }
            Kind::Filter => {
                let at = worker.below(count);
                let path = format!("/Users?filter=userName%20eq%20%22u{at}%22&startIndex=1&count=100");
                request("GET", path, String::new(), &format!("200 one u{at}"))
            }
            Kind::List => {
                // The last tenth of the pages: at depth.
                let from = (count * 9 / 10 + worker.below(count / 10)).saturating_sub(PAGE).max(1);
                request("GET", format!("/Users?startIndex={from}&count={PAGE}"), String::new(), "200 page")
            }
            Kind::Active => {
                let at = worker.below(count);
                let body =
                    patch(&format!(r#"{{"op":"replace","path":"active","value":{}}}"#, sequence.is_multiple_of(2)));
                request("PATCH", format!("/Users/{}", user(at)), body, "2xx")
            }
            Kind::Title => {
                let at = worker.below(count);
                let body = patch(&format!(r#"{{"op":"replace","path":"title","value":"Clerk {number}"}}"#));
                request("PATCH", format!("/Users/{}", user(at)), body, "2xx")
            }
            Kind::Group => {
                let members = match self.members(0, self.size) {
                    none if none.is_empty() => none,
                    some => format!(r#","members":[{some}]"#),
                };
                let body = format!(r#"{{"schemas":["{GROUP}"],"displayName":"group {}"{members}}}"#, self.group_name);
                request("POST", "/Groups".to_owned(), body, "201 id")
            }
            Kind::Fill => {
                let from = number * MEMBERS_AT_ONCE;
                let members = self.members(from, (from + MEMBERS_AT_ONCE).min(self.size));
                let body = patch(&format!(r#"{{"op":"add","path":"members","value":[{members}]}}"#));
                request("PATCH", format!("/Groups/{group}"), body, "2xx")
            }
            Kind::MemberAdd => {
                worker.added.push(number);
                let body = patch(&format!(r#"{{"op":"add","path":"members","value":[{}]}}"#, member(user(number))));
                request("PATCH", format!("/Groups/{group}"), body, "2xx")
            }
            Kind::MemberRemove => {
                let at = if self.kind == Kind::Mixed { worker.added.pop().unwrap_or(number) } else { number };
                let body = patch(&format!(r#"{{"op":"remove","path":"members[value eq \"{}\"]"}}"#, user(at)));
                request("PATCH", format!("/Groups/{group}"), body, "2xx")
            }
            Kind::GroupGet => request(
                "GET",
                format!("/Groups/{group}?excludedAttributes=members"),
                String::new(),
                &format!("200 bare {group}"),
            ),
            Kind::Bulk => {
                let mut operations = String::new();
                for at in 0..BULK_OPERATIONS {
                    let comma = if at == 0 { "" } else { "," };
                    let user = body_of_user(number * BULK_OPERATIONS + at);
                    let _ = write!(
                        operations,
                        r#"{comma}{{"method":"POST","path":"/Users","bulkId":"b{at}","data":{user}}}"#
                    );
                }
                let body = format!(r#"{{"schemas":["{BULK}"],"Operations":[{operations}]}}"#);
                request("POST", "/Bulk".to_owned(), body, "200 bulk")
            }
            Kind::Mixed => {
                let mut share = worker.below(100);
                for (part, kind) in MIX {
                    if share < part {
                        return self.of(kind, sequence, worker);
                    }
                    share -= part;
                }
                self.of(Kind::Get, sequence, worker)
            }
        }
    }

    fn members(&self, from: u64, until: u64) -> String {
        let made_up = |at: u64| format!("00000000-0000-4000-8000-{at:012x}");
        let id = |at: u64| self.users.get(at as usize).cloned().unwrap_or_else(|| made_up(at));
        (from..until).map(|at| member(&id(at))).collect::<Vec<_>>().join(",")
    }

    /// The id of what was made, if something was; or what is wrong with the answer.
    pub fn check(&self, request: &Request, status: u16, body: &str) -> Result<Option<String>, String> {
        let mut words = request.expect.split(' ');
        let wanted = words.next().unwrap_or_default();
        let good = if wanted == "2xx" { matches!(status, 200 | 204) } else { status.to_string() == wanted };
        let wrong = |why: &str| {
            let shown: String = body.chars().take(160).collect();
            Err(format!("{} {}: {status}, {why}: {shown}", request.method, request.path))
        };
        if !good {
            return wrong("wanted another status");
        }
        let (what, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match what {
            "id" => match field(body, "id") {
                Some(id) => Ok(Some(id)),
                None => wrong("no id"),
            },
            "one" if field(body, "userName").as_deref() != Some(rest) || body.matches("\"userName\"").count() != 1 => {
                wrong("not this one")
            }
            "page" if body.matches("\"userName\"").count() as u64 != PAGE => wrong("not a whole page"),
            "bare" if body.contains("\"members\"") || !body.contains(rest) => wrong("members, or not this group"),
            "bulk" if body.matches("\"201\"").count() as u64 != BULK_OPERATIONS => wrong("not all were made"),
            "" | "one" | "page" | "bare" | "bulk" => Ok(None),
            id if !body.contains(id) => wrong("not this one"),
            _ => Ok(None),
        }
    }

    /// Writes down the ids of what was made.
    pub fn keep(&self, made: &mut [(u64, String)]) -> Result<(), String> {
        let Some(state) = &self.state else { return Ok(()) };
        made.sort();
        let (file, text) = match self.kind {
            Kind::Create => {
                // Mixed traffic makes users as well; only a run of `create` makes those that the others look for.
                let before = fs::read_to_string(format!("{state}/users")).unwrap_or_default();
                let lines: String = made.iter().map(|(number, id)| format!("{} {id}\n", self.first + number)).collect();
                ("users".to_owned(), before + &lines)
            }
            Kind::Group => {
                (format!("group-{}", self.group_name), made.first().map(|(_, id)| id.clone()).unwrap_or_default())
            }
            _ => return Ok(()),
        };
        fs::write(format!("{state}/{file}"), text).map_err(|e| format!("{state}/{file}: {e}"))
    }
}

fn member(id: &str) -> String {
    format!(r#"{{"value":"{id}"}}"#)
}

fn patch(operations: &str) -> String {
    format!(r#"{{"schemas":["{PATCH}"],"Operations":[{operations}]}}"#)
}

/// About what Entra sends for a person.
fn body_of_user(number: u64) -> String {
    format!(
        r#"{{"schemas":["{USER}"],"userName":"u{number}","externalId":"e{number}","active":true,"displayName":"Given{number} Family{number}","name":{{"givenName":"Given{number}","familyName":"Family{number}"}},"title":"Clerk","emails":[{{"value":"u{number}@ex.example","type":"work","primary":true}}],"phoneNumbers":[{{"value":"+41 31 555 01 99","type":"work"}}]}}"#
    )
}

/// The first string of this name, with or without a space before it.
fn field(body: &str, name: &str) -> Option<String> {
    let key = format!("\"{name}\":");
    let rest = body.get(body.find(&key)? + key.len()..)?.trim_start().strip_prefix('"')?;
    rest.split('"').next().map(str::to_owned)
}
