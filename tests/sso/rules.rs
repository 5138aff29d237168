//! The rules of the bridge that the flow owns, by their numbers.

use crate::rig::{CORP, IN, ORIGIN, REFUSED, Rig, SIGN_IN, somebody};
use axum::http::StatusCode;
use directory::application::ProviderKind::Oidc;
use directory::bootstrap;
use directory::change::{Act, ModificationKind};
use directory::clock::Span;
use directory::lifecycle::State;
use directory::store::view::View;
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use testkit::{Browser, PASSWORD, Trouble, WRONG};

const TRUSTED: [(&str, &str); 2] = [("rollbookLinkPolicy", "trusted-email"), ("rollbookTrustedDomain", "example.com")];
const JIT: (&str, &str) = ("rollbookJustInTime", "TRUE");
const STAFF: &str = "cn=staff,ou=groups,dc=example,dc=com";
const BUYERS: &str = "cn=buyers,ou=groups,dc=example,dc=com";

#[tokio::test]
async fn r1_a_state_is_this_browsers_this_providers_and_good_once() {
    // Goal: 256 bits, one return address per provider, ten minutes; another browser's, another provider's, a bent, a repeated
    // or a late answer signs nobody in, and the right one still does.
    let rig = Rig::start(Oidc, &[JIT]).await;
    rig.add_provider("other", "Other", Oidc, &[JIT]).await;
    let (mut browser, mut stranger) = (Browser::open(&rig.server).await, Browser::open(&rig.server).await);
    let back = rig.leave(&mut browser).await;
    assert!(back.starts_with("/sso/corp/callback?"), "{back}");
    stranger.visit(&back).await;
    assert!(stranger.heading() == SIGN_IN && rig.who(&stranger).is_none());
    let elsewhere = back.replacen("/sso/corp/", "/sso/other/", 1);
    let bent = back.replacen("state=", "state=x", 1);
    let twice = format!("{back}&state=x");
    for wrong in [elsewhere, bent, twice] {
        browser.visit(&wrong).await;
        assert!(browser.heading() == SIGN_IN && rig.who(&browser).is_none(), "{wrong}");
    }
    let kept = browser.cookies.clone();
    browser.visit(&back).await;
    assert_eq!(browser.heading(), IN);
    let mut again = Browser::open(&rig.server).await;
    again.cookies = kept;
    again.visit(&back).await;
    assert!(again.heading() == SIGN_IN && rig.who(&again).is_none(), "{}", again.page.text());
    let mut late = Browser::open(&rig.server).await;
    let back = rig.leave(&mut late).await;
    rig.pass(Span::from_secs(601));
    late.visit(&back).await;
    assert!(late.heading() == SIGN_IN && rig.who(&late).is_none());
    assert_eq!(rig.upstream.served("token"), 1, "nothing was redeemed for the others");
    rig.server.verify().await;
}

#[tokio::test]
async fn r1_the_way_begins_at_our_sign_in_page_and_leads_back_to_the_wish() {
    // Goal: a link that somebody else made signs nobody in; what the sign-in was for survives the way, however long it is.
    let rig = Rig::start(Oidc, &[JIT]).await;
    let mut browser = Browser::open(&rig.server).await;
    let way = rig.way(&mut browser, "/sign-in", "corp").await;
    let mut stranger = Browser::open(&rig.server).await;
    stranger.visit("/sign-in").await;
    for forged in [way.as_str(), "/sso/corp", "/sso/corp?t=x", "/sso/nobody"] {
        stranger.visit(forged).await;
        assert_eq!(stranger.heading(), SIGN_IN, "{forged}");
    }
    rig.set(CORP, ModificationKind::Replace, "rollbookEnabled", "FALSE").await;
    browser.visit(&way).await;
    assert!(browser.heading() == SIGN_IN && !browser.page.text().contains("/sso/corp"), "switched off");
    rig.set(CORP, ModificationKind::Replace, "rollbookEnabled", "TRUE").await;
    for length in [10, 7_000] {
        let mut browser = Browser::open(&rig.server).await;
        let wish = format!("/oauth2/authorize?client_id=nobody&state={}", "s".repeat(length));
        let wish = web::ReturnTo::path(&wish).unwrap();
        let page = web::sign_in_uri(&rig.server.pages().await, wish.clone(), web::Hints::default());
        let way = rig.way(&mut browser, &page, "corp").await;
        let back = rig.go(&mut browser, &way).await;
        browser.get(&back).await;
        assert_eq!(browser.page.header("location"), wish.as_str(), "{length}");
        assert!(browser.cookies.keys().all(|name| !name.starts_with("__Host-rollbook-sso")), "taken back");
    }
    rig.server.verify().await;
}

