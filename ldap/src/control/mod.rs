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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{
        ber::Writer,
        control::{Control, decode_controls},
    };
    use bytes::BytesMut;

    fn read_one(control: Control<'_>, operation: Operation) -> Result<Controls, u32> {
        let mut octets = BytesMut::new();
        control.encode(&mut Writer::new(&mut octets));
        let limits = Limits::AFTER_BIND;
        let sent = decode_controls(&octets, &limits).unwrap();
        read(&sent, operation, &limits).map(|(controls, _)| controls).map_err(|outcome| outcome.code.number())
    }

    #[test]
    fn the_recipe_holds_for_every_operation_and_control() {
        // Goal: registered: read, or protocolError when malformed; not registered: 12 when critical, nothing otherwise
        // (RFC 4511 §4.1.11).
        let values: [(&str, Option<&[u8]>); 4] = [
            (oids::PAGED_RESULTS, Some(&[0x30, 0x05, 0x02, 0x01, 0x05, 0x04, 0x00])),
            (oids::PASSWORD_POLICY, None),
            (oids::MANAGE_DSA_IT, None),
            (oids::SUBTREE_DELETE, None),
        ];
        for operation in Operation::ALL {
            for (oid, value) in values {
                let registered = REGISTRY.iter().any(|(own, of)| *own == oid && of.contains(&operation));
                for critical in [false, true] {
                    let good = read_one(Control { oid, critical, value }, operation);
                    let bad = read_one(Control { oid, critical, value: Some(b"\x30\x7f") }, operation);
                    let expected = match (registered, critical) {
                        (true, _) => {
                            assert_ne!(good, Ok(Controls::default()), "{operation:?} {oid}");
                            assert_eq!(bad, Err(2), "{operation:?} {oid}");
                            continue;
                        }
                        (false, true) => Err(12),
                        (false, false) => Ok(Controls::default()),
                    };
                    assert_eq!((&good, &bad), (&expected, &expected), "{operation:?} {oid}");
                }
            }
        }
    }
}
