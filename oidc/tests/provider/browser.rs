//! A small browser: cookies by their rules, redirects within the server followed, forms filled in.

use crate::rig::{ISSUER, Rig};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use std::collections::BTreeMap;

#[derive(Default, Clone)]
pub struct Browser {
    pub cookies: BTreeMap<String, String>,
}

/// Where a browser ends up: a page of ours, or an address elsewhere.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub body: String,
    pub elsewhere: Option<String>,
}

impl Page {
    pub fn asks_for_password(&self) -> bool {
        self.body.contains("name=\"password\"")
    }

    /// A parameter of the address elsewhere that the browser was sent to.
    pub fn outside(&self, name: &str) -> String {
        self.parameter(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.elsewhere.as_deref()?.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The fields and the action of the form that goes to this path.
    fn form(&self, action: &str) -> (String, Vec<(String, String)>) {
        for form in self.body.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let to = attribute(form.split('>').next().unwrap(), "action").unwrap_or_default();
            if to.split('?').next() == Some(action) {
                let inputs = form.split("<input").skip(1).filter_map(|input| {
                    let input = input.split('>').next().unwrap();
                    Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default()))
                });
                return (to, inputs.collect());
            }
        }
        panic!("no form for {action} in {}", self.body)
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    let mut out = value.to_owned();
    for (from, to) in [
        ("&#38;", "&"),
        ("&amp;", "&"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
        ("&#39;", "'"),
    ] {
        out = out.replace(from, to);
    }
    Some(out)
}

impl Browser {
    pub async fn go(&mut self, rig: &Rig, path: &str) -> Page {
        self.request(rig, Method::GET, path, Vec::new()).await
    }

    pub async fn post(&mut self, rig: &Rig, path: &str, fields: Vec<(String, String)>) -> Page {
        self.request(rig, Method::POST, path, fields).await
    }

    async fn request(&mut self, rig: &Rig, method: Method, path: &str, fields: Vec<(String, String)>) -> Page {
        let (mut method, mut path, mut fields) = (method, path.to_owned(), fields);
        for _ in 0..10 {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            let mut request =
                Request::builder().method(method.clone()).uri(path.as_str()).header("sec-fetch-site", "same-origin");
            request = request.header("cookie", cookies.join("; "));
            if method == Method::POST {
                request = request.header("content-type", "application/x-www-form-urlencoded").header("origin", ISSUER);
            }
            let answer = rig.send(request.body(Body::from(body)).unwrap()).await;
            self.keep(&answer.headers);
            let location = answer.headers.get("location").map(|value| value.to_str().unwrap().to_owned());
            let Some(location) = location else {
                let body = String::from_utf8(answer.body).unwrap();
                return Page { status: answer.status, body, elsewhere: None };
            };
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "requirement 57");
            let own = location.strip_prefix(ISSUER).unwrap_or(&location);
            if !own.starts_with('/') {
                let elsewhere = Some(location.clone());
                return Page { status: answer.status, body: String::new(), elsewhere };
            }
            (method, path, fields) = (Method::GET, own.to_owned(), Vec::new());
        }
        panic!("redirects without end at {path}")
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (pair, rest) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let rest = rest.to_ascii_lowercase();
            assert!(name.starts_with("__Host-") && rest.contains("secure") && rest.contains("path=/"), "{line}");
            assert!(rest.contains("httponly") && rest.contains("samesite=lax"), "{line}");
            if rest.contains("max-age=0") || value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Sends the form of a page that goes to `action`, with these fields over its own.
    pub async fn submit(&mut self, rig: &Rig, page: &Page, action: &str, over: &[(&str, &str)]) -> Page {
        let (to, mut fields) = page.form(action);
        fields.retain(|(name, _)| over.iter().all(|(changed, _)| changed != name));
        fields.extend(over.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post(rig, &to, fields).await
    }

    pub async fn sign_in(&mut self, rig: &Rig, page: Page, who: &str, password: &str) -> Page {
        self.submit(rig, &page, "/sign-in", &[("username", who), ("password", password)]).await
    }
}
