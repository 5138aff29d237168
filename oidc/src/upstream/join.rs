//! Linking by the owner (rule R9): signed in at the provider, then here with every factor, then asked.
//!
//! What the provider has proven waits in a sealed cookie of this browser. The account here is whoever signed in after that,
//! by a password; a session that came by any provider, or from before, is not enough.

use super::flow::{Flow, path_of};
use super::settle::Refused;
use super::{Identity, mapping};
use crate::provider::flow_of;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, Response};
use directory::application::Provider;
use directory::clock::Millis;
use directory::context::Actor;
use directory::error::Refusal;
use directory::grant::NewLink;
use directory::id::EntryId;
use serde::{Deserialize, Serialize};
use web::{Kept, Linking, Message, ReturnTo, SignedIn, Visit, Wish, sign_in_to_link};

/// What waits.
#[derive(Debug, Serialize, Deserialize)]
struct Joining {
    provider: EntryId,
    key: String,
    shown: String,
    claims: [u8; 32],
    groups: Vec<EntryId>,
    /// When the provider's word came: the sign-in here is younger.
    since: Millis,
    wish: Wish,
}

/// Lets it wait, and sends the browser to sign in here.
pub(super) fn begin(
    flow: &Flow,
    visit: &Visit,
    provider: &Provider,
    identity: &Identity,
    wish: &Wish,
) -> Response<Body> {
    let NewLink { key, shown, claims, groups, .. } = match flow.link_for(provider, identity) {
        Ok(link) => link,
        Err(refusal) => return visit.failed(&refusal),
    };
    let since = visit.now().wall;
    let joining = Joining { provider: provider.id, key, shown, claims, groups, since, wish: wish.clone() };
    let Some(to) = ReturnTo::path(&link_path(provider)) else { return visit.missing() };
    let mut response = sign_in_to_link(visit, wish, to, &provider.display_name);
    if !Kept::LINK.give(visit, &mut response, &joining) {
        return web::back_to_sign_in(visit, wish, Message::UpstreamFailed, &provider.display_name);
    }
    response
}

fn link_path(provider: &Provider) -> String {
    format!("{}/link", path_of(&provider.name))
}

/// Who is to be linked, and to what.
struct Both {
    provider: Provider,
    joining: Joining,
    signed_in: SignedIn,
}

/// Both sides, or the page that says what is missing.
fn both(flow: &Flow, visit: &Visit, name: &str) -> Result<Both, Box<Response<Body>>> {
    let joining = Kept::LINK.read::<Joining>(visit).ok_or_else(|| Box::new(visit.start_again()))?;
    let provider = flow.provider(name).filter(|provider| provider.id == joining.provider);
    let provider = provider.ok_or_else(|| Box::new(visit.missing()))?;
    let signed_in = visit.signed_in().map_err(|refusal| Box::new(visit.failed(&refusal)))?;
    // R9: here, anew, and by nobody else's word.
    let here = |signed_in: &SignedIn| {
        let session = signed_in.session();
        session.upstream.is_none() && session.auth_time >= joining.since
    };
    match signed_in.filter(here) {
        Some(signed_in) => Ok(Both { provider, joining, signed_in }),
        None => Err(Box::new(match ReturnTo::path(&link_path(&provider)) {
            Some(to) => sign_in_to_link(visit, &joining.wish, to, &provider.display_name),
            None => visit.missing(),
        })),
    }
}

/// `GET /sso/NAME/link`: the question.
pub(super) async fn show(State(flow): State<Flow>, Path(name): Path<String>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = flow.web().visit(&parts);
    match both(&flow, &visit, &name) {
        Ok(both) => question(&flow, &visit, &both).unwrap_or_else(|refusal| visit.failed(&refusal)),
        Err(response) => *response,
    }
}

fn question(flow: &Flow, visit: &Visit, both: &Both) -> Result<Response<Body>, Refusal> {
    let Both { provider, joining, signed_in } = both;
    if let Some(why) = flow.directory().bars(provider, signed_in.account())? {
        let refused = Refused::Rule("R19", why.to_owned());
        return Ok(flow.refuse(visit, &flow_of(&joining.key), provider, &joining.wish, refused));
    }
    let person = flow.web().person(signed_in.account())?.unwrap_or_default();
    let linking = Linking {
        provider: &provider.display_name,
        shown: &joining.shown,
        person: &person,
        takes_password: !flow.directory().is_address_verified(signed_in.account())?,
        action: &link_path(provider),
    };
    Ok(web::ask_link(visit, &joining.wish, linking))
}

/// `POST /sso/NAME/link`: the answer.
pub(super) async fn take(State(flow): State<Flow>, Path(name): Path<String>, request: Request<Body>) -> Response<Body> {
    let posted = match flow.web().posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let visit = posted.visit;
    let mut response = match both(&flow, &visit, &name) {
        Ok(both) if posted.fields.text("answer") == "link" => carry_out(&flow, &visit, both).await,
        Ok(both) => visit.go_on(&both.joining.wish),
        Err(response) => return *response,
    };
    Kept::LINK.forget(&visit, &mut response);
    response
}

async fn carry_out(flow: &Flow, visit: &Visit, both: Both) -> Response<Body> {
    let Both { provider, joining, signed_in } = both;
    let Joining { key, shown, claims, groups, wish, .. } = joining;
    let (directory, flow_name) = (flow.directory(), flow_of(&key));
    let account = signed_in.account();
    let done = match directory.bars(&provider, account) {
        Ok(None) => {
            let new = NewLink { provider: provider.id, key, shown: mapping::clean(&shown), claims, groups };
            directory.link(&visit.context(Actor::Anonymous), account, new).await.map_err(Refused::from)
        }
        Ok(Some(why)) => Err(Refused::Rule("R19", why.to_owned())),
        Err(refusal) => Err(Refused::Failed(refusal)),
    };
    if let Err(refused) = done {
        return flow.refuse(visit, &flow_name, &provider, &wish, refused);
    }
    flow.tell(visit, &flow_name, "R9: linked by its owner", &provider.name, Ok(()));
    match visit.signed_in() {
        Ok(Some(_)) => visit.go_on(&wish),
        // R10: nobody had verified the address; what was before the link has ended.
        Ok(None) => web::back_to_sign_in(visit, &wish, Message::Linked, &provider.display_name),
        Err(refusal) => visit.failed(&refusal),
    }
}
