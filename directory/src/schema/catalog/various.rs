//! Single classes and types from other sources that deployments use beside the RFCs: `memberOf`, SSH keys, referrals,
//! mail routing, dynamic groups, sudo rules, `namedObject`.

use super::line::{
    Table, auxiliary, bare, dn, exact, ia5, ia5_exact, ia5_exact_parts, integer, octets, structural, time,
};
use crate::schema::Storage;

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "",
    attributes: &[
        dn(154, "1.2.840.113556.1.2.102", &["memberOf"], "group that the entry is a member of").fixed().directory().stored(Storage::Edge).scim("groups.value").claim("groups").from("MS-ADA2"),
        octets(155, "1.3.6.1.4.1.24552.500.1.1.1.13", &["sshPublicKey"], "public key for OpenSSH").no_index().from("openssh-lpk"),
        exact(156, "2.16.840.1.113730.3.1.34", &["ref"], "where the entry really is").whole().distributed().no_index().from("RFC 3296"),
        ia5(157, "2.16.840.1.113730.3.1.13", &["mailLocalAddress"], "address at which mail arrives").whole().max(256).from("draft-lachman-laser-ldap-mail-routing"),
        ia5(158, "2.16.840.1.113730.3.1.18", &["mailHost"], "host that takes the mail").whole().max(256).single().from("draft-lachman-laser-ldap-mail-routing"),
        ia5(159, "2.16.840.1.113730.3.1.47", &["mailRoutingAddress"], "address to which mail is sent on").whole().max(256).single().from("draft-lachman-laser-ldap-mail-routing"),
        ia5(160, "1.3.6.1.4.1.42.2.27.2.1.15", &["rfc822MailMember"], "address of a member of the list").whole().from("NIS"),
        bare(161, "2.16.840.1.113730.3.1.198", &["memberURL"], "search whose results are members").sup("labeledURI").no_index().from("Netscape"),
        exact(162, "1.3.6.1.4.1.15953.9.1.1", &["sudoUser"], "who may run the command").from("sudo"),
        ia5_exact_parts(163, "1.3.6.1.4.1.15953.9.1.2", &["sudoHost"], "host on which it may be run").from("sudo"),
        ia5_exact(164, "1.3.6.1.4.1.15953.9.1.3", &["sudoCommand"], "command that may be run").from("sudo"),
        ia5_exact(165, "1.3.6.1.4.1.15953.9.1.4", &["sudoRunAs"], "user as whom it may be run (old)").from("sudo"),
        ia5_exact(166, "1.3.6.1.4.1.15953.9.1.5", &["sudoOption"], "option of the rule").from("sudo"),
        exact(167, "1.3.6.1.4.1.15953.9.1.6", &["sudoRunAsUser"], "user as whom it may be run").from("sudo"),
        exact(168, "1.3.6.1.4.1.15953.9.1.7", &["sudoRunAsGroup"], "group as which it may be run").from("sudo"),
        time(169, "1.3.6.1.4.1.15953.9.1.8", &["sudoNotBefore"], "when the rule begins").from("sudo"),
        time(170, "1.3.6.1.4.1.15953.9.1.9", &["sudoNotAfter"], "when the rule ends").from("sudo"),
        integer(171, "1.3.6.1.4.1.15953.9.1.10", &["sudoOrder"], "place among the rules").from("sudo"),
    ],
    classes: &[
        auxiliary(57, "1.3.6.1.4.1.24552.500.1.1.2.0", &["ldapPublicKey"], "has public keys for OpenSSH").may("sshPublicKey uid").rdn("uid").from("openssh-lpk"),
        structural(58, "2.16.840.1.113730.3.2.6", &["referral"], "entry that is somewhere else").must("ref").rdn("").from("RFC 3296"),
        auxiliary(59, "2.16.840.1.113730.3.2.147", &["inetLocalMailRecipient"], "takes mail").may("mailLocalAddress mailHost mailRoutingAddress").rdn("").from("draft-lachman-laser-ldap-mail-routing"),
        structural(60, "1.3.6.1.4.1.42.2.27.1.2.5", &["nisMailAlias"], "list of mail addresses").must("cn").may("rfc822MailMember").from("NIS"),
        structural(61, "2.16.840.1.113730.3.2.33", &["groupOfURLs"], "group whose members are found by a search").must("cn").may("memberURL businessCategory description o ou owner seeAlso").from("Netscape"),
        structural(62, "1.3.6.1.4.1.5427.1.389.6.20", &["namedObject"], "thing with a name").must("cn").may("uniqueIdentifier description").from("draft-stroeder-namedobject"),
        structural(63, "1.3.6.1.4.1.5427.1.389.6.21", &["namedPolicy"], "policy with a name").sup("namedObject").from("draft-stroeder-namedobject"),
        structural(64, "1.3.6.1.4.1.15953.9.2.1", &["sudoRole"], "rule for sudo").must("cn").may("sudoUser sudoHost sudoCommand sudoRunAs sudoRunAsUser sudoRunAsGroup sudoOption sudoOrder sudoNotBefore sudoNotAfter description").from("sudo"),
    ],
};
