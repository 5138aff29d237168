//! Controls: the list every message may carry, and the values of those we know (RFC 4511 §4.1.11).
//!
//! The decoder keeps controls raw: OID, criticality, value. Nothing is lost for an unknown control, and a
//! known one with a malformed value does not spoil the message. The operation asks each for its type with
//! [`Control::typed`] and answers a malformed value with [`ControlError::code`]. Which controls an
//! operation supports, and what a critical one it does not support leads to, is decided there.
//!
//! [`ResponseControl`] is what goes back. Values with more to them have files of their own: [`paged`],
//! [`password_policy`], [`sort`].
#![deny(clippy::arithmetic_side_effects)]

pub mod paged;
pub mod password_policy;
pub mod sort;

pub use paged::PagedResults;
pub use password_policy::{PasswordPolicyError, PasswordPolicyResponse, PasswordPolicyWarning};
pub use sort::{SortKey, SortKeys, SortResult};

use super::ber::{BerError, List, OctetStrings, Readable, Reader, Tag, Writable, Writer};
use super::filter::{Filter, FilterError, check_simple_items};
use super::frame::Limits;
use super::oid::is_numeric_oid;
use super::result::ResultCode;
use std::fmt;

/// OIDs of the controls, request and response alike unless named otherwise.
pub mod oids {
    /// ManageDsaIT, RFC 3296 §3
    pub const MANAGE_DSA_IT: &str = "2.16.840.1.113730.3.4.2";
    /// Simple paged results, RFC 2696
    pub const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
    /// Password policy, draft-behera-ldap-password-policy-10 §6
    pub const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
    /// Netscape "password expired" (response only), draft-vchu-ldap-pwd-policy-00
    pub const PASSWORD_EXPIRED: &str = "2.16.840.1.113730.3.4.4";
    /// Netscape "password expiring" (response only), draft-vchu-ldap-pwd-policy-00
    pub const PASSWORD_EXPIRING: &str = "2.16.840.1.113730.3.4.5";
    /// Server side sorting request, RFC 2891 §1.1
    pub const SORT_REQUEST: &str = "1.2.840.113556.1.4.473";
    /// Server side sorting response, RFC 2891 §1.2
    pub const SORT_RESPONSE: &str = "1.2.840.113556.1.4.474";
    /// Pre-read, RFC 4527 §3.1
    pub const PRE_READ: &str = "1.3.6.1.1.13.1";
    /// Post-read, RFC 4527 §3.2
    pub const POST_READ: &str = "1.3.6.1.1.13.2";
    /// Assertion, RFC 4528 §3
    pub const ASSERTION: &str = "1.3.6.1.1.12";
    /// Proxied authorization, RFC 4370 §3
    pub const PROXIED_AUTHORIZATION: &str = "2.16.840.1.113730.3.4.18";
    /// Matched values, RFC 3876 §2
    pub const MATCHED_VALUES: &str = "1.2.826.0.1.3344810.2.3";
    /// Subtree delete, draft-armijo-ldap-treedelete-02
    pub const SUBTREE_DELETE: &str = "1.2.840.113556.1.4.805";
}

/// `controls [0]` of the LDAPMessage.
const CONTROLS: Tag = Tag::context_constructed(0);

/// The controls of one message; no OID occurs twice.
pub type Controls<'a> = List<'a, Control<'a>>;

/// One control as sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Control<'a> {
    /// Its type: a numeric OID.
    pub oid: &'a str,
    /// Whether the operation must not be carried out without it.
    pub critical: bool,
    /// Its value; absent differs from empty.
    pub value: Option<&'a [u8]>,
}

impl<'a> Readable<'a> for Control<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, BerError> {
        let mut fields = reader.nested(Tag::SEQUENCE)?;
        let oid = fields.octet_string()?;
        let oid = str::from_utf8(oid).ok().filter(|oid| is_numeric_oid(oid.as_bytes())).ok_or(BerError::Oid)?;
        let critical = fields.boolean_or_false(Tag::BOOLEAN)?;
        let value = fields.optional(Tag::OCTET_STRING)?;
        fields.finish()?;
        Ok(Control { oid, critical, value })
    }
}

