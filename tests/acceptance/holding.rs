//! What somebody holds of one login at every door: a browser's session, tokens of an application, a bound connection.

use testkit::{Browser, Client, PASSWORD, Person, RelyingParty, Server};

/// Everything of one person.
pub struct Holding {
    /// Signed in.
    pub browser: Browser,
    /// Whom the tokens were given to.
    pub party: RelyingParty,
    /// Bound, until it is ended.
    ldap: Option<Client>,
    access: String,
    refresh: String,
}

/// What of it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Good {
    session: bool,
    access: bool,
    userinfo: bool,
    refresh: bool,
    connection: bool,
}

impl Good {
    /// Everything.
    pub const ALL: Good = Good { session: true, access: true, userinfo: true, refresh: true, connection: true };
    /// Nothing.
    pub const NONE: Good = Good { session: false, access: false, userinfo: false, refresh: false, connection: false };
}

impl Holding {
    /// Signs a person in everywhere.
    pub async fn of(server: &Server, party: RelyingParty, person: &Person) -> Holding {
        let ldap = Some(server.bound(&person.dn, PASSWORD).await);
        let mut holding = Holding {
            browser: Browser::open(server).await,
            party,
            ldap,
            access: String::new(),
            refresh: String::new(),
        };
        holding.browser.visit(&holding.party.authorize("openid offline_access")).await;
        holding.browser.sign_in(&person.uid, PASSWORD).await;
        let code = holding.browser.told("code").expect("a code");
        let tokens = holding.party.redeem(&code).await;
        holding.keep(&tokens.json());
        assert_eq!(holding.good().await, Good::ALL, "to begin with");
        holding
    }

    fn keep(&mut self, tokens: &serde_json::Value) {
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        (self.access, self.refresh) = (text("access_token"), text("refresh_token"));
    }

    /// Uses all of it: the refresh token changes if it is good.
    pub async fn good(&mut self) -> Good {
        let session = is_signed_in(&mut self.browser).await;
        let access = self.party.is_active(&self.access).await;
        let userinfo = self.party.userinfo(&self.access).await.status.is_success();
        let told = self.party.is_active(&self.refresh).await;
        let refreshed = self.party.refresh(&self.refresh).await;
        let refresh = refreshed.status.is_success();
        assert_eq!(told, refresh, "introspection and the token endpoint agree");
        if refresh {
            self.keep(&refreshed.json());
        }
        let connection = match &mut self.ldap {
            Some(client) => !client.who_am_i().await.ended,
            None => false,
        };
        self.ldap = self.ldap.take().filter(|_| connection);
        Good { session, access, userinfo, refresh, connection }
    }

    /// What the token endpoint answers to the refresh token.
    pub async fn refreshing(&mut self) -> (u16, String) {
        let answer = self.party.refresh(&self.refresh).await;
        (answer.status.as_u16(), answer.text().to_owned())
    }
}

/// Whether the page of the own sessions is shown.
pub async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.visit("/sessions").await;
    browser.heading() == "Where you are signed in"
}

/// Whether the page lets somebody in, in a new browser.
pub async fn signs_in(server: &Server, username: &str, password: &str) -> bool {
    let mut browser = Browser::open(server).await;
    browser.sign_in(username, password).await;
    is_signed_in(&mut browser).await
}

/// The page that refuses somebody, without what differs from request to request.
pub async fn refusal(server: &Server, username: &str, password: &str) -> String {
    let mut browser = Browser::open(server).await;
    browser.visit("/sign-in").await;
    browser.sign_in(username, password).await;
    assert_eq!(browser.page.status.as_u16(), 403, "{username}");
    let tokens = ["/sign-in", "/look"].map(|action| browser.hidden(action)[0].1.clone());
    let page = browser.page.text().replace(username, "NAME");
    tokens.iter().fold(page, |page, token| page.replace(token, "TOKEN"))
}
