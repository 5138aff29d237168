//! The reader and the writer together: tables of inputs with what must come out, laws, and hostile files.
#![expect(clippy::arithmetic_side_effects, reason = "tests count in small numbers")]

use std::io::{BufReader, Read};

use proptest::prelude::*;

use crate::{Body, Error, Limits, Operation, Reader, Reason, Record, Writer};

/// Every record, or refusal, of a file as one line of text.
fn describe(file: &[u8], limits: Limits) -> Vec<String> {
    let mut reader = Reader::with_limits(BufReader::with_capacity(7, file), limits);
    let mut out = Vec::new();
    while let Some(next) = reader.next_record() {
        out.push(match next {
            Ok(record) => text(&record),
            Err(Error::Refused(refusal)) => {
                let dn = refusal.dn.map_or(String::new(), |dn| format!(" of {}", String::from_utf8_lossy(&dn)));
                format!("!{}{dn}: {:?}", refusal.line, refusal.reason)
            }
            Err(Error::Io(error)) => panic!("{error}"),
        });
    }
    out
}

fn read(file: &str) -> Vec<String> {
    describe(file.as_bytes(), Limits::default())
}

fn text(record: &Record<'_>) -> String {
    let show = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let mut out = format!("{}[{}]", record.line, show(record.dn));
    for control in record.controls {
        out += &format!(" control {} {} {:?}", show(control.oid), control.critical, control.value.map(show));
    }
    match record.body {
        Body::Content(attributes) | Body::Add(attributes) => {
            out += if matches!(record.body, Body::Add(_)) { " add" } else { "" };
            for attribute in attributes {
                out += &format!(" {}={}", show(attribute.description), show(attribute.value));
            }
        }
        Body::Delete => out += " delete",
        Body::Modify(modifications) => {
            out += " modify";
            for m in modifications {
                let values: Vec<_> = m.values.map(show).collect();
                out += &format!(" {}@{}:{}{values:?}", m.operation.name(), m.line, show(m.attribute));
            }
        }
        Body::Rename { new_rdn, delete_old_rdn, new_superior } => {
            out += &format!(" rename {} {delete_old_rdn} {:?}", show(new_rdn), new_superior.map(show));
        }
    }
    out
}

#[test]
fn every_form_of_rfc_2849_is_read() {
    // Goal: each line of the table gives exactly these records.
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        ("\n\n# only a comment\n with a fold\n\n", &[]),
        ("version: 1\n\ndn: cn=a\ncn: a\n", &["3[cn=a] cn=a"]),
        ("version: 1\ndn: cn=a\ncn: a", &["2[cn=a] cn=a"]),
        ("\u{feff}dn: cn=a\r\ncn: a\r\n\r\n\r\ndn: cn=b\r\ncn: b\r\n", &["1[cn=a] cn=a", "5[cn=b] cn=b"]),
        ("dn: cn=a\ndescription: one\n  two\n  \n three\ncn:a\n", &["1[cn=a] description=one two three cn=a"]),
        ("dn: cn=a\n# comment\n goes on\ncn:   a \n", &["1[cn=a] cn=a "]),
        ("dn:: Y249w6Q=\ncn:: w6Q=\nsn::\n", &["1[cn=\\xc3\\xa4] cn=\\xc3\\xa4 sn="]),
        ("dn: cn=ä\ncn: ä\nmail;lang-de: :x\n", &["1[cn=\\xc3\\xa4] cn=\\xc3\\xa4 mail;lang-de=:x"]),
        ("dn:\nchangetype: modify\n", &["1[] modify"]),
        (
            "dn: cn=a\ncontrol: 1.2.840.113556.1.4.805 true\nchangetype: delete\n",
            &["1[cn=a] control 1.2.840.113556.1.4.805 true None delete"],
        ),
        (
            "dn: cn=a\ncontrol: 1.2 false: v\ncontrol: 1.3:: AAE=\ncontrol: 1.4\nchangetype: ADD\ncn: a\n",
            &[
                "1[cn=a] control 1.2 false Some(\"v\") control 1.3 false Some(\"\\\\x00\\\\x01\") control 1.4 false None add \
             cn=a",
            ],
        ),
        (
            "dn: cn=a\nchangetype: modify\nadd: mail\nmail: x\nMAIL: y\n-\ndelete: sn\n-\nreplace: cn\n-\n\
             increment: uidNumber\nuidNumber: 5\n-\n",
            &["1[cn=a] modify add@3:mail[\"x\", \"y\"] delete@7:sn[] replace@9:cn[] increment@11:uidNumber[\"5\"]"],
        ),
        ("dn: cn=a\nchangetype: modify\nreplace: sn\nsn: b\n", &["1[cn=a] modify replace@3:sn[\"b\"]"]),
        ("dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: 1\n", &["1[cn=a] rename cn=b true None"]),
        (
            "dn: cn=a\nchangetype: moddn\nnewrdn:: Y249Yg==\ndeleteoldrdn: 0\nnewsuperior: o=x\n",
            &["1[cn=a] rename cn=b false Some(\"o=x\")"],
        ),
    ];
    for (file, expected) in table {
        assert_eq!(read(file), *expected, "{file:?}");
    }
}

