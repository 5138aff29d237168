//! Sending from many connections until the time or the count is over, and what that took.
//!
//! ```text
//! [--connections N] [--seconds S | --ops N] [--server-pid PID]
//! ```

use crate::{Answer, Args, Client, Request, Target};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Clock ticks per second of `/proc/PID/stat`: a constant of Linux's interface.
const TICKS: f64 = 100.0;
/// After so many failures a connection gives up.
const FAILURES: u64 = 100;

/// What one connection sends and expects.
pub trait Job: Send + 'static {
    /// The next request, by its number among those of all connections; none: this connection is done.
    fn next(&mut self, sequence: u64) -> Option<Request>;

    /// Looks at an answer; `Err` says what is wrong with it.
    fn check(&mut self, sequence: u64, request: &Request, answer: &Answer) -> Result<(), String>;
}

/// What all connections did.
#[derive(Default)]
pub struct Outcome {
    micros: Vec<u32>,
    wrong: u64,
    failed: u64,
    example: Option<String>,
    elapsed: f64,
    cpu: Option<f64>,
}

/// How many connections there are.
pub fn connections(args: &Args) -> Result<u64, String> {
    Ok(args.number("connections", 8)?.max(1))
}

/// Sends, at most `most` requests; gives the jobs back.
pub fn run<J: Job>(args: &Args, target: Target, jobs: Vec<J>, most: u64) -> Result<(Vec<J>, Outcome), String> {
    let target = Arc::new(target);
    let ops = args.number("ops", u64::MAX)?.min(most);
    let seconds = args.number("seconds", if ops == u64::MAX { 5 } else { 3600 })?;
    let pid = args.text("server-pid");
    let (next, start) = (Arc::new(AtomicU64::new(0)), Arc::new(Barrier::new(jobs.len() + 1)));
    let threads: Vec<_> = jobs
        .into_iter()
        .map(|mut job| {
            let (target, next, start) = (target.clone(), next.clone(), start.clone());
            thread::spawn(move || {
                let client = Client::connect(target);
                start.wait();
                let until = Instant::now() + Duration::from_secs(seconds);
                client.map(|client| {
                    let done = work(client, &mut job, &next, ops, until);
                    (job, done)
                })
            })
        })
        .collect();
    start.wait();
    let (began, before) = (Instant::now(), pid.map(cpu_seconds).transpose()?);
    let (mut jobs, mut all) = (Vec::new(), Outcome::default());
    for thread in threads {
        let (job, done) = thread.join().map_err(|_| "a thread panicked")??;
        jobs.push(job);
        all.micros.extend(done.micros);
        all.wrong += done.wrong;
        all.failed += done.failed;
        all.example = all.example.or(done.example);
    }
    all.elapsed = began.elapsed().as_secs_f64();
    if let (Some(pid), Some(before)) = (pid, before) {
        all.cpu = Some(cpu_seconds(pid)? - before);
    }
    all.micros.sort_unstable();
    Ok((jobs, all))
}

/// Sends until the time or the count is over.
fn work(mut client: Client, job: &mut impl Job, next: &AtomicU64, ops: u64, until: Instant) -> Outcome {
    let mut done = Outcome::default();
    while Instant::now() < until && done.failed <= FAILURES {
        let sequence = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = Some(sequence).filter(|at| *at < ops).and_then(|at| job.next(at)) else { break };
        let sent = Instant::now();
        match client.send(&request) {
            Ok(answer) => {
                done.micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                if let Err(why) = job.check(sequence, &request, &answer) {
                    done.wrong += 1;
                    done.example.get_or_insert(why);
                }
            }
            Err(problem) => {
                done.failed += 1;
                done.example.get_or_insert(problem);
            }
        }
    }
    done
}

/// User and system time of the process and of the children that it has waited for.
fn cpu_seconds(pid: &str) -> Result<f64, String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|e| format!("/proc/{pid}/stat: {e}"))?;
    // The program's name may hold spaces; what follows its closing parenthesis does not.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = rest.split_whitespace().skip(11).take(4).filter_map(|v| v.parse().ok()).collect();
    Ok(fields.iter().sum::<f64>() / TICKS)
}

impl Outcome {
    /// One line of JSON.
    pub fn report(&self, label: &str, workload: &str) -> String {
        let count = self.micros.len();
        let at = |share: f64| {
            let place = ((count as f64 * share) as usize).min(count.saturating_sub(1));
            self.micros.get(place).copied().unwrap_or(0)
        };
        let per_op = self.cpu.map_or("null".to_owned(), |used| format!("{:.1}", used * 1e6 / count.max(1) as f64));
        let example: String = self.example.as_deref().unwrap_or_default().chars().take(300).collect();
        format!(
            "{{\"label\":{},\"workload\":{},\"ops\":{count},\"seconds\":{:.3},\"ops_s\":{:.3},\"p50\":{},\"p99\":{},\"max\":{},\"cpu_us_op\":{per_op},\"wrong\":{},\"errors\":{},\"example\":{}}}",
            quoted(label),
            quoted(workload),
            self.elapsed,
            count as f64 / self.elapsed.max(1e-9),
            at(0.50),
            at(0.99),
            at(1.0),
            self.wrong,
            self.failed,
            quoted(&example),
        )
    }
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
