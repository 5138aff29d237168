//! Accounts and what tests do with them: make, log in by every door, bring into a state, act upon.

use crate::{BindOutcome, NEW_PASSWORD, PASSWORD, Server, WRONG};
use directory::authenticate::{Login, LoginName, Verdict};
use directory::bootstrap;
use directory::change::{Act, Change, Receipt, Target};
use directory::clock::Span;
use directory::context::{Actor, Context, Door as Whence, Origin};
use directory::entry::dn::DnKey;
use directory::error::Refusal;
use directory::id::EntryId;
use directory::lifecycle::{Account, ChangePath, State, state};
use directory::store::view::View;
use std::net::{IpAddr, Ipv4Addr};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Its DN.
    pub dn: String,
    /// Its username.
    pub uid: String,
    /// Its address.
    pub mail: String,
    /// Its technical id.
    pub id: EntryId,
}

/// An entry as a search shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its DN.
    pub dn: String,
    /// Attribute descriptions and values.
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// The values of an attribute, as text.
    pub fn values(&self, name: &str) -> Vec<String> {
        let own = self.attributes.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        own.flat_map(|(_, values)| values.iter().map(|v| String::from_utf8_lossy(v).into_owned())).collect()
    }

    /// The first value of an attribute.
    pub fn value(&self, name: &str) -> Option<String> {
        self.values(name).into_iter().next()
    }
}

/// The ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// LDAP over TCP, by DN.
    Ldap,
    /// LDAP over the local socket, by DN.
    Ldapi,
    /// The gate itself, by username, as a page asks it.
    Username,
    /// The gate itself, by e-mail address, as a page asks it.
    Mail,
}

impl Door {
    /// All of them.
    pub const ALL: [Door; 4] = [Door::Ldap, Door::Ldapi, Door::Username, Door::Mail];
}

impl Server {
    /// A new person with [`PASSWORD`], below `ou=people`: UNVERIFIED.
    pub async fn person(&self, uid: &str) -> Person {
        self.person_in(uid, &format!("ou=people,{}", crate::BASE)).await
    }

    /// The same below another entry.
    pub async fn person_in(&self, uid: &str, parent: &str) -> Person {
        let dn = format!("uid={uid},{parent}");
        // The syntax of `mail` is ASCII, that of `uid` is not.
        let local: String = uid.chars().map(|c| if c.is_ascii() { c } else { 'x' }).collect();
        let mail = format!("{local}@example.com");
        let classes = [("objectClass", "inetOrgPerson"), ("uid", uid), ("cn", uid), ("sn", uid), ("mail", &mail)];
        self.add(&dn, &classes).await.unwrap();
        self.set_password(&dn, PASSWORD).await.unwrap();
        Person { id: self.id(&dn), uid: uid.to_owned(), mail, dn }
    }

    /// A person who is ACTIVE.
    pub async fn active(&self, uid: &str) -> Person {
        let person = self.person(uid).await;
        assert!(self.bind(&person.dn, PASSWORD).await.is_good());
        person
    }

    /// An application's account with [`PASSWORD`].
    pub async fn application(&self, uid: &str) -> Person {
        let dn = format!("uid={uid},ou=applications,{}", crate::BASE);
        let attributes = [
            ("objectClass", "account"),
            ("objectClass", "simpleSecurityObject"),
            ("uid", uid),
            ("userPassword", PASSWORD),
        ];
        self.add(&dn, &attributes).await.unwrap();
        Person { id: self.id(&dn), uid: uid.to_owned(), mail: String::new(), dn }
    }