#[tokio::test]
async fn r8_the_link_decides_before_any_address() {
    let rig = Rig::start(Oidc, &[TRUSTED[0], TRUSTED[1]]).await;
    let (ada, bob) = (rig.here("ada", true).await, rig.here("bob", true).await);
    rig.person(json!({"sub": "1", "email": "ada@example.com"}));
    let (browser, heading) = rig.sign_in().await;
    assert_eq!((heading.as_str(), rig.who(&browser)), (IN, Some(ada.id)));
    // The same person has another address there now, which is another account's here.
    rig.person(json!({"sub": "1", "email": "bob@example.com"}));
    assert_eq!(rig.who(&rig.sign_in().await.0), Some(ada.id));
    // Somebody else has the address now: the account has its key, and it is not theirs.
    rig.person(json!({"sub": "2", "email": "ada@example.com"}));
    let (browser, heading) = rig.sign_in().await;
    assert_eq!((heading.as_str(), rig.who(&browser)), (REFUSED, None));
    assert_ne!(rig.who(&browser), Some(bob.id));
    rig.server.verify().await;
}

#[tokio::test]
async fn r9_nobody_is_linked_by_an_address_unless_everything_holds() {
    // Goal: by default nobody; with trusted-email only a verified address here, spoken for there, of somebody without rights.
    let rig = Rig::start(Oidc, &[]).await;
    rig.here("ada", true).await;
    rig.person(somebody("ada"));
    let (browser, heading) = rig.sign_in().await;
    assert_eq!((heading.as_str(), browser.page.status), (REFUSED, StatusCode::FORBIDDEN));
    assert!(rig.why().starts_with("R8"), "{}", rig.why());
    for (attribute, value) in TRUSTED {
        rig.set(CORP, ModificationKind::Replace, attribute, value).await;
    }
    let (eve, admin) = (rig.here("eve", false).await, rig.here("boss", true).await);
    rig.server.grant("cn=TENANT_ADMIN,ou=roles,dc=example,dc=com", &admin).await;
    for (name, person) in [("eve", &eve), ("boss", &admin)] {
        rig.person(somebody(name));
        let (browser, heading) = rig.sign_in().await;
        assert_eq!((heading.as_str(), rig.who(&browser)), (SIGN_IN, None), "{name} is asked");
        let operator = bootstrap::operator(&rig.server.directory);
        assert!(rig.server.directory.links_of(&operator, person.id).unwrap().is_empty());
    }
    rig.person(json!({"sub": "x", "email": "ada@example.com", "email_verified": false}));
    assert_eq!(rig.sign_in().await.1, SIGN_IN, "not verified there");
    rig.person(somebody("ada"));
    assert_eq!(rig.sign_in().await.1, IN);
    rig.server.verify().await;
}

