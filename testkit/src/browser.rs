//! A browser as far as forms go: keeps cookies, reads a page's forms, sends them, follows what it is told when asked to.

use crate::{HttpAnswer, HttpClient, Server};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use std::collections::BTreeMap;

/// A browser with its cookies.
pub struct Browser {
    client: HttpClient,
    /// What it keeps, by name.
    pub cookies: BTreeMap<String, String>,
    /// What it reads (`Accept-Language`).
    pub language: &'static str,
    /// Headers that the next requests have as well.
    pub extra: HeaderMap,
    /// What it was answered last.
    pub page: HttpAnswer,
    /// Where it is.
    pub place: String,
}

impl Browser {
    /// A new one, before a server.
    pub async fn open(server: &Server) -> Browser {
        Browser::over(server.http().await)
    }

    /// A new one over this connection.
    pub fn over(client: HttpClient) -> Browser {
        let nothing = HttpAnswer { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() };
        Browser {
            client,
            cookies: BTreeMap::new(),
            language: "en",
            extra: HeaderMap::new(),
            page: nothing,
            place: String::new(),
        }
    }

    /// From now on over a connection to this server, which may be the same one after a restart.
    pub async fn reconnect(&mut self, server: &Server) {
        self.client = server.http().await;
    }

    /// GET, without following.
    pub async fn get(&mut self, place: &str) -> &HttpAnswer {
        self.send(Method::GET, place, None).await
    }

    /// GET, following up to five redirections.
    pub async fn visit(&mut self, place: &str) -> &HttpAnswer {
        self.get(place).await;
        self.follow().await
    }

    /// Follows where the last answer leads, as long as that is on this server.
    pub async fn follow(&mut self) -> &HttpAnswer {
        for _ in 0..5 {
            if self.page.status != StatusCode::SEE_OTHER || self.elsewhere().is_some() {
                break;
            }
            let place = self.page.header("location").to_owned();
            self.get(&place).await;
        }
        &self.page
    }

    /// The address elsewhere that the last answer leads to.
    pub fn elsewhere(&self) -> Option<&str> {
        let place = self.page.header("location");
        let is_path = place.starts_with('/') && !place.starts_with("//");
        (self.page.status == StatusCode::SEE_OTHER && !is_path).then_some(place)
    }

    /// A parameter of that address.
    pub fn told(&self, name: &str) -> Option<String> {
        let (_, query) = self.elsewhere()?.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// Sends the page's form for this path, with these fields over its hidden ones.
    pub async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) -> &HttpAnswer {
        let mut all = self.hidden(action);
        for (name, value) in fields {
            all.retain(|(known, _)| known != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.post(action, &all).await
    }

    /// Sends a form of these fields.
    pub async fn post(&mut self, action: &str, fields: &[(String, String)]) -> &HttpAnswer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, action, Some(body)).await
    }

    async fn send(&mut self, method: Method, place: &str, form: Option<String>) -> &HttpAnswer {
        let mut request = Request::builder().method(method).uri(place).header(header::ACCEPT_LANGUAGE, self.language);
        if form.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            if !self.extra.contains_key("sec-fetch-site") {
                request = request.header("sec-fetch-site", "same-origin").header(header::ORIGIN, "null");
            }
        }
        if !self.cookies.is_empty() {
            let line: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, line.join("; "));
        }
        let mut request = request.body(form.map_or_else(Body::empty, Body::from)).unwrap();
        request.headers_mut().extend(self.extra.clone());
        let answer = self.client.send(request).await;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            self.keep(line.to_str().unwrap());
        }
        self.place = place.to_owned();
        self.page = answer;
        &self.page
    }

    fn keep(&mut self, line: &str) {
        let (pair, attributes) = line.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        assert!(name.starts_with("__Host-"), "{line}");
        for wanted in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(attributes.split(';').any(|a| a.trim() == wanted), "{wanted}: {line}");
        }
        assert!(!attributes.contains("Domain"), "{line}");
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// The hidden fields of the page's first form for this path.
    pub fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let page = self.page.text();
        let (_, rest) = page
            .split_once(&format!("action=\"{action}\""))
            .unwrap_or_else(|| panic!("no form for {action} in {page}"));
        let (form, _) = rest.split_once("</form>").unwrap();
        form.split("<input type=\"hidden\" name=\"")
            .skip(1)
            .map(|part| {
                let (name, rest) = part.split_once("\" value=\"").unwrap();
                (name.to_owned(), unescape(rest.split_once('"').unwrap().0))
            })
            .collect()
    }

    /// The heading of the page.
    pub fn heading(&self) -> String {
        let page = self.page.text();
        let rest = page.split_once("<h1>").unwrap_or_else(|| panic!("no heading: {page}")).1;
        unescape(rest.split_once("</h1>").unwrap().0)
    }

    /// Signs in on the sign-in page and follows.
    pub async fn sign_in(&mut self, username: &str, password: &str) -> &HttpAnswer {
        if !self.place.starts_with("/sign-in") || self.page.status == StatusCode::SEE_OTHER {
            self.visit("/sign-in").await;
        }
        self.submit("/sign-in", &[("username", username), ("password", password)]).await;
        self.follow().await
    }
}

fn unescape(text: &str) -> String {
    text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}