#[test]
fn a_refused_record_names_its_line_and_the_next_one_is_read() {
    // Goal: every error has its own reason and line, and costs only its own record.
    use Reason as R;
    let table: &[(&str, u64, Reason)] = &[
        ("dn: cn=a\ncn\n", 2, R::NoColon),
        ("dn: cn=a\nc n: x\n", 2, R::BadDescription),
        ("dn: cn=a\n: x\n", 2, R::BadDescription),
        ("dn: cn=a\ncn:: ???\n", 2, R::BadBase64),
        ("dn: cn=a\ncn:: YQ\n", 2, R::BadBase64),
        ("dn: cn=a\ncn:: YQ=\n =\nsn:: \u{0}\n", 4, R::BadBase64),
        ("dn: cn=a\njpegPhoto:< file:///etc/shadow\n", 2, R::UrlValue),
        ("dn:< http://localhost/\ncn: a\n", 1, R::UrlValue),
        ("dn: cn=a\ncontrol: 1.2 true:< file:///etc/passwd\nchangetype: delete\n", 2, R::UrlValue),
        ("dn: cn=a\ncn: a\u{0}b\n", 2, R::UnsafeByte),
        ("dn: cn=a\ncn: a\rb\n", 2, R::UnsafeByte),
        ("dn:: /w==\ncn: a\n", 1, R::NameNotUtf8),
        ("cn: a\n", 1, R::MissingDn),
        (" dangling\ndn: cn=a\ncn: a\n", 1, R::NothingToContinue),
        ("dn: cn=a\ncn: a\ndn: cn=b\ncn: b\n", 3, R::SecondDn),
        ("dn: cn=a\nchangetype: delete\ndn: cn=b\n", 3, R::SecondDn),
        ("dn: cn=a\n", 1, R::NoAttributes),
        ("dn: cn=a\nchangetype: add\n", 2, R::NoAttributes),
        ("dn: cn=a\nchangetype: destroy\n", 2, R::UnknownChangeType),
        ("dn: cn=a\ncn: a\nchangetype: delete\n", 3, R::MisplacedChangeType),
        ("dn: cn=a\ncn: a\n-\n", 3, R::MisplacedDash),
        ("dn: cn=a\ncontrol: x\nchangetype: delete\n", 2, R::BadControl),
        ("dn: cn=a\ncontrol: 1.2 perhaps\nchangetype: delete\n", 2, R::BadControl),
        ("dn: cn=a\nchangetype: delete\ncn: a\n", 3, R::TextAfterDelete),
        ("dn: cn=a\nchangetype: modify\ncn: a\n-\n", 3, R::UnknownOperation),
        ("dn: cn=a\nchangetype: modify\n-\n", 3, R::MisplacedDash),
        ("dn: cn=a\nchangetype: modify\nadd: cn\nsn: a\n-\n", 4, R::OtherAttribute),
        ("dn: cn=a\nchangetype: modify\nadd: cn\ncn: a\nreplace: sn\nsn: a\n-\n", 5, R::OtherAttribute),
        ("dn: cn=a\nchangetype: modify\nincrement: uidNumber\n-\n", 3, R::BadIncrement),
        ("dn: cn=a\nchangetype: modify\nadd: c n\n-\n", 3, R::BadDescription),
        ("dn: cn=a\nchangetype: modrdn\n", 2, R::BadRename),
        ("dn: cn=a\nchangetype: modrdn\ndeleteoldrdn: 1\nnewrdn: cn=b\n", 3, R::BadRename),
        ("dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: yes\n", 4, R::BadDeleteOldRdn),
        ("dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: 1\nnewsuperior: o=x\ncn: y\n", 6, R::BadRename),
    ];
    for (file, line, reason) in table {
        let file = format!("{file}\ndn: cn=next\ncn: next\n");
        let out = read(&file);
        assert_eq!(out.len(), 2, "{file:?} gave {out:?}");
        assert!(
            out[0].starts_with(&format!("!{line}")) && out[0].ends_with(&format!(": {reason:?}")),
            "{file:?}: {out:?}"
        );
        assert!(out[1].ends_with("[cn=next] cn=next"), "{file:?}: {out:?}");
    }
    assert_eq!(read("dn: cn=a\ncn\n"), ["!2 of cn=a: NoColon"], "the report names the entry");
    assert_eq!(describe(b"dn: cn=a\ncn: \xff\n", Limits::default()), ["!2 of cn=a: NotUtf8"]);
}