/// The value is shown by its length: it may be an identity or a cookie.
impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} {:?}", self.oid, if self.critical { "!" } else { "" }, self.value.map(<[u8]>::len))
    }
}

/// Why a list of controls is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ControlListError {
    /// A control is not what RFC 4511 defines.
    #[error("{0}")]
    Ber(#[from] BerError),
    /// The same OID twice: which one would count?
    #[error("the same control twice")]
    Duplicate,
    /// A second list, or one that is not right after the operation, or one in primitive form.
    #[error("controls out of place")]
    Misplaced,
    /// More than [`Limits::controls`].
    #[error("more than {limit}")]
    TooMany {
        /// The bound.
        limit: usize,
    },
}

impl<'a> Controls<'a> {
    /// The control of this OID.
    pub fn find(&self, oid: &str) -> Option<Control<'a>> {
        self.iter().find(|control| control.oid == oid)
    }
}

/// Reads what follows the protocolOp in an LDAPMessage.
///
/// Elements of unknown tags are ignored (RFC 4511 §4). Controls that are not where they belong are refused,
/// because to ignore them could lose a critical one.
pub(in crate::wire) fn trailing_controls<'a>(
    mut fields: Reader<'a>,
    limits: &Limits,
) -> Result<Controls<'a>, ControlListError> {
    const PRIMITIVE: Tag = Tag::context(0);
    let controls =
        fields.optional(CONTROLS)?.map_or(Ok(Controls::EMPTY), |content| decode_controls(content, limits))?;
    while !fields.is_empty() {
        if let (CONTROLS | PRIMITIVE, _) = fields.element()? {
            return Err(ControlListError::Misplaced);
        }
    }
    Ok(controls)
}

/// Reads the content of `controls [0]`.
pub fn decode_controls<'a>(content: &'a [u8], limits: &Limits) -> Result<Controls<'a>, ControlListError> {
    let mut count: usize = 0;
    Controls::check_each(content, |control| {
        // The list up to here was checked by earlier rounds; it is as short as the limit says.
        let before = Controls::unchecked(content).iter().take(count);
        count = count.saturating_add(1);
        if count > limits.controls {
            return Err(ControlListError::TooMany { limit: limits.controls });
        }
        for earlier in before {
            if earlier.oid == control.oid {
                return Err(ControlListError::Duplicate);
            }
        }
        Ok(())
    })
}

impl Writable for Control<'_> {
    fn write(&self, w: &mut Writer<'_>) {
        self.encode(w);
    }
}

impl Control<'_> {
    /// Writes the control.
    pub fn encode(&self, w: &mut Writer<'_>) {
        encode(w, self.oid, self.critical, |w| {
            if let Some(value) = self.value {
                w.octet_string(value);
            }
        });
    }
}

fn encode(w: &mut Writer<'_>, oid: &str, critical: bool, value: impl FnOnce(&mut Writer<'_>)) {
    w.nested(Tag::SEQUENCE, |w| {
        w.octet_string(oid.as_bytes());
        if critical {
            w.boolean(Tag::BOOLEAN, true);
        }
        value(w);
    });
}

