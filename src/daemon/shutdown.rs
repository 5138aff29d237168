//! The end of the daemon: signals in, stages in order out.
//!
//! SIGTERM or SIGINT ends it: readiness goes first, then the doors stop accepting and finish what they have, bounded by
//! the drain time; a second such signal, or the bound, aborts the rest. SIGHUP reloads. What comes after (closing the
//! store, then the metrics) is `daemon`'s. [`drive`] knows no operating system, so that its order can be tested.
//!
//! ```text
//! running ──Stop──▶ draining ──all tasks done──▶ Ended::Drained
//!    │ Reload: reload()   ├──bound reached──▶ abort ──▶ Ended::TimedOut
//!    └──────▶ running     └──second Stop────▶ abort ──▶ Ended::Hurried
//! ```

use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long aborted tasks may take to drop what they hold.
const ABORT: Duration = Duration::from_secs(1);

/// What the daemon is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// How the draining ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All tasks were done.
    Drained,
    /// The drain time passed.
    TimedOut,
    /// A second signal came.
    Hurried,
}

/// The two wishes that every door's tasks obey, and the list of those tasks.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Accept nothing new; finish the request in hand, send what must be sent (LDAP: Notice of Disconnection), close.
    pub drain: CancellationToken,
    /// Drop everything now.
    pub abort: CancellationToken,
    /// Accept loops and connections. The drain waits for them.
    pub tasks: TaskTracker,
}

/// The process' signals from now on. The default actions of SIGTERM, SIGINT and SIGHUP are gone after this.
///
/// # Errors
/// When the operating system refuses.
pub fn signals() -> std::io::Result<mpsc::Receiver<Signal>> {
    let (sender, receiver) = mpsc::channel(8);
    for (kind, meaning) in [
        (SignalKind::terminate(), Signal::Stop),
        (SignalKind::interrupt(), Signal::Stop),
        (SignalKind::hangup(), Signal::Reload),
    ] {
        let mut stream = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                if sender.send(meaning).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}

/// Waits for the end and goes through it. `stopping` runs first of all, before the doors are told.
pub async fn drive(
    mut signals: mpsc::Receiver<Signal>,
    stop: &Stop,
    bound: Duration,
    mut reload: impl FnMut(),
    stopping: impl FnOnce(),
) -> Ended {
    // A closed channel is an end as well: nobody could stop the daemon any more.
    while let Some(Signal::Reload) = signals.recv().await {
        reload();
    }
    stopping();
    stop.tasks.close();
    stop.drain.cancel();
    let ended = tokio::select! {
        biased;
        () = stop.tasks.wait() => return Ended::Drained,
        () = second_stop(&mut signals) => Ended::Hurried,
        _ = tokio::time::timeout(bound, std::future::pending::<()>()) => Ended::TimedOut,
    };
    stop.abort.cancel();
    // Whoever does not obey within the bound is dropped with the runtime.
    _ = tokio::time::timeout(ABORT, stop.tasks.wait()).await;
    ended
}

async fn second_stop(signals: &mut mpsc::Receiver<Signal>) {
    loop {
        match signals.recv().await {
            Some(Signal::Stop) => return,
            Some(Signal::Reload) => {}
            None => std::future::pending::<()>().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    type Story = Arc<Mutex<Vec<&'static str>>>;

    /// A task like a connection: tells when it was asked to drain, finishes when let go, tells when it was aborted.
    fn connection(stop: &Stop, story: &Story, finish: CancellationToken) {
        let (stop_task, story) = (stop.clone(), Arc::clone(story));
        stop.tasks.spawn(async move {
            stop_task.drain.cancelled().await;
            story.lock().unwrap().push("draining");
            tokio::select! {
                () = finish.cancelled() => story.lock().unwrap().push("finished"),
                () = stop_task.abort.cancelled() => story.lock().unwrap().push("aborted"),
            }
        });
    }

    async fn play(signals: &[Signal], finish: bool) -> (Ended, Vec<&'static str>) {
        let (stop, story, done) = (Stop::default(), Story::default(), CancellationToken::new());
        connection(&stop, &story, done.clone());
        if finish {
            done.cancel();
        }
        let (sender, receiver) = mpsc::channel(8);
        for signal in signals {
            sender.send(*signal).await.unwrap();
        }
        let tell = |what| {
            let story = Arc::clone(&story);
            move || story.lock().unwrap().push(what)
        };
        let ended = drive(receiver, &stop, Duration::from_secs(10), tell("reload"), tell("not ready")).await;
        let story = story.lock().unwrap().clone();
        (ended, story)
    }

    /// Goal (hostile row G12): the stages come in order; requests in hand are finished, and only the bound or a second
    /// signal cuts them. The clock is tokio's paused one, so the ten seconds take no time.
    #[tokio::test(start_paused = true)]
    async fn stages_come_in_order() {
        use Signal::{Reload, Stop};
        let cases: [(&[Signal], bool, Ended, &[&str]); 4] = [
            (&[Reload, Reload, Stop], true, Ended::Drained, &["reload", "reload", "not ready", "draining", "finished"]),
            (&[Stop], false, Ended::TimedOut, &["not ready", "draining", "aborted"]),
            (&[Stop, Reload, Stop], false, Ended::Hurried, &["not ready", "draining", "aborted"]),
            (&[Stop, Reload], false, Ended::TimedOut, &["not ready", "draining", "aborted"]),
        ];
        for (signals, finish, ended, story) in cases {
            let started = tokio::time::Instant::now();
            assert_eq!(play(signals, finish).await, (ended, story.to_vec()), "{signals:?}");
            let took = started.elapsed();
            let expected = Duration::from_secs(if ended == Ended::TimedOut { 10 } else { 0 });
            assert!(took >= expected && took < expected + Duration::from_secs(1), "{signals:?} took {took:?}");
        }
    }

    /// Goal: a task that obeys nothing does not keep the daemon longer than the bound and the second after it.
    #[tokio::test(start_paused = true)]
    async fn a_stuck_task_is_left_behind() {
        let stop = Stop::default();
        stop.tasks.spawn(std::future::pending::<()>());
        let (sender, receiver) = mpsc::channel(1);
        sender.send(Signal::Stop).await.unwrap();
        let started = tokio::time::Instant::now();
        let ended = drive(receiver, &stop, Duration::from_secs(10), || (), || ()).await;
        assert_eq!(ended, Ended::TimedOut);
        assert_eq!(started.elapsed().as_secs(), 11);
    }
}
