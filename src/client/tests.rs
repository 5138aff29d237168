//! The client against a peer that says what the test wants it to say.

use super::*;
use ldap::wire::control::ResponseControl;
use ldap::wire::{LdapResult, Response};
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

/// A peer that answers each request in turn with these octets, and then closes; it returns what it was sent.
fn peer(answers: Vec<Vec<u8>>) -> (tempfile::TempDir, std::path::PathBuf, JoinHandle<Vec<Vec<u8>>>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ldapi");
    let listener = UnixListener::bind(&path).unwrap();
    let task = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        for answer in answers {
            let mut request = Vec::new();
            while !matches!(peek(&request, 1 << 20), Ok(Frame::Complete { .. })) {
                let mut octet = [0];
                stream.read_exact(&mut octet).unwrap();
                request.push(octet[0]);
            }
            heard.push(request);
            // In two pieces: a message need not come at once.
            let (first, second) = answer.split_at(answer.len() / 2);
            stream.write_all(first).unwrap();
            // A client that has seen enough may be gone.
            _ = stream.write_all(second);
        }
        heard
    });
    (dir, path, task)
}

fn done(id: i32, operation: ldap::wire::Operation, code: ResultCode, cookie: Option<&[u8]>) -> Vec<u8> {
    let mut out = BytesMut::new();
    let result = LdapResult::new(code).with_diagnostic("the account is LOCKED");
    let page = cookie.map(|cookie| ResponseControl::PagedResults(PagedResults { size: 0, cookie }));
    let controls: Vec<ResponseControl<'_>> = page.into_iter().collect();
    Response::to(operation, result).unwrap().encode(&mut out, MessageId::new(id).unwrap(), &controls);
    out.to_vec()
}

/// Goal: a search asks for page after page until the cookie is empty.
#[test]
fn pages_are_followed_to_the_end() {
    use ldap::wire::Operation::Search as Searched;
    let answers =
        vec![done(1, Searched, ResultCode::SUCCESS, Some(b"next")), done(2, Searched, ResultCode::SUCCESS, Some(b""))];
    let (_dir, path, task) = peer(answers);
    let mut client = Client::connect(&path).unwrap();
    let filter = FilterBuf::present(b"uid");
    let query = Query { base: "", scope: Scope::Subtree, filter: &filter, attributes: &["uid"], page: 7 };
    client.search(&query, |_| {}).unwrap();
    let heard = task.join().unwrap();
    assert_eq!(heard.len(), 2);
    let cookies: Vec<Vec<u8>> = heard
        .iter()
        .map(|octets| {
            let message = ldap::wire::decode(octets, &Limits::AFTER_BIND).unwrap();
            let control = message.controls.find(oids::PAGED_RESULTS).unwrap();
            assert!(control.critical);
            PagedResults::decode(control.value.unwrap()).unwrap().cookie.to_vec()
        })
        .collect();
    assert_eq!(cookies, [b"".to_vec(), b"next".to_vec()]);
}

/// Goal: a refusal carries its code and words; a modification arrives as it was said.
#[test]
fn a_refusal_says_why() {
    let answers = vec![done(1, ldap::wire::Operation::Modify, ResultCode::UNWILLING_TO_PERFORM, None)];
    let (_dir, path, task) = peer(answers);
    let mut client = Client::connect(&path).unwrap();
    let lock = Modification { kind: ChangeKind::Replace, attribute: "rollbookState", values: &[b"LOCKED"] };
    let error = client.modify("uid=ada", &[lock]).unwrap_err();
    assert_eq!(error.to_string(), "the account is LOCKED");
    assert!(matches!(error, Error::Refused { code: ResultCode::UNWILLING_TO_PERFORM, .. }));
    let heard = task.join().unwrap();
    let Request::Modify(modify) = ldap::wire::decode(&heard[0], &Limits::AFTER_BIND).unwrap().request else {
        panic!("a modification")
    };
    let change = modify.changes.first().unwrap();
    assert_eq!((modify.dn, change.kind), (&b"uid=ada"[..], ChangeKind::Replace));
    assert_eq!(change.attribute.values.first(), Some(&b"LOCKED"[..]));
}

/// Goal: no daemon, a daemon that closes, an answer to another request and no LDAP at all are told apart.
#[test]
fn what_is_no_answer_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Client::connect(&dir.path().join("ldapi")).unwrap_err();
    assert!(missing.to_string().contains("is it running"), "{missing}");
    for (answer, expected) in [
        (Vec::new(), "closed"),
        (done(9, ldap::wire::Operation::Bind, ResultCode::SUCCESS, None), "another request"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "does not begin an LDAP message"),
    ] {
        let (_dir, path, task) = peer(vec![answer]);
        let error = Client::connect(&path).unwrap().bind_external().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        task.join().unwrap();
    }
}
