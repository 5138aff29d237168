//! Whether the time of a refusal tells who was refused (hostile row C1), in the manner of dudect: binds with a wrong
//! password against a name that nobody has and against accounts in every state, in random order, and Welch's t between
//! the first and each of the others.
//!
//! ```text
//! cargo run --release -p testkit --example refusal_times -- 100000        # samples of all kinds together: half an hour
//! cargo run --release -p testkit --example refusal_times -- 100000 256    # with hashes of 256 KiB and one pass
//! ```
//! Hashes are the default's; those with less memory let a difference beside them show. |t| below 4.5 and a difference of
//! the medians below 1 ms pass, and the program ends with 1 when they do not; the slowest twentieth of all samples is left
//! out on all sides alike, as it is the machine's.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement stops at the first surprise, and prints")]
#![expect(clippy::cast_precision_loss, clippy::indexing_slicing, reason = "statistics over rows made here")]

use directory::clock::Span;
use directory::credential::Params;
use directory::lifecycle::{PolicyOverlay, State};
use std::process::ExitCode;
use std::time::Instant;
use testkit::{Client, PASSWORD, Setup};

/// Failures that one account takes before it locks, less a few.
const EACH: usize = 90;
/// Whom a refusal may be about: a name that nobody has, and six states.
const KINDS: usize = 7;

struct Class {
    name: &'static str,
    dns: Vec<String>,
    micros: Vec<f64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|n| n.parse::<u32>().unwrap());
    let samples = usize::try_from(arguments.next().unwrap_or(20_000)).unwrap().div_ceil(KINDS);
    let hashing = arguments.next().map_or(Params::default(), |kib| Params::new(kib, 1, 1).unwrap());
    let policy = PolicyOverlay { attempts: Some(99), ..PolicyOverlay::default() };
    let server = Setup { hashing, ..Setup::with(policy) }.start().await;
    let mut classes = Vec::new();
    // As many names of every kind, so that none is warmer in the caches than another.
    let names = samples.div_ceil(EACH);
    // First, because finding somebody dormant takes months, in which everybody else would become it.
    let mut dns = Vec::new();
    for number in 0..names {
        let person = server.person(&format!("dormant{number}")).await;
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
        dns.push(person.dn);
    }
    server.pass(Span::from_days(190));
    classes.push(Class { name: "dormant", dns, micros: Vec::new() });
    for (name, state) in [
        ("locked", State::Locked),
        ("disabled", State::Disabled),
        ("deleted", State::Deleted),
        ("active", State::Active),
        ("unverified", State::Unverified),
    ] {
        let mut dns = Vec::new();
        for number in 0..names {
            let person = server.person(&format!("{name}{number}")).await;
            server.put(&person, state).await;
            dns.push(person.dn);
        }
        classes.push(Class { name, dns, micros: Vec::new() });
    }
    let dns = (0..names).map(|number| format!("uid=nobody{number},ou=people,dc=example,dc=com")).collect();
    let mut unknown = Class { name: "unknown", dns, micros: Vec::new() };
    let mut client = server.client().await;
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut number = 0_u64;
    while classes.iter().any(|c| c.micros.len() < samples) || unknown.micros.len() < samples {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = usize::try_from((dice >> 33) % 7).unwrap();
        let class = if pick == 6 { &mut unknown } else { &mut classes[pick] };
        if class.micros.len() < samples {
            number += 1;
            sample(&mut client, class, number).await;
        }
    }
    let told = report(&unknown, &classes);
    server.verify().await;
    if told { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn sample(client: &mut Client, class: &mut Class, number: u64) {
    let dn = &class.dns[class.micros.len() / EACH % class.dns.len()];
    let password = format!("not the password {number:012}");
    let began = Instant::now();
    let outcome = client.bind(dn, &password).await;
    let took = began.elapsed();
    assert!(outcome.is_generic_failure(), "{}: {outcome:?}", class.name);
    class.micros.push(took.as_nanos() as f64 / 1e3);
}

/// Prints the table; true: a kind can be told from the names that nobody has.
fn report(unknown: &Class, classes: &[Class]) -> bool {
    let mut told = false;
    let mut all: Vec<f64> = classes.iter().chain([unknown]).flat_map(|c| c.micros.iter().copied()).collect();
    all.sort_by(f64::total_cmp);
    let bound = all[all.len() * 19 / 20];
    let base = Summary::of(&unknown.micros, bound);
    println!("| refused | samples | median µs | mean µs | Δ median µs | Welch t |\n|---|---|---|---|---|---|");
    println!("| unknown | {} | {:.1} | {:.2} | | |", unknown.micros.len(), base.median, base.mean);
    for class in classes {
        let own = Summary::of(&class.micros, bound);
        let t = (own.mean - base.mean) / (own.variance / own.count + base.variance / base.count).sqrt();
        let delta = own.median - base.median;
        let (name, count) = (class.name, class.micros.len());
        println!("| {name} | {count} | {:.1} | {:.2} | {delta:+.1} | {t:+.2} |", own.median, own.mean);
        told |= t.abs() >= 4.5 || delta.abs() >= 1_000.0;
    }
    told
}

struct Summary {
    count: f64,
    mean: f64,
    median: f64,
    variance: f64,
}

impl Summary {
    fn of(micros: &[f64], bound: f64) -> Summary {
        let mut kept: Vec<f64> = micros.iter().copied().filter(|m| *m <= bound).collect();
        kept.sort_by(f64::total_cmp);
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Summary { count, mean, median: kept[kept.len() / 2], variance }
    }
}
