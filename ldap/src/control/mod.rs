//! Which control may come with which operation, and what it says.
//!
//! Owns the registry; the root DSE's `supportedControl` is made from it. A control that is not registered for the
//! operation is refused when critical and ignored otherwise (RFC 4511 §4.1.11); a registered one that is malformed is a
//! `protocolError` of its operation, and the connection goes on. Values are decoded by the wire.

pub(crate) mod paged;

use crate::{
    operation::Operation,
    result::Outcome,
    wire::{
        Limits, ResultCode,
        control::{Controls as Sent, PagedResults, RequestControl, oids},
    },
};

/// What came with a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Controls {
    pub(crate) password_policy: bool,
    pub(crate) manage_dsa_it: bool,
    pub(crate) subtree_delete: bool,
    pub(crate) paged: bool,
}

const OF_ENTRIES: &[Operation] =
    &[Operation::Search, Operation::Compare, Operation::Add, Operation::Delete, Operation::Modify, Operation::ModifyDn];

const OF_LOGINS: &[Operation] = &[
    Operation::Bind,
    Operation::Search,
    Operation::Compare,
    Operation::Add,
    Operation::Delete,
    Operation::Modify,
    Operation::ModifyDn,
    Operation::PasswordModify,
    Operation::WhoAmI,
];

/// OID and the operations that it may come with.
const REGISTRY: [(&str, &[Operation]); 4] = [
    (oids::PAGED_RESULTS, &[Operation::Search]),
    (oids::PASSWORD_POLICY, OF_LOGINS),
    (oids::MANAGE_DSA_IT, OF_ENTRIES),
    (oids::SUBTREE_DELETE, &[Operation::Delete]),
];

/// For the root DSE.
pub(crate) fn supported() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|(oid, _)| *oid)
}

/// Reads the controls of a request; the paging one is returned by itself because it borrows from the request.
pub(crate) fn read<'a>(
    sent: &Sent<'a>,
    operation: Operation,
    limits: &Limits,
) -> Result<(Controls, Option<PagedResults<'a>>), Outcome<'static>> {
    let mut found = Controls::default();
    let mut page = None;
    for control in sent {
        let registered =
            REGISTRY.iter().any(|(oid, operations)| *oid == control.oid && operations.contains(&operation));
        if !registered {
            if control.critical {
                return Err(unavailable());
            }
            continue;
        }
        match control.typed(limits) {
            Ok(Some(RequestControl::PagedResults(paged))) => {
                found.paged = true;
                page = Some(paged);
            }
            Ok(Some(RequestControl::PasswordPolicy)) => found.password_policy = true,
            Ok(Some(RequestControl::ManageDsaIt)) => found.manage_dsa_it = true,
            Ok(Some(RequestControl::SubtreeDelete)) => found.subtree_delete = true,
            Ok(_) => {}
            Err(error) => return Err(Outcome::new(error.code(), "the value of a control is malformed")),
        }
    }
    Ok((found, page))
}

fn unavailable() -> Outcome<'static> {
    Outcome::new(ResultCode::UNAVAILABLE_CRITICAL_EXTENSION, "a critical control is not supported here")
}
