//! A filter of the wire as a filter of the domain.
//!
//! The wire has checked depth, size and form; here names and values are only copied. What they mean is the domain's.

use crate::wire::filter::{Assertion, Filter as Sent, Part};
use directory::filter::Filter;

/// Copies a filter out of the received octets. Recursion is bounded by the wire's limit on depth.
pub(crate) fn to_domain(filter: &Sent<'_>) -> Filter {
    match filter {
        Sent::And(parts) => Filter::And(parts.iter().map(|part| to_domain(&part)).collect()),
        Sent::Or(parts) => Filter::Or(parts.iter().map(|part| to_domain(&part)).collect()),
        Sent::Not(part) => Filter::Not(Box::new(to_domain(&part.filter()))),
        Sent::Equality(assertion) => copy(assertion, Filter::Equal),
        Sent::GreaterOrEqual(assertion) => copy(assertion, Filter::GreaterOrEqual),
        Sent::LessOrEqual(assertion) => copy(assertion, Filter::LessOrEqual),
        Sent::Approx(assertion) => copy(assertion, Filter::Approximate),
        Sent::Present(attribute) => Filter::Present(attribute.to_vec()),
        Sent::Substrings(substrings) => {
            let (mut initial, mut any, mut last) = (None, Vec::new(), None);
            for part in substrings.parts {
                match part {
                    Part::Initial(value) => initial = Some(value.to_vec()),
                    Part::Any(value) => any.push(value.to_vec()),
                    Part::Final(value) => last = Some(value.to_vec()),
                }
            }
            Filter::Substrings { attribute: substrings.attribute.to_vec(), initial, any, last }
        }
        Sent::Extensible(extensible) => Filter::Extensible {
            rule: extensible.rule.map(<[u8]>::to_vec),
            attribute: extensible.attribute.map(<[u8]>::to_vec),
            value: extensible.value.to_vec(),
            dn_attributes: extensible.dn_attributes,
        },
    }
}

fn copy(assertion: &Assertion<'_>, form: fn(Vec<u8>, Vec<u8>) -> Filter) -> Filter {
    form(assertion.attribute.to_vec(), assertion.value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::filter::parse_string;

    #[test]
    fn every_kind_keeps_its_parts() {
        // Goal: each alternative of the wire becomes its counterpart, values as octets, order kept.
        let v = |text: &str| text.as_bytes().to_vec();
        let cases = [
            ("(cn=a)", Filter::Equal(v("cn"), v("a"))),
            ("(cn>=a)", Filter::GreaterOrEqual(v("cn"), v("a"))),
            ("(cn<=a)", Filter::LessOrEqual(v("cn"), v("a"))),
            ("(cn~=a)", Filter::Approximate(v("cn"), v("a"))),
            ("(cn=*)", Filter::Present(v("cn"))),
            ("(cn=\\ff\\00)", Filter::Equal(v("cn"), vec![0xff, 0])),
            ("(&)", Filter::And(vec![])),
            ("(|(a=1)(b=2))", Filter::Or(vec![Filter::Equal(v("a"), v("1")), Filter::Equal(v("b"), v("2"))])),
            ("(!(a=1))", Filter::Not(Box::new(Filter::Equal(v("a"), v("1"))))),
            (
                "(cn=i*a*b*f)",
                Filter::Substrings {
                    attribute: v("cn"),
                    initial: Some(v("i")),
                    any: vec![v("a"), v("b")],
                    last: Some(v("f")),
                },
            ),
            ("(cn=*a*)", Filter::Substrings { attribute: v("cn"), initial: None, any: vec![v("a")], last: None }),
            (
                "(ou:dn:2.5.13.2:=x)",
                Filter::Extensible {
                    rule: Some(v("2.5.13.2")),
                    attribute: Some(v("ou")),
                    value: v("x"),
                    dn_attributes: true,
                },
            ),
            (
                "(:2.5.13.2:=x)",
                Filter::Extensible { rule: Some(v("2.5.13.2")), attribute: None, value: v("x"), dn_attributes: false },
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(to_domain(&parse_string(text).unwrap().as_filter()), expected, "{text}");
        }
    }
}
