//! Search (RFC 4511 §4.5): entries as the cursor finds them, written straight into the connection's buffer.
//!
//! Owns the paging, the turns and the two entries that are not in the tree (root DSE, subschema). A search that is done
//! within its first turn, as nearly all are, costs no allocation for its state; a longer one becomes a [`Running`] that
//! the connection advances between writes.

use super::{Asked, Step, admit};
use crate::{
    control::paged::{Identity, Page},
    door::{Door, PeerKind},
    filter,
    result::{self, Outcome},
    root_dse,
    session::Session,
    subschema, synthetic,
    wire::{
        MessageId, ResultCode, ber,
        control::PagedResults,
        entry::EntryEncoder,
        message::{DerefAliases, Scope as SentScope, Search},
    },
};
use bytes::BytesMut;
use directory::{
    id::EntryId,
    search::{self, Cursor, Deref, Scope, SearchRequest, Selection, Sink},
};

/// A search under way.
pub(crate) struct Running {
    asked: Asked,
    cursor: Cursor,
    selection: Selection,
    types_only: bool,
    paging: Option<Paging>,
    sent: u64,
}

/// One page of a paged search.
#[derive(Debug)]
struct Paging {
    /// Entries that this page may still hold.
    left: u32,
    /// What the next cookie is made of, besides the last entry.
    search: BytesMut,
}

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    request: &Search<'_>,
    page: Option<PagedResults<'_>>,
    out: &mut BytesMut,
) -> Step {
    if request.base.is_empty() && request.scope == SentScope::Base {
        return root(door, session, &asked, request, out);
    }
    if subschema::is_named(request.base) {
        return subschema_entry(door, &asked, request, out);
    }
    let (snapshot, rights) = match admit(door, session, &asked, out) {
        Ok(view) => view,
        Err(step) => return step,
    };
    let mut after = None;
    let mut paging = None;
    if let Some(page) = page {
        match read_page(door, &asked, request, page) {
            Some((Page::Send { size, after: last }, search)) => {
                after = last;
                paging = Some(Paging { left: size, search });
            }
            Some((Page::GiveUp, _)) => {
                finish(door, &asked, &Outcome::success(), Some(&[]), 0, out);
                return Step::Answered;
            }
            None => {
                let outcome = Outcome::new(ResultCode::UNWILLING_TO_PERFORM, "the cookie is not of this search");
                finish(door, &asked, &outcome, Some(&[]), 0, out);
                return Step::Answered;
            }
        }
    }
    let wanted = SearchRequest {
        base: request.base,
        scope: scope(request.scope),
        deref: deref(request.deref),
        filter: &filter::to_domain(&request.filter),
        size_limit: request.size_limit,
        time_limit_seconds: request.time_limit,
        after,
    };
    let cursor = match search::begin(door.directory.reading(&snapshot, &rights, asked.context.now), &wanted) {
        Ok(cursor) => cursor,
        Err(refusal) => {
            let outcome = Outcome::refused(&refusal, asked.operation);
            finish(door, &asked, &outcome, asked.controls.paged.then_some(&[]), 0, out);
            return Step::Answered;
        }
    };
    let selection = Selection::parse(door.directory.schema(), request.attributes.iter());
    let mut running = Running { asked, cursor, selection, types_only: request.types_only, paging, sent: 0 };
    if running.advance(door, out) { Step::Answered } else { Step::Search(Box::new(running)) }
}

impl Running {
    pub(crate) fn message_id(&self) -> MessageId {
        self.asked.message
    }

    /// Writes entries until the search is done (true), the buffer is full, or others should have their turn.
    pub(crate) fn advance(&mut self, door: &Door, out: &mut BytesMut) -> bool {
        for _ in 0..door.settings.search_stride {
            if out.len() >= door.settings.write_threshold {
                return false;
            }
            let full = self.paging.as_ref().is_some_and(|paging| paging.left == 0);
            let last = self.cursor.position();
            match self.cursor.next() {
                Ok(Some(_)) if full => {
                    self.finish(door, &Outcome::success(), last, out);
                    return true;
                }
                Ok(Some(found)) => {
                    let mut entry =
                        EntryEncoder::begin(out, self.asked.message, found.dn().as_bytes(), self.types_only);
                    if let Err(refusal) = found.emit(&self.selection, self.types_only, &mut Attributes(&mut entry)) {
                        // What was written of it is taken back.
                        drop(entry);
                        self.finish(door, &Outcome::refused(&refusal, self.asked.operation), None, out);
                        return true;
                    }
                    entry.finish();
                    self.sent = self.sent.saturating_add(1);
                    if let Some(paging) = &mut self.paging {
                        paging.left = paging.left.saturating_sub(1);
                    }
                }
                Ok(None) => {
                    self.finish(door, &Outcome::success(), None, out);
                    return true;
                }
                Err(refusal) => {
                    self.finish(door, &Outcome::refused(&refusal, self.asked.operation), None, out);
                    return true;
                }
            }
        }
        false
    }

