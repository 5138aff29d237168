//! Random well-formed requests, as ldap3_proto's values, and our messages in the same terms.

use super::super::ber::OctetStrings;
use super::super::filter::{Filter, Part};
use super::super::message::{Attribute, ChangeKind, Credentials, DerefAliases, Scope};
use super::*;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ -~]{0,12}", 1 => "\\PC{0,6}", 1 => "[a-z]{120,140}"]
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => vec(any::<u8>(), 0..12), 1 => vec(any::<u8>(), 120..140)]
}

fn filter() -> impl Strategy<Value = LdapFilter> {
    let part = || "[ -~]{1,6}";
    let item = prop_oneof![
        (text(), text()).prop_map(|(a, v)| LdapFilter::Equality(a, v)),
        (text(), text()).prop_map(|(a, v)| LdapFilter::GreaterOrEqual(a, v)),
        (text(), text()).prop_map(|(a, v)| LdapFilter::LessOrEqual(a, v)),
        (text(), text()).prop_map(|(a, v)| LdapFilter::Approx(a, v)),
        text().prop_map(LdapFilter::Present),
        (text(), option::of(part()), vec(part(), 1..3), option::of(part())).prop_map(|(a, initial, any, final_)| {
            LdapFilter::Substring(a, LdapSubstringFilter { initial, any, final_ })
        }),
        (option::of(text()), text(), text(), any::<bool>()).prop_map(
            |(matching_rule, type_, match_value, dn_attributes)| {
                LdapFilter::Extensible(LdapMatchingRuleAssertion {
                    matching_rule,
                    type_: Some(type_),
                    match_value,
                    dn_attributes,
                })
            }
        ),
    ];
    item.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(LdapFilter::And),
            vec(inner.clone(), 0..4).prop_map(LdapFilter::Or),
            inner.prop_map(|filter| LdapFilter::Not(Box::new(filter))),
        ]
    })
}

fn attribute(values: std::ops::Range<usize>) -> impl Strategy<Value = LdapPartialAttribute> {
    (text(), vec(octets(), values)).prop_map(|(atype, vals)| LdapPartialAttribute { atype, vals })
}

fn search_request() -> impl Strategy<Value = LdapSearchRequest> {
    let scope = prop::sample::select(vec![
        LdapSearchScope::Base,
        LdapSearchScope::OneLevel,
        LdapSearchScope::Subtree,
        LdapSearchScope::Children,
    ]);
    let aliases = prop::sample::select(vec![
        LdapDerefAliases::Never,
        LdapDerefAliases::InSearching,
        LdapDerefAliases::FindingBaseObj,
        LdapDerefAliases::Always,
    ]);
    (text(), scope, aliases, 0..=i32::MAX, 0..=i32::MAX, any::<bool>(), filter(), vec(text(), 0..5)).prop_map(
        |(base, scope, aliases, sizelimit, timelimit, typesonly, filter, attrs)| LdapSearchRequest {
            base,
            scope,
            aliases,
            sizelimit,
            timelimit,
            typesonly,
            filter,
            attrs,
        },
    )
}

fn request() -> impl Strategy<Value = LdapOp> {
    let credentials = prop_oneof![
        text().prop_map(LdapBindCred::Simple),
        (text(), octets())
            .prop_map(|(mechanism, credentials)| LdapBindCred::SASL(SaslCredentials { mechanism, credentials })),
    ];
    let kind = prop::sample::select(vec![
        LdapModifyType::Add,
        LdapModifyType::Delete,
        LdapModifyType::Replace,
        LdapModifyType::Increment,
    ]);
    let change = (kind, attribute(0..3)).prop_map(|(operation, modification)| LdapModify { operation, modification });
    prop_oneof![
        (1i64..=127, text(), credentials).prop_map(|(version, dn, cred)| LdapOp::BindRequest(LdapBindRequest {
            version,
            dn,
            cred
        })),
        Just(LdapOp::UnbindRequest),
        search_request().prop_map(LdapOp::SearchRequest),
        search_request().prop_map(LdapOp::SearchRequest),
        (text(), vec(change, 0..4)).prop_map(|(dn, changes)| LdapOp::ModifyRequest(LdapModifyRequest { dn, changes })),
        (text(), vec(attribute(1..4), 0..4))
            .prop_map(|(dn, attributes)| LdapOp::AddRequest(LdapAddRequest { dn, attributes })),
        text().prop_map(LdapOp::DelRequest),
        (text(), text(), any::<bool>(), option::of(text())).prop_map(|(dn, newrdn, deleteoldrdn, new_superior)| {
            LdapOp::ModifyDNRequest(LdapModifyDNRequest { dn, newrdn, deleteoldrdn, new_superior })
        }),
        (text(), text(), octets()).prop_map(|(dn, atype, val)| LdapOp::CompareRequest(LdapCompareRequest {
            dn,
            atype,
            val
        })),
        (1..=i32::MAX).prop_map(LdapOp::AbandonRequest),
        (text(), option::of(octets()))
            .prop_map(|(name, value)| LdapOp::ExtendedRequest(LdapExtendedRequest { name, value })),
    ]
}

fn controls() -> impl Strategy<Value = Vec<LdapControl>> {
    vec((any::<bool>(), option::of(octets())), 0..4).prop_map(|controls| {
        (0..)
            .zip(controls)
            .map(|(number, (criticality, value))| LdapControl::Unknown {
                oid: format!("1.2.{number}"),
                criticality,
                value,
            })
            .collect()
    })
}

pub fn any_request() -> impl Strategy<Value = LdapMsg> {
    (1..=i32::MAX, request(), controls()).prop_map(|(msgid, op, ctrl)| LdapMsg { msgid, op, ctrl })
}

