//! Attribute syntaxes: what the bytes of a value may be (RFC 4517 §3.3, and the few that other RFCs define).
//!
//! Owns the list of syntaxes and the strict check of each. Whether two values are the same is [`super::matching`].
//! Called by the change path for every value that is written, and by the subschema for the list.

#![deny(clippy::arithmetic_side_effects)]

mod binary;
mod dn;
mod guide;
mod structured;
mod text;
mod time;

pub(super) use dn::split_uid;
pub(super) use structured::first_component;
pub(super) use text::is_descr;
pub(crate) use text::is_numeric_oid;
pub(super) use time::parse_generalized_time;

/// Why a value is not of its syntax, or cannot be compared by a rule. Says what is wrong, never repeats the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SyntaxError(pub &'static str);

/// Declares [`Syntax`]: one line per syntax with its OID (the tail below 1.3.6.1.4.1.1466.115.121.1 when it starts
/// with a dot), its description and the function that checks a value.
macro_rules! syntaxes {
    ($($variant:ident $oid:literal $description:literal $check:path;)*) => {
        /// A syntax.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Syntax {
            $(#[doc = $description] $variant,)*
        }

        impl Syntax {
            /// Every syntax, in the order of the table.
            pub const ALL: &'static [Syntax] = &[$(Syntax::$variant,)*];

            /// Dotted object identifier.
            pub fn oid(self) -> &'static str {
                match self { $(Syntax::$variant => $oid,)* }
            }

            /// `DESC` of the `ldapSyntaxes` value.
            pub fn description(self) -> &'static str {
                match self { $(Syntax::$variant => $description,)* }
            }

            /// Whether `value` is of this syntax, strictly by its definition.
            pub fn validate(self, value: &[u8]) -> Result<(), SyntaxError> {
                match self { $(Syntax::$variant => $check(value),)* }
            }
        }
    };
}

