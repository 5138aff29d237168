//! Damaged messages: refused, or read completely. Never a panic, never a part that silently disappears.
//!
//! The second opinion is [`walk`], a plain recursive reading of BER that shares no code with the decoder.

use super::super::filter::tests::any_filter;
use super::super::message::Credentials;
use super::differential::encode_ldap3;
use super::generate::any_request;
use super::*;
use proptest::prelude::*;

/// What a message consists of, independent of how lengths and numbers are written.
#[derive(Debug, PartialEq, Clone)]
enum Node {
    Leaf(u8, Vec<u8>),
    Branch(u8, Vec<Node>),
}

/// Reads elements that fill `octets` exactly; `None` if they do not.
fn walk(mut octets: &[u8]) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while let Some((&tag, after_tag)) = octets.split_first() {
        let (&first, after_first) = after_tag.split_first()?;
        let (length, content) = match first {
            0..=0x7f => (usize::from(first), after_first),
            0x81..=0x84 => {
                let (digits, rest) = after_first.split_at_checked(usize::from(first - 0x80))?;
                (digits.iter().fold(0, |length, &digit| length * 256 + usize::from(digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = content.split_at_checked(length)?;
        nodes.push(if tag & 0x20 == 0 {
            Node::Leaf(tag, normal(tag, content))
        } else {
            Node::Branch(tag, walk(content)?)
        });
        octets = rest;
    }
    Some(nodes)
}

/// Numbers without redundant octets, TRUE as 0xff.
fn normal(tag: u8, content: &[u8]) -> Vec<u8> {
    match tag {
        0x02 | 0x0a | 0x50 => {
            let mut content = content;
            while let [0x00, next @ ..] = content
                && next.first().is_some_and(|next| *next < 0x80)
            {
                content = next;
            }
            content.to_vec()
        }
        0x01 | 0x84 if content != [0] => vec![0xff],
        _ => content.to_vec(),
    }
}

/// Drops what the shortest encoding leaves out: FALSE where it is the default, empty controls, and elements
/// after the controls, which RFC 4511 wants ignored.
fn significant(mut message: Vec<Node>) -> Vec<Node> {
    let Some(Node::Branch(0x30, fields)) = message.first_mut() else { return message };
    fields.truncate(if matches!(fields.get(2), Some(Node::Branch(0xa0, controls)) if !controls.is_empty()) {
        3
    } else {
        2
    });
    let is_default = |node: &Node| matches!(node, Node::Leaf(0x01 | 0x84, value) if value == &[0]);
    fn prune(nodes: &mut Vec<Node>, is_default: &impl Fn(&Node) -> bool) {
        nodes.retain(|node| !is_default(node));
        for node in nodes {
            if let Node::Branch(_, children) = node {
                prune(children, is_default);
            }
        }
    }
    prune(&mut message, &is_default);
    message
}

/// If `octets` are accepted, then all of them was understood.
fn accepted_means_understood(octets: &[u8]) -> Result<bool, TestCaseError> {
    let Ok(message) = decode(octets, &LIMITS) else { return Ok(false) };
    let Some(nodes) = walk(octets) else {
        prop_assert!(false, "accepted although lengths disagree: {octets:02x?}");
        return Ok(false);
    };
    let mut again = BytesMut::new();
    message.encode(&mut again);
    prop_assert_eq!(decode(&again, &LIMITS).unwrap(), message);
    if matches!(message.request, Request::Bind(bind) if matches!(bind.credentials, Credentials::Unknown(_))) {
        return Ok(true);
    }
    prop_assert_eq!(significant(walk(&again).unwrap()), significant(nodes));
    Ok(true)
}

#[derive(Debug, Clone)]
enum Damage {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let interesting = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![
            0x00, 0x01, 0x04, 0x0a, 0x1f, 0x24, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x89, 0xa0, 0xa2, 0xff
        ])
    ];
    prop_oneof![
        4 => (any::<prop::sample::Index>(), interesting.clone()).prop_map(|(at, octet)| Damage::Set(at, octet)),
        4 => (any::<prop::sample::Index>(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => any::<prop::sample::Index>().prop_map(Damage::Remove),
        1 => (any::<prop::sample::Index>(), interesting).prop_map(|(at, octet)| Damage::Insert(at, octet)),
        1 => any::<prop::sample::Index>().prop_map(Damage::Truncate),
        1 => any::<[prop::sample::Index; 2]>().prop_map(|[from, to]| Damage::Repeat(from, to)),
    ]
}

fn apply(octets: &mut Vec<u8>, damage: &Damage) {
    if octets.is_empty() {
        return;
    }
    let len = octets.len();
    match damage {
        Damage::Set(at, octet) => octets[at.index(len)] = *octet,
        Damage::Flip(at, bit) => octets[at.index(len)] ^= 1 << bit,
        Damage::Remove(at) => drop(octets.remove(at.index(len))),
        Damage::Insert(at, octet) => octets.insert(at.index(len), *octet),
        Damage::Truncate(at) => octets.truncate(at.index(len)),
        Damage::Repeat(from, to) => {
            let (from, to) = (from.index(len).min(to.index(len)), from.index(len).max(to.index(len)));
            let piece = octets[from..to].to_vec();
            octets.splice(to..to, piece);
        }
    }
}

/// Makes the outermost length right again, so that damage reaches the inside.
fn reframe(octets: &mut Vec<u8>) {
    if octets.len() >= 2 && octets[1] < 0x80 {
        octets[0] = 0x30;
        match u8::try_from(octets.len() - 2) {
            Ok(length @ 0..=0x7f) => octets[1] = length,
            _ => {
                let length = u32::try_from(octets.len() - 2).unwrap().to_be_bytes();
                octets.splice(1..2, [0x84].into_iter().chain(length));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Goal: a damaged request is refused, or all of it is understood: no part disappears, no filter widens.
    #[test]
    fn damaged_requests(
        request in any_request(),
        damages in prop::collection::vec(damage(), 1..4),
        framed in any::<bool>(),
    ) {
        let mut octets = encode_ldap3(&request).to_vec();
        damages.iter().for_each(|damage| apply(&mut octets, damage));
        if framed {
            reframe(&mut octets);
        }
        let _ = peek(&octets, LIMITS.message_octets);
        accepted_means_understood(&octets)?;
    }

    /// Goal: the same for filters with values in any octets, where every part narrows or widens the answer.
    #[test]
    fn damaged_filters(filter in any_filter(), damages in prop::collection::vec(damage(), 0..3)) {
        let whole = search(|w| filter.as_filter().encode(w), |w| w.octet_string(b"cn"));
        prop_assert!(accepted_means_understood(&whole)?);
        let mut octets = whole.to_vec();
        damages.iter().for_each(|damage| apply(&mut octets, damage));
        reframe(&mut octets);
        accepted_means_understood(&octets)?;
    }

    /// Goal: octets at random never make a decoder panic.
    #[test]
    fn random_octets(octets in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = peek(&octets, LIMITS.message_octets);
        accepted_means_understood(&octets)?;
        let _ = received::Received::decode(&octets, &LIMITS);
    }
}
