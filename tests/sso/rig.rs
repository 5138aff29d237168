//! A server with one provider, and what a person at a browser does.

use axum::http::StatusCode;
use directory::application::{Provider, ProviderKind};
use directory::bootstrap;
use directory::change::{Change, Modification, ModificationKind, Target};
use directory::id::EntryId;
use directory::search;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::Duration;
use testkit::{BASE, Browser, Server, Setup, UPSTREAM_CLIENT, UPSTREAM_SECRET, Upstream};

/// The server's address as browsers know it.
pub const ORIGIN: &str = "https://id.example";
/// The provider's entry.
pub const CORP: &str = "cn=corp,ou=system,dc=example,dc=com";
/// The headings of the pages where a sign-in ends.
pub const IN: &str = "Where you are signed in";
pub const REFUSED: &str = "You cannot sign in with Corp";
pub const SIGN_IN: &str = "Sign in";

pub struct Rig {
    pub server: Server,
    pub upstream: Upstream,
    /// The request that brought the last answer of the provider.
    answered: RefCell<String>,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// A server and a provider of this kind in use, with these attributes besides.
    pub async fn start(kind: ProviderKind, more: &[(&str, &str)]) -> Rig {
        let upstream = Upstream::start(kind).await;
        let folder = tempfile::tempdir().unwrap();
        let trusted = folder.path().join("trusted.pem");
        std::fs::write(&trusted, upstream.certificate_pem()).unwrap();
        let settings = vec![
            ("http.public_url", ORIGIN.to_owned()),
            ("oidc.networks", "127.0.0.0/8, ::1/128".to_owned()),
            ("oidc.ca_file", trusted.display().to_string()),
        ];
        let server = Setup { settings, ..Setup::default() }.start().await;
        let rig = Rig { server, upstream, answered: RefCell::default(), _folder: folder };
        rig.add_provider("corp", "Corp", kind, more).await;
        for group in ["staff", "buyers"] {
            let dn = format!("cn={group},ou=groups,{BASE}");
            rig.server.add(&dn, &[("objectClass", "groupOfMembers")]).await.unwrap();
        }
        rig
    }

    pub async fn add_provider(&self, name: &str, shown: &str, kind: ProviderKind, more: &[(&str, &str)]) -> EntryId {
        let mut attributes = vec![
            ("objectClass", "rollbookProvider"),
            ("displayName", shown),
            ("rollbookProviderKind", kind.name()),
            ("rollbookClientId", UPSTREAM_CLIENT),
            ("rollbookIssuer", self.upstream.origin()),
        ];
        if kind == ProviderKind::Entra && more.iter().all(|(name, _)| *name != "rollbookAllowedTenant") {
            attributes.push(("rollbookAllowedTenant", Upstream::TENANT));
        }
        if more.iter().all(|(name, _)| *name != "rollbookEnabled") {
            attributes.push(("rollbookEnabled", "TRUE"));
        }
        attributes.extend(more);
        let dn = format!("cn={name},ou=system,{BASE}");
        let receipt = self.server.add(&dn, &attributes).await.unwrap();
        let operator = bootstrap::operator(&self.server.directory);
        self.server.directory.keep_secret(&operator, receipt.entry.unwrap(), &UPSTREAM_SECRET.into()).await.unwrap();
        receipt.entry.unwrap()
    }

    pub fn provider(&self) -> Provider {
        self.server.directory.provider("corp").unwrap().unwrap()
    }

    /// The person at the provider, over the usual one.
    pub fn person(&self, claims: Value) {
        self.upstream.tell(|asked| asked.person = claims);
    }

    /// The clocks of both sides go on.
    pub fn pass(&self, span: directory::clock::Span) {
        self.server.clock.advance(span);
        let now = self.server.directory.now().wall;
        self.upstream.tell(|asked| asked.now = Some(now));
    }

    /// Somebody here, ACTIVE, whose address has been verified or not.
    pub async fn here(&self, uid: &str, verified: bool) -> testkit::Person {
        let person = self.server.active(uid).await;
        let flag = if verified { "TRUE" } else { "FALSE" };
        self.set(&person.dn, ModificationKind::Add, "objectClass", "rollbookAccount").await;
        self.set(&person.dn, ModificationKind::Replace, "rollbookMailVerified", flag).await;
        person
    }

    pub async fn set(&self, dn: &str, kind: ModificationKind, attribute: &str, value: &str) {
        let values = vec![value.as_bytes().to_vec()];
        let modifications = vec![Modification { kind, attribute: attribute.as_bytes().to_vec(), values }];
        self.server.change(Change::Modify { target: Target::Dn(dn.into()), modifications }).await.unwrap();
    }

