//! Messages that attack the framing, the envelope, or the amount of work.

use super::super::control::Control;
use super::super::filter::{Filter, FilterBuf, Part, parse_string};
use super::super::frame::FrameError;
use super::super::message::Credentials;
use super::*;

fn delete(rest: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    message(|w| {
        w.octets(Operation::Delete.request_tag(), b"cn=x");
        rest(w);
    })
}

fn controls(count: usize) -> BytesMut {
    delete(|w| {
        w.nested(Tag::context_constructed(0), |w| {
            for number in 0..count {
                Control { oid: &format!("1.2.{number}"), critical: false, value: None }.encode(w);
            }
        });
    })
}

/// Goal: an indefinite length ends the session, at the outermost level before anything else arrives.
#[test]
fn a1_indefinite_length() {
    assert!(matches!(peek(&[0x30, 0x80], LIMITS.message_octets), Err(FrameError::Length(_))));
    assert_eq!(reaction(b"\x30\x80\x02\x01\x07\x4a\x01x\x00\x00"), disconnect());
    assert_eq!(reaction(b"\x30\x09\x02\x01\x07\x68\x80\x04\x00\x00\x00"), disconnect());
    assert_eq!(reaction(b"\x30\x0b\x02\x01\x07\x4a\x01x\xa0\x80\x00\x00"), disconnect());
}

/// Goal: a length of more than four octets ends the session, also where it would wrap to the right one.
#[test]
fn a2_length_that_wraps() {
    let wraps = b"\x30\x89\x01\x00\x00\x00\x00\x00\x00\x00\x06\x02\x01\x07\x4a\x01x";
    assert!(matches!(peek(&wraps[..2], LIMITS.message_octets), Err(FrameError::Length(_))));
    assert_eq!(reaction(wraps), disconnect());
    assert_eq!(reaction(b"\x30\x0f\x02\x01\x07\x4a\x89\x01\x00\x00\x00\x00\x00\x00\x00\x01x"), disconnect());
}

/// Goal: a message that claims too much is refused with its header, not with its end.
#[test]
fn a3_claimed_length() {
    let before = Limits::BEFORE_BIND.message_octets;
    for header in [&b"\x30\x84\x80\x00\x00\x00"[..], b"\x30\x84\xff\xff\xff\xff", b"\x30\x83\x04\x00\x00"] {
        assert!(matches!(peek(header, before), Err(FrameError::TooLarge { .. })), "{header:02x?}");
    }
    assert!(matches!(peek(b"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", before), Err(FrameError::Length(_))));
    assert_eq!(peek(b"\x30\x83\x04\x00\x00", LIMITS.message_octets), Ok(Frame::NeedMore { total: Some(262_149) }));
}

/// Goal: a child that does not fit its parent ends the session wherever it is; nothing is dropped or widened.
#[test]
fn a4_child_beyond_its_parent() {
    let elements_cut_short = [
        search(|w| w.nested(Tag::context_constructed(0), |w| w.encoded(b"\x87\x0bobjectClas")), |_| ()),
        search(|w| w.nested(Tag::context_constructed(1), |w| w.encoded(b"\x87")), |_| ()),
        search(present, |w| w.encoded(b"\x04\x05cn")),
        operation(Operation::Modify, |w| {
            w.octet_string(b"cn=x");
            w.nested(Tag::SEQUENCE, |w| w.encoded(b"\x30\x0a\x0a\x01\x02\x30\x05\x04\x01a\x31\x02"));
        }),
        operation(Operation::Add, |w| {
            w.octet_string(b"cn=x");
            w.nested(Tag::SEQUENCE, |w| w.encoded(b"\x30\x08\x04\x02cn\x31\x02\x04\x01"));
        }),
        delete(|w| w.nested(Tag::context_constructed(0), |w| w.encoded(b"\x30\x09\x04\x031.2\x01\x01"))),
        delete(|w| w.nested(Tag::context_constructed(0), |w| w.encoded(b"\x30"))),
        delete(|w| w.encoded(b"\xa1\x03\x04\x02x")),
        delete(|w| w.encoded(b"\x85\x01")),
    ];
    for octets in elements_cut_short {
        assert_eq!(reaction(&octets), disconnect(), "{octets:02x?}");
    }
}

/// Goal: the message is exactly its frame: neither short of it nor followed by anything.
#[test]
fn a4_message_and_frame_agree() {
    let whole = delete(|_| ());
    assert_eq!(reaction(&whole), None);
    for len in 0..whole.len() {
        assert_eq!(reaction(&whole[..len]), disconnect(), "{len}");
    }
    let mut followed = whole.clone();
    followed.extend_from_slice(b"\x05\x00");
    assert_eq!(reaction(&followed), disconnect());
}

