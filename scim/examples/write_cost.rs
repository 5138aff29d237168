//! What writing through this door costs: CPU time of the process per creation and per 1,000-operation Bulk, with a store on
//! disk, without sockets and TLS.
//!
//! ```text
//! cargo run --release -p scim --example write_cost -- FOLDER [USERS [WIDTH…]]
//! ```
//! FOLDER is made and must not be there. First USERS users are made, then as many again for each WIDTH (8, 16 and 32 unless
//! told), so many requests at a time; then three times a Bulk. Under `valgrind --tool=callgrind` it says where it goes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement stops at the first surprise, and prints")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use directory::bootstrap;
use directory::clock::Span;
use directory::handle::{Backend, Directory, Options};
use scim::{Door, Settings};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BULK: u64 = 1_000;

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let folder = words.next().unwrap();
    let users: u64 = words.next().map_or(4_000, |word| word.parse().unwrap());
    let mut widths: Vec<u64> = words.map(|word| word.parse().unwrap()).collect();
    if widths.is_empty() {
        widths = vec![8, 16, 32];
    }
    std::fs::create_dir(&folder).unwrap();
    let options = Options::new(Backend::File(std::path::Path::new(&folder).join("rollbook.redb"))).unwrap();
    let directory = Directory::open(options).unwrap();
    let handle = directory.clone();
    let made = tokio::task::spawn_blocking(move || {
        bootstrap::suffix(&handle, "dc=example,dc=com")?;
        bootstrap::complete(&handle, "dc=example,dc=com")
    });
    made.await.unwrap().unwrap();
    let token = bootstrap::scim_token(&directory, "dc=example,dc=com", "load", Span::from_days(30)).await.unwrap();
    let settings = Settings { rate_per_second: 0, fuse_limit: 0, ..Settings::default() };
    let router = scim::router(Door::new(directory.clone(), settings));
    let client = Client { router, token, directory };
    client.creations(users, 16, 0, "first").await;
    for (at, width) in (1..).zip(widths) {
        client.creations(users, width, at * 10_000_000, "more").await;
    }
    for round in 0..3 {
        client.bulk(900_000_000 + round * BULK).await;
    }
    client.directory.stop();
}

#[derive(Clone)]
struct Client {
    router: Router,
    token: String,
    directory: Directory,
}

impl Client {
    async fn creations(&self, users: u64, width: u64, first: u64, what: &str) {
        let next = Arc::new(AtomicU64::new(0));
        let measure = Measure::begin(&self.directory);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..width {
            let (client, next) = (self.clone(), next.clone());
            tasks.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= users {
                        return;
                    }
                    let (status, body) = client.post("/scim/v2/Users", user(first + number)).await;
                    assert_eq!(status, 201, "{body}");
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        measure.end(&self.directory, users, &format!("{what}: {users} creations, {width} at a time"));
    }

    async fn bulk(&self, first: u64) {
        let mut operations = String::new();
        for at in 0..BULK {
            let comma = if at == 0 { "" } else { "," };
            let data = user(first + at);
            write!(operations, r#"{comma}{{"method":"POST","path":"/Users","bulkId":"b{at}","data":{data}}}"#).unwrap();
        }
        let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        let body = format!(r#"{{"schemas":["{schema}"],"Operations":[{operations}]}}"#);
        let measure = Measure::begin(&self.directory);
        let (status, body) = self.post("/scim/v2/Bulk", body).await;
        assert_eq!((status, body.matches("\"201\"").count()), (200, 1_000));
        measure.end(&self.directory, BULK, "Bulk, 1,000 creations");
    }

    async fn post(&self, path: &str, body: String) -> (u16, String) {
        let bearer = format!("Bearer {}", self.token);
        let request =
            Request::post(path).header("authorization", bearer).header("content-type", "application/scim+json");
        let answer = self.router.clone().call(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

/// About what Entra sends for a person.
fn user(number: u64) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u{number}","externalId":"e{number}","active":true,"displayName":"Given{number} Family{number}","name":{{"givenName":"Given{number}","familyName":"Family{number}"}},"title":"Clerk","emails":[{{"value":"u{number}@ex.example","type":"work","primary":true}}],"phoneNumbers":[{{"value":"+41 31 555 01 99","type":"work"}}]}}"#
    )
}

struct Measure {
    began: Instant,
    cpu: f64,
    commits: u64,
}

impl Measure {
    fn begin(directory: &Directory) -> Measure {
        Measure { began: Instant::now(), cpu: cpu_seconds(), commits: directory.lane_figures().0 }
    }

    fn end(self, directory: &Directory, operations: u64, what: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        let commits = directory.lane_figures().0 - self.commits;
        let (operations, cpu) = (operations as f64, cpu_seconds() - self.cpu);
        let (each, rate, size) = (cpu * 1e6 / operations, operations / seconds, operations / commits as f64);
        println!("{what}: {each:.1} µs CPU per user, {rate:.0}/s, {size:.1} per commit");
    }
}

/// User and system time of this process. The clock tick of `/proc` is a constant of Linux's interface.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
