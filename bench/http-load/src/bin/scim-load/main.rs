//! `scim-load`: load for a SCIM server, with checked answers and the server's CPU time per operation.
//!
//! ```text
//! scim-load WORKLOAD --base URL [--ca FILE] [--token T] [--state DIR] [--connections N] [--seconds S | --ops N]
//!           [--users N] [--group NAME] [--size N] [--first N] [--server-pid PID] [--label TEXT]
//! ```
//! `--state` is where `create` and `group` leave the ids that the others use. What a workload sends and what counts as a
//! right answer is in `workload`.

mod workload;

use http_load::{Answer, Args, Job, Request, Target, program, run};
use std::process::ExitCode;
use std::sync::Arc;
use workload::{Plan, Worker};

/// What one connection does.
struct Connection {
    plan: Arc<Plan>,
    worker: Worker,
    made: Vec<(u64, String)>,
}

impl Job for Connection {
    fn next(&mut self, sequence: u64) -> Option<Request> {
        Some(self.plan.request(sequence, &mut self.worker))
    }

    fn check(&mut self, sequence: u64, request: &Request, answer: &Answer) -> Result<(), String> {
        let made = self.plan.check(request, answer.status, &answer.body)?;
        self.made.extend(made.map(|id| (sequence, id)));
        Ok(())
    }
}

fn main() -> ExitCode {
    program("scim-load", load)
}

fn load(args: &Args) -> Result<String, String> {
    let token = args.text("token").unwrap_or_default();
    let media = "application/scim+json";
    let headers = format!("Authorization: Bearer {token}\r\nAccept: {media}\r\nContent-Type: {media}\r\n");
    let target = Target::new(args.needed("base")?, args.text("ca"), headers)?;
    let workload = args.word().ok_or("a workload is missing")?;
    let plan = Arc::new(Plan::new(
        workload,
        args.text("state"),
        args.number("users", 0)?,
        args.text("group"),
        args.number("first", 0)?,
        args.number("size", 0)?,
    )?);
    let job = |number| Connection { plan: plan.clone(), worker: Worker::new(number), made: Vec::new() };
    let (jobs, done) = run(args, target, (0..run::connections(args)?).map(job).collect(), u64::MAX)?;
    let mut made: Vec<_> = jobs.into_iter().flat_map(|job| job.made).collect();
    plan.keep(&mut made)?;
    Ok(done.report(args.text("label").unwrap_or_default(), workload))
}
