//! What the pages show of an account: its names, and who it is to the life cycle.

use crate::Web;
use directory::entry::record::Record;
use directory::error::Refusal;
use directory::id::EntryId;
use directory::store::view::View;

/// An account, for people to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The username; where there is none, the name in the directory.
    pub username: String,
    /// What the person is called.
    pub name: String,
}

impl Web {
    /// The account's names; none when it is gone.
    ///
    /// # Errors
    /// `Store`.
    pub fn person(&self, id: EntryId) -> Result<Option<Person>, Refusal> {
        let snapshot = self.directory().snapshot()?;
        let Some(guard) = snapshot.as_ref().record(id)? else { return Ok(None) };
        let Ok(record) = Record::parse(guard.value()) else { return Ok(None) };
        let schema = self.directory().schema();
        let value = |name: &str| {
            let attribute = schema.find_attribute(name.as_bytes())?;
            let value = record.values(attribute.id).next()?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let username = value("uid").or_else(|| value("cn")).unwrap_or_else(|| record.dn().to_owned());
        let name = value("displayName").or_else(|| value("cn")).unwrap_or_else(|| username.clone());
        Ok(Some(Person { username, name }))
    }
}
