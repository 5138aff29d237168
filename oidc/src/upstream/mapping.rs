//! Which of our groups and roles a provider's word gives (rule R12), and who a new person is (rule R11): pure.

use super::identity::{Groups, Identity};
use directory::application::Provider;
use directory::grant::NewPerson;
use serde_json::Value;

/// Characters of a name that are kept.
const NAME: usize = 128;
/// Characters of a username.
const USERNAME: usize = 64;

/// The DNs that the mapping gives now, in its order, each once. Names are compared as they are written. Groups that are too
/// many to be told count as none: what may have been taken is not kept.
pub fn wanted<'p>(provider: &'p Provider, identity: &Identity) -> Vec<&'p str> {
    let groups: &[String] = match &identity.groups {
        Groups::Known(groups) => groups,
        Groups::Overage | Groups::Absent => &[],
    };
    let mut out: Vec<&str> = Vec::new();
    for (theirs, ours) in &provider.group_mapping {
        let has = groups.contains(theirs) || identity.roles.contains(theirs);
        if has && !out.contains(&ours.as_str()) {
            out.push(ours);
        }
    }
    out
}

/// Who gets an account. The address only if the provider speaks for it.
pub fn person(identity: &Identity) -> NewPerson {
    let name = |text: &Option<String>| text.as_deref().map(clean).filter(|text| !text.is_empty());
    NewPerson {
        username: username(identity),
        address: identity.email.clone().filter(|_| identity.email_is_authoritative),
        name: name(&identity.name),
        given_name: name(&identity.given_name),
        family_name: name(&identity.family_name),
    }
}

/// A username of what the person is called there: the part before the @, of letters, digits and `.-_`.
fn username(identity: &Identity) -> String {
    let called = [&identity.preferred_username, &identity.email, &identity.name];
    let mut names = called.into_iter().flatten().map(|called| {
        let local = called.split('@').next().unwrap_or_default().trim().to_lowercase().replace(' ', ".");
        let kept: String = local.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).collect();
        kept.trim_matches(['.', '-', '_']).chars().take(USERNAME).collect::<String>()
    });
    names.find(|name| !name.is_empty()).unwrap_or_else(|| "person".to_owned())
}

/// A text to be shown: without control characters, and not long.
pub(super) fn clean(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(NAME).collect();
    text.trim().to_owned()
}

/// The claims as names and values, to be shown; nothing is interpreted.
pub fn shown(identity: &Identity) -> Vec<(String, String)> {
    let value = |value: &Value| match value {
        Value::String(text) => clean(text),
        other => clean(&other.to_string()),
    };
    identity.claims.iter().map(|(name, said)| (clean(name), value(said))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{identity, provider};
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    /// Goal: only what the administrator wrote down is given, for groups and roles alike (hostile row F6: "admins" is a word
    /// like any other); overage and silence give nothing (R12).
    #[test]
    fn only_what_is_mapped() {
        let pair = |theirs: &str, ours: &str| (theirs.to_owned(), ours.to_owned());
        let mapping = vec![pair("g1", "cn=a"), pair("g2", "cn=b"), pair("Admin", "cn=c"), pair("g3", "cn=a")];
        let provider = Provider { group_mapping: mapping, ..provider() };
        for (groups, roles, expected) in [
            (Groups::Known(strings(&["g1", "g3", "other"])), &[][..], &["cn=a"][..]),
            (Groups::Known(strings(&["g2", "admins", "G1"])), &["Admin"], &["cn=b", "cn=c"]),
            (Groups::Known(strings(&["cn=a", "SYSTEM_ADMIN"])), &["admin"], &[]),
            (Groups::Overage, &["Admin"], &["cn=c"]),
            (Groups::Overage, &[], &[]),
            (Groups::Absent, &[], &[]),
        ] {
            let identity = super::super::Identity { groups, roles: strings(roles), ..identity() };
            assert_eq!(wanted(&provider, &identity), expected, "{identity:?}");
        }
    }

    /// Goal: a username is made of what is safe in one, of the first name that has anything; an address is taken only where
    /// the provider speaks for it (F1).
    #[test]
    fn who_a_new_person_is() {
        for (preferred, email, name, expected) in [
            (Some("Ada.Lovelace@corp.example"), None, None, "ada.lovelace"),
            (Some("  "), Some("ada+x@corp.example"), None, "adax"),
            (Some("\u{430}dmin"), None, None, "dmin"),
            (None, None, Some("Ada von Example"), "ada.von.example"),
            (Some("../,uid=admin"), None, None, "uidadmin"),
            (None, None, None, "person"),
        ] {
            let own = |text: Option<&str>| text.map(str::to_owned);
            let said = super::super::Identity {
                preferred_username: own(preferred),
                email: own(email),
                name: own(name),
                ..identity()
            };
            let made = person(&said);
            assert_eq!((made.username.as_str(), made.address), (expected, None));
            let spoken_for = super::super::Identity { email_is_authoritative: true, ..said };
            assert_eq!(person(&spoken_for).address.as_deref(), email);
        }
    }
}
