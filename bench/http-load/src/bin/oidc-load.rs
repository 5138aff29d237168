//! `oidc-load`: sends prepared requests to an OpenID provider, checks the answers, and says what an operation costs the server.
//!
//! What is sent is in the file of requests, one per line, six fields with a tabulator between them:
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

use http_load::{Answer, Args, Job, Request, Target, program, run};
use std::borrow::Cow;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

/// A prepared request, and what a right answer to it is.
struct Prepared {
    request: Request,
    status: u16,
    seed: String,
}

/// What all connections share.
struct Plan {
    lines: Vec<Prepared>,
    once: bool,
    chain: Option<String>,
    keep: Option<String>,
}

/// What one connection does.
struct Connection {
    plan: Arc<Plan>,
    number: usize,
    /// What goes into the next request of a chain; none: the chain is broken.
    held: Option<String>,
    kept: Vec<String>,
}

impl Plan {
    /// The line that a request of this number is made of.
    fn line(&self, number: usize, sequence: u64) -> Option<&Prepared> {
        let at = if self.chain.is_some() { number } else { usize::try_from(sequence).ok()? };
        self.lines.get(if self.once { at } else { at % self.lines.len() })
    }
}

impl Job for Connection {
    fn next(&mut self, sequence: u64) -> Option<Request> {
        let mut request = self.plan.line(self.number, sequence)?.request.clone();
        if self.plan.chain.is_some() {
            request.body = request.body.replace("{}", self.held.as_ref()?);
        }
        Some(request)
    }

    fn check(&mut self, sequence: u64, request: &Request, answer: &Answer) -> Result<(), String> {
        let Answer { status, head, body } = answer;
        if let Some(name) = &self.plan.chain {
            self.held = value(body, &format!("\"{name}\":\""), '"');
        }
        if let Some(name) = &self.plan.keep {
            self.kept.extend([format!("?{name}="), format!("&{name}=")].iter().find_map(|n| value(head, n, '&')));
        }
        let right = self.plan.line(self.number, sequence).is_some_and(|line| line.status == *status);
        let holds = [head, body].iter().any(|text| text.contains(&request.expect));
        if right && holds { Ok(()) } else { Err(format!("{status} {head}{body}")) }
    }
}

fn main() -> ExitCode {
    program("oidc-load", load)
}

fn load(args: &Args) -> Result<String, String> {
    let form = "Content-Type: application/x-www-form-urlencoded\r\n".to_owned();
    let target = Target::new(args.needed("base")?, args.text("ca"), form)?;
    let path = args.needed("requests")?;
    let text = fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let lines = text.lines().map(prepared).collect::<Result<Vec<_>, _>>()?;
    let (once, chain) = (args.text("once").is_some(), args.text("chain").map(str::to_owned));
    let connections = usize::try_from(run::connections(args)?).map_err(|e| e.to_string())?;
    if lines.is_empty() || (chain.is_some() && lines.len() < connections) {
        return Err(format!("{path}: too few requests"));
    }
    let most = if once { lines.len() as u64 } else { u64::MAX };
    let plan = Arc::new(Plan { lines, once, chain, keep: args.text("keep").map(str::to_owned) });
    let job = |number| {
        let held = plan.line(number, 0).map(|line| line.seed.clone());
        Connection { plan: plan.clone(), number, held, kept: Vec::new() }
    };
    let (jobs, done) = run(args, target, (0..connections).map(job).collect(), most)?;
    if let Some(into) = args.text("into") {
        let kept: Vec<String> = jobs.into_iter().flat_map(|job| job.kept).collect();
        fs::write(into, kept.join("\n")).map_err(|e| format!("{into}: {e}"))?;
    }
    Ok(done.report("", ""))
}

fn prepared(line: &str) -> Result<Prepared, String> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().map(str::to_owned).ok_or_else(|| format!("too few fields: {line:.80}"));
    let (method, path, headers, body, status, expect) = (field()?, field()?, field()?, field()?, field()?, field()?);
    let headers = headers.split(" | ").filter(|h| !h.is_empty()).map(|h| format!("{h}\r\n")).collect();
    let status = status.parse().map_err(|_| format!("no status: {status}"))?;
    let request = Request { method: Cow::Owned(method), path, headers, body, expect };
    Ok(Prepared { request, status, seed: fields.next().unwrap_or_default().to_owned() })
}

/// What stands between a beginning and an end; a line end is an end as well.
fn value(text: &str, begin: &str, end: char) -> Option<String> {
    let (_, rest) = text.split_once(begin)?;
    rest.split([end, '\r', '\n']).next().map(str::to_owned)
}
