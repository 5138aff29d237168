//! `scim-load`: load for a SCIM server, with checked answers and the server's CPU time per operation.
//!
//! Owns the arguments, the threads and the report: one line of JSON. One thread per connection, one request outstanding
//! on each. What a workload sends and what counts as a right answer is in `workload`, HTTP in `client`.
//!
//! ```text
//! scim-load WORKLOAD --base URL [--ca FILE] [--token T] [--state DIR] [--connections N] [--seconds S | --ops N]
//!           [--users N] [--group NAME] [--size N] [--first N] [--server-pid PID] [--label TEXT]
//! ```
//! `--state` is where `create` and `group` leave the ids that the others use.

mod client;
mod workload;

use client::{Client, Target};
use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};
use workload::{Plan, Worker};

/// Clock ticks per second of `/proc/PID/stat`: a constant of Linux's interface.
const TICKS: f64 = 100.0;

/// `--name value` pairs.
struct Args {
    workload: String,
    given: BTreeMap<String, String>,
}

impl Args {
    fn read() -> Result<Self, String> {
        let mut words = std::env::args().skip(1);
        let workload = words.next().ok_or("a workload is missing")?;
        let mut given = BTreeMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("{word}: an option begins with --"))?;
            let value = words.next().ok_or_else(|| format!("--{name} has no value"))?;
            given.insert(name.to_owned(), value);
        }
        Ok(Self { workload, given })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        self.text(name).map_or(Ok(default), |v| v.parse().map_err(|_| format!("--{name} {v}: no number")))
    }
}

/// What one connection did.
#[derive(Default)]
struct Tally {
    micros: Vec<u32>,
    wrong: u64,
    failed: u64,
    example: Option<String>,
    made: Vec<(u64, String)>,
}

fn main() -> ExitCode {
    match Args::read().and_then(|args| run(&args)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("scim-load: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String, String> {
    let target = Arc::new(Target::new(
        args.text("base").ok_or("--base is missing")?,
        args.text("ca"),
        args.text("token").unwrap_or_default(),
    )?);
    let connections = args.number("connections", 8)?.max(1);
    let ops = args.number("ops", u64::MAX)?;
    let seconds = args.number("seconds", if ops == u64::MAX { 5 } else { 3600 })?;
    let pid = args.text("server-pid");
    let plan = Arc::new(Plan::new(
        &args.workload,
        args.text("state"),
        args.number("users", 0)?,
        args.text("group"),
        args.number("first", 0)?,
        args.number("size", 0)?,
    )?);
    let (next, start) = (Arc::new(AtomicU64::new(0)), Arc::new(Barrier::new(connections as usize + 1)));
    let threads: Vec<_> = (0..connections)
        .map(|number| {
            let (target, plan, next, start) = (target.clone(), plan.clone(), next.clone(), start.clone());
            thread::spawn(move || {
                let client = Client::connect(target);
                start.wait();
                let until = Instant::now() + Duration::from_secs(seconds);
                client.map(|client| work(client, &plan, number, &next, ops, until))
            })
        })
        .collect();
    start.wait();
    let (began, cpu) = (Instant::now(), pid.map(cpu_seconds).transpose()?);
    let mut all = Tally::default();
    for thread in threads {
        let tally = thread.join().map_err(|_| "a thread panicked")??;
        all.micros.extend(tally.micros);
        all.made.extend(tally.made);
        all.wrong += tally.wrong;
        all.failed += tally.failed;
        all.example = all.example.or(tally.example);
    }
    let elapsed = began.elapsed().as_secs_f64();
    let used = match (pid, cpu) {
        (Some(pid), Some(before)) => Some(cpu_seconds(pid)? - before),
        _ => None,
    };
    plan.keep(&mut all.made)?;
    Ok(report(args, all, elapsed, used))
}

/// Sends until the time or the count is over.
fn work(mut client: Client, plan: &Plan, number: u64, next: &AtomicU64, ops: u64, until: Instant) -> Tally {
    let (mut tally, mut worker) = (Tally::default(), Worker::new(number));
    while Instant::now() < until {
        let sequence = next.fetch_add(1, Ordering::Relaxed);
        if sequence >= ops {
            break;
        }
        let request = plan.request(sequence, &mut worker);
        let sent = Instant::now();
        match client.send(&request) {
            Ok(answer) => {
                tally.micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                match plan.check(&request, answer.status, &answer.body) {
                    Ok(Some(id)) => tally.made.push((sequence, id)),
                    Ok(None) => {}
                    Err(why) => {
                        tally.wrong += 1;
                        tally.example.get_or_insert(why);
                    }
                }
            }
            Err(problem) => {
                tally.failed += 1;
                tally.example.get_or_insert(problem);
                if tally.failed > 100 {
                    break;
                }
            }
        }
    }
    tally
}

/// User and system time of the process and of the children that it has waited for.
fn cpu_seconds(pid: &str) -> Result<f64, String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|e| format!("/proc/{pid}/stat: {e}"))?;
    // The program's name may hold spaces; what follows its closing parenthesis does not.
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|v| v.parse().ok())
        .collect();
    Ok(fields.iter().sum::<f64>() / TICKS)
}

fn report(args: &Args, mut all: Tally, elapsed: f64, cpu: Option<f64>) -> String {
    all.micros.sort_unstable();
    let count = all.micros.len();
    let at = |share: f64| all.micros.get(((count as f64 * share) as usize).min(count.saturating_sub(1))).copied().unwrap_or(0);
    let per_op = cpu.map_or("null".to_owned(), |used| format!("{:.1}", used * 1e6 / count.max(1) as f64));
    let example = all.example.unwrap_or_default().chars().take(300).collect::<String>();
    format!(
        "{{\"label\":{:?},\"workload\":{:?},\"ops\":{count},\"seconds\":{elapsed:.3},\"ops_s\":{:.1},\"p50\":{},\"p99\":{},\"max\":{},\"cpu_us_op\":{per_op},\"wrong\":{},\"errors\":{},\"example\":{}}}",
        args.text("label").unwrap_or(""),
        args.workload,
        count as f64 / elapsed.max(1e-9),
        at(0.50),
        at(0.99),
        at(1.0),
        all.wrong,
        all.failed,
        quoted(&example),
    )
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out + "\""
}