    /// `more_after`: there is another page, and the last entry of this one.
    fn finish(&self, door: &Door, outcome: &Outcome<'_>, more_after: Option<EntryId>, out: &mut BytesMut) {
        let Some(paging) = &self.paging else {
            return finish(door, &self.asked, outcome, None, self.sent, out);
        };
        match more_after {
            Some(last) => {
                let cookie = door.cookies.cookie(last, &identity(&self.asked, &paging.search));
                finish(door, &self.asked, outcome, Some(&cookie), self.sent, out);
            }
            None => finish(door, &self.asked, outcome, Some(&[]), self.sent, out),
        }
    }
}

/// `SearchResultDone`, with the paging response when the request had the control.
fn finish(door: &Door, asked: &Asked, outcome: &Outcome<'_>, cookie: Option<&[u8]>, sent: u64, out: &mut BytesMut) {
    door.metrics.sent_entries(sent);
    let policy = outcome.policy.filter(|_| asked.controls.password_policy);
    result::encode_search_done(asked.message, outcome, cookie, policy, out);
    asked.note(door, outcome);
}

/// The bridge from the domain's attributes to the wire's.
struct Attributes<'e, 'b>(&'e mut EntryEncoder<'b>);

impl Sink for Attributes<'_, '_> {
    #[inline]
    fn attribute(&mut self, description: &[u8]) {
        self.0.open_attribute(description);
    }

    #[inline]
    fn value(&mut self, value: &[u8]) {
        self.0.value(value);
    }

    #[inline]
    fn end_attribute(&mut self) {
        self.0.close_attribute();
    }
}

/// Reads the paging control; none: its cookie belongs to something else.
fn read_page(door: &Door, asked: &Asked, request: &Search<'_>, page: PagedResults<'_>) -> Option<(Page, BytesMut)> {
    let mut search = BytesMut::new();
    let mut writer = ber::Writer::new(&mut search);
    writer.octet_string(request.base);
    writer.integer(ber::Tag::ENUMERATED, request.scope as i64);
    writer.integer(ber::Tag::ENUMERATED, request.deref as i64);
    request.filter.encode(&mut writer);
    for attribute in request.attributes {
        writer.octet_string(attribute);
    }
    let page = door.cookies.read(page.size, page.cookie, &identity(asked, &search))?;
    Some((page, search))
}

fn identity<'a>(asked: &Asked, search: &'a [u8]) -> Identity<'a> {
    Identity { connection: asked.connection, actor: asked.context.actor, search }
}

fn root(door: &Door, session: &Session, asked: &Asked, request: &Search<'_>, out: &mut BytesMut) -> Step {
    let contexts = match door.directory.suffixes() {
        Ok(contexts) => contexts,
        Err(refusal) => {
            finish(door, asked, &Outcome::refused(&refusal, asked.operation), None, 0, out);
            return Step::Answered;
        }
    };
    let local = matches!(session.peer.kind, PeerKind::Local { .. });
    one(door, asked, request, "", &door.root_dse.attributes(contexts, local), out)
}

fn subschema_entry(door: &Door, asked: &Asked, request: &Search<'_>, out: &mut BytesMut) -> Step {
    match request.scope {
        SentScope::Base | SentScope::Subtree => {
            one(door, asked, request, root_dse::SUBSCHEMA_DN, door.subschema(), out)
        }
        // Nothing is below it.
        SentScope::OneLevel | SentScope::Subordinates => {
            finish(door, asked, &Outcome::success(), asked.controls.paged.then_some(&[]), 0, out);
            Step::Answered
        }
    }
}

/// Answers with one entry that is not in the tree, if the filter is true of it.
fn one(
    door: &Door,
    asked: &Asked,
    request: &Search<'_>,
    dn: &str,
    attributes: &[synthetic::Attribute],
    out: &mut BytesMut,
) -> Step {
    let found = synthetic::evaluate(&filter::to_domain(&request.filter), attributes) == Some(true);
    if found {
        let mut entry = EntryEncoder::begin(out, asked.message, dn.as_bytes(), request.types_only);
        for attribute in attributes {
            let Some(name) = synthetic::selected(attribute, request.attributes.iter()) else { continue };
            entry.attribute(name, attribute.values.iter().map(|value| value.as_bytes()));
        }
        entry.finish();
    }
    finish(door, asked, &Outcome::success(), asked.controls.paged.then_some(&[]), u64::from(found), out);
    Step::Answered
}

const fn scope(scope: SentScope) -> Scope {
    match scope {
        SentScope::Base => Scope::Base,
        SentScope::OneLevel => Scope::One,
        SentScope::Subtree => Scope::Subtree,
        SentScope::Subordinates => Scope::Children,
    }
}

const fn deref(deref: DerefAliases) -> Deref {
    match deref {
        DerefAliases::Never => Deref::Never,
        DerefAliases::InSearching => Deref::Searching,
        DerefAliases::FindingBaseObject => Deref::Finding,
        DerefAliases::Always => Deref::Always,
    }
}
