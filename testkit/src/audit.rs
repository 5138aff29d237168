//! What the journal says, after everything that waits for it has been written.

use crate::{Person, Server};
use directory::id::EntryId;
use directory::journal::record::{self, Event, Note, Record};

/// The journal of a moment.
#[derive(Debug, Clone)]
pub struct Trail {
    /// The records in their order.
    pub records: Vec<Record>,
}

impl Server {
    /// Everything so far.
    pub async fn trail(&self) -> Trail {
        self.directory.flush(true).await.unwrap();
        let snapshot = self.directory.snapshot().unwrap();
        let mut records = Vec::new();
        let (_, broken) = record::read(&snapshot.journal(), |_, record| records.push(record.clone())).unwrap();
        assert_eq!(broken, None, "the chain of the journal is whole");
        Trail { records }
    }

    /// The reason of the last refused login of an account; `None` for a name that nobody has.
    pub async fn last_refusal(&self, person: Option<&Person>) -> Option<String> {
        let id = person.map(|p| p.id);
        self.trail().await.notes("login-refused").into_iter().rfind(|n| n.entry == id).map(|n| n.reason.clone())
    }
}

impl Trail {
    /// What changed nothing, of one kind.
    pub fn notes(&self, what: &str) -> Vec<&Note> {
        let mut notes = Vec::new();
        for event in self.events() {
            if let Event::Noted(note) = event
                && note.what == what
            {
                notes.push(note);
            }
        }
        notes
    }

    /// The acts upon an account, in their order.
    pub fn acts(&self, id: EntryId) -> Vec<&str> {
        let mut acts = Vec::new();
        for event in self.events() {
            if let Event::Account { entry, act, .. } = event
                && *entry == id
            {
                acts.push(act.as_str());
            }
        }
        acts
    }

    fn events(&self) -> impl Iterator<Item = &Event> {
        self.records.iter().flat_map(|record| &record.events)
    }
}