#[rustfmt::skip]
syntaxes! {
    // RFC 4517 §3.3
    AttributeTypeDescription  "1.3.6.1.4.1.1466.115.121.1.3"  "Attribute Type Description"    structured::description;
    BitString                 "1.3.6.1.4.1.1466.115.121.1.6"  "Bit String"                    text::bit_string;
    Boolean                   "1.3.6.1.4.1.1466.115.121.1.7"  "Boolean"                       text::boolean;
    CountryString             "1.3.6.1.4.1.1466.115.121.1.11" "Country String"                text::country_string;
    DeliveryMethod            "1.3.6.1.4.1.1466.115.121.1.14" "Delivery Method"               structured::delivery_method;
    DirectoryString           "1.3.6.1.4.1.1466.115.121.1.15" "Directory String"              text::directory_string;
    DitContentRuleDescription "1.3.6.1.4.1.1466.115.121.1.16" "DIT Content Rule Description"  structured::description;
    DitStructureRuleDescription "1.3.6.1.4.1.1466.115.121.1.17" "DIT Structure Rule Description" structured::rule_description;
    DistinguishedName         "1.3.6.1.4.1.1466.115.121.1.12" "DN"                            dn::distinguished_name;
    EnhancedGuide             "1.3.6.1.4.1.1466.115.121.1.21" "Enhanced Guide"                guide::enhanced_guide;
    FacsimileTelephoneNumber  "1.3.6.1.4.1.1466.115.121.1.22" "Facsimile Telephone Number"    structured::facsimile_telephone_number;
    Fax                       "1.3.6.1.4.1.1466.115.121.1.23" "Fax"                           binary::not_empty;
    GeneralizedTime           "1.3.6.1.4.1.1466.115.121.1.24" "Generalized Time"              time::generalized_time;
    Guide                     "1.3.6.1.4.1.1466.115.121.1.25" "Guide"                         guide::guide;
    Ia5String                 "1.3.6.1.4.1.1466.115.121.1.26" "IA5 String"                    text::ia5_string;
    Integer                   "1.3.6.1.4.1.1466.115.121.1.27" "INTEGER"                       text::integer;
    JpegPhoto                 "1.3.6.1.4.1.1466.115.121.1.28" "JPEG"                          binary::jpeg;
    LdapSyntaxDescription     "1.3.6.1.4.1.1466.115.121.1.54" "LDAP Syntax Description"       structured::description;
    MatchingRuleDescription   "1.3.6.1.4.1.1466.115.121.1.30" "Matching Rule Description"     structured::description;
    MatchingRuleUseDescription "1.3.6.1.4.1.1466.115.121.1.31" "Matching Rule Use Description" structured::description;
    NameAndOptionalUid        "1.3.6.1.4.1.1466.115.121.1.34" "Name And Optional UID"         dn::name_and_optional_uid;
    NameFormDescription       "1.3.6.1.4.1.1466.115.121.1.35" "Name Form Description"         structured::description;
    NumericString             "1.3.6.1.4.1.1466.115.121.1.36" "Numeric String"                text::numeric_string;
    ObjectClassDescription    "1.3.6.1.4.1.1466.115.121.1.37" "Object Class Description"      structured::description;
    OctetString               "1.3.6.1.4.1.1466.115.121.1.40" "Octet String"                  binary::any;
    Oid                       "1.3.6.1.4.1.1466.115.121.1.38" "OID"                           text::oid;
    OtherMailbox              "1.3.6.1.4.1.1466.115.121.1.39" "Other Mailbox"                 structured::other_mailbox;
    PostalAddress             "1.3.6.1.4.1.1466.115.121.1.41" "Postal Address"                structured::postal_address;
    PrintableString           "1.3.6.1.4.1.1466.115.121.1.44" "Printable String"              text::printable_string;
    SubstringAssertion        "1.3.6.1.4.1.1466.115.121.1.58" "Substring Assertion"           structured::substring_assertion;
    TelephoneNumber           "1.3.6.1.4.1.1466.115.121.1.50" "Telephone Number"              text::printable_string;
    TeletexTerminalIdentifier "1.3.6.1.4.1.1466.115.121.1.51" "Teletex Terminal Identifier"   structured::teletex_terminal_identifier;
    TelexNumber               "1.3.6.1.4.1.1466.115.121.1.52" "Telex Number"                  structured::telex_number;
    UtcTime                   "1.3.6.1.4.1.1466.115.121.1.53" "UTC Time"                      time::utc_time;
    // RFC 4523 §2
    Certificate               "1.3.6.1.4.1.1466.115.121.1.8"  "X.509 Certificate"             binary::der_sequence;
    CertificateList           "1.3.6.1.4.1.1466.115.121.1.9"  "X.509 Certificate List"        binary::der_sequence;
    CertificatePair           "1.3.6.1.4.1.1466.115.121.1.10" "X.509 Certificate Pair"        binary::der_sequence;
    SupportedAlgorithm        "1.3.6.1.4.1.1466.115.121.1.49" "X.509 Supported Algorithm"     binary::der_sequence;
    CertificateExactAssertion "1.3.6.1.1.15.1"                "X.509 Certificate Exact Assertion" structured::gser;
    CertificateAssertion      "1.3.6.1.1.15.2"                "X.509 Certificate Assertion"   structured::gser;
    CertificatePairExactAssertion "1.3.6.1.1.15.3"            "X.509 Certificate Pair Exact Assertion" structured::gser;
    CertificatePairAssertion  "1.3.6.1.1.15.4"                "X.509 Certificate Pair Assertion" structured::gser;
    CertificateListExactAssertion "1.3.6.1.1.15.5"            "X.509 Certificate List Exact Assertion" structured::gser;
    CertificateListAssertion  "1.3.6.1.1.15.6"                "X.509 Certificate List Assertion" structured::gser;
    AlgorithmIdentifier       "1.3.6.1.1.15.7"                "X.509 Algorithm Identifier"    structured::gser;
    // RFC 4530 §2.1, RFC 3672 §2.3, RFC 2307 §2.1, and two that RFC 2252 left behind
    Uuid                      "1.3.6.1.1.16.1"                "UUID"                          text::uuid;
    SubtreeSpecification      "1.3.6.1.4.1.1466.115.121.1.45" "Subtree Specification"         structured::gser;
    NisNetgroupTriple         "1.3.6.1.1.1.0.0"               "NIS Netgroup Triple"           structured::nis_netgroup_triple;
    BootParameter             "1.3.6.1.1.1.0.1"               "NIS Boot Parameter"            structured::boot_parameter;
    Audio                     "1.3.6.1.4.1.1466.115.121.1.4"  "Audio"                         binary::not_empty;
    Binary                    "1.3.6.1.4.1.1466.115.121.1.5"  "Binary"                        binary::any;
}

impl Syntax {
    /// Whether values are bytes rather than text: written as base64 in LDIF and JSON.
    pub fn is_binary(self) -> bool {
        self.needs_binary_transfer()
            || matches!(self, Syntax::OctetString | Syntax::JpegPhoto | Syntax::Fax | Syntax::Audio | Syntax::Binary)
    }

    /// Whether values travel with the option `;binary` (RFC 4522, RFC 4523 §2).
    pub fn needs_binary_transfer(self) -> bool {
        matches!(
            self,
            Syntax::Certificate | Syntax::CertificateList | Syntax::CertificatePair | Syntax::SupportedAlgorithm
        )
    }

    /// Whether values are distinguished names, with or without a unique identifier.
    pub fn is_name(self) -> bool {
        matches!(self, Syntax::DistinguishedName | Syntax::NameAndOptionalUid)
    }
}

/// Refuses with a reason unless the condition holds.
fn ensure(condition: bool, reason: &'static str) -> Result<(), SyntaxError> {
    if condition { Ok(()) } else { Err(SyntaxError(reason)) }
}

#[cfg(test)]
mod tests;
