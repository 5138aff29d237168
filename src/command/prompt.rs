//! A password from a person or a file, never from the command line, where everyone who lists processes reads it.

use super::{Exit, Failure};
use crate::config::secret::{self, Place, Secret};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// The longest line that is taken from a terminal, in bytes.
const LONGEST: u64 = 4_096;

/// The file that is standard input.
const STANDARD_INPUT: &str = "-";

/// A new password: from the file or standard input (`-`), or asked for twice at the terminal.
///
/// # Errors
/// When the file is refused, there is no terminal, or the two differ.
pub fn new_password(file: Option<&Path>) -> Result<Secret, Failure> {
    if let Some(path) = file {
        if path == Path::new(STANDARD_INPUT) {
            return first_line(std::io::stdin().lock());
        }
        let secret = secret::read(path, Place::File)?;
        return Ok(Secret::from(secret.password()?.as_bytes().to_vec()));
    }
    let mut terminal = open_terminal()?;
    let first = ask(&mut terminal, "New password: ")?;
    let second = ask(&mut terminal, "Again: ")?;
    agree(first, &second)
}

/// The first line of a pipe, without its end.
fn first_line(input: impl std::io::Read) -> Result<Secret, Failure> {
    let mut line = Vec::new();
    let read = BufReader::new(input.take(LONGEST)).read_until(b'\n', &mut line);
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    let secret = Secret::from(line);
    read.map_err(|error| Failure::new(Exit::Failed, format!("cannot read a password: {error}")))?;
    if secret.expose().is_empty() {
        return Err(Failure::new(Exit::Failed, "standard input has no password in its first line"));
    }
    Ok(secret)
}

/// Asks a question that only `y` or `yes` agrees to.
///
/// # Errors
/// `Failed` for every other answer, and when there is nobody to ask.
pub fn confirm(question: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, format!("cannot ask: {error}"));
    let mut terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|error| {
        Failure::new(Exit::Failed, format!("{question}\nno terminal to ask at ({error}); use --yes"))
    })?;
    terminal.write_all(format!("{question} [y/N] ").as_bytes()).map_err(failed)?;
    let mut line = String::new();
    BufReader::new(std::io::Read::take(&terminal, LONGEST)).read_line(&mut line).map_err(failed)?;
    if agrees(&line) { Ok(()) } else { Err(Failure::new(Exit::Failed, "nothing was done")) }
}

fn agrees(answer: &str) -> bool {
    let answer = answer.trim();
    answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
}

fn agree(first: Secret, second: &Secret) -> Result<Secret, Failure> {
    if first.expose() != second.expose() {
        return Err(Failure::new(Exit::Failed, "the two passwords differ"));
    }
    if first.expose().is_empty() {
        return Err(Failure::new(Exit::Failed, "an empty password is none"));
    }
    Ok(first)
}

fn open_terminal() -> Result<File, Failure> {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|error| {
        Failure::new(Exit::Failed, format!("no terminal to ask for a password at ({error}); use --password-file"))
    })
}

/// One line from the terminal without echo.
fn ask(terminal: &mut File, question: &str) -> Result<Secret, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, format!("cannot ask for a password: {error}"));
    // What is typed before the question is not an answer: it is dropped with the change of the terminal.
    let quiet = Quiet::new(terminal).map_err(failed)?;
    terminal.write_all(question.as_bytes()).map_err(failed)?;
    let mut line = Vec::new();
    let read = BufReader::new(std::io::Read::take(&*terminal, LONGEST)).read_until(b'\n', &mut line);
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    let secret = Secret::from(line);
    drop(quiet);
    _ = terminal.write_all(b"\n");
    read.map_err(failed)?;
    Ok(secret)
}

/// A terminal that does not echo, until this is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn new(terminal: &File) -> std::io::Result<Self> {
        let terminal = terminal.try_clone()?;
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Goal: a password file gives its first line; one that is open to others is a configuration failure.
    #[test]
    fn a_file_gives_its_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "correct horse \nsecond line\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(new_password(Some(&path)).unwrap().expose(), b"correct horse ");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(new_password(Some(&path)).unwrap_err().exit, Exit::Config);
    }

    /// Goal: a pipe gives its first line, whatever follows it; an empty one is no password.
    #[test]
    fn a_pipe_gives_its_first_line() {
        assert_eq!(first_line(&b"correct horse \r\nrest"[..]).unwrap().expose(), b"correct horse ");
        assert_eq!(first_line(&b"no line end"[..]).unwrap().expose(), b"no line end");
        assert_eq!(first_line(&b"\nlate"[..]).unwrap_err().exit, Exit::Failed);
        assert_eq!(first_line(&b""[..]).unwrap_err().exit, Exit::Failed);
    }

    /// Goal: only a yes is a yes.
    #[test]
    fn only_yes_agrees() {
        for (answer, expected) in [("y\n", true), (" YES \n", true), ("\n", false), ("", false), ("yep", false)] {
            assert_eq!(agrees(answer), expected, "{answer:?}");
        }
    }

    /// Goal: two different or empty answers are refused.
    #[test]
    fn answers_must_agree() {
        let secret = |text: &str| Secret::from(text.as_bytes().to_vec());
        assert!(agree(secret("a"), &secret("a")).is_ok());
        assert!(agree(secret("a"), &secret("b")).is_err());
        assert!(agree(secret(""), &secret("")).is_err());
    }
}
