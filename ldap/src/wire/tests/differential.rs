//! Two implementations, one meaning: ours against ldap3_proto, in both directions.

use super::super::control::{Control, ResponseControl};
use super::super::received::{Body, Received};
use super::generate::{any_request, to_ldap3};
use super::*;
use ldap3_proto::LdapCodec;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindResponse, LdapExtendedResponse, LdapIntermediateResponse, LdapMsg, LdapOp, LdapResult as TheirResult,
};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

pub fn encode_ldap3(message: &LdapMsg) -> BytesMut {
    let mut out = BytesMut::new();
    LdapCodec::default().encode(message.clone(), &mut out).unwrap();
    out
}

fn decode_ldap3(octets: &[u8]) -> LdapMsg {
    let mut buf = BytesMut::from(octets);
    let message = LdapCodec::new(Some(1 << 24), None).decode(&mut buf).unwrap().unwrap();
    assert!(buf.is_empty());
    message
}

fn any_code() -> impl Strategy<Value = ResultCode> {
    // ldap3_proto knows a closed set, and not the codes of lists and of synchronisation.
    let known = |code: &ResultCode| !matches!(code.number(), 60 | 61 | 113..=117 | 16_654);
    prop::sample::select(ResultCode::NAMED.iter().copied().filter(known).collect::<Vec<_>>())
}

/// A response of each kind; which one is chosen by `kind`.
fn response<'a>(kind: usize, result: LdapResult<'a>, name: Option<&'a str>, value: Option<&'a [u8]>) -> Response<'a> {
    let operations: Vec<_> =
        Operation::ALL.into_iter().filter(|operation| operation.response_tag().is_some()).collect();
    match (Response::to(operations[kind % operations.len()], result).unwrap(), value) {
        (Response::Bind { result, .. }, value) => Response::Bind { result, server_sasl_credentials: value },
        (Response::Extended { result, .. }, value) => Response::Extended { result, name, value },
        (other, _) => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Goal: a request ldap3_proto writes is one message of the right length for us, and means the same; what
    /// we write for it means the same to ldap3_proto.
    #[test]
    fn requests_mean_the_same(theirs in any_request()) {
        let octets = encode_ldap3(&theirs);
        prop_assert_eq!(peek(&octets, LIMITS.message_octets), Ok(Frame::Complete { len: octets.len() }));
        let ours = decode(&octets, &LIMITS).unwrap();
        prop_assert_eq!(&to_ldap3(&ours), &theirs);

        let mut encoded = BytesMut::new();
        ours.encode(&mut encoded);
        prop_assert_eq!(decode_ldap3(&encoded), theirs);
        prop_assert!(encoded.len() <= octets.len());
        prop_assert_eq!(decode(&encoded, &LIMITS).unwrap(), ours);
    }

    /// Goal: a message that is cut anywhere is incomplete, and complete when the rest arrives.
    #[test]
    fn frames_are_found_in_pieces(theirs in any_request(), cut in any::<prop::sample::Index>()) {
        let octets = encode_ldap3(&theirs);
        let cut = cut.index(octets.len());
        match peek(&octets[..cut], LIMITS.message_octets) {
            Ok(Frame::NeedMore { total }) => prop_assert!(total.is_none_or(|total| total == octets.len())),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    /// Goal: every response with a result is read by ldap3_proto, and by our client, as the same value.
    #[test]
    fn results_mean_the_same(
        id in 1..=i32::MAX,
        kind in any::<usize>(),
        code in any_code(),
        matched_dn in "[ -~]{0,12}|\\PC{0,80}",
        diagnostic in "\\PC{0,90}",
        name in prop::option::of("1\\.[2-9]{1,9}"),
        value in prop::option::of(prop::collection::vec(any::<u8>(), 0..300)),
        critical in any::<bool>(),
        control_value in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
    ) {
        let result = LdapResult::new(code).with_matched_dn(matched_dn.as_bytes()).with_diagnostic(&diagnostic);
        let response = response(kind, result, name.as_deref(), value.as_deref());
        let control = Control { oid: "1.2.3", critical, value: control_value.as_deref() };
        let mut octets = BytesMut::new();
        response.encode(&mut octets, MessageId::new(id).unwrap(), &[ResponseControl::Raw(control)]);

        let theirs = decode_ldap3(&octets);
        let expected = TheirResult {
            code: i64::from(code.number()).try_into().unwrap(),
            matcheddn: matched_dn.clone(),
            message: diagnostic.clone(),
            referral: vec![],
        };
        prop_assert_eq!(theirs.msgid, id);
        let their_control =
            LdapControl::Unknown { oid: "1.2.3".to_owned(), criticality: critical, value: control_value.clone() };
        prop_assert_eq!(theirs.ctrl, vec![their_control]);
        let expected = match response {
            Response::Bind { .. } => LdapOp::BindResponse(LdapBindResponse { res: expected, saslcreds: value.clone() }),
            Response::SearchDone(_) => LdapOp::SearchResultDone(expected),
            Response::Modify(_) => LdapOp::ModifyResponse(expected),
            Response::Add(_) => LdapOp::AddResponse(expected),
            Response::Delete(_) => LdapOp::DelResponse(expected),
            Response::ModifyDn(_) => LdapOp::ModifyDNResponse(expected),
            Response::Compare(_) => LdapOp::CompareResult(expected),
            Response::Extended { .. } => {
                let (name, value) = (name.clone(), value.clone());
                LdapOp::ExtendedResponse(LdapExtendedResponse { res: expected, name, value })
            }
            Response::SearchReference(_) | Response::Intermediate { .. } => panic!("without a result"),
        };
        prop_assert_eq!(theirs.op, expected);

        let ours = Received::decode(&octets, &LIMITS).unwrap();
        prop_assert_eq!(ours.id, MessageId::new(id));
        prop_assert_eq!(ours.controls.find("1.2.3"), Some(control));
        let Body::Result(received) = ours.body else { panic!("not a result") };
        prop_assert_eq!((received.code, received.diagnostic), (code, diagnostic.as_bytes()));
        prop_assert_eq!(received.matched_dn, matched_dn.as_bytes());
    }
}

/// Goal: referrals, references and intermediate responses are read by both.
#[test]
fn references_mean_the_same() {
    let uris = ["ldap://a.example/", "ldap://b.example/dc=x??sub"];
    let id = MessageId::new(3).unwrap();
    let mut octets = BytesMut::new();
    Response::SearchReference(&uris).encode(&mut octets, id, &[]);
    let LdapOp::SearchResultReference(reference) = decode_ldap3(&octets).op else { panic!("not a reference") };
    assert_eq!(reference.uris, uris);

    octets.clear();
    let referral = LdapResult { referral: &uris, ..LdapResult::new(ResultCode::REFERRAL) };
    Response::Compare(referral).encode(&mut octets, id, &[]);
    decode_ldap3(&octets);
    let Body::Result(received) = Received::decode(&octets, &LIMITS).unwrap().body else { panic!("not a result") };
    assert_eq!(received.referral.iter().collect::<Vec<_>>(), uris.map(str::as_bytes));

    octets.clear();
    Response::Intermediate { name: Some("1.2.3"), value: Some(b"v") }.encode(&mut octets, id, &[]);
    let LdapOp::IntermediateResponse(LdapIntermediateResponse::Raw { name, value }) = decode_ldap3(&octets).op else {
        panic!("not an intermediate response")
    };
    assert_eq!((name.as_deref(), value.as_deref()), (Some("1.2.3"), Some(&b"v"[..])));
}