#[tokio::test]
async fn r9_who_is_asked_signs_in_here_with_every_factor_and_confirms() {
    let rig = Rig::start(Oidc, &[("rollbookLinkPolicy", "prompt")]).await;
    let ada = rig.here("ada", true).await;
    rig.person(somebody("whoever"));
    // A session from before is not enough, nor is none.
    let mut before = Browser::open(&rig.server).await;
    before.sign_in("ada", PASSWORD).await;
    rig.pass(Span::from_secs(1));
    let mut browser = Browser::open(&rig.server).await;
    assert_eq!(rig.sign_in_with(&mut browser).await, SIGN_IN);
    let word = browser.cookies["__Host-rollbook-link"].clone();
    before.cookies.insert("__Host-rollbook-link".to_owned(), word);
    for browser in [&mut before, &mut browser] {
        browser.get("/sso/corp/link").await;
        assert!(browser.page.header("location").starts_with("/sign-in?"), "{}", browser.page.text());
    }
    let mut browser = Browser::open(&rig.server).await;
    assert_eq!(rig.link(&mut browser, "ada", PASSWORD).await, "Link your account with Corp");
    assert!(!browser.page.text().contains("its password"), "the address is verified");
    let links = || rig.server.directory.links_of(&bootstrap::operator(&rig.server.directory), ada.id).unwrap().len();
    assert_eq!((rig.answer(&mut browser, "no").await, links()), (StatusCode::OK, 0));
    let mut browser = Browser::open(&rig.server).await;
    rig.link(&mut browser, "ada", PASSWORD).await;
    let form = browser.hidden("/sso/corp/link");
    let mut stranger = Browser::open(&rig.server).await;
    stranger.sign_in("ada", PASSWORD).await;
    stranger.post("/sso/corp/link", &form).await;
    assert_eq!(links(), 0, "the provider's word is not in that browser");
    assert_eq!((rig.answer(&mut browser, "link").await, browser.heading(), links()), (StatusCode::OK, IN.into(), 1));
    assert_eq!(rig.who(&rig.sign_in().await.0), Some(ada.id));
    assert!(rig.server.enters(testkit::Door::Username, &ada, PASSWORD).await, "the password stays");
    // The second factor is asked for on both ways in.
    rig.set(&ada.dn, ModificationKind::Replace, "rollbookSecondFactor", "TRUE").await;
    assert_eq!(rig.sign_in().await.1, "Set up your second step");
    rig.server.verify().await;
}

#[tokio::test]
async fn r10_a_link_to_an_unverified_address_ends_what_was_before() {
    // Goal: who set the account up with somebody's address keeps neither password nor session; the question says so.
    let rig = Rig::start(Oidc, &[("rollbookLinkPolicy", "prompt")]).await;
    let bob = rig.here("bob", false).await;
    let mut hijacker = Browser::open(&rig.server).await;
    hijacker.sign_in("bob", PASSWORD).await;
    assert_eq!(rig.who(&hijacker), Some(bob.id));
    rig.person(somebody("bob"));
    let mut browser = Browser::open(&rig.server).await;
    rig.link(&mut browser, "bob", PASSWORD).await;
    assert!(browser.page.text().contains("its password and all its sign-ins end"));
    rig.answer(&mut browser, "link").await;
    assert_eq!(browser.heading(), SIGN_IN);
    assert!(rig.who(&hijacker).is_none() && rig.who(&browser).is_none());
    assert!(!rig.server.enters(testkit::Door::Ldap, &bob, PASSWORD).await);
    assert_eq!(rig.sign_in_with(&mut browser).await, IN);
    assert_eq!(rig.who(&browser), Some(bob.id));
    rig.server.verify().await;
}

#[tokio::test]
async fn r11_accounts_are_made_only_where_that_is_switched_on() {
    let rig = Rig::start(Oidc, &[TRUSTED[1]]).await;
    rig.person(somebody("zoe"));
    assert_eq!(rig.sign_in().await.1, REFUSED);
    assert!(rig.holding("uid", "zoe").is_empty());
    rig.set(CORP, ModificationKind::Replace, "rollbookJustInTime", "TRUE").await;
    let (browser, heading) = rig.sign_in().await;
    let dn = "uid=zoe,ou=people,dc=example,dc=com";
    assert_eq!((heading.as_str(), rig.who(&browser)), (IN, Some(rig.server.id(dn))));
    assert_eq!(rig.holding("rollbookUserType", "sso"), [dn]);
    assert_eq!(rig.holding("mail", "zoe@example.com"), [dn]);
    let snapshot = rig.server.directory.snapshot().unwrap();
    assert!(snapshot.as_ref().groups_of(rig.server.id(dn), 10).unwrap().is_empty(), "no role but mapped ones");
    let link = rig.server.directory.links_of(&bootstrap::operator(&rig.server.directory), rig.server.id(dn)).unwrap();
    assert!(link[0].key.ends_with("|subject of zoe") && link[0].claims != [0; 32] && link[0].created.0 > 0);
    // Another one of the same name is another one.
    rig.person(json!({"sub": "2", "preferred_username": "zoe"}));
    let (browser, _) = rig.sign_in().await;
    assert_eq!(rig.who(&browser), Some(rig.server.id("uid=zoe-2,ou=people,dc=example,dc=com")));
    // An address that is an account's here makes none, and links none.
    rig.person(json!({"sub": "3", "preferred_username": "zo", "email": "zoe@example.com", "email_verified": true}));
    assert_eq!(rig.sign_in().await.1, REFUSED);
    assert!(rig.holding("uid", "zo").is_empty());
    rig.server.verify().await;
}

