//! Control values: exact octets, both directions, and everything malformed.

use super::super::filter::FilterBuf;
use super::super::filter::tests::any_filter;
use super::*;
use bytes::BytesMut;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{LdapMsg, LdapOp};
use proptest::prelude::*;

const LIMITS: Limits = Limits::AFTER_BIND;

fn written(write: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    let mut out = BytesMut::new();
    write(&mut Writer::new(&mut out));
    out
}

fn problem(oid: &str, critical: bool, value: Option<&[u8]>) -> Option<ControlProblem> {
    Control { oid, critical, value }.typed(&LIMITS).err().map(|error| {
        assert_eq!(error.control, oid);
        assert_eq!(error.code(), ResultCode::PROTOCOL_ERROR);
        error.problem
    })
}

/// Goal: octet for octet, the password policy responses that clients test for.
#[test]
fn password_policy_octets() {
    use PasswordPolicyWarning::{GraceAuthNsRemaining, TimeBeforeExpiration};
    let response = |warning, error| PasswordPolicyResponse { warning, error };
    for (response, expected) in [
        (response(None, None), &b"\x30\x00"[..]),
        (response(Some(TimeBeforeExpiration(600)), None), b"\x30\x06\xa0\x04\x80\x02\x02\x58"),
        (response(Some(GraceAuthNsRemaining(2)), None), b"\x30\x05\xa0\x03\x81\x01\x02"),
        (response(None, Some(PasswordPolicyError::AccountLocked)), b"\x30\x03\x81\x01\x01"),
        (
            response(Some(GraceAuthNsRemaining(0)), Some(PasswordPolicyError::PasswordInHistory)),
            b"\x30\x08\xa0\x03\x81\x01\x00\x81\x01\x08",
        ),
    ] {
        let octets = written(|w| response.encode(w));
        assert_eq!(&octets[..], expected);
        assert_eq!(PasswordPolicyResponse::decode(expected), Ok(response));
    }
}

/// Goal: every password policy error has its number and reads back; other numbers are refused.
#[test]
fn password_policy_errors() {
    for (number, error) in (0u8..).zip(PasswordPolicyError::ALL) {
        assert_eq!(error.number(), number);
        let octets = [0x30, 0x03, 0x81, 0x01, number];
        assert_eq!(PasswordPolicyResponse::decode(&octets).map(|response| response.error), Ok(Some(error)));
    }
    for malformed in [
        &b"\x30\x03\x81\x01\x09"[..],
        b"\x30\x03\x81\x01\xff",
        b"\x30\x05\xa0\x03\x82\x01\x00",
        b"\x30\x02\xa0\x00",
        b"\x30\x08\xa0\x06\x80\x01\x01\x81\x01\x01",
        b"\x30\x08\x81\x01\x00\xa0\x03\x80\x01\x01",
        b"\x30\x00\x00",
        b"",
    ] {
        assert!(PasswordPolicyResponse::decode(malformed).is_err(), "{malformed:02x?}");
    }
}

/// Goal: A11 – a page size that is negative, too large or missing, and a cookie of the wrong type, are
/// protocolErrors of the operation.
#[test]
fn a11_paged_results_values() {
    let good = Control { oid: oids::PAGED_RESULTS, critical: true, value: Some(b"\x30\x06\x02\x01\x64\x04\x01c") };
    let expected = PagedResults { size: 100, cookie: b"c" };
    assert_eq!(good.typed(&LIMITS), Ok(Some(RequestControl::PagedResults(expected))));
    for malformed in [
        None,
        Some(&b""[..]),
        Some(b"\x30\x00"),
        Some(b"\x30\x03\x02\x01\x64"),
        Some(b"\x30\x05\x02\x01\xff\x04\x00"),
        Some(b"\x30\x09\x02\x05\x01\x00\x00\x00\x00\x04\x00"),
        Some(b"\x30\x08\x02\x04\x80\x00\x00\x00\x04\x00"),
        Some(b"\x30\x05\x02\x01\x64\x02\x00"),
        Some(b"\x30\x05\x02\x01\x64\x24\x00"),
        Some(b"\x30\x05\x02\x01\x64\x04\x01"),
        Some(b"\x30\x07\x02\x01\x64\x04\x00\x04\x00"),
        Some(b"\x30\x05\x02\x01\x64\x04\x00\x00"),
    ] {
        assert!(problem(oids::PAGED_RESULTS, true, malformed).is_some(), "{malformed:02x?}");
    }
}

