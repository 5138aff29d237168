//! Trials: the production path up to a proven identity, and what would become of it. Writes nothing but that a state was used.

use super::flow::Flow;
use super::policy::Decision;
use super::settle::spoken;
use super::{Groups, Identity, mapping};
use axum::body::Body;
use axum::http::Response;
use directory::application::Provider;
use directory::error::Refusal;
use directory::id::EntryId;
use web::Visit;

impl Flow {
    /// What the provider says of somebody, and what would become of it.
    pub(super) fn foresee(&self, provider: &Provider, identity: &Identity) -> Vec<(String, String)> {
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let groups = match &identity.groups {
            Groups::Known(groups) => groups.join(", "),
            Groups::Overage => "more than the token holds: they count as none".to_owned(),
            Groups::Absent => "none are told".to_owned(),
        };
        let would = self.would(provider, identity).unwrap_or_else(|refusal| refusal.message);
        let mut rows = vec![
            ("would".to_owned(), would),
            ("link key".to_owned(), identity.key.clone()),
            ("shown as".to_owned(), identity.shown.clone()),
            ("address is its owner's".to_owned(), yes(identity.email_is_authoritative)),
            ("second factor there".to_owned(), yes(identity.second_factor)),
            ("groups there".to_owned(), groups),
            ("roles there".to_owned(), identity.roles.join(", ")),
        ];
        rows.extend(mapping::wanted(provider, identity).iter().map(|dn| ("gives".to_owned(), (*dn).to_owned())));
        rows.extend(mapping::shown(identity).into_iter().map(|(name, value)| (format!("claim {name}"), value)));
        rows
    }

    fn would(&self, provider: &Provider, identity: &Identity) -> Result<String, Refusal> {
        let decision = self.decide(provider, identity)?;
        let named = |account: EntryId| -> Result<String, Refusal> {
            let person = self.web().person(account)?.unwrap_or_default();
            Ok(match self.directory().bars(provider, account)? {
                Some(why) => format!("{}: refused: {why}", person.username),
                None if self.directory().would_admit(account, &self.directory().now())?.is_none() => {
                    format!("{}: refused by its state", person.username)
                }
                None => person.username,
            })
        };
        Ok(match decision {
            Decision::Enter(account) | Decision::Link(account) => {
                format!("{}: {}: {}", decision.rule(), spoken(decision), named(account)?)
            }
            Decision::Make => format!("R11: {}: {}", spoken(decision), mapping::person(identity).username),
            Decision::Ask | Decision::Refuse => format!("{}: {}", decision.rule(), spoken(decision)),
        })
    }

    /// Tells the administrator, and whoever is at the browser.
    pub(super) fn tried(
        &self,
        visit: &Visit,
        provider: &Provider,
        ticket: &str,
        rows: Vec<(String, String)>,
    ) -> Response<Body> {
        let page = web::trial(visit, &provider.display_name, &rows);
        self.directory().trials().end(ticket, rows);
        page
    }
}
