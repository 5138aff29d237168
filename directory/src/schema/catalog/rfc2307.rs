//! Unix accounts and NIS maps: RFC 2307, and its revision draft-howard-rfc2307bis.
//!
//! Where the two differ, entries of both are accepted. `posixGroup` is structural in the RFC and auxiliary in the
//! revision, where it goes with `groupOfNames`: here it is auxiliary but stands alone when an entry has no structural
//! class. `description` and `cn` are allowed where one of them demands it and the other does not.

use super::line::{Table, auxiliary, bare, ia5, ia5_exact, ia5_exact_parts, integer, octets, opaque, structural};
use crate::schema::{matching::MatchingRule as Rule, syntax::Syntax};

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "RFC 2307",
    attributes: &[
        integer(121, "1.3.6.1.1.1.1.0", &["uidNumber"], "number of the user").single(),
        integer(122, "1.3.6.1.1.1.1.1", &["gidNumber"], "number of the group").single(),
        ia5(123, "1.3.6.1.1.1.1.2", &["gecos"], "name as the password file has it").single(),
        ia5_exact(124, "1.3.6.1.1.1.1.3", &["homeDirectory"], "home directory").single(),
        ia5_exact(125, "1.3.6.1.1.1.1.4", &["loginShell"], "shell to start").single(),
        integer(126, "1.3.6.1.1.1.1.5", &["shadowLastChange"], "day of the last password change, from 1970 on").single(),
        integer(127, "1.3.6.1.1.1.1.6", &["shadowMin"], "days before the password may change").single(),
        integer(128, "1.3.6.1.1.1.1.7", &["shadowMax"], "days after which the password must change").single(),
        integer(129, "1.3.6.1.1.1.1.8", &["shadowWarning"], "days of warning before").single(),
        integer(130, "1.3.6.1.1.1.1.9", &["shadowInactive"], "days of grace after").single(),
        integer(131, "1.3.6.1.1.1.1.10", &["shadowExpire"], "day on which the account ends, from 1970 on").single(),
        integer(132, "1.3.6.1.1.1.1.11", &["shadowFlag"], "reserved").single(),
        ia5_exact_parts(133, "1.3.6.1.1.1.1.12", &["memberUid"], "login name of a member"),
        ia5_exact_parts(134, "1.3.6.1.1.1.1.13", &["memberNisNetgroup"], "netgroup within the netgroup"),
        opaque(135, "1.3.6.1.1.1.1.14", &["nisNetgroupTriple"], "host, user and domain", Syntax::NisNetgroupTriple).eq(Rule::CaseIgnoreIa5Match),
        integer(136, "1.3.6.1.1.1.1.15", &["ipServicePort"], "port of the service").single(),
        bare(137, "1.3.6.1.1.1.1.16", &["ipServiceProtocol"], "protocol of the service").sup("name"),
        integer(138, "1.3.6.1.1.1.1.17", &["ipProtocolNumber"], "number of the protocol").single(),
        integer(139, "1.3.6.1.1.1.1.18", &["oncRpcNumber"], "number of the remote procedure call").single(),
        ia5(140, "1.3.6.1.1.1.1.19", &["ipHostNumber"], "address of the host").whole().max(128),
        ia5(141, "1.3.6.1.1.1.1.20", &["ipNetworkNumber"], "address of the network").whole().max(128).single(),
        ia5(142, "1.3.6.1.1.1.1.21", &["ipNetmaskNumber"], "mask of the network").whole().max(128).single(),
        ia5(143, "1.3.6.1.1.1.1.22", &["macAddress"], "hardware address").whole().max(128),
        opaque(144, "1.3.6.1.1.1.1.23", &["bootParameter"], "parameter for booting", Syntax::BootParameter).eq(Rule::CaseExactIa5Match),
        ia5_exact(145, "1.3.6.1.1.1.1.24", &["bootFile"], "image to boot"),
        bare(146, "1.3.6.1.1.1.1.26", &["nisMapName"], "name of the map").sup("name"),
        ia5_exact_parts(147, "1.3.6.1.1.1.1.27", &["nisMapEntry"], "entry of the map").max(1024).single(),
        octets(148, "1.3.6.1.1.1.1.28", &["nisPublicKey"], "public key").single().no_index().from("RFC 2307bis"),
        octets(149, "1.3.6.1.1.1.1.29", &["nisSecretKey"], "secret key").single().no_index().from("RFC 2307bis"),
        ia5(150, "1.3.6.1.1.1.1.30", &["nisDomain"], "NIS domain").whole().from("RFC 2307bis"),
        ia5_exact_parts(151, "1.3.6.1.1.1.1.31", &["automountMapName"], "name of the automounter's map").single().from("RFC 2307bis"),
        ia5_exact_parts(152, "1.3.6.1.1.1.1.32", &["automountKey"], "mount point").single().from("RFC 2307bis"),
        ia5_exact_parts(153, "1.3.6.1.1.1.1.33", &["automountInformation"], "what to mount").single().from("RFC 2307bis"),
    ],
    classes: &[
        auxiliary(39, "1.3.6.1.1.1.2.0", &["posixAccount"], "account on Unix").must("cn uid uidNumber gidNumber homeDirectory").may("userPassword loginShell gecos description").rdn("uid cn"),
        auxiliary(40, "1.3.6.1.1.1.2.1", &["shadowAccount"], "password times as the shadow file has them").must("uid").may("userPassword description shadowLastChange shadowMin shadowMax shadowWarning shadowInactive shadowExpire shadowFlag").rdn("uid"),
        auxiliary(41, "1.3.6.1.1.1.2.2", &["posixGroup"], "group on Unix").must("gidNumber").may("cn userPassword memberUid description").stands_alone(),
        structural(42, "1.3.6.1.1.1.2.3", &["ipService"], "service of the Internet").must("cn ipServicePort ipServiceProtocol").may("description"),
        structural(43, "1.3.6.1.1.1.2.4", &["ipProtocol"], "protocol of the Internet").must("cn ipProtocolNumber").may("description"),
        structural(44, "1.3.6.1.1.1.2.5", &["oncRpc"], "remote procedure call").must("cn oncRpcNumber").may("description"),
        auxiliary(45, "1.3.6.1.1.1.2.6", &["ipHost"], "host on the Internet").must("cn ipHostNumber").may("userPassword l description manager"),
        structural(46, "1.3.6.1.1.1.2.7", &["ipNetwork"], "network of the Internet").must("ipNetworkNumber").may("cn ipNetmaskNumber l description manager").rdn("cn ipNetworkNumber"),
        structural(47, "1.3.6.1.1.1.2.8", &["nisNetgroup"], "netgroup").must("cn").may("nisNetgroupTriple memberNisNetgroup description"),
        structural(48, "1.3.6.1.1.1.2.9", &["nisMap"], "NIS map").must("nisMapName").may("description").rdn("nisMapName"),
        structural(49, "1.3.6.1.1.1.2.10", &["nisObject"], "entry of a NIS map").must("cn nisMapEntry nisMapName").may("description"),
        auxiliary(50, "1.3.6.1.1.1.2.11", &["ieee802Device"], "device with a hardware address").may("macAddress").rdn(""),
        auxiliary(51, "1.3.6.1.1.1.2.12", &["bootableDevice"], "device that boots over the network").may("bootFile bootParameter cn"),
        auxiliary(52, "1.3.6.1.1.1.2.14", &["nisKeyObject"], "has a NIS key").must("cn nisPublicKey nisSecretKey").may("uidNumber description").from("RFC 2307bis"),
        auxiliary(53, "1.3.6.1.1.1.2.15", &["nisDomainObject"], "belongs to a NIS domain").must("nisDomain").rdn("").from("RFC 2307bis"),
        structural(54, "1.3.6.1.1.1.2.16", &["automountMap"], "map of the automounter").must("automountMapName").may("description").rdn("automountMapName").from("RFC 2307bis"),
        structural(55, "1.3.6.1.1.1.2.17", &["automount"], "entry of an automounter's map").must("automountKey automountInformation").may("description").rdn("automountKey").from("RFC 2307bis"),
        structural(56, "1.3.6.1.1.1.2.18", &["groupOfMembers"], "group that may be empty").must("cn").may("businessCategory seeAlso owner ou o description member").from("RFC 2307bis"),
    ],
};
