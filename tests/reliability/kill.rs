//! Kill -9: whatever the daemon acknowledged is there after its next start, and nothing is half done.
//!
//! Each cycle starts the built program on the same data, lets several connections write, kills it at a random one of
//! their acknowledgements, starts it again and compares every person with the ledger: what was acknowledged, or that
//! and the one request that was under way. Acknowledgements are synced to a file of their own before the next request.
//! At the end `rollbook check` finds nothing.
//!
//! `ROLLBOOK_KILL_CYCLES` sets how often (50 unless set), `ROLLBOOK_KILL_SEED` when. kill -9 keeps the page cache: that
//! synced data survives a power cut is `directory/tests/power_cut.rs`'s to show.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use bytes::BytesMut;
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::{
    LdapAddRequest, LdapBindCred, LdapBindRequest, LdapDerefAliases, LdapFilter, LdapModify, LdapModifyDNRequest,
    LdapModifyRequest, LdapModifyType, LdapMsg, LdapOp, LdapPartialAttribute, LdapResultCode, LdapSearchRequest,
    LdapSearchResultEntry, LdapSearchScope, LdapSubstringFilter,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio_util::codec::{Decoder, Encoder};

const CONNECTIONS: usize = 4;
/// A cycle ends at one of so many acknowledgements.
const ACKNOWLEDGEMENTS: usize = 120;
const GROUP: &str = "cn=all,ou=groups";
const PLACES: [&str; 2] = ["ou=people", "ou=system"];

/// What is known of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Person {
    place: usize,
    /// Stands in two attributes, which change together.
    version: usize,
    member: bool,
}

/// A person's acknowledged state, and the one that a request under way would make of it.
#[derive(Debug, Clone, Default)]
struct Known {
    now: Option<Person>,
    next: Option<Option<Person>>,
}

type Ledger = BTreeMap<String, Known>;

#[test]
fn what_was_acknowledged_survives_being_killed() {
    // Goal: 50 cycles of kill -9 at random moments: nothing acknowledged is lost, nothing is half done, check is clean.
    let cycles = number("ROLLBOOK_KILL_CYCLES", 50);
    let mut dice = number("ROLLBOOK_KILL_SEED", 1) as u64;
    let folder = tempfile::tempdir().unwrap();
    let file = Mutex::new(File::create(folder.path().join("ledger")).unwrap());
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut ledger = Ledger::new();
    let (mut acknowledged, mut begun) = (0, Instant::now());
    let mut slowest = begun.elapsed();
    for cycle in 0..=cycles {
        begun = Instant::now();
        let server = Server::start(&data);
        // The first start fills the store.
        if cycle > 0 {
            slowest = slowest.max(begun.elapsed());
        }
        let mut client = Client::bind(&server);
        if cycle == 0 {
            let group = format!("{GROUP},{}", server.base);
            client.change(add(&group, &[("objectClass", "groupOfNames"), ("cn", "all")])).unwrap();
        }
        let here = format!("cycle {cycle}");
        settle(&mut client, &server, &mut ledger, &here);
        if cycle == cycles {
            break;
        }
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let last = 1 + usize::try_from(dice >> 33).unwrap() % ACKNOWLEDGEMENTS;
        acknowledged += work(&server, &file, &mut ledger, cycle, last);
    }
    let check = Command::new(env!("CARGO_BIN_EXE_rollbook")).arg("--data").arg(&data).arg("check").output().unwrap();
    let said = String::from_utf8_lossy(&check.stdout);
    assert!(check.status.success(), "{said}{}", String::from_utf8_lossy(&check.stderr));
    println!(
        "{cycles} cycles, {acknowledged} acknowledged, {} people, slowest start {slowest:?}: {said}",
        ledger.len()
    );
    assert!(acknowledged >= cycles);
}

/// Several connections write until the daemon dies of the `last` acknowledgement. How many there were.
fn work(server: &Server, file: &Mutex<File>, ledger: &mut Ledger, cycle: usize, last: usize) -> usize {
    let count = AtomicUsize::new(0);
    let mut parts: Vec<Ledger> = vec![Ledger::new(); CONNECTIONS];
    // Everybody keeps to their own people.
    for (number, (uid, known)) in std::mem::take(ledger).into_iter().enumerate() {
        parts[number % CONNECTIONS].insert(uid, known);
    }
    std::thread::scope(|scope| {
        for (number, part) in parts.iter_mut().enumerate() {
            let (count, base) = (&count, server.base.as_str());
            scope.spawn(move || {
                let mut client = Client::bind(server);
                for step in 0.. {
                    let uid = pick(part, cycle, number, step);
                    let known = part.entry(uid.clone()).or_default();
                    let (op, next) = request(base, &uid, known.now.as_ref(), cycle + step);
                    known.next = Some(next.clone());
                    match client.change(op) {
                        Some(LdapResultCode::Success) => {
                            known.now = next;
                            known.next = None;
                            let mut file = file.lock().unwrap();
                            writeln!(file, "{cycle} {number} {uid} {:?}", known.now).unwrap();
                            file.sync_data().unwrap();
                            if count.fetch_add(1, Ordering::SeqCst) + 1 == last {
                                server.kill();
                            }
                        }
                        Some(code) => panic!("{uid}: {code:?} for {:?} after {:?}", known.next, known.now),
                        // It died meanwhile.
                        None => return,
                    }
                }
            });
        }
    });
    server.wait();
    ledger.extend(parts.into_iter().flatten());
    count.load(Ordering::SeqCst)
}

