//! `account list`: accounts page by page, as a table, JSON or CSV.
//!
//! Prints while it reads, so a list of a million accounts needs the memory of one page. A table's columns are as wide as
//! its first page wants them.

use super::List;
use super::find::{self, PAGE, STATE};
use super::show::{name, username};
use super::text::{csv, shown, time};
use crate::client::{Client, Entry, Query};
use crate::command::{Exit, Failure, say};
use ldap::wire::filter::{FilterBuf, parse_string};
use ldap::wire::message::Scope;
use serde::Serialize;

/// What is read of each account.
const ATTRIBUTES: &[&str] = &["uid", "cn", "displayName", "mail", STATE, "pwdLastSuccess"];

const HEAD: [&str; 5] = ["username", "name", "e-mail", "state", "last login"];

/// The widest column of a table, in characters; longer values push the rest of their line.
const WIDEST: usize = 40;

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// An array of objects, one on each line
    Json,
    /// RFC 4180, with a header
    Csv,
}

/// One account of a list. The names are a promise to scripts.
#[derive(Debug, Serialize)]
struct Line<'a> {
    dn: &'a str,
    username: Option<&'a str>,
    name: Option<&'a str>,
    email: Option<&'a str>,
    state: Option<&'a str>,
    last_login: Option<String>,
}

impl<'a> Line<'a> {
    fn of(entry: &'a Entry) -> Self {
        Line {
            dn: &entry.dn,
            username: username(entry),
            name: name(entry),
            email: entry.value("mail"),
            state: entry.value(STATE),
            last_login: entry.value("pwdLastSuccess").map(time),
        }
    }

    fn columns(&self) -> [&str; 5] {
        let or_nothing = |value: Option<&'a str>| value.unwrap_or_default();
        [
            or_nothing(self.username),
            or_nothing(self.name),
            or_nothing(self.email),
            or_nothing(self.state),
            self.last_login.as_deref().unwrap_or_default(),
        ]
    }
}

/// Lists accounts.
///
/// # Errors
/// `Usage` for a filter that is none; `Refused` for a base that is not there.
pub fn run(client: &mut Client, args: &List) -> Result<Exit, Failure> {
    let filter = filter(args)?;
    let bases = match &args.base {
        Some(base) => vec![base.clone()],
        None => find::suffixes(client)?,
    };
    let mut printer = Printer::new(args.format);
    say(printer.begin());
    for base in bases {
        let query = Query { base: &base, scope: Scope::Subtree, filter: &filter, attributes: ATTRIBUTES, page: PAGE };
        client.search(&query, |entry| say(&printer.put(entry)))?;
    }
    say(&printer.end());
    Ok(Exit::Done)
}

fn filter(args: &List) -> Result<FilterBuf, Failure> {
    let mut parts = vec![match &args.state {
        Some(state) => FilterBuf::equality(STATE.as_bytes(), state.to_ascii_uppercase().as_bytes()),
        None => FilterBuf::present(STATE.as_bytes()),
    }];
    if let Some(text) = &args.filter {
        let given = parse_string(text).map_err(|e| Failure::new(Exit::Usage, format!("--filter {text}: {e}")))?;
        // The cheaper one first; the state is computed for every account that is looked at.
        parts.insert(0, given);
    }
    Ok(FilterBuf::and(&parts))
}

/// Accounts to text, one by one.
struct Printer {
    format: Format,
    count: usize,
    /// The first page of a table, until its widths are known.
    waiting: Vec<Entry>,
    widths: Option<[usize; 5]>,
}

impl Printer {
    fn new(format: Format) -> Self {
        Printer { format, count: 0, waiting: Vec::new(), widths: None }
    }