/// Our message as theirs.
pub fn to_ldap3(message: &Message<'_>) -> LdapMsg {
    let ctrl = message
        .controls
        .iter()
        .map(|control| LdapControl::Unknown {
            oid: control.oid.to_owned(),
            criticality: control.critical,
            value: control.value.map(<[u8]>::to_vec),
        })
        .collect();
    LdapMsg { msgid: message.id.value(), op: request_to_ldap3(&message.request), ctrl }
}

fn string(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

fn strings(list: OctetStrings<'_>) -> Vec<Vec<u8>> {
    list.iter().map(<[u8]>::to_vec).collect()
}

fn attribute_to_ldap3(attribute: Attribute<'_>) -> LdapPartialAttribute {
    LdapPartialAttribute { atype: string(attribute.description), vals: strings(attribute.values) }
}

fn request_to_ldap3(request: &Request<'_>) -> LdapOp {
    match *request {
        Request::Bind(bind) => LdapOp::BindRequest(LdapBindRequest {
            version: bind.version.into(),
            dn: string(bind.name),
            cred: match bind.credentials {
                Credentials::Simple(password) => LdapBindCred::Simple(string(password)),
                Credentials::Sasl { mechanism, credentials } => LdapBindCred::SASL(SaslCredentials {
                    mechanism: string(mechanism),
                    credentials: credentials.unwrap_or_default().to_vec(),
                }),
                Credentials::Unknown(_) => LdapBindCred::Unsupported,
            },
        }),
        Request::Unbind => LdapOp::UnbindRequest,
        Request::Search(search) => LdapOp::SearchRequest(LdapSearchRequest {
            base: string(search.base),
            scope: match search.scope {
                Scope::Base => LdapSearchScope::Base,
                Scope::OneLevel => LdapSearchScope::OneLevel,
                Scope::Subtree => LdapSearchScope::Subtree,
                Scope::Subordinates => LdapSearchScope::Children,
            },
            aliases: match search.deref {
                DerefAliases::Never => LdapDerefAliases::Never,
                DerefAliases::InSearching => LdapDerefAliases::InSearching,
                DerefAliases::FindingBaseObject => LdapDerefAliases::FindingBaseObj,
                DerefAliases::Always => LdapDerefAliases::Always,
            },
            sizelimit: search.size_limit.try_into().unwrap(),
            timelimit: search.time_limit.try_into().unwrap(),
            typesonly: search.types_only,
            filter: filter_to_ldap3(search.filter),
            attrs: search.attributes.iter().map(string).collect(),
        }),
        Request::Modify(modify) => LdapOp::ModifyRequest(LdapModifyRequest {
            dn: string(modify.dn),
            changes: modify
                .changes
                .iter()
                .map(|change| LdapModify {
                    operation: match change.kind {
                        ChangeKind::Add => LdapModifyType::Add,
                        ChangeKind::Delete => LdapModifyType::Delete,
                        ChangeKind::Replace => LdapModifyType::Replace,
                        ChangeKind::Increment => LdapModifyType::Increment,
                    },
                    modification: attribute_to_ldap3(change.attribute),
                })
                .collect(),
        }),
        Request::Add(add) => LdapOp::AddRequest(LdapAddRequest {
            dn: string(add.dn),
            attributes: add.attributes.iter().map(attribute_to_ldap3).collect(),
        }),
        Request::Delete(dn) => LdapOp::DelRequest(string(dn)),
        Request::ModifyDn(rename) => LdapOp::ModifyDNRequest(LdapModifyDNRequest {
            dn: string(rename.dn),
            newrdn: string(rename.new_rdn),
            deleteoldrdn: rename.delete_old_rdn,
            new_superior: rename.new_superior.map(string),
        }),
        Request::Compare(compare) => LdapOp::CompareRequest(LdapCompareRequest {
            dn: string(compare.dn),
            atype: string(compare.attribute),
            val: compare.value.to_vec(),
        }),
        Request::Abandon(id) => LdapOp::AbandonRequest(id.value()),
        Request::Extended(extended) => LdapOp::ExtendedRequest(LdapExtendedRequest {
            name: string(extended.name),
            value: extended.value.map(<[u8]>::to_vec),
        }),
    }
}

fn filter_to_ldap3(filter: Filter<'_>) -> LdapFilter {
    match filter {
        Filter::And(filters) => LdapFilter::And(filters.iter().map(filter_to_ldap3).collect()),
        Filter::Or(filters) => LdapFilter::Or(filters.iter().map(filter_to_ldap3).collect()),
        Filter::Not(negated) => LdapFilter::Not(Box::new(filter_to_ldap3(negated.filter()))),
        Filter::Equality(item) => LdapFilter::Equality(string(item.attribute), string(item.value)),
        Filter::Substrings(item) => {
            let mut parts = LdapSubstringFilter::default();
            for part in item.parts {
                match part {
                    Part::Initial(value) => parts.initial = Some(string(value)),
                    Part::Any(value) => parts.any.push(string(value)),
                    Part::Final(value) => parts.final_ = Some(string(value)),
                }
            }
            LdapFilter::Substring(string(item.attribute), parts)
        }
        Filter::GreaterOrEqual(item) => LdapFilter::GreaterOrEqual(string(item.attribute), string(item.value)),
        Filter::LessOrEqual(item) => LdapFilter::LessOrEqual(string(item.attribute), string(item.value)),
        Filter::Present(attribute) => LdapFilter::Present(string(attribute)),
        Filter::Approx(item) => LdapFilter::Approx(string(item.attribute), string(item.value)),
        Filter::Extensible(item) => LdapFilter::Extensible(LdapMatchingRuleAssertion {
            matching_rule: item.rule.map(string),
            type_: item.attribute.map(string),
            match_value: string(item.value),
            dn_attributes: item.dn_attributes,
        }),
    }
}