/// Whose turn it is: a new person, or one from before.
fn pick(part: &Ledger, cycle: usize, number: usize, step: usize) -> String {
    let old: Vec<&String> = part.iter().filter(|(_, k)| k.now.is_some()).map(|(uid, _)| uid).collect();
    if step.is_multiple_of(5) || old.is_empty() {
        return format!("k{cycle}-{number}-{step}");
    }
    old[(step * 7 + cycle) % old.len()].clone()
}

/// The next request for a person, and what it makes of them.
fn request(base: &str, uid: &str, now: Option<&Person>, kind: usize) -> (LdapOp, Option<Person>) {
    let Some(now) = now else {
        let person = Person { place: 0, version: 0, member: false };
        let dn = dn(base, uid, &person);
        let values = [("objectClass", "inetOrgPerson"), ("uid", uid), ("cn", uid), ("sn", "0"), ("description", "0")];
        return (add(&dn, &values), Some(person));
    };
    let own = dn(base, uid, now);
    match kind % 8 {
        0..=3 => {
            let next = Person { version: now.version + 1, ..now.clone() };
            let text = next.version.to_string();
            (modify(&own, &LdapModifyType::Replace, &[("sn", &text), ("description", &text)]), Some(next))
        }
        4 | 5 => {
            let change = if now.member { LdapModifyType::Delete } else { LdapModifyType::Add };
            let next = Person { member: !now.member, ..now.clone() };
            (modify(&format!("{GROUP},{base}"), &change, &[("member", &own)]), Some(next))
        }
        6 => {
            let next = Person { place: 1 - now.place, ..now.clone() };
            let op = LdapOp::ModifyDNRequest(LdapModifyDNRequest {
                dn: own,
                newrdn: format!("uid={uid}"),
                deleteoldrdn: true,
                new_superior: Some(format!("{},{base}", PLACES[next.place])),
            });
            (op, Some(next))
        }
        _ => (LdapOp::DelRequest(own), None),
    }
}

/// Compares everything with the ledger, and settles what was under way.
fn settle(client: &mut Client, server: &Server, ledger: &mut Ledger, here: &str) {
    let mut found: BTreeMap<String, Person> = BTreeMap::new();
    for entry in client.people(&server.base) {
        let value = |name: &str| {
            let of = entry.attributes.iter().find(|a| a.atype.eq_ignore_ascii_case(name));
            of.map(|a| String::from_utf8(a.vals[0].clone()).unwrap())
        };
        let uid = value("uid").unwrap();
        let (one, other) = (value("sn").unwrap(), value("description").unwrap());
        assert_eq!(one, other, "{here}: {uid} is half changed");
        let place = PLACES.iter().position(|p| entry.dn.ends_with(&format!(",{p},{}", server.base))).unwrap();
        let person = Person { place, version: one.parse().unwrap(), member: value("memberOf").is_some() };
        assert!(found.insert(uid, person).is_none(), "{here}: twice");
    }
    for (uid, known) in ledger.iter_mut() {
        let there = found.remove(uid);
        let fits = there == known.now || known.next.as_ref() == Some(&there);
        assert!(fits, "{here}: {uid} is {there:?}; acknowledged {:?}, under way {:?}", known.now, known.next);
        *known = Known { now: there, next: None };
    }
    assert!(found.is_empty(), "{here}: nobody wrote {found:?}");
    ledger.retain(|_, known| known.now.is_some());
}

/// The daemon.
struct Server {
    child: Mutex<Child>,
    address: String,
    base: String,
    dn: String,
    password: String,
}