#[tokio::test]
async fn r12_a_mapping_owns_what_it_gave_and_fails_closed() {
    let map = |theirs: &str, ours: &str| format!("{theirs}={ours}");
    let (staff, buyers) = (map("g-staff", STAFF), map("g-buyers", BUYERS));
    let more = [JIT, ("rollbookGroupMapping", staff.as_str()), ("rollbookGroupMapping", buyers.as_str())];
    let rig = Rig::start(Oidc, &more).await;
    let ada = "uid=ada,ou=people,dc=example,dc=com";
    let says = async |groups: serde_json::Value| {
        rig.person(json!({"sub": "1", "preferred_username": "ada", "groups": groups}));
        assert_eq!(rig.sign_in().await.1, IN);
        rig.holding("member", ada)
    };
    assert_eq!(says(json!(["g-staff", "g-buyers", "admins"])).await, [STAFF, BUYERS]);
    assert_eq!(says(json!(["g-buyers"])).await, [BUYERS]);
    rig.set(STAFF, ModificationKind::Add, "member", ada).await;
    assert_eq!(says(json!(["g-staff"])).await, [STAFF]);
    assert_eq!(says(json!([])).await, [STAFF], "that one was given by hand");
    assert_eq!(says(json!(["g-buyers"])).await, [STAFF, BUYERS]);
    // Overage: which groups are left is not known, so none of the mapped ones is kept.
    rig.person(
        json!({"sub": "1", "_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x"}}}),
    );
    assert_eq!(rig.sign_in().await.1, IN);
    assert_eq!(rig.holding("member", ada), [STAFF]);
    rig.server.verify().await;
}

#[tokio::test]
async fn r13_the_state_decides_after_the_provider_has_said_yes() {
    // Goal: one page for every state that admits nobody; a lock stands, and what was guessed at the password stays counted.
    let rig = Rig::start(Oidc, &[TRUSTED[0], TRUSTED[1]]).await;
    let page = |browser: &Browser| {
        let text = browser.page.text();
        text.split("<div class=\"actions\">").next().unwrap().to_owned()
    };
    let mut seen = Vec::new();
    for (name, state) in [("lo", State::Locked), ("di", State::Disabled), ("do", State::Dormant)] {
        let person = rig.here(name, true).await;
        rig.person(somebody(name));
        assert_eq!(rig.sign_in().await.1, IN, "{name} is linked");
        match state {
            State::Locked => {
                let threshold = rig.server.directory.policy().threshold();
                rig.server.fail(&person, usize::from(threshold)).await;
            }
            State::Disabled => _ = rig.server.act(&person, Act::Disable).await.unwrap(),
            _ => rig.pass(Span::from_days(190)),
        }
        assert_eq!(rig.server.state(&person), state);
        let failures = rig.server.facts(&person).unwrap().counters.failures;
        let (browser, heading) = rig.sign_in().await;
        assert_eq!((heading.as_str(), rig.who(&browser)), (REFUSED, None), "{state:?}");
        assert!(rig.why().starts_with("R13"), "{}", rig.why());
        assert_eq!(rig.server.facts(&person).unwrap().counters.failures, failures);
        assert_eq!(rig.server.state(&person), state);
        seen.push(page(&browser));
    }
    // A deleted account is linked to nobody.
    let gone = rig.here("gone", true).await;
    rig.person(somebody("gone"));
    rig.sign_in().await;
    rig.server.act(&gone, Act::Delete { months: None }).await.unwrap();
    rig.set(CORP, ModificationKind::Replace, "rollbookLinkPolicy", "deny").await;
    let (browser, _) = rig.sign_in().await;
    seen.push(page(&browser));
    assert!(seen.iter().all(|page| *page == seen[0]), "{seen:#?}");
    // Wrong passwords before a good sign-in at the provider are still wrong passwords.
    let ada = rig.here("ada", true).await;
    rig.set(CORP, ModificationKind::Replace, "rollbookLinkPolicy", "trusted-email").await;
    rig.server.fail(&ada, 3).await;
    rig.person(somebody("ada"));
    assert_eq!(rig.sign_in().await.1, IN);
    assert_eq!(rig.server.facts(&ada).unwrap().counters.failures.count, 3);
    assert!(!rig.server.bind(&ada.dn, WRONG).await.is_good());
    rig.server.verify().await;
}