#[test]
fn a_file_in_another_format_is_refused_once() {
    // Goal: UTF-16 and an unknown version end the reading with one refusal instead of one for each line.
    assert_eq!(describe(b"\xff\xfed\0n\0:\0\n\0\n\0d\0", Limits::default()), ["!1: Utf16"]);
    assert_eq!(read("version: 2\n\ndn: cn=a\ncn: a\n"), ["!1: UnknownVersion"]);
}

#[test]
fn limits_refuse_one_record_each() {
    // Goal: a line, a record and a number of lines above the limit are refused with their reason, and not kept.
    let limits = Limits { line_bytes: 40, record_bytes: 100, record_lines: 5 };
    let cases = [
        (format!("cn: {}\n", "x".repeat(37)), Reason::LineTooLong),
        (format!("cn: x\n{}", " y\n".repeat(40)), Reason::LineTooLong),
        (format!("cn: {0}\nsn: {0}\nou: {0}\n", "x".repeat(30)), Reason::RecordTooLong),
        ("cn: x\n".repeat(5), Reason::TooManyLines),
    ];
    for (lines, reason) in cases {
        let out = describe(format!("dn: cn=a\n{lines}\ndn: cn=b\ncn: b\n").as_bytes(), limits);
        assert_eq!(out.len(), 2, "{out:?}");
        assert!(out[0].ends_with(&format!("of cn=a: {reason:?}")), "{out:?}");
    }
    assert_eq!(describe(format!("dn: cn=a\ncn: {}\n", "x".repeat(36)).as_bytes(), limits).len(), 1);
}

/// An endless file: a head, then the same bytes again and again, up to a length.
struct Bomb {
    head: &'static [u8],
    again: &'static [u8],
    left: usize,
}

impl Read for Bomb {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if !self.head.is_empty() {
            return self.head.read(out);
        }
        let part = self.again.get(..self.left.min(self.again.len())).unwrap();
        let taken = (&*part).read(out)?;
        self.left -= taken;
        Ok(taken)
    }
}

#[test]
fn bombs_are_refused_in_bounded_memory() {
    // Goal: 4 MiB of folds, of one line, of comments or of lines keep no more than the limits allow (row B14).
    let limits = Limits { line_bytes: 1 << 16, record_bytes: 1 << 18, record_lines: 1000 };
    let bombs: [(&[u8], &[u8], Option<Reason>); 6] = [
        (b"dn: cn=a\ncn: x\n", b" y\n", Some(Reason::LineTooLong)),
        (b"dn: cn=a\ncn: x\n", b" \n", None),
        (b"dn: cn=a\ncn: ", b"yyyyyyyyyyyyyyyy", Some(Reason::LineTooLong)),
        (b"dn: cn=a\ncn: x\n", b"cn: y\n", Some(Reason::TooManyLines)),
        (b"dn: cn=a\ncn: x\n# ", b"comment\n comment", None),
        (b"dn: cn=a\ncn: x\n", b"\r\n\n", None),
    ];
    for (head, again, reason) in bombs {
        let bomb = Bomb { head, again, left: 4 << 20 };
        let mut reader = Reader::with_limits(BufReader::new(bomb), limits);
        match (reader.next_record(), reason) {
            (Some(Err(Error::Refused(refusal))), Some(reason)) => assert_eq!(refusal.reason, reason),
            (Some(Ok(record)), None) => assert!(matches!(record.body, Body::Content(_))),
            (other, _) => panic!("{other:?} for {again:?}"),
        }
        while let Some(rest) = reader.next_record() {
            // A bomb cut in mid-line leaves a stump that is refused.
            assert!(rest.is_err());
        }
        assert!(reader.held_bytes() <= 1 << 20, "{} bytes for {again:?}", reader.held_bytes());
    }
}