/// Goal: an id outside 1..2^31-1, or not an INTEGER of four octets, ends the session.
#[test]
fn a5_message_ids() {
    let with_id = |id: &[u8]| {
        written(|w| {
            w.nested(Tag::SEQUENCE, |w| {
                w.encoded(id);
                w.octets(Operation::Delete.request_tag(), b"cn=x");
            });
        })
    };
    for id in [
        &b"\x02\x01\x00"[..],
        b"\x02\x01\xff",
        b"\x02\x04\x80\x00\x00\x00",
        b"\x02\x00",
        b"\x02\x05\x00\x80\x00\x00\x00",
        b"\x02\x05\x01\x00\x00\x00\x01",
        b"\x02\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
        b"\x04\x01\x01",
        b"\x22\x03\x02\x01\x01",
        b"",
    ] {
        let octets = with_id(id);
        let error = decode(&octets, &LIMITS).unwrap_err();
        assert_eq!((error.id, error.reaction()), (None, disconnect().unwrap()), "{id:02x?}");
    }
    for (id, value) in [(&b"\x02\x01\x01"[..], 1), (b"\x02\x04\x7f\xff\xff\xff", i32::MAX), (b"\x02\x02\x00\x80", 128)]
    {
        assert_eq!(decode(&with_id(id), &LIMITS).unwrap().id.value(), value);
    }
}

/// Goal: forms that LDAP does not use, and operations that are no requests, end the session.
#[test]
fn a6_forms_and_tags() {
    assert_eq!(peek(b"\x10\x00", LIMITS.message_octets), Err(FrameError::NotLdap(0x10)));
    assert_eq!(reaction(b"\x10\x06\x02\x01\x07\x4a\x01x"), disconnect());
    for op in [
        &b"\x7f\x17\x00"[..],                    // [APPLICATION 23] in high-tag-number form
        b"\x6a\x03\x04\x01x",                    // a constructed DelRequest
        b"\x62\x00",                             // a constructed UnbindRequest
        b"\x43\x00",                             // a primitive SearchRequest
        b"\x61\x07\x0a\x01\x00\x04\x00\x04\x00", // a BindResponse
        b"\x78\x07\x0a\x01\x00\x04\x00\x04\x00", // an ExtendedResponse
        b"\x30\x00",
        b"\x04\x00",
        b"",
    ] {
        assert_eq!(reaction(&message(|w| w.encoded(op))), disconnect(), "{op:02x?}");
    }
    let constructed_octet_string = operation(Operation::Compare, |w| w.encoded(b"\x24\x03\x04\x01x"));
    assert_eq!(reaction(&constructed_octet_string), disconnect());
    assert_eq!(reaction(&delete(|w| w.encoded(b"\xbf\x81\x01\x00"))), disconnect());
}

/// `levels` constructed elements, one in the other.
fn nest(tag: Tag, levels: usize) -> BytesMut {
    written(|w| {
        let open: Vec<_> = (0..levels).map(|_| w.open(tag)).collect();
        open.into_iter().rev().for_each(|element| w.close(element));
    })
}