/// A control of a request whose value is understood.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RequestControl<'a> {
    /// Treat referral objects as ordinary entries (RFC 3296).
    ManageDsaIt,
    /// Return the result in pages (RFC 2696).
    PagedResults(PagedResults<'a>),
    /// Tell about the password's state (draft-behera-ldap-password-policy-10).
    PasswordPolicy,
    /// Sort the result (RFC 2891).
    Sort(SortKeys<'a>),
    /// Return attributes of the entry as it was before (RFC 4527).
    PreRead(OctetStrings<'a>),
    /// Return attributes of the entry as it is after (RFC 4527).
    PostRead(OctetStrings<'a>),
    /// Only if the entry matches (RFC 4528).
    Assertion(Filter<'a>),
    /// As this authzId; empty is anonymous. Always critical (RFC 4370).
    ProxiedAuthorization(&'a [u8]),
    /// Only values that match one of these items (RFC 3876).
    MatchedValues(List<'a, Filter<'a>>),
    /// Delete the entry with everything below.
    SubtreeDelete,
}

/// A known control whose value is not what its specification says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("control {control}: {problem}")]
pub struct ControlError {
    /// Its OID.
    pub control: &'static str,
    /// What is wrong.
    pub problem: ControlProblem,
}

/// What is wrong with the value of a control.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ControlProblem {
    /// No value where one belongs.
    #[error("value is missing")]
    Missing,
    /// A value where none belongs.
    #[error("value is not empty")]
    Unexpected,
    /// Not critical although it must be.
    #[error("must be critical")]
    NotCritical,
    /// Encoding or grammar.
    #[error("{0}")]
    Ber(#[from] BerError),
    /// The filter in it.
    #[error("filter: {0}")]
    Filter(#[from] FilterError),
}

impl ControlError {
    /// What the operation is answered with: protocolError, or adminLimitExceeded for an oversized filter.
    pub const fn code(&self) -> ResultCode {
        match self.problem {
            ControlProblem::Filter(FilterError::Depth { .. } | FilterError::Nodes { .. }) => {
                ResultCode::ADMIN_LIMIT_EXCEEDED
            }
            _ => ResultCode::PROTOCOL_ERROR,
        }
    }
}

impl<'a> Control<'a> {
    /// Reads the value by the control's own specification; `None` for a control not known here.
    pub fn typed(&self, limits: &Limits) -> Result<Option<RequestControl<'a>>, ControlError> {
        let (control, typed) = match self.oid {
            oids::MANAGE_DSA_IT => (oids::MANAGE_DSA_IT, self.without_value(RequestControl::ManageDsaIt)),
            oids::PAGED_RESULTS => (oids::PAGED_RESULTS, self.paged_results()),
            oids::PASSWORD_POLICY => (oids::PASSWORD_POLICY, self.without_value(RequestControl::PasswordPolicy)),
            oids::SORT_REQUEST => (oids::SORT_REQUEST, self.sort()),
            oids::PRE_READ => (oids::PRE_READ, self.selection().map(RequestControl::PreRead)),
            oids::POST_READ => (oids::POST_READ, self.selection().map(RequestControl::PostRead)),
            oids::ASSERTION => (oids::ASSERTION, self.assertion(limits)),
            oids::PROXIED_AUTHORIZATION => (oids::PROXIED_AUTHORIZATION, self.proxied_authorization()),
            oids::MATCHED_VALUES => (oids::MATCHED_VALUES, self.matched_values(limits)),
            oids::SUBTREE_DELETE => (oids::SUBTREE_DELETE, self.without_value(RequestControl::SubtreeDelete)),
            _ => return Ok(None),
        };
        typed.map(Some).map_err(|problem| ControlError { control, problem })
    }

    fn required(&self) -> Result<&'a [u8], ControlProblem> {
        self.value.ok_or(ControlProblem::Missing)
    }

    /// An empty value passes for an absent one: it says as little.
    fn without_value(&self, typed: RequestControl<'a>) -> Result<RequestControl<'a>, ControlProblem> {
        if self.value.unwrap_or_default().is_empty() { Ok(typed) } else { Err(ControlProblem::Unexpected) }
    }

    fn paged_results(&self) -> Result<RequestControl<'a>, ControlProblem> {
        Ok(RequestControl::PagedResults(PagedResults::decode(self.required()?)?))
    }

    fn sort(&self) -> Result<RequestControl<'a>, ControlProblem> {
        Ok(RequestControl::Sort(sort::decode_keys(self.required()?)?))
    }

    fn selection(&self) -> Result<OctetStrings<'a>, ControlProblem> {
        let mut value = Reader::new(self.required()?);
        let attributes = OctetStrings::check(value.expect(Tag::SEQUENCE)?)?;
        value.finish()?;
        Ok(attributes)
    }

    fn assertion(&self, limits: &Limits) -> Result<RequestControl<'a>, ControlProblem> {
        Ok(RequestControl::Assertion(Filter::decode(self.required()?, limits)?))
    }

    fn proxied_authorization(&self) -> Result<RequestControl<'a>, ControlProblem> {
        let authorization_id = self.required()?;
        if self.critical {
            Ok(RequestControl::ProxiedAuthorization(authorization_id))
        } else {
            Err(ControlProblem::NotCritical)
        }
    }

    fn matched_values(&self, limits: &Limits) -> Result<RequestControl<'a>, ControlProblem> {
        let mut value = Reader::new(self.required()?);
        let items = check_simple_items(value.expect(Tag::SEQUENCE)?, limits)?;
        value.finish()?;
        Ok(RequestControl::MatchedValues(items))
    }
}

