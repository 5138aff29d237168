//! Password policy: draft-behera-ldap-password-policy, as its last version and OpenLDAP have it.
//!
//! The first half are the fields of a policy, which administrators write. The second half is the state of an account;
//! it lives among the account's facts, not in its entry, and is shown here so that existing tools find it. The
//! history holds hashes: like the password itself it is never read back and never matched.

use super::line::{AttributeLine, Table, auxiliary, boolean, dn, integer, octets, oid, time};
use crate::schema::Storage;

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "draft-behera-ldap-password-policy",
    attributes: &[
        oid(172, "1.3.6.1.4.1.42.2.27.8.1.1", &["pwdAttribute"], "attribute that the policy is about"),
        integer(173, "1.3.6.1.4.1.42.2.27.8.1.2", &["pwdMinAge"], "seconds before a password may change again").single(),
        integer(174, "1.3.6.1.4.1.42.2.27.8.1.3", &["pwdMaxAge"], "seconds until a password expires; 0: never").single(),
        integer(175, "1.3.6.1.4.1.42.2.27.8.1.4", &["pwdInHistory"], "old passwords that may not be used again").single(),
        integer(176, "1.3.6.1.4.1.42.2.27.8.1.5", &["pwdCheckQuality"], "0: no check, 1: check if possible, 2: always").single(),
        integer(177, "1.3.6.1.4.1.42.2.27.8.1.6", &["pwdMinLength"], "least length of a password").single(),
        integer(178, "1.3.6.1.4.1.42.2.27.8.1.31", &["pwdMaxLength"], "greatest length of a password").single(),
        integer(179, "1.3.6.1.4.1.42.2.27.8.1.7", &["pwdExpireWarning"], "seconds before expiry in which a bind warns").single(),
        integer(180, "1.3.6.1.4.1.42.2.27.8.1.8", &["pwdGraceAuthNLimit", "pwdGraceLoginLimit"], "logins after expiry").single(),
        integer(181, "1.3.6.1.4.1.42.2.27.8.1.30", &["pwdGraceExpiry"], "seconds after expiry in which those are possible").single(),
        boolean(182, "1.3.6.1.4.1.42.2.27.8.1.9", &["pwdLockout"], "whether failed logins lock the account").single(),
        integer(183, "1.3.6.1.4.1.42.2.27.8.1.10", &["pwdLockoutDuration"], "seconds that a lock lasts; 0: until it is lifted").single(),
        integer(184, "1.3.6.1.4.1.42.2.27.8.1.11", &["pwdMaxFailure"], "failed logins that lock the account").single(),
        integer(185, "1.3.6.1.4.1.42.2.27.8.1.12", &["pwdFailureCountInterval"], "seconds after which a failure is forgotten").single(),
        boolean(186, "1.3.6.1.4.1.42.2.27.8.1.13", &["pwdMustChange"], "whether a password set by another must be changed").single(),
        boolean(187, "1.3.6.1.4.1.42.2.27.8.1.14", &["pwdAllowUserChange"], "whether users may change their passwords").single(),
        boolean(188, "1.3.6.1.4.1.42.2.27.8.1.15", &["pwdSafeModify"], "whether a change needs the old password").single(),
        integer(189, "1.3.6.1.4.1.42.2.27.8.1.24", &["pwdMinDelay"], "seconds of delay after the first failure").single(),
        integer(190, "1.3.6.1.4.1.42.2.27.8.1.25", &["pwdMaxDelay"], "greatest delay after failures, in seconds").single(),
        integer(191, "1.3.6.1.4.1.42.2.27.8.1.26", &["pwdMaxIdle"], "seconds without activity that make an account dormant").single(),
        integer(192, "1.3.6.1.4.1.42.2.27.8.1.32", &["pwdMaxRecordedFailure"], "failures that are remembered").single(),
        // State
        state(time(193, "1.3.6.1.4.1.42.2.27.8.1.16", &["pwdChangedTime"], "when the password was changed last")).single().fixed(),
        state(time(194, "1.3.6.1.4.1.42.2.27.8.1.17", &["pwdAccountLockedTime"], "when the account was locked")).single(),
        state(time(195, "1.3.6.1.4.1.42.2.27.8.1.19", &["pwdFailureTime"], "when logins failed since the last good one")).fixed(),
        octets(196, "1.3.6.1.4.1.42.2.27.8.1.20", &["pwdHistory"], "old passwords; never read back").fixed().directory().stored(Storage::Credential),
        state(time(197, "1.3.6.1.4.1.42.2.27.8.1.21", &["pwdGraceUseTime"], "when logins after expiry were used")).fixed(),
        state(boolean(198, "1.3.6.1.4.1.42.2.27.8.1.22", &["pwdReset"], "whether the password must be changed at the next login")).single(),
        state(dn(199, "1.3.6.1.4.1.42.2.27.8.1.23", &["pwdPolicySubentry"], "policy that governs the account")).single(),
        state(time(200, "1.3.6.1.4.1.42.2.27.8.1.27", &["pwdStartTime"], "when the password becomes valid")).single(),
        state(time(201, "1.3.6.1.4.1.42.2.27.8.1.28", &["pwdEndTime"], "when the password ceases to be valid")).single(),
        state(time(202, "1.3.6.1.4.1.42.2.27.8.1.29", &["pwdLastSuccess"], "when a login succeeded last")).single().fixed(),
        state(time(203, "1.3.6.1.4.1.42.2.27.8.1.33", &["pwdAccountTmpLockoutEnd"], "when the delay after failures ends")).single().fixed(),
        state(time(204, "1.3.6.1.4.1.453.16.2.188", &["authTimestamp"], "when a login succeeded last")).single().fixed().from("slapo-lastbind"),
    ],
    classes: &[
        auxiliary(65, "1.3.6.1.4.1.42.2.27.8.2.1", &["pwdPolicy"], "rules about passwords").must("pwdAttribute").may("pwdMinAge pwdMaxAge pwdInHistory pwdCheckQuality pwdMinLength pwdMaxLength pwdExpireWarning pwdGraceAuthNLimit pwdGraceExpiry pwdLockout pwdLockoutDuration pwdMaxFailure pwdFailureCountInterval pwdMustChange pwdAllowUserChange pwdSafeModify pwdMinDelay pwdMaxDelay pwdMaxIdle pwdMaxRecordedFailure"),
    ],
};

/// A fact about an account, shown as an operational attribute.
const fn state(line: AttributeLine) -> AttributeLine {
    line.directory().stored(Storage::Account)
}