/// Goal: 64 levels are read and more are not, within a stack of 256 KiB.
#[test]
fn a7_nesting() {
    let check = || {
        // The message itself is the first level.
        for (levels, expected) in
            [(62, None), (63, None), (64, disconnect()), (1_000, disconnect()), (8_000, disconnect())]
        {
            let extension = nest(Tag::context_constructed(5), levels);
            assert_eq!(reaction(&delete(|w| w.encoded(&extension))), expected, "{levels} levels");
            let filters = nest(Tag::context_constructed(2), levels);
            let deep_filter = search(|w| w.encoded(&filters), |_| ());
            assert!(decode(&deep_filter, &LIMITS).is_err(), "{levels} negations");
            assert!(Filter::decode(&filters, &LIMITS).is_err(), "{levels} negations in a control");
        }
        let boundless = Limits { nesting: usize::MAX, filter_depth: usize::MAX, filter_nodes: usize::MAX, ..LIMITS };
        assert!(Filter::decode(&nest(Tag::context_constructed(2), 8_000), &boundless).is_err());
        assert!(parse_string(&"(!".repeat(100_000)).is_err());
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(check).unwrap().join().unwrap();
}

/// Goal: too many elements are adminLimitExceeded of the operation, and the session goes on.
#[test]
fn a8_too_many_elements() {
    let limit = |operation| respond(operation, ResultCode::ADMIN_LIMIT_EXCEEDED);
    let two_octets = |w: &mut Writer<'_>| (0..16_000).for_each(|_| w.octet_string(b""));
    let ten_thousand = |w: &mut Writer<'_>| (0..10_000).for_each(|_| w.octet_string(b"cn"));
    assert_eq!(reaction(&search(present, two_octets)), limit(Operation::Search));
    assert_eq!(reaction(&search(present, ten_thousand)), limit(Operation::Search));
    let add = operation(Operation::Add, |w| {
        w.octet_string(b"cn=x");
        w.nested(Tag::SEQUENCE, |w| {
            w.nested(Tag::SEQUENCE, |w| {
                w.octet_string(b"member");
                w.nested(Tag::SET, ten_thousand);
            });
        });
    });
    assert_eq!(reaction(&add), limit(Operation::Add));
    assert_eq!(reaction(&delete(|w| w.nested(Tag::context_constructed(9), two_octets))), limit(Operation::Delete));
    assert_eq!(reaction(&search(present, |w| (0..9_980).for_each(|_| w.octet_string(b"cn")))), None);
}

/// Goal: the selection has a bound of its own, inclusive.
#[test]
fn a8_selection() {
    let limits = Limits { selection: 3, ..LIMITS };
    for (count, refused) in [(3, false), (4, true)] {
        let octets = search(present, |w| (0..count).for_each(|_| w.octet_string(b"")));
        assert_eq!(decode(&octets, &limits).is_err(), refused);
    }
}

/// Goal: ten controls are read, eleven and two thousand are adminLimitExceeded.
#[test]
fn a9_too_many_controls() {
    assert_eq!(decode(&controls(10), &LIMITS).unwrap().controls.count(), 10);
    for count in [11, 2_000] {
        assert_eq!(reaction(&controls(count)), respond(Operation::Delete, ResultCode::ADMIN_LIMIT_EXCEEDED), "{count}");
    }
}

/// Goal: unknown controls arrive whole, with their criticality.
#[test]
fn a10_unknown_controls_arrive() {
    let octets = delete(|w| {
        w.nested(Tag::context_constructed(0), |w| {
            w.encoded(b"\x30\x08\x04\x031.2\x01\x01\xff");
            w.encoded(b"\x30\x0a\x04\x031.3\x01\x01\x00\x04\x00");
            w.encoded(b"\x30\x08\x04\x031.4\x04\x01\xfe");
        });
    });
    let control = |oid, critical, value| Control { oid, critical, value };
    let expected =
        [control("1.2", true, None), control("1.3", false, Some(&b""[..])), control("1.4", false, Some(b"\xfe"))];
    assert_eq!(decode(&octets, &LIMITS).unwrap().controls.iter().collect::<Vec<_>>(), expected);
}

/// Goal: a control whose criticality could be lost – wrong tag, wrong place, wrong length, wrong order – is
/// refused, never read without it.
#[test]
fn a10_criticality_is_never_lost() {
    for control in [
        &b"\x30\x08\x04\x031.2\x81\x01\xff"[..],
        b"\x30\x08\x04\x031.2\x02\x01\xff",
        b"\x30\x07\x04\x031.2\x01\x00",
        b"\x30\x09\x04\x031.2\x01\x02\xff\xff",
        b"\x30\x0a\x04\x031.2\x04\x00\x01\x01\xff",
        b"\x30\x0b\x04\x031.2\x01\x01\xff\x01\x01\x00",
        b"\x30\x00",
        b"\x30\x02\x04\x00",
        b"\x30\x05\x04\x03a.b",
        b"\x04\x00",
        b"\x31\x05\x04\x031.2",
    ] {
        assert_refused(&delete(|w| w.nested(Tag::context_constructed(0), |w| w.encoded(control))), Operation::Delete);
    }
}

/// Goal: the same control twice is protocolError, wherever the second stands.
#[test]
fn a11_duplicate_control() {
    let twice = delete(|w| {
        w.nested(Tag::context_constructed(0), |w| {
            for oid in ["1.2", "1.3", "1.2"] {
                Control { oid, critical: false, value: None }.encode(w);
            }
        });
    });
    assert_refused(&twice, Operation::Delete);
}

/// Goal: other protocols are recognised by their first octet.
#[test]
fn a12_other_protocols() {
    for hello in [&b"GET / HTTP/1.1"[..], b"\x16\x03\x01", b"SSH-2.0-", b"PROXY TCP4", b"\r\n\r\n\0\r\nQUIT\n", b"\0"] {
        assert_eq!(peek(&hello[..1], LIMITS.message_octets), Err(FrameError::NotLdap(hello[0])));
    }
}

/// Goal: unknown elements after the operation are ignored, controls out of place are not.
#[test]
fn trailing_elements_of_the_message() {
    assert_eq!(reaction(&delete(|w| w.encoded(b"\x81\x01x"))), None);
    assert_eq!(reaction(&delete(|w| w.encoded(b"\xa1\x02\x04\x00\x04\x00"))), None);
    let control_then_unknown = delete(|w| w.encoded(b"\xa0\x07\x30\x05\x04\x031.2\xa1\x00"));
    assert_eq!(decode(&control_then_unknown, &LIMITS).unwrap().controls.count(), 1);
    for misplaced in
        [&b"\xa1\x00\xa0\x07\x30\x05\x04\x031.2"[..], b"\xa0\x00\xa0\x00", b"\x80\x00", b"\xa0\x00\x80\x00"]
    {
        assert_refused(&delete(|w| w.encoded(misplaced)), Operation::Delete);
    }
}

/// Goal: an Unbind with content ends the session, one without decodes; an Abandon that names no operation is
/// ignored, because it has no response.
#[test]
fn a24_unbind_and_abandon() {
    assert!(matches!(decode(&message(|w| w.encoded(b"\x42\x00")), &LIMITS).unwrap().request, Request::Unbind));
    assert_eq!(reaction(&message(|w| w.encoded(b"\x42\x01\x00"))), disconnect());
    assert_eq!(reaction(&message(|w| w.encoded(b"\x42"))), disconnect());
    for target in [&b""[..], b"\x00", b"\xff", b"\x80\x00\x00\x00", b"\x01\x00\x00\x00\x00"] {
        let abandon = message(|w| w.octets(Operation::Abandon.request_tag(), target));
        assert_eq!(reaction(&abandon), Some(Reaction::Ignore), "{target:02x?}");
        let mut out = BytesMut::new();
        decode(&abandon, &LIMITS).unwrap_err().answer(&mut out);
        assert!(out.is_empty());
    }
    let own = message(|w| w.octets(Operation::Abandon.request_tag(), b"\x07"));
    assert_eq!(decode(&own, &LIMITS).unwrap().request, Request::Abandon(MessageId::new(7).unwrap()));
}

/// Goal: in a search, too deep a filter is adminLimitExceeded and the empty sets are read as they are.
#[test]
fn b1_filters_of_a_search() {
    let nested = |nots| (0..nots).fold(FilterBuf::present(b"cn"), |filter, _| FilterBuf::negated(&filter));
    let with = |filter: &FilterBuf| search(|w| filter.as_filter().encode(w), |_| ());
    assert_eq!(reaction(&with(&nested(39))), None);
    assert_eq!(reaction(&with(&nested(41))), respond(Operation::Search, ResultCode::ADMIN_LIMIT_EXCEEDED));
    for text in ["(&)", "(|)"] {
        let octets = with(&parse_string(text).unwrap());
        let Request::Search(search) = decode(&octets, &LIMITS).unwrap().request else { panic!("not a search") };
        assert_eq!(search.filter.to_string(), text);
    }
}

/// Goal: a substring of thousands of parts is read in one pass and bounded like every element.
#[test]
fn b4_parts_of_a_search() {
    let with = |parts: usize| {
        let filter = FilterBuf::substrings(b"cn", &vec![Part::Any(b"a"); parts]).unwrap();
        search(|w| filter.as_filter().encode(w), |_| ())
    };
    assert_eq!(reaction(&with(9_900)), None);
    assert_eq!(reaction(&with(10_000)), respond(Operation::Search, ResultCode::ADMIN_LIMIT_EXCEEDED));
}

/// Goal: passwords are octets: not text, not truncated, and not in debug output.
#[test]
fn a18_passwords_are_octets() {
    for password in [&b"\xe9"[..], b"a\0b", b"", &[b'p'; 513], &vec![b'x'; 1 << 20]] {
        let octets = operation(Operation::Bind, |w| {
            w.integer(Tag::INTEGER, 3);
            w.octet_string(b"cn=x");
            w.octets(Tag::context(0), password);
        });
        let Request::Bind(bind) = decode(&octets, &LIMITS).unwrap().request else { panic!("not a bind") };
        assert_eq!(bind.credentials, Credentials::Simple(password));
        let shown = format!("{bind:?}", bind = Request::Bind(bind));
        assert!(shown.contains(&format!("<{} octets>", password.len())), "{shown}");
        assert!(!shown.contains("ppp") && !shown.contains("xxx"));
        let too_large = matches!(peek(&octets, Limits::BEFORE_BIND.message_octets), Err(FrameError::TooLarge { .. }));
        assert_eq!(too_large, password.len() > 1 << 18);
    }
}