    fn begin(&self) -> &'static str {
        match self.format {
            Format::Table => "",
            Format::Json => "[",
            Format::Csv => "username,name,e-mail,state,last login\r\n",
        }
    }

    fn put(&mut self, entry: Entry) -> String {
        self.count = self.count.saturating_add(1);
        match self.format {
            Format::Json => {
                let comma = if self.count > 1 { "," } else { "" };
                format!("{comma}\n  {}", serde_json::to_string(&Line::of(&entry)).unwrap_or_default())
            }
            Format::Csv => Line::of(&entry).columns().map(csv).join(",") + "\r\n",
            Format::Table => match self.widths {
                Some(widths) => row(&Line::of(&entry).columns(), &widths),
                None => {
                    self.waiting.push(entry);
                    if u32::try_from(self.waiting.len()).is_ok_and(|count| count >= PAGE) {
                        self.settle()
                    } else {
                        String::new()
                    }
                }
            },
        }
    }

    fn end(&mut self) -> String {
        match (self.format, self.count) {
            (Format::Json, 0) => "]\n".to_owned(),
            (Format::Json, _) => "\n]\n".to_owned(),
            (Format::Csv, _) => String::new(),
            (Format::Table, 0) => "no accounts\n".to_owned(),
            (Format::Table, _) if self.widths.is_none() => self.settle(),
            (Format::Table, _) => String::new(),
        }
    }

    /// The head and what waits, now that the widths are known.
    fn settle(&mut self) -> String {
        let waiting = std::mem::take(&mut self.waiting);
        let lines: Vec<Line<'_>> = waiting.iter().map(Line::of).collect();
        let mut widths = HEAD.map(str::len);
        for line in &lines {
            for (width, value) in widths.iter_mut().zip(line.columns()) {
                *width = (*width).max(shown(value).chars().count().min(WIDEST));
            }
        }
        self.widths = Some(widths);
        std::iter::once(row(&HEAD, &widths)).chain(lines.iter().map(|line| row(&line.columns(), &widths))).collect()
    }
}

fn row(columns: &[&str; 5], widths: &[usize; 5]) -> String {
    let cells = columns.iter().zip(widths).map(|(value, width)| format!("{:<width$}", shown(value), width = *width));
    let line: Vec<String> = cells.collect();
    line.join("  ").trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap::wire::ber::List as Series;

    fn args(state: Option<&str>, filter: Option<&str>) -> List {
        let owned = |text: &str| text.to_owned();
        List { state: state.map(owned), filter: filter.map(owned), base: None, format: Format::Table }
    }

    /// Goal: state and filter narrow each other down; what is no filter is a usage error.
    #[test]
    fn filters_are_joined() {
        let text = |state, given| filter(&args(state, given)).map(|f| f.to_string()).map_err(|f| f.exit);
        assert_eq!(text(None, None).unwrap(), "(&(rollbookState=*))");
        assert_eq!(text(Some("locked"), None).unwrap(), "(&(rollbookState=LOCKED))");
        assert_eq!(text(Some("locked"), Some("(sn=A*)")).unwrap(), "(&(sn=A*)(rollbookState=LOCKED))");
        assert_eq!(text(None, Some("sn=A*")), Err(Exit::Usage));
        assert_eq!(text(None, Some("(sn=A*)(objectClass=*)")), Err(Exit::Usage));
    }

    fn printed(format: Format, count: usize) -> String {
        let mut printer = Printer::new(format);
        let mut out = printer.begin().to_owned();
        (0..count).for_each(|n| out += &printer.put(Entry::of(format!("uid={n}").as_bytes(), Series::EMPTY)));
        out + &printer.end()
    }

    /// Goal: whatever the number of accounts, JSON is JSON, CSV has its header once, and a table its head once.
    #[test]
    fn lists_of_any_length_are_whole() {
        for count in [0, 1, 2, 199, 200, 201, 1200] {
            let json: serde_json::Value = serde_json::from_str(&printed(Format::Json, count)).unwrap();
            assert_eq!(json.as_array().map(Vec::len), Some(count));
            assert_eq!(printed(Format::Csv, count).lines().count(), count + 1);
            let table = printed(Format::Table, count);
            // The lines of these entries are empty but for the head.
            assert_eq!(table.lines().count(), count + 1);
            assert_eq!(table.lines().filter(|line| line.starts_with("username")).count(), usize::from(count > 0));
        }
    }
}