#[test]
fn a_failing_source_ends_the_reading() {
    // Goal: an I/O error is given once, as such, and nothing after it: a cut import is not taken for a complete one.
    struct Fails(bool);
    impl Read for Fails {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::other("gone"));
            }
            (&b"dn: cn=a\ncn: a\n"[..]).read(out)
        }
    }
    let mut reader = Reader::new(BufReader::new(Fails(false)));
    assert!(matches!(reader.next_record(), Some(Err(Error::Io(_)))));
    assert!(reader.next_record().is_none());
}

#[test]
fn the_writer_folds_and_encodes() {
    // Goal: the exact text for safe, unsafe and long values.
    let mut writer = Writer::new(Vec::new());
    writer.version().unwrap();
    writer.comment("two\nlines").unwrap();
    let long = "x".repeat(160);
    let values: [(&[u8], &[u8]); 8] = [
        (b"cn", b"plain: text < here"),
        (b"sn", b""),
        (b"a", b" leading"),
        (b"b", b"trailing "),
        (b"c", b":colon"),
        (b"d", b"<less"),
        (b"e;lang-de", "ä".as_bytes()),
        (b"f", long.as_bytes()),
    ];
    writer.entry(b"cn=a", values).unwrap();
    let out = String::from_utf8(writer.finish().unwrap()).unwrap();
    let expected = format!(
        "version: 1\n\n# two\n# lines\ndn: cn=a\ncn: plain: text < here\nsn:\na:: IGxlYWRpbmc=\nb:: dHJhaWxpbmcg\n\
         c:: OmNvbG9u\nd:: PGxlc3M=\ne;lang-de:: w6Q=\nf: {}\n {}\n {}\n\n",
        "x".repeat(73),
        "x".repeat(75),
        "x".repeat(12)
    );
    assert_eq!(out, expected);
    let mut writer = Writer::new(Vec::new());
    for name in ["dn", "changeType", "control", "c n", "", "cn:", "cn\ndn"] {
        assert!(writer.attribute(name.as_bytes(), b"x").is_err(), "{name:?} would be read as something else");
    }
}

#[derive(Debug, Clone)]
enum Owned {
    Content(Vec<(String, Vec<u8>)>),
    Add(Vec<(String, Vec<u8>)>),
    Delete,
    Modify(Vec<(u8, String, Vec<Vec<u8>>)>),
    Rename(String, bool, Option<String>),
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ -~]{0,20}".prop_map(String::into_bytes),
        "[ -~]{60,200}".prop_map(String::into_bytes),
        "\\PC{0,20}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    proptest::collection::vec(("x[a-zA-Z0-9-]{0,9}(;lang-[a-z]{2})?", values()), 1..8)
}

type Sent = (bool, Option<Vec<u8>>);

fn records() -> impl Strategy<Value = (String, Vec<Sent>, Owned)> {
    let body = prop_oneof![
        attributes().prop_map(Owned::Content),
        attributes().prop_map(Owned::Add),
        Just(Owned::Delete),
        proptest::collection::vec((0_u8..3, "x[a-z]{0,5}", proptest::collection::vec(values(), 0..4)), 0..4)
            .prop_map(Owned::Modify),
        ("\\PC{0,30}", any::<bool>(), proptest::option::of("\\PC{0,30}"))
            .prop_map(|(rdn, delete, parent)| Owned::Rename(rdn, delete, parent)),
    ];
    ("\\PC{0,90}", proptest::collection::vec((any::<bool>(), proptest::option::of(values())), 0..3), body)
}