/// Goal: controls without a value refuse one; those with a value demand it; proxied authorization demands to
/// be critical.
#[test]
fn presence_and_criticality() {
    for oid in [oids::MANAGE_DSA_IT, oids::PASSWORD_POLICY, oids::SUBTREE_DELETE] {
        assert_eq!(problem(oid, false, None), None);
        assert_eq!(problem(oid, false, Some(b"")), None);
        assert_eq!(problem(oid, false, Some(b"\x30\x00")), Some(ControlProblem::Unexpected));
    }
    for oid in [oids::SORT_REQUEST, oids::PRE_READ, oids::POST_READ, oids::ASSERTION, oids::MATCHED_VALUES] {
        assert_eq!(problem(oid, true, None), Some(ControlProblem::Missing));
        assert!(problem(oid, true, Some(b"\x05\x00")).is_some(), "{oid}");
    }
    assert_eq!(problem(oids::PROXIED_AUTHORIZATION, true, None), Some(ControlProblem::Missing));
    assert_eq!(problem(oids::PROXIED_AUTHORIZATION, false, Some(b"u:x")), Some(ControlProblem::NotCritical));
    let proxied = Control { oid: oids::PROXIED_AUTHORIZATION, critical: true, value: Some(b"") };
    assert_eq!(proxied.typed(&LIMITS), Ok(Some(RequestControl::ProxiedAuthorization(b""))));
    let unknown = Control { oid: "1.2.3", critical: true, value: Some(b"\xff") };
    assert_eq!(unknown.typed(&LIMITS), Ok(None));
}

/// Goal: sort keys read with their defaults and refuse what RFC 2891 does not define.
#[test]
fn sort_keys() {
    let key = |attribute, ordering_rule, reverse| SortKey { attribute, ordering_rule, reverse };
    let keys = [key(b"sn", None, false), key(b"cn", Some(b"2.5.13.3"), true), key(b"uid", None, true)];
    let octets = written(|w| sort::encode_keys(&keys, w));
    let control = Control { oid: oids::SORT_REQUEST, critical: false, value: Some(&octets) };
    let Ok(Some(RequestControl::Sort(decoded))) = control.typed(&LIMITS) else { panic!("not a sort control") };
    assert_eq!(decoded.iter().collect::<Vec<_>>(), keys);
    for malformed in [
        &b"\x30\x00"[..],
        b"\x30\x02\x30\x00",
        b"\x30\x04\x04\x02cn",
        b"\x30\x09\x30\x07\x04\x02cn\x82\x01\xff",
        b"\x30\x0a\x30\x08\x04\x02cn\x81\x02\xff\xff",
        b"\x30\x0b\x30\x09\x04\x02cn\x81\x01\xff\x80\x00",
        b"\x30\x06\x30\x04\x04\x02cn\x00",
    ] {
        assert!(problem(oids::SORT_REQUEST, true, Some(malformed)).is_some(), "{malformed:02x?}");
    }
}

/// Goal: octet for octet, the sort result; an absent attribute is absent.
#[test]
fn sort_result_octets() {
    let success = SortResult { code: ResultCode::SUCCESS, attribute: None };
    assert_eq!(&written(|w| success.encode(w))[..], b"\x30\x03\x0a\x01\x00");
    let unknown = SortResult { code: ResultCode::NO_SUCH_ATTRIBUTE, attribute: Some(b"cn") };
    assert_eq!(&written(|w| unknown.encode(w))[..], b"\x30\x07\x0a\x01\x10\x80\x02cn");
    assert_eq!(SortResult::decode(b"\x30\x07\x0a\x01\x10\x80\x02cn"), Ok(unknown));
}

/// Goal: matched values takes items only, without sets, negations or DN attributes.
#[test]
fn matched_values_are_simple_items() {
    let value = |filters: &[&str]| {
        written(|w| {
            w.nested(Tag::SEQUENCE, |w| {
                filters.iter().for_each(|text| super::super::filter::parse_string(text).unwrap().as_filter().encode(w));
            });
        })
    };
    let items = ["(cn=*)", "(sn=a*b)", "(cn:2.5.13.2:=x)"];
    let octets = value(&items);
    let control = Control { oid: oids::MATCHED_VALUES, critical: false, value: Some(&octets) };
    let Ok(Some(RequestControl::MatchedValues(decoded))) = control.typed(&LIMITS) else { panic!("not matched values") };
    assert_eq!(decoded.iter().map(|filter| filter.to_string()).collect::<Vec<_>>(), items);
    for complex in ["(&(cn=*))", "(|)", "(!(cn=*))", "(cn:dn:=x)"] {
        let expected = Some(ControlProblem::Filter(FilterError::NotSimple));
        assert_eq!(problem(oids::MATCHED_VALUES, false, Some(&value(&["(cn=a)", complex]))), expected, "{complex}");
    }
}