impl Server {
    fn start(data: &Path) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollbook"))
            .args(["demo", "--json", "--ports", "ephemeral", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect(&line);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Server {
            child: Mutex::new(child),
            address: text(&said["ldap"]).trim_start_matches("ldap://").trim_end_matches('/').to_owned(),
            base: text(&said["base_dn"]),
            dn: text(&said["admin"]["dn"]),
            password: text(&said["admin"]["password"]),
        }
    }

    /// SIGKILL.
    fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    fn wait(&self) {
        self.child.lock().unwrap().wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// One connection, one request at a time.
struct Client {
    stream: TcpStream,
    codec: LdapCodec,
    read: BytesMut,
    last: i32,
}

impl Client {
    fn bind(server: &Server) -> Client {
        let stream = TcpStream::connect(&server.address);
        // The daemon may have died of another connection's acknowledgement: then every request fails.
        let stream = stream.unwrap_or_else(|_| dead());
        let mut client = Client { stream, codec: LdapCodec::default(), read: BytesMut::new(), last: 0 };
        let cred = LdapBindCred::Simple(server.password.clone());
        let bind = LdapBindRequest { version: 3, dn: server.dn.clone(), cred };
        if let Some(LdapOp::BindResponse(answer)) = client.ask(LdapOp::BindRequest(bind)) {
            assert_eq!(answer.res.code, LdapResultCode::Success, "{}", answer.res.message);
        }
        client
    }

    /// The result of a change; none: the connection is gone.
    fn change(&mut self, op: LdapOp) -> Option<LdapResultCode> {
        match self.ask(op)? {
            LdapOp::AddResponse(r)
            | LdapOp::ModifyResponse(r)
            | LdapOp::DelResponse(r)
            | LdapOp::ModifyDNResponse(r) => Some(r.code),
            // A notice of disconnection is no answer.
            _ => None,
        }
    }

    fn people(&mut self, base: &str) -> Vec<LdapSearchResultEntry> {
        let initial = LdapSubstringFilter { initial: Some("k".into()), any: Vec::new(), final_: None };
        let search = LdapSearchRequest {
            base: base.to_owned(),
            scope: LdapSearchScope::Subtree,
            aliases: LdapDerefAliases::Never,
            sizelimit: 0,
            timelimit: 0,
            typesonly: false,
            filter: LdapFilter::Substring("uid".into(), initial),
            attrs: ["uid", "sn", "description", "memberOf"].map(str::to_owned).to_vec(),
        };
        self.send(LdapOp::SearchRequest(search)).unwrap();
        let mut out = Vec::new();
        loop {
            match self.receive().expect("a search is answered") {
                LdapOp::SearchResultEntry(entry) => out.push(entry),
                LdapOp::SearchResultDone(done) => {
                    assert_eq!(done.code, LdapResultCode::Success, "{}", done.message);
                    // The fixture has people of its own whose names begin alike.
                    out.retain(|e| e.dn.starts_with("uid=k") && e.dn.as_bytes()[5].is_ascii_digit());
                    return out;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn ask(&mut self, op: LdapOp) -> Option<LdapOp> {
        self.send(op)?;
        self.receive()
    }

    fn send(&mut self, op: LdapOp) -> Option<()> {
        self.last += 1;
        let mut out = BytesMut::new();
        self.codec.encode(LdapMsg { msgid: self.last, op, ctrl: Vec::new() }, &mut out).unwrap();
        self.stream.write_all(&out).ok()
    }

    fn receive(&mut self) -> Option<LdapOp> {
        loop {
            if let Some(message) = self.codec.decode(&mut self.read).unwrap() {
                assert_eq!(message.msgid, self.last);
                return Some(message.op);
            }
            let mut part = [0; 4096];
            match self.stream.read(&mut part) {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.read.extend_from_slice(&part[..length]),
            }
        }
    }
}

/// A connection whose other end is gone.
fn dead() -> TcpStream {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap()
}

fn dn(base: &str, uid: &str, person: &Person) -> String {
    format!("uid={uid},{},{base}", PLACES[person.place])
}

fn add(dn: &str, values: &[(&str, &str)]) -> LdapOp {
    let attributes = values.iter().map(|(name, value)| partial(name, value)).collect();
    LdapOp::AddRequest(LdapAddRequest { dn: dn.to_owned(), attributes })
}

fn modify(dn: &str, operation: &LdapModifyType, values: &[(&str, &str)]) -> LdapOp {
    let change =
        |(name, value): &(&str, &str)| LdapModify { operation: operation.clone(), modification: partial(name, value) };
    LdapOp::ModifyRequest(LdapModifyRequest { dn: dn.to_owned(), changes: values.iter().map(change).collect() })
}

fn partial(name: &str, value: &str) -> LdapPartialAttribute {
    LdapPartialAttribute { atype: name.to_owned(), vals: vec![value.as_bytes().to_vec()] }
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect(name))
}