fn write(writer: &mut Writer<Vec<u8>>, dn: &str, controls: &[Sent], body: &Owned) {
    writer.dn(dn.as_bytes()).unwrap();
    for (critical, value) in controls {
        writer.control(b"1.2.3", *critical, value.as_deref()).unwrap();
    }
    match body {
        Owned::Content(values) | Owned::Add(values) => {
            if matches!(body, Owned::Add(_)) {
                writer.changetype("add").unwrap();
            }
            for (name, value) in values {
                writer.attribute(name.as_bytes(), value).unwrap();
            }
        }
        Owned::Delete => writer.changetype("delete").unwrap(),
        Owned::Modify(modifications) => {
            writer.changetype("modify").unwrap();
            for (operation, name, values) in modifications {
                let operation = [Operation::Add, Operation::Delete, Operation::Replace][usize::from(*operation)];
                writer.modification(operation, name.as_bytes(), values.iter().map(Vec::as_slice)).unwrap();
            }
        }
        Owned::Rename(rdn, delete, parent) => {
            writer.changetype("modrdn").unwrap();
            writer.rename(rdn.as_bytes(), *delete, parent.as_ref().map(String::as_bytes)).unwrap();
        }
    }
    writer.end().unwrap();
}

fn same(record: &Record<'_>, dn: &str, controls: &[Sent], body: &Owned) -> bool {
    let read: Vec<_> = record.controls.map(|c| (c.critical, c.value.map(<[u8]>::to_vec))).collect();
    record.dn == dn.as_bytes()
        && read == controls
        && match (record.body, body) {
            (Body::Content(read), Owned::Content(given)) | (Body::Add(read), Owned::Add(given)) => {
                read.map(|a| (a.description, a.value)).eq(given.iter().map(|(n, v)| (n.as_bytes(), v.as_slice())))
            }
            (Body::Delete, Owned::Delete) => true,
            (Body::Modify(read), Owned::Modify(given)) => read
                .map(|m| (m.operation.name(), m.attribute.to_vec(), m.values.map(<[u8]>::to_vec).collect::<Vec<_>>()))
                .eq(given.iter().map(|(operation, name, values)| {
                    let word = ["add", "delete", "replace"][usize::from(*operation)];
                    (word, name.clone().into_bytes(), values.clone())
                })),
            (Body::Rename { new_rdn, delete_old_rdn, new_superior }, Owned::Rename(rdn, delete, parent)) => {
                new_rdn == rdn.as_bytes()
                    && delete_old_rdn == *delete
                    && new_superior == parent.as_ref().map(String::as_bytes)
            }
            _ => false,
        }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(given in proptest::collection::vec(records(), 0..6), crlf in any::<bool>()) {
        // Goal: read ∘ write = id, with both line ends and any split of the input; and again through `Writer::record`.
        let mut writer = Writer::new(Vec::new());
        for (dn, controls, body) in &given {
            write(&mut writer, dn, controls, body);
        }
        let file = writer.finish().unwrap();
        prop_assert!(file.split(|&b| b == b'\n').all(|line| line.len() <= 76));
        let sent = if crlf { String::from_utf8(file.clone()).unwrap().replace('\n', "\r\n").into_bytes() } else { file.clone() };
        let mut reader = Reader::new(BufReader::with_capacity(5, sent.as_slice()));
        let mut again = Writer::new(Vec::new());
        for (dn, controls, body) in &given {
            let record = reader.next_record().unwrap().unwrap();
            prop_assert!(same(&record, dn, controls, body), "{record:?}");
            again.record(&record).unwrap();
        }
        prop_assert!(reader.next_record().is_none());
        prop_assert_eq!(again.finish().unwrap(), file);
    }

    #[test]
    fn broken_files_end(
        given in proptest::collection::vec(records(), 1..4),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 0..12),
    ) {
        // Goal: whatever is done to a file, reading ends, without a panic, with at most one answer for each line.
        let mut writer = Writer::new(Vec::new());
        for (dn, controls, body) in &given {
            write(&mut writer, dn, controls, body);
        }
        let mut file = writer.finish().unwrap();
        for (at, byte, kind) in edits {
            let at = at.index(file.len());
            match kind {
                0 => file[at] = byte,
                1 => file.insert(at, b"\n :-#<\r"[usize::from(byte) % 7]),
                _ => file.truncate(at.max(1)),
            }
        }
        let lines = file.iter().filter(|&&b| b == b'\n').count() + 1;
        let limits = Limits { line_bytes: 150, record_bytes: 400, record_lines: 9 };
        prop_assert!(describe(&file, limits).len() <= lines);
        prop_assert!(describe(&file, Limits::default()).len() <= lines);
    }
}