/// Goal: a filter in a control is bounded like that of a search, and exceeding it is adminLimitExceeded.
#[test]
fn b1_filters_in_controls_are_bounded() {
    let mut filter = FilterBuf::present(b"cn");
    for _ in 0..LIMITS.filter_depth {
        filter = FilterBuf::negated(&filter);
    }
    let octets = written(|w| filter.as_filter().encode(w));
    let error = Control { oid: oids::ASSERTION, critical: true, value: Some(&octets) }.typed(&LIMITS).unwrap_err();
    assert_eq!(error.code(), ResultCode::ADMIN_LIMIT_EXCEEDED);
}

/// Goal: the Netscape controls carry text.
#[test]
fn netscape_controls() {
    let octets = written(|w| {
        encode_response_controls(w, &[ResponseControl::PasswordExpired, ResponseControl::PasswordExpiring(600)]);
    });
    let mut reader = Reader::new(&octets);
    let controls = decode_controls(reader.expect(CONTROLS).unwrap(), &LIMITS).unwrap();
    let values: Vec<_> = controls.iter().map(|control| (control.oid, control.value)).collect();
    assert_eq!(values, [(oids::PASSWORD_EXPIRED, Some(&b"0"[..])), (oids::PASSWORD_EXPIRING, Some(b"600"))]);
}

/// Goal: debug output shows neither cookies nor identities.
#[test]
fn values_are_hidden() {
    let control = Control { oid: oids::PROXIED_AUTHORIZATION, critical: true, value: Some(b"dn:cn=secret") };
    assert_eq!(format!("{control:?}"), "2.16.840.1.113730.3.4.18! Some(12)");
}

proptest! {
    /// Goal: ldap3_proto reads our paged results, and we read what it writes.
    #[test]
    fn paged_results_survive(size in 0u32..=0x7fff_ffff, cookie in any::<Vec<u8>>()) {
        let page = PagedResults { size, cookie: &cookie };
        let octets = written(|w| page.encode(w));
        prop_assert_eq!(PagedResults::decode(&octets), Ok(page));

        let theirs = LdapControl::SimplePagedResults { size: size.into(), cookie: cookie.clone() };
        let message = LdapMsg { msgid: 1, op: LdapOp::UnbindRequest, ctrl: vec![theirs] };
        let mut out = BytesMut::new();
        tokio_util::codec::Encoder::encode(&mut ldap3_proto::LdapCodec::default(), message, &mut out).unwrap();
        let decoded = super::super::decode(&out, &LIMITS).unwrap();
        prop_assert_eq!(decoded.controls.first().unwrap().value, Some(&octets[..]));
    }

    /// Goal: assertion, pre-read and post-read values survive.
    #[test]
    fn filters_and_selections_survive(
        filter in any_filter(),
        attributes in prop::collection::vec(any::<Vec<u8>>(), 0..5),
    ) {
        let octets = written(|w| filter.as_filter().encode(w));
        let control = Control { oid: oids::ASSERTION, critical: true, value: Some(&octets) };
        prop_assert_eq!(control.typed(&LIMITS), Ok(Some(RequestControl::Assertion(filter.as_filter()))));

        let octets = written(|w| {
            w.nested(Tag::SEQUENCE, |w| attributes.iter().for_each(|attribute| w.octet_string(attribute)));
        });
        for oid in [oids::PRE_READ, oids::POST_READ] {
            let typed = Control { oid, critical: false, value: Some(&octets) }.typed(&LIMITS).unwrap().unwrap();
            let (RequestControl::PreRead(selection) | RequestControl::PostRead(selection)) = typed else {
                panic!("not a selection")
            };
            prop_assert_eq!(selection.iter().collect::<Vec<_>>(), attributes.clone());
        }
    }

    /// Goal: no value of any known control makes a decoder panic.
    #[test]
    fn any_value_reads_or_fails(oid in prop::sample::select(vec![
        oids::MANAGE_DSA_IT, oids::PAGED_RESULTS, oids::PASSWORD_POLICY, oids::SORT_REQUEST, oids::PRE_READ,
        oids::ASSERTION, oids::PROXIED_AUTHORIZATION, oids::MATCHED_VALUES, oids::SUBTREE_DELETE,
    ]), value in any::<Vec<u8>>()) {
        let typed = Control { oid, critical: true, value: Some(&value) }.typed(&LIMITS);
        prop_assert!(typed.is_err() || typed.is_ok_and(|typed| typed.is_some()));
        let _ = PasswordPolicyResponse::decode(&value);
        let _ = SortResult::decode(&value);
    }
}
