//! `oidc-load`: sends prepared requests to an OpenID provider, checks the answers, and says what an operation costs the server.
//!
//! Owns the arguments, the threads and the report: one line of JSON. One thread per connection, one request outstanding on
//! each. What is sent is in the file of requests, one per line, six fields with a tabulator between them:
//!
//! ```text
//! METHOD  PATH  HEADERS (with " | " between them)  BODY  STATUS  TEXT (that the answer holds)
//! ```
//! ```text
//! oidc-load --base URL --requests FILE [--ca FILE] [--connections N] [--seconds S | --ops N] [--server-pid PID]
//!           [--once yes] [--chain NAME] [--keep NAME --into FILE]
//! ```
//! `--once`: every line is sent once at most. `--chain NAME`: connection n sends line n, with `{}` replaced by the `NAME` of the
//! JSON that was answered last, and at first by the seventh field. `--keep NAME`: the parameter `NAME` of the `Location` of
//! every answer is written into a file.

mod client;

use client::{Client, Request, Target};
use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Clock ticks per second of `/proc/PID/stat`: a constant of Linux's interface.
const TICKS: f64 = 100.0;

/// `--name value` pairs.
struct Args(BTreeMap<String, String>);

impl Args {
    fn read() -> Result<Self, String> {
        let mut words = std::env::args().skip(1);
        let mut given = BTreeMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("{word}: an option begins with --"))?;
            let value = words.next().ok_or_else(|| format!("--{name} has no value"))?;
            given.insert(name.to_owned(), value);
        }
        Ok(Self(given))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        self.text(name).map_or(Ok(default), |v| v.parse().map_err(|_| format!("--{name} {v}: no number")))
    }
}

/// A prepared request, and what a right answer to it is.
#[derive(Clone)]
struct Prepared {
    request: Request,
    status: u16,
    expect: String,
    seed: String,
}

/// What all connections share.
struct Plan {
    lines: Vec<Prepared>,
    once: bool,
    chain: Option<String>,
    keep: Option<String>,
}

/// What one connection did.
#[derive(Default)]
struct Tally {
    micros: Vec<u32>,
    wrong: u64,
    failed: u64,
    example: Option<String>,
    kept: Vec<String>,
}

fn main() -> ExitCode {
    match Args::read().and_then(|args| run(&args)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("oidc-load: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String, String> {
    let target = Arc::new(Target::new(args.text("base").ok_or("--base is missing")?, args.text("ca"))?);
    let path = args.text("requests").ok_or("--requests is missing")?;
    let text = fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let lines = text.lines().map(prepared).collect::<Result<Vec<_>, _>>()?;
    let once = args.text("once").is_some();
    let plan = Arc::new(Plan {
        lines,
        once,
        chain: args.text("chain").map(str::to_owned),
        keep: args.text("keep").map(str::to_owned),
    });
    let connections = args.number("connections", 8)?.max(1);
    if plan.lines.is_empty() || (plan.chain.is_some() && (plan.lines.len() as u64) < connections) {
        return Err(format!("{path}: too few requests"));
    }
    let ops = args.number("ops", u64::MAX)?.min(if once { plan.lines.len() as u64 } else { u64::MAX });
    let seconds = args.number("seconds", if ops == u64::MAX { 5 } else { 3600 })?;
    let pid = args.text("server-pid");
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
        all.kept.extend(tally.kept);
        all.wrong += tally.wrong;
        all.failed += tally.failed;
        all.example = all.example.or(tally.example);
    }
    let elapsed = began.elapsed().as_secs_f64();
    let used = match (pid, cpu) {
        (Some(pid), Some(before)) => Some(cpu_seconds(pid)? - before),
        _ => None,
    };
    if let Some(into) = args.text("into") {
        fs::write(into, all.kept.join("\n")).map_err(|e| format!("{into}: {e}"))?;
    }
    Ok(report(all, elapsed, used))
}

fn prepared(line: &str) -> Result<Prepared, String> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().map(str::to_owned).ok_or_else(|| format!("too few fields: {line:.80}"));
    let (method, path, headers, body, status, expect) = (field()?, field()?, field()?, field()?, field()?, field()?);
    let headers = headers.split(" | ").filter(|h| !h.is_empty()).map(|h| format!("{h}\r\n")).collect();
    let status = status.parse().map_err(|_| format!("no status: {status}"))?;
    Ok(Prepared { request: Request { method, path, headers, body }, status, expect, seed: fields.next().unwrap_or_default().to_owned() })
}

/// Sends until the time or the count is over.
fn work(mut client: Client, plan: &Plan, number: u64, next: &AtomicU64, ops: u64, until: Instant) -> Tally {
    let mut tally = Tally::default();
    let own = usize::try_from(number).ok().and_then(|n| plan.lines.get(n)).or(plan.lines.first());
    let mut held = own.map(|line| line.seed.clone()).unwrap_or_default();
    while Instant::now() < until {
        let sequence = next.fetch_add(1, Ordering::Relaxed);
        if sequence >= ops {
            break;
        }
        let at = if plan.chain.is_some() { number } else { sequence };
        let at = if plan.once { at as usize } else { at as usize % plan.lines.len() };
        let Some(line) = plan.lines.get(at) else { break };
        let mut request = line.request.clone();
        if plan.chain.is_some() {
            request.body = request.body.replace("{}", &held);
        }
        let sent = Instant::now();
        match client.send(&request) {
            Ok(answer) => {
                tally.micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                if answer.status != line.status || !answer.text.contains(&line.expect) {
                    tally.wrong += 1;
                    tally.example.get_or_insert(format!("{} {}", answer.status, answer.text));
                }
                if let Some(name) = &plan.chain {
                    match value(&answer.text, &format!("\"{name}\":\""), '"') {
                        Some(found) => held = found,
                        None => break,
                    }
                }
                if let Some(name) = &plan.keep {
                    let found = [format!("?{name}="), format!("&{name}=")].iter().find_map(|n| value(&answer.text, n, '&'));
                    tally.kept.extend(found);
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

/// What stands between a beginning and an end; a line end is an end as well.
fn value(text: &str, begin: &str, end: char) -> Option<String> {
    let (_, rest) = text.split_once(begin)?;
    rest.split([end, '\r', '\n']).next().map(str::to_owned)
}

/// User and system time of the process and of the children that it has waited for.
fn cpu_seconds(pid: &str) -> Result<f64, String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|e| format!("/proc/{pid}/stat: {e}"))?;
    // The program's name may hold spaces; what follows its closing parenthesis does not.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = rest.split_whitespace().skip(11).take(4).filter_map(|v| v.parse().ok()).collect();
    Ok(fields.iter().sum::<f64>() / TICKS)
}

fn report(mut all: Tally, elapsed: f64, cpu: Option<f64>) -> String {
    all.micros.sort_unstable();
    let count = all.micros.len();
    let at = |share: f64| all.micros.get(((count as f64 * share) as usize).min(count.saturating_sub(1))).copied().unwrap_or(0);
    let per_op = cpu.map_or("null".to_owned(), |used| format!("{:.1}", used * 1e6 / count.max(1) as f64));
    let example = all.example.unwrap_or_default().chars().take(300).collect::<String>();
    format!(
        "{{\"ops\":{count},\"seconds\":{elapsed:.3},\"ops_s\":{:.1},\"p50\":{},\"p99\":{},\"cpu_us_op\":{per_op},\"wrong\":{},\"errors\":{},\"example\":{}}}",
        count as f64 / elapsed.max(1e-9),
        at(0.50),
        at(0.99),
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
