//! What a demo announces: where it is and who may log in, for scripts and for people.

use serde::Serialize;
use std::fmt::Write as _;

/// Where a demo is and who may log in. The field names are a promise to scripts.
#[derive(Clone, Debug, Serialize)]
pub struct Announcement {
    /// The process.
    pub pid: u32,
    /// `ldap://…`
    pub ldap: String,
    /// `ldaps://…`
    pub ldaps: String,
    /// `ldapi://…`, the path percent-encoded.
    pub ldapi: String,
    /// `https://…`, when there is such a door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https: Option<String>,
    /// SCIM, when there is HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim: Option<Provisioning>,
    /// A client of the OpenID provider, when there is HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<Client>,
    /// The first suffix.
    pub base_dn: String,
    /// The certificate to trust.
    pub ca_file: String,
    /// The administrator.
    pub admin: Person,
    /// An application's account that may read.
    pub service: Application,
}

/// A person who may log in.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// For a bind.
    pub dn: String,
    /// For a form.
    pub username: String,
    /// Made for this demo alone.
    pub password: String,
}

/// An application that may bind.
#[derive(Clone, Debug, Serialize)]
pub struct Application {
    /// For a bind.
    pub dn: String,
    /// Made for this demo alone.
    pub password: String,
}

/// An application that signs people in.
#[derive(Clone, Debug, Serialize)]
pub struct Client {
    /// The provider's issuer; its metadata is below it.
    pub issuer: String,
    /// The client's identifier.
    pub client_id: String,
    /// Made for this demo alone.
    pub client_secret: String,
    /// Where it is returned to: on the loopback, at any port.
    pub redirect_uri: String,
}

/// An identity provider's way in.
#[derive(Clone, Debug, Serialize)]
pub struct Provisioning {
    /// The base URL.
    pub base: String,
    /// A bearer token, made for this demo alone.
    pub token: String,
}

impl Announcement {
    /// One line of JSON for scripts; for people the addresses, the accounts, and three lines to paste.
    pub fn render(&self, json: bool) -> String {
        if json {
            // Strings and numbers always serialise.
            return serde_json::to_string(self).unwrap_or_default() + "\n";
        }
        let https = self.https.as_deref().unwrap_or("none");
        let mut text = format!(
            "rollbook demo: the sample organisation, three tenants below {base}\n\n\
             LDAP           {ldap}  {ldaps}\n\
             \x20              {ldapi}\n\
             HTTPS          {https}  SCIM, sign-in pages, OpenID provider\n\
             trust          {ca}\n\n\
             administrator  {admin}\n\
             \x20              at the pages: {username}   password: {password}\n\
             application    {service}\n\
             \x20              password: {secret}\n",
            base = self.base_dn,
            ldap = self.ldap,
            ldaps = self.ldaps,
            ldapi = self.ldapi,
            ca = self.ca_file,
            admin = self.admin.dn,
            username = self.admin.username,
            password = self.admin.password,
            service = self.service.dn,
            secret = self.service.password,
        );
        if let Some(Client { client_id, client_secret, redirect_uri, .. }) = &self.oidc {
            _ = writeln!(
                text,
                "OIDC client    {client_id}  secret: {client_secret}\n               back to: {redirect_uri}"
            );
        }
        text.push_str("everybody else: Rollbook-demo-UID is the password of uid=UID (fixtures/org/README.md)\n\n");
        let ca = quoted(&self.ca_file);
        _ = writeln!(
            text,
            "LDAPTLS_CACERT={ca} ldapsearch -x -H {} -D {} -w {} -b {} '(uid=admin)'",
            self.ldaps,
            quoted(&self.admin.dn),
            quoted(&self.admin.password),
            quoted(&self.base_dn),
        );
        if let Some(Provisioning { base, token }) = &self.scim {
            let (token, users) = (format!("Authorization: Bearer {token}"), format!("{base}/Users?count=3"));
            _ = writeln!(text, "curl --cacert {ca} -H {} {}", quoted(&token), quoted(&users));
        }
        if let Some(https) = &self.https {
            _ = writeln!(text, "{https}/sign-in");
        }
        text
    }
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::ldap::ldapi_url;
    use std::path::Path;

    fn announcement() -> Announcement {
        Announcement {
            pid: 1,
            ldap: "ldap://127.0.0.1:3890".into(),
            ldaps: "ldaps://127.0.0.1:3891".into(),
            ldapi: ldapi_url(Path::new("/tmp/a b/ldapi")),
            https: Some("https://127.0.0.1:3892".into()),
            oidc: Some(Client {
                issuer: "https://127.0.0.1:3892".into(),
                client_id: "demo".into(),
                client_secret: "rba_x".into(),
                redirect_uri: "http://127.0.0.1/callback".into(),
            }),
            scim: Some(Provisioning { base: "https://127.0.0.1:3892/scim/v2".into(), token: "rbs_1_x".into() }),
            base_dn: "dc=example,dc=com".into(),
            ca_file: "/tmp/it's/ca.pem".into(),
            admin: Person { dn: "uid=admin".into(), username: "admin".into(), password: "p w".into() },
            service: Application { dn: "cn=app".into(), password: "s".into() },
        }
    }

    /// Goal: the JSON form is one line with the promised names; a door that is not there has none.
    #[test]
    fn json_keeps_its_promise() {
        let text = announcement().render(true);
        assert_eq!(text.matches('\n').count(), 1);
        let open: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names: Vec<&str> = open.as_object().unwrap().keys().map(String::as_str).collect();
        let promised =
            ["admin", "base_dn", "ca_file", "https", "ldap", "ldapi", "ldaps", "oidc", "pid", "scim", "service"];
        assert_eq!(names, promised);
        let closed = Announcement { https: None, scim: None, oidc: None, ..announcement() };
        let value: serde_json::Value = serde_json::from_str(&closed.render(true)).unwrap();
        assert!(value.get("https").is_none() && value.get("scim").is_none());
        assert_eq!(open["ldapi"], "ldapi://%2Ftmp%2Fa%20b%2Fldapi");
        assert_eq!(open["admin"]["username"], "admin");
    }

    /// Goal: people are told where everything is, and get three lines, two of which a shell takes as they are.
    #[test]
    fn people_get_three_lines_to_paste() {
        let text = announcement().render(false);
        let paste: Vec<&str> = text.rsplit("\n\n").next().unwrap().lines().collect();
        assert_eq!(paste.len(), 3, "{text}");
        assert!(paste[0].contains("ldapsearch") && paste[1].starts_with("curl "), "{text}");
        assert_eq!(paste[2], "https://127.0.0.1:3892/sign-in");
        for told in ["ldap://127.0.0.1:3890", "ldapi://%2Ftmp", "uid=admin", "cn=app", "rba_x", "/tmp/it's/ca.pem"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(
            text.contains("-H 'Authorization: Bearer rbs_1_x' 'https://127.0.0.1:3892/scim/v2/Users?count=3'"),
            "{text}"
        );
        assert!(text.contains(r"'/tmp/it'\''s/ca.pem'") && text.contains("-w 'p w'"), "{text}");
    }
}
