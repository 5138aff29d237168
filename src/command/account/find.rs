//! From a name as people say it to the one account that is meant.

use super::text::shown;
use crate::client::{Client, Entry, Error, Query};
use crate::command::{Exit, Failure};
use directory::entry::dn::Dn;
use ldap::wire::ResultCode;
use ldap::wire::filter::FilterBuf;
use ldap::wire::message::Scope;

/// Entries per page of a search.
pub const PAGE: u32 = 200;

/// The attribute that every account has and nothing else: to those who may see it, the mark of an account.
pub const STATE: &str = "rollbookState";

/// The account of this user name, e-mail address or DN, with these attributes.
///
/// # Errors
/// `Refused` when there is none, and when there are several.
pub fn account(client: &mut Client, name: &str, attributes: &[&str]) -> Result<Entry, Failure> {
    let none = || Failure::new(Exit::Refused, format!("there is no account {}", shown(name)));
    let is_account = FilterBuf::present(STATE.as_bytes());
    if name.contains('=') && Dn::parse(name.as_bytes()).is_ok() {
        let query = Query { base: name, scope: Scope::Base, filter: &is_account, attributes, page: PAGE };
        return match collect(client, &query) {
            Err(Error::Refused { code: ResultCode::NO_SUCH_OBJECT, .. }) => Err(none()),
            found => found?.pop().ok_or_else(none),
        };
    }
    let mut found = Vec::new();
    for base in suffixes(client)? {
        let query =
            Query { base: &base, scope: Scope::Subtree, filter: &named(&is_account, name), attributes, page: PAGE };
        found.extend(collect(client, &query)?);
    }
    match found.len() {
        0 => Err(none()),
        1 => found.pop().ok_or_else(none),
        _ => {
            let names: Vec<String> = found.iter().take(10).map(|entry| format!("  {}", shown(&entry.dn))).collect();
            let message = format!("several accounts are called {}; name one by its DN:\n", shown(name));
            Err(Failure::new(Exit::Refused, message + &names.join("\n")))
        }
    }
}

/// Accounts that are called so. Those without a user name (a service account `cn=…`) go by their common name.
fn named(is_account: &FilterBuf, name: &str) -> FilterBuf {
    let name = name.as_bytes();
    let without_username = FilterBuf::negated(&FilterBuf::present(b"uid"));
    let by_common_name = FilterBuf::and([&FilterBuf::equality(b"cn", name), &without_username]);
    let called =
        FilterBuf::or([&FilterBuf::equality(b"uid", name), &FilterBuf::equality(b"mail", name), &by_common_name]);
    FilterBuf::and([&called, is_account])
}

/// The naming contexts, of the root DSE (RFC 4512 §5.1).
///
/// # Errors
/// Of the connection.
pub fn suffixes(client: &mut Client) -> Result<Vec<String>, Failure> {
    let all = FilterBuf::present(b"objectClass");
    let query = Query { base: "", scope: Scope::Base, filter: &all, attributes: &["namingContexts"], page: PAGE };
    let mut found = Vec::new();
    client.search(&query, |entry| found.extend_from_slice(entry.values("namingContexts")))?;
    Ok(found)
}

/// All that a search finds.
///
/// # Errors
/// Of the search.
pub fn collect(client: &mut Client, query: &Query<'_>) -> Result<Vec<Entry>, Error> {
    let mut found = Vec::new();
    client.search(query, |entry| found.push(entry))?;
    Ok(found)
}