    /// The DNs of the entries that hold this value.
    pub fn holding(&self, attribute: &str, value: &str) -> Vec<String> {
        let directory = &self.server.directory;
        let snapshot = directory.snapshot().unwrap();
        let rights = directory.rights(&snapshot, directory::context::Actor::System).unwrap();
        let filter = directory::filter::Filter::Equal(attribute.as_bytes().to_vec(), value.as_bytes().to_vec());
        let request = search::SearchRequest {
            base: BASE.as_bytes(),
            scope: search::Scope::Subtree,
            deref: search::Deref::Never,
            filter: &filter,
            size_limit: 0,
            time_limit_seconds: 0,
            after: None,
        };
        let mut cursor = search::begin(directory.reading(&snapshot, &rights, directory.now()), &request).unwrap();
        let mut out = Vec::new();
        while let Some(found) = cursor.next().unwrap() {
            out.push(found.dn().to_owned());
        }
        out
    }

    /// The way to the provider, as the sign-in page has it.
    pub async fn way(&self, browser: &mut Browser, place: &str, name: &str) -> String {
        let page = browser.visit(place).await.text();
        let (_, rest) = page.split_once(&format!("href=\"/sso/{name}?")).unwrap_or_else(|| panic!("no way: {page}"));
        let query = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        format!("/sso/{name}?{query}")
    }

    /// From the sign-in page to the provider: the address that the browser is sent back to, as a path of ours.
    pub async fn leave(&self, browser: &mut Browser) -> String {
        let way = self.way(browser, "/sign-in", "corp").await;
        self.go(browser, &way).await
    }

    pub async fn go(&self, browser: &mut Browser, way: &str) -> String {
        browser.get(way).await;
        let address =
            browser.elsewhere().unwrap_or_else(|| panic!("not sent away: {}", browser.page.text())).to_owned();
        let back = self.upstream.authorize(&address);
        back.strip_prefix(ORIGIN).unwrap().to_owned()
    }

    /// The whole way, in a new browser; what it sees at the end.
    pub async fn sign_in(&self) -> (Browser, String) {
        let mut browser = Browser::open(&self.server).await;
        let heading = self.sign_in_with(&mut browser).await;
        (browser, heading)
    }

    pub async fn sign_in_with(&self, browser: &mut Browser) -> String {
        let back = self.leave(browser).await;
        self.come(browser, &back).await
    }

    /// The browser comes back with an answer of the provider; what it sees at the end.
    pub async fn come(&self, browser: &mut Browser, back: &str) -> String {
        browser.get(back).await;
        browser.page.header("x-request-id").clone_into(&mut self.answered.borrow_mut());
        browser.follow().await;
        browser.heading()
    }

    /// What has been learnt of the provider, or that it is down, may be looked at again.
    pub async fn again(&self) {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(11)).await;
        tokio::time::resume();
    }

    /// Who is signed in in a browser.
    pub fn who(&self, browser: &Browser) -> Option<EntryId> {
        let secret = browser.cookies.get("__Host-rollbook")?;
        let now = self.server.directory.now();
        Some(self.server.directory.session(secret, &now).unwrap()?.session.account)
    }

    /// The rule that refused the last answer of the provider, as `rollbook login explain` tells it.
    pub fn why(&self) -> String {
        let steps = self.server.directory.trail().explain(&self.answered.borrow());
        let mut refused = steps.into_iter().filter_map(|step| step.refused);
        // The pages have their own words for a browser that has lost its way.
        refused.find(|why| why.starts_with('R')).unwrap_or_default()
    }

    /// Links a person by their own hand: the provider, the password, the question.
    pub async fn link(&self, browser: &mut Browser, uid: &str, password: &str) -> String {
        let back = self.leave(browser).await;
        browser.visit(&back).await;
        assert_eq!(browser.heading(), SIGN_IN);
        browser.submit("/sign-in", &[("username", uid), ("password", password)]).await;
        browser.follow().await;
        browser.heading()
    }

    pub async fn answer(&self, browser: &mut Browser, answer: &str) -> StatusCode {
        browser.submit("/sso/corp/link", &[("answer", answer)]).await;
        browser.follow().await.status
    }
}

/// Somebody of this name, whose address the provider speaks for where it speaks for the domain.
pub fn somebody(name: &str) -> Value {
    json!({
        "sub": format!("subject of {name}"), "preferred_username": name, "name": name, "given_name": name,
        "email": format!("{name}@example.com"), "email_verified": true,
    })
}