    /// A group of these.
    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let dn = format!("cn={name},ou=groups,{}", crate::BASE);
        let mut attributes = vec![("objectClass", "groupOfNames"), ("cn", name)];
        attributes.extend(members.iter().map(|m| ("member", *m)));
        self.add(&dn, &attributes).await.unwrap();
        dn
    }

    /// Adds an entry as the operator.
    ///
    /// # Errors
    /// Why not.
    pub async fn add(&self, dn: &str, attributes: &[(&str, &str)]) -> Result<Receipt, Refusal> {
        let mut grouped: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        for (name, value) in attributes {
            match grouped.iter_mut().find(|(known, _)| known == name.as_bytes()) {
                Some((_, values)) => values.push(value.as_bytes().to_vec()),
                None => grouped.push((name.as_bytes().to_vec(), vec![value.as_bytes().to_vec()])),
            }
        }
        self.change(Change::Add { dn: dn.as_bytes().to_vec(), attributes: grouped }).await
    }

    /// Sets a password as the operator.
    ///
    /// # Errors
    /// Why not.
    pub async fn set_password(&self, dn: &str, password: &str) -> Result<Receipt, Refusal> {
        let target = Target::Dn(dn.as_bytes().to_vec());
        self.change(Change::Password { target, old: None, new: Some(password.into()) }).await
    }

    /// Changes something as the operator of the machine.
    ///
    /// # Errors
    /// Why not.
    pub async fn change(&self, change: Change) -> Result<Receipt, Refusal> {
        self.directory.change(&bootstrap::operator(&self.directory), change).await
    }

    /// Acts upon an account as the operator of the machine.
    ///
    /// # Errors
    /// Why not.
    pub async fn act(&self, person: &Person, act: Act) -> Result<Receipt, Refusal> {
        self.change(Change::Account { target: Target::Id(person.id), act }).await
    }

    /// Acts upon an account as another one.
    ///
    /// # Errors
    /// Why not.
    pub async fn act_as(&self, actor: &Person, person: &Person, act: Act) -> Result<Receipt, Refusal> {
        let epoch = self.facts(actor).expect("the actor has facts").epoch;
        let actor = Actor::Account { id: actor.id, epoch, must_change_password: false };
        let context = Context { actor, ..self.context(Whence::Console) };
        self.directory.change(&context, Change::Account { target: Target::Id(person.id), act }).await
    }

    /// Binds on a connection of its own.
    pub async fn bind(&self, dn: &str, password: impl AsRef<[u8]>) -> BindOutcome {
        self.client().await.bind(dn, password).await
    }

    /// The same with the password-policy control.
    pub async fn bind_with_control(&self, dn: &str, password: impl AsRef<[u8]>) -> BindOutcome {
        self.client().await.with_policy_control().bind(dn, password).await
    }

    /// Asks the gate, as a door that has a page for changing passwords.
    pub async fn login(&self, name: LoginName, password: &str) -> Verdict {
        let login = Login { name, password: password.into(), change: ChangePath::Page };
        self.directory.authenticate(&self.context(Whence::Console), login).await
    }

    /// Whether a login by this door is good, restricted or not.
    pub async fn enters(&self, door: Door, person: &Person, password: &str) -> bool {
        match door {
            Door::Ldap => self.bind(&person.dn, password).await.is_good(),
            Door::Ldapi => self.local().await.bind(&person.dn, password).await.is_good(),
            Door::Username => {
                matches!(self.login(LoginName::Username(person.uid.clone()), password).await, Verdict::Admitted(_))
            }
            Door::Mail => {
                matches!(self.login(LoginName::Username(person.mail.clone()), password).await, Verdict::Admitted(_))
            }
        }
    }

    /// So many wrong passwords at the LDAP door.
    pub async fn fail(&self, person: &Person, times: usize) {
        for _ in 0..times {
            let outcome = self.bind(&person.dn, WRONG).await;
            assert!(outcome.is_generic_failure(), "{outcome:?}");
        }
    }

    /// Brings a new person into a state by what leads there. Takes time for DORMANT.
    pub async fn put(&self, person: &Person, wanted: State) {
        match wanted {
            State::Unverified => {}
            State::Active => assert!(self.bind(&person.dn, PASSWORD).await.is_good()),
            State::Enabled => {
                self.act(person, Act::Disable).await.unwrap();
                self.act(person, Act::Enable { password: None }).await.unwrap();
            }
            State::Locked => {
                assert!(self.bind(&person.dn, PASSWORD).await.is_good());
                self.fail(person, usize::from(self.directory.policy().threshold())).await;
            }
            State::Dormant => {
                assert!(self.bind(&person.dn, PASSWORD).await.is_good());
                self.pass(Span::from_days(190));
            }
            State::Disabled => {
                self.act(person, Act::Disable).await.unwrap();
            }
            State::Deleted => {
                self.act(person, Act::Delete { months: None }).await.unwrap();
            }
        }
        assert_eq!(self.state(person), wanted, "{}", person.dn);
    }

    /// Unlocks with [`NEW_PASSWORD`] as the operator.
    pub async fn unlock(&self, person: &Person) {
        self.act(person, Act::Unlock { password: Some(NEW_PASSWORD.into()) }).await.unwrap();
    }

    /// The state now.
    pub fn state(&self, person: &Person) -> State {
        let facts = self.facts(person).unwrap_or_else(|| panic!("{} has no facts", person.dn));
        state(&facts, self.directory.policy(), &self.directory.now())
    }

    /// The facts, with what is still in memory; none after the purge.
    pub fn facts(&self, person: &Person) -> Option<Account> {
        let stored = self.directory.snapshot().unwrap().account(person.id).unwrap()?;
        Some(self.directory.with_counters(person.id, stored))
    }

    /// The facts as they are stored.
    pub fn stored(&self, person: &Person) -> Option<Account> {
        self.directory.snapshot().unwrap().account(person.id).unwrap()
    }

    /// Whether a password is stored.
    pub fn has_password(&self, person: &Person) -> bool {
        let credential = self.directory.snapshot().unwrap().credential(person.id).unwrap();
        credential.is_some_and(|credential| credential.password.is_some())
    }

    /// The technical id of a DN.
    pub fn id(&self, dn: &str) -> EntryId {
        let key = DnKey::parse(self.directory.schema(), dn.as_bytes()).unwrap();
        self.directory.snapshot().unwrap().id_of(key.as_bytes()).unwrap().expect("the entry is there")
    }

    /// The circumstances of a stranger's request.
    pub fn context(&self, door: Whence) -> Context {
        let origin = Origin { door, address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), confidential: true };
        let now = self.directory.now();
        Context { actor: Actor::Anonymous, origin, now, request_id: self.directory.next_request_id() }
    }
}