#[tokio::test]
async fn r16_no_token_of_the_provider_is_kept() {
    let rig = Rig::start(Oidc, &[JIT]).await;
    let canary = "an access token of the provider that nobody needs";
    rig.upstream.tell(|asked| asked.tokens = json!({"refresh_token": canary}));
    let (browser, heading) = rig.sign_in().await;
    assert_eq!(heading, IN);
    rig.server.directory.flush(true).await.unwrap();
    let octets = rig.server.octets();
    let holds = |text: &str| octets.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("person-1"), "the key is there, so the search finds what is");
    assert!(!holds(canary) && !holds("an access token") && !holds("eyJ"));
    assert!(browser.cookies.values().all(|value| !value.contains("eyJ")));
    rig.server.verify().await;
}

#[tokio::test]
async fn r19_the_last_way_in_works_when_the_provider_does_not() {
    // Goal: break-glass: with the provider down or lying the page says so and takes passwords; no system administrator depends
    // on a provider, whatever the provider says.
    let rig = Rig::start(Oidc, &[TRUSTED[0], TRUSTED[1]]).await;
    let root = rig.here("root", true).await;
    for trouble in [Trouble::Answer(500, String::new()), Trouble::Huge] {
        rig.again().await;
        rig.upstream.tell(|asked| _ = asked.trouble.insert("metadata", trouble));
        let mut browser = Browser::open(&rig.server).await;
        let way = rig.way(&mut browser, "/sign-in", "corp").await;
        browser.visit(&way).await;
        assert_eq!(browser.heading(), SIGN_IN);
        assert!(browser.page.text().contains("Signing in with Corp did not work"), "{}", browser.page.text());
        browser.submit("/sign-in", &[("username", "root"), ("password", PASSWORD)]).await;
        assert_eq!((browser.follow().await.status, rig.who(&browser)), (StatusCode::OK, Some(root.id)));
    }
    rig.upstream.tell(|asked| asked.trouble.clear());
    rig.again().await;
    rig.server.grant("cn=SYSTEM_ADMIN,ou=roles,dc=example,dc=com", &root).await;
    rig.person(somebody("root"));
    let mut browser = Browser::open(&rig.server).await;
    rig.link(&mut browser, "root", PASSWORD).await;
    assert_eq!(browser.heading(), REFUSED, "not even by their own hand");
    let typed =
        rig.server.admin().await.modify(&root.dn, &[(testkit::Kind::Replace, "rollbookUserType", &["sso"])]).await;
    assert!(!typed.is_good());
    assert!(rig.server.enters(testkit::Door::Username, &root, PASSWORD).await);
    rig.server.verify().await;
}

