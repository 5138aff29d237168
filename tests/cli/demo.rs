//! A demo that runs, and the program asked about it.

use rollbook::client::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use testkit::{Browser, HttpClient, Trust};

/// Where the fixture keeps people.
pub const PEOPLE: &str = "ou=people,dc=example,dc=com";

/// A demo that runs.
pub struct Demo {
    child: Child,
    /// Its announcement.
    pub told: Value,
    dir: tempfile::TempDir,
    secrets: Mutex<Vec<String>>,
}

/// The password that the fixture gives to an account.
pub fn fixture(uid: &str) -> String {
    format!("Rollbook-demo-{uid}")
}

/// The built program.
pub fn rollbook() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    command.env_remove("ROLLBOOK_CONFIG").env_remove("ROLLBOOK_DATA");
    command
}

impl Demo {
    /// The demo that others use at this moment, or a new one.
    pub fn shared() -> Arc<Demo> {
        static SHARED: Mutex<Weak<Demo>> = Mutex::new(Weak::new());
        // A test that failed to start it is no reason for the others not to try.
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let demo = Arc::new(Demo::start());
            *shared = Arc::downgrade(&demo);
            demo
        })
    }

    /// A new one, which has just said its first line. Two accounts are all that a token may take away.
    pub fn start() -> Demo {
        let dir = tempfile::tempdir().unwrap();
        let mut child = rollbook()
            .args(["demo", "--json", "--ports", "ephemeral", "--set", "scim.fuse=2", "--data"])
            .arg(dir.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told = serde_json::from_str(&line).unwrap_or_else(|_| panic!("an announcement, not {line:?}"));
        Demo { child, told, dir, secrets: Mutex::default() }
    }

    /// Its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.data().join("ldapi")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Runs the program without a terminal; these octets are its standard input.
    pub fn run_with(&self, words: &[&str], input: &str) -> Output {
        // A new session has no terminal, wherever the tests are run.
        let mut child = Command::new("setsid")
            .arg("--wait")
            .arg(env!("CARGO_BIN_EXE_rollbook"))
            .env_remove("ROLLBOOK_CONFIG")
            .args(words)
            .arg("--socket")
            .arg(self.socket())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It need not read what it does not want.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What it says; it is content.
    #[track_caller]
    pub fn done(&self, words: &[&str]) -> String {
        self.done_with(words, "")
    }

    /// The same with a standard input.
    #[track_caller]
    pub fn done_with(&self, words: &[&str], input: &str) -> String {
        let output = self.run_with(words, input);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {complaint}");
        assert_eq!(complaint, "", "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says in JSON.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[words, &["--json"]].concat())).unwrap()
    }

    /// The same, of a list that has this one thing.
    #[track_caller]
    pub fn only(&self, words: &[&str]) -> Value {
        match self.json(words) {
            Value::Array(mut things) if things.len() == 1 => things.remove(0),
            other => panic!("{words:?}: one thing, not {other}"),
        }
    }

    /// Refused with this exit code and these words.
    #[track_caller]
    pub fn refused(&self, words: &[&str], exit: i32, says: &str) {
        self.refused_with(words, "", exit, says);
    }

    /// The same with a standard input.
    #[track_caller]
    pub fn refused_with(&self, words: &[&str], input: &str, exit: i32, says: &str) {
        let output = self.run_with(words, input);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{words:?}: {complaint}");
        assert!(complaint.contains(says), "{words:?}: {complaint}");
        assert!(output.stdout.is_empty(), "{words:?}");
    }

    /// What `account show` says about an account.
    #[track_caller]
    pub fn shown(&self, name: &str) -> Value {
        self.json(&["account", "show", name])
    }

    /// The state of an account.
    #[track_caller]
    pub fn state(&self, name: &str) -> String {
        self.shown(name)["state"].as_str().unwrap().to_owned()
    }

    /// Whether an LDAP login is admitted.
    pub fn logs_in(&self, uid: &str, password: &str) -> bool {
        let mut client = Client::connect(&self.socket()).unwrap();
        client.bind_simple(&format!("uid={uid},{PEOPLE}"), password.as_bytes()).is_ok()
    }

    /// A file that only this user may read; its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        self.file_for(name, text, 0o600)
    }

    /// A file with these permissions.
    pub fn file_for(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    }

    /// What was shown once, or never, and must be in no file of the data.
    pub fn never_kept(&self, secret: &str) {
        // The end of it is drawn, whatever stands before.
        let part = secret.get(secret.len() - 24..).unwrap();
        self.secrets.lock().unwrap().push(part.to_owned());
    }

    /// A connection to its pages.
    pub async fn http(&self) -> HttpClient {
        let address: SocketAddr = self.told["https"].as_str().unwrap().trim_start_matches("https://").parse().unwrap();
        HttpClient::connect(address, &Trust::file(Path::new(self.told["ca_file"].as_str().unwrap()))).await
    }

    /// A browser before its pages.
    pub async fn browser(&self) -> Browser {
        Browser::over(self.http().await)
    }

    /// The end: in order, with nothing left behind but a store that is whole.
    fn end(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        assert!(!self.socket().exists());
        self.refused(&["account", "list"], 4, "no daemon answers");
        let checked = rollbook().args(["check", "--data"]).arg(self.data()).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        for file in std::fs::read_dir(self.data()).unwrap() {
            let path = file.unwrap().path();
            let octets = std::fs::read(&path).unwrap_or_default();
            for secret in self.secrets.get_mut().unwrap() {
                let found = octets.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "a secret is in {}", path.display());
            }
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if std::thread::panicking() {
            _ = self.child.kill();
            _ = self.child.wait();
        } else {
            self.end();
        }
    }
}
