//! What the steps of one request make of accounts, before any of them is applied.
//!
//! Acts and passwords are judged on facts. Of several in one request each is judged on what the ones before leave
//! behind, and expects exactly that when it is applied; an account that the request itself adds is found here as well,
//! by its DN. Owned by [`super::carry`], asked by `request` and `password`.

use super::password::{Owner, Words};
use super::{AddOp, Op, PasswordOp, Subject, add};
use crate::access::Rights;
use crate::context::Context;
use crate::error::Refusal;
use crate::handle::Directory;
use crate::id::EntryId;
use crate::lifecycle::{Account, Audience};
use crate::schema::Schema;
use crate::schema::kind::Kind;
use crate::store::codec::Credential;
use std::collections::HashMap;

/// The accounts that the steps so far touch.
#[derive(Debug, Default)]
pub struct Known {
    accounts: HashMap<Subject, Touched>,
    /// Nothing is carried out, so nothing is remembered for the journal.
    rehearsal: bool,
    /// The request has one change: nothing comes after it that could ask.
    alone: bool,
}

/// One account.
#[derive(Debug, Default)]
struct Touched {
    /// The facts, when a step writes them.
    facts: Option<Account>,
    /// The credential, when a step writes it.
    credential: Option<Option<Credential>>,
    /// The account is new with this request.
    added: Option<Added>,
}

#[derive(Debug)]
struct Added {
    words: Words,
    kind: Kind,
}

impl Known {
    /// Nothing yet.
    pub fn new(rehearsal: bool, changes: usize) -> Known {
        Known { accounts: HashMap::new(), rehearsal, alone: changes < 2 }
    }

    /// Takes up a step that adds an entry.
    pub fn take_added(&mut self, schema: &Schema, op: &AddOp) {
        if self.alone {
            return;
        }
        // What is wrong with it is said when it is applied.
        let Ok(complete) = add::complete(schema, op, op.attributes.clone()) else { return };
        if !complete.kind.is_account() {
            return;
        }
        let audience = if complete.kind == Kind::ApiAccount { Audience::Api } else { Audience::Person };
        let touched = Touched {
            facts: Some(Account { audience, ..*op.account }),
            credential: Some(op.credential.clone()),
            added: Some(Added { words: Words::of_attributes(schema, &op.attributes), kind: complete.kind }),
        };
        self.accounts.insert(Subject::Key(op.key.clone()), touched);
    }

    /// Takes up a step that writes facts or a password.
    pub fn take(&mut self, op: Option<&Op>) {
        match op {
            Some(Op::Account { subject, next, password, .. }) => {
                let touched = self.accounts.entry(subject.clone()).or_default();
                touched.facts = Some(**next);
                touched.take_password(password.as_ref());
            }
            Some(Op::Modify { subject, password: Some(password), .. }) => {
                self.accounts.entry(subject.clone()).or_default().take_password(Some(password));
            }
            _ => {}
        }
    }

    /// An account that a step so far adds.
    pub fn added(&self, rights: &Rights, subject: &Subject) -> Option<Owner> {
        let touched = self.accounts.get(subject)?;
        let added = touched.added.as_ref()?;
        let Subject::Key(key) = subject else { return None };
        Some(Owner {
            id: EntryId::NONE,
            subject: subject.clone(),
            stored: touched.facts?,
            credential: touched.credential.clone().flatten(),
            words: added.words.clone(),
            governed: rights.may_add(key, added.kind),
        })
    }

    /// Lays what the steps so far write over what the store holds.
    pub fn lay_over(&self, owner: &mut Owner) {
        let Some(touched) = self.accounts.get(&owner.subject) else { return };
        if let Some(facts) = touched.facts {
            owner.stored = facts;
        }
        if let Some(credential) = &touched.credential {
            owner.credential.clone_from(credential);
        }
    }

    /// The facts that the steps write, of accounts that were there before.
    pub fn changed(&self) -> impl Iterator<Item = (EntryId, Account)> {
        self.accounts.iter().filter_map(|(subject, touched)| match subject {
            Subject::Id(id) => touched.facts.map(|facts| (*id, facts)),
            Subject::Key(_) => None,
        })
    }

    /// Remembers for the journal that a step was refused.
    pub fn refused(&self, directory: &Directory, context: &Context, id: EntryId, act: &str, refusal: &Refusal) {
        if !self.rehearsal && id != EntryId::NONE {
            directory.remember_refusal(context, id, act, refusal);
        }
    }
}

impl Touched {
    fn take_password(&mut self, password: Option<&PasswordOp>) {
        let Some(password) = password else { return };
        self.credential = Some(password.next.clone());
        if let Some(next) = &password.next_account {
            self.facts = Some(**next);
        }
    }
}
