//! Certificates: RFC 4523. Values are kept as they are, compared byte by byte and not indexed.

use super::line::{AttributeLine, Table, auxiliary, opaque, structural};
use crate::schema::{matching::MatchingRule as Rule, syntax::Syntax};

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "RFC 4523",
    attributes: &[
        certificate(77, "2.5.4.36", &["userCertificate"], "certificate of the person").scim("x509Certificates.value"),
        certificate(78, "2.5.4.37", &["cACertificate"], "certificate of the authority"),
        revocations(79, "2.5.4.38", &["authorityRevocationList"], "authorities whose certificates are revoked"),
        revocations(80, "2.5.4.39", &["certificateRevocationList"], "certificates that are revoked"),
        opaque(81, "2.5.4.40", &["crossCertificatePair"], "certificates of two authorities for each other", Syntax::CertificatePair).eq(Rule::CertificatePairExactMatch).no_index(),
        opaque(82, "2.5.4.52", &["supportedAlgorithms"], "algorithms that the entry understands", Syntax::SupportedAlgorithm).eq(Rule::AlgorithmIdentifierMatch).no_index(),
        revocations(83, "2.5.4.53", &["deltaRevocationList"], "certificates revoked since the last full list"),
    ],
    classes: &[
        auxiliary(20, "2.5.6.21", &["pkiUser"], "has certificates").may("userCertificate").rdn(""),
        auxiliary(21, "2.5.6.22", &["pkiCA"], "issues certificates").may("cACertificate certificateRevocationList authorityRevocationList crossCertificatePair").rdn(""),
        structural(22, "2.5.6.19", &["cRLDistributionPoint"], "place where revocation lists are found").must("cn").may("certificateRevocationList authorityRevocationList deltaRevocationList"),
        auxiliary(23, "2.5.6.23", &["deltaCRL"], "has a delta revocation list").may("deltaRevocationList").rdn(""),
        auxiliary(24, "2.5.6.15", &["strongAuthenticationUser"], "signs in with a certificate").must("userCertificate").rdn(""),
        auxiliary(25, "2.5.6.18", &["userSecurityInformation"], "says which algorithms it understands").may("supportedAlgorithms").rdn(""),
        auxiliary(26, "2.5.6.16", &["certificationAuthority"], "issues certificates and revocation lists").must("authorityRevocationList certificateRevocationList cACertificate").may("crossCertificatePair").rdn(""),
        auxiliary(27, "2.5.6.16.2", &["certificationAuthority-V2"], "issues delta revocation lists, too").sup("certificationAuthority").may("deltaRevocationList").rdn(""),
    ],
};

const fn certificate(id: u16, oid: &'static str, names: &'static [&'static str], about: &'static str) -> AttributeLine {
    opaque(id, oid, names, about, Syntax::Certificate).eq(Rule::CertificateExactMatch).no_index()
}

const fn revocations(id: u16, oid: &'static str, names: &'static [&'static str], about: &'static str) -> AttributeLine {
    opaque(id, oid, names, about, Syntax::CertificateList).eq(Rule::CertificateListExactMatch).no_index()
}