#[tokio::test]
async fn a_trial_takes_the_whole_way_and_writes_nothing() {
    // Goal: while the provider is off, the administrator sees the claims and what would become of them; the directory holds
    // what it held but the used state; the ticket is good once and for this provider.
    let rig = Rig::start(Oidc, &[("rollbookEnabled", "FALSE"), JIT, TRUSTED[1]]).await;
    let mut browser = Browser::open(&rig.server).await;
    rig.server.pages().await;
    let operator = bootstrap::operator(&rig.server.directory);
    let (address, ticket) = rig.server.directory.begin_trial(&operator, rig.provider().id, "corp").unwrap();
    let way = address.strip_prefix(ORIGIN).unwrap();
    rig.person(somebody("zoe"));
    let wrong = browser.visit("/sso/corp/test?ticket=x").await.status;
    assert_eq!(wrong, StatusCode::NOT_FOUND);
    let back = rig.go(&mut browser, way).await;
    browser.visit(&back).await;
    assert_eq!(browser.heading(), "Trial of Corp");
    let text = browser.page.text();
    assert!(text.contains("R11: an account is made: zoe") && text.contains("claim preferred_username"), "{text}");
    let rows = rig.server.directory.trial_outcome(ticket.expose(), &rig.server.directory.now()).unwrap().unwrap();
    assert!(rows.iter().any(|(name, value)| name == "link key" && value.ends_with("|subject of zoe")), "{rows:?}");
    assert!(rig.holding("uid", "zoe").is_empty() && rig.who(&browser).is_none());
    assert!(rig.server.directory.link_of(rig.provider().id, &rows[1].1).unwrap().is_none());
    assert_eq!(browser.visit(way).await.status, StatusCode::NOT_FOUND, "used up");
    rig.upstream.tell(|asked| asked.claims = json!({"aud": "somebody else"}));
    let (address, ticket) = rig.server.directory.begin_trial(&operator, rig.provider().id, "corp").unwrap();
    let back = rig.go(&mut browser, address.strip_prefix(ORIGIN).unwrap()).await;
    browser.visit(&back).await;
    let rows = rig.server.directory.trial_outcome(ticket.expose(), &rig.server.directory.now()).unwrap().unwrap();
    assert!(rows[0].0 == "refused" && rows[0].1.starts_with("R4"), "{rows:?}");
    rig.server.verify().await;
}

#[tokio::test]
async fn the_command_line_tries_a_provider_and_shows_links() {
    // Goal: `provider test` tells an address, waits for the browser, and shows what it saw; `links` and `unlink` show and take.
    let rig = Rig::start(Oidc, &[("rollbookEnabled", "FALSE"), JIT]).await;
    rig.server.pages().await;
    let socket = rig.server.ldapi.display().to_string();
    let command = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
        command.arg("provider").args(words).args(["--socket", &socket]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let output = async |words: &[&str]| {
        let child = command(words).spawn().unwrap();
        let ended = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
        assert!(ended.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    };
    let mut child = command(&["test", "corp", "--json"]).spawn().unwrap();
    let told = BufReader::new(child.stderr.take().unwrap());
    let address = tokio::task::spawn_blocking(|| told.lines().nth(1).unwrap().unwrap()).await.unwrap();
    let mut browser = Browser::open(&rig.server).await;
    rig.person(somebody("zoe"));
    let back = rig.go(&mut browser, address.strip_prefix(ORIGIN).unwrap()).await;
    browser.visit(&back).await;
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert!(ended.status.success() && shown[0]["would"] == "R11: an account is made: zoe", "{shown}");
    assert!(rig.holding("uid", "zoe").is_empty());

    assert_eq!(output(&["enable", "corp"]).await, "");
    assert_eq!(rig.sign_in().await.1, IN);
    for words in [&["links", "corp", "--json"][..], &["links", "--account", "zoe", "--json"]] {
        let links: serde_json::Value = serde_json::from_str(&output(words).await).unwrap();
        assert_eq!((links.as_array().unwrap().len(), &links[0]["provider"]), (1, &json!("corp")), "{links}");
    }
    output(&["unlink", "corp", "zoe"]).await;
    assert_eq!(output(&["links", "corp", "--json"]).await.trim(), "[]");
    rig.server.verify().await;
}