/// A control of a response. None of them is critical.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ResponseControl<'a> {
    /// The cookie for the next page (RFC 2696).
    PagedResults(PagedResults<'a>),
    /// The password's state (draft-behera-ldap-password-policy-10).
    PasswordPolicy(PasswordPolicyResponse),
    /// The password has expired, for Netscape clients.
    PasswordExpired,
    /// Seconds until the password expires, for Netscape clients.
    PasswordExpiring(u32),
    /// Whether the result is sorted (RFC 2891).
    Sort(SortResult<'a>),
    /// The entry before the change, as made by [`super::entry::EntryEncoder::bare`] (RFC 4527).
    PreRead(&'a [u8]),
    /// The entry after the change, as made by [`super::entry::EntryEncoder::bare`] (RFC 4527).
    PostRead(&'a [u8]),
    /// Any other.
    Raw(Control<'a>),
}

impl ResponseControl<'_> {
    /// The control's OID.
    pub const fn oid(&self) -> &str {
        match self {
            ResponseControl::PagedResults(_) => oids::PAGED_RESULTS,
            ResponseControl::PasswordPolicy(_) => oids::PASSWORD_POLICY,
            ResponseControl::PasswordExpired => oids::PASSWORD_EXPIRED,
            ResponseControl::PasswordExpiring(_) => oids::PASSWORD_EXPIRING,
            ResponseControl::Sort(_) => oids::SORT_RESPONSE,
            ResponseControl::PreRead(_) => oids::PRE_READ,
            ResponseControl::PostRead(_) => oids::POST_READ,
            ResponseControl::Raw(control) => control.oid,
        }
    }

    fn encode(&self, w: &mut Writer<'_>) {
        if let ResponseControl::Raw(control) = self {
            return control.encode(w);
        }
        encode(w, self.oid(), false, |w| w.nested(Tag::OCTET_STRING, |w| self.encode_value(w)));
    }

    fn encode_value(&self, w: &mut Writer<'_>) {
        match self {
            ResponseControl::PagedResults(page) => page.encode(w),
            ResponseControl::PasswordPolicy(state) => state.encode(w),
            ResponseControl::PasswordExpired => w.encoded(b"0"),
            ResponseControl::PasswordExpiring(seconds) => w.encoded(seconds.to_string().as_bytes()),
            ResponseControl::Sort(result) => result.encode(w),
            ResponseControl::PreRead(entry) | ResponseControl::PostRead(entry) => w.encoded(entry),
            ResponseControl::Raw(control) => w.encoded(control.value.unwrap_or_default()),
        }
    }
}

/// Writes `controls [0]`, unless there are none.
pub(in crate::wire) fn encode_response_controls(w: &mut Writer<'_>, controls: &[ResponseControl<'_>]) {
    if !controls.is_empty() {
        w.nested(CONTROLS, |w| controls.iter().for_each(|control| control.encode(w)));
    }
}

#[cfg(test)]
mod tests;
