//! Our own attribute types and classes, under the arc 1.3.6.1.4.1.61441.1: `.1` attribute types, `.2` object classes.
//!
//! The arc is a placeholder until a private enterprise number is assigned; then it is replaced in this file once, and
//! only the dotted numbers change: records and indexes hold the short ones.
//!
//! What must be true across entries (ranks, last administrators, required privileges) is not said here; the schema
//! only gives the facts a place.

use super::{
    enterprise,
    line::{AttributeLine, Table, auxiliary, boolean, dn, exact, integer, oid, structural, text, time},
};
use crate::schema::Storage;

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "rollbook",
    attributes: &[
        // Tenants
        text(205, "1.3.6.1.4.1.61441.1.1.1", &["rollbookTenantName"], "short name of the tenant").single(),
        dn(206, "1.3.6.1.4.1.61441.1.1.2", &["rollbookTenantContact"], "contact person; a label without rights").single(),
        dn(207, "1.3.6.1.4.1.61441.1.1.3", &["rollbookTenantPartner"], "tenant whose customer managers administer this one").single(),
        text(208, "1.3.6.1.4.1.61441.1.1.4", &["rollbookFeature"], "feature that the tenant has been given"),
        dn(209, "1.3.6.1.4.1.61441.1.1.5", &["rollbookPolicyName"], "policy of the tenant or account").single(),
        // Roles
        text(210, "1.3.6.1.4.1.61441.1.1.10", &["rollbookRoleFamily"], "family of the role").single(),
        integer(211, "1.3.6.1.4.1.61441.1.1.11", &["rollbookRoleRank"], "rank in the family; 0 is highest").single(),
        text(212, "1.3.6.1.4.1.61441.1.1.12", &["rollbookPrivilege"], "area and access, such as ORDER:write"),
        boolean(213, "1.3.6.1.4.1.61441.1.1.13", &["rollbookPredefined"], "shipped and not to be changed").single().fixed().directory(),
        boolean(214, "1.3.6.1.4.1.61441.1.1.14", &["rollbookSystemRole"], "for applications, not for people").single(),
        // Accounts
        text(215, "1.3.6.1.4.1.61441.1.1.20", &["rollbookOrigin"], "where the account came from").single(),
        text(216, "1.3.6.1.4.1.61441.1.1.21", &["rollbookLocation"], "location of the account").single(),
        text(217, "1.3.6.1.4.1.61441.1.1.22", &["rollbookUserType"], "where the password is checked: native, ldap or sso").single(),
        text(218, "1.3.6.1.4.1.61441.1.1.23", &["rollbookScope"], "named resource that the account may see"),
        text(219, "1.3.6.1.4.1.61441.1.1.24", &["rollbookUpstream"], "provider or server that checks the password").single(),
        exact(220, "1.3.6.1.4.1.61441.1.1.25", &["rollbookUpstreamSubject"], "name of the account at that provider").whole().single(),
        exact(221, "1.3.6.1.4.1.61441.1.1.26", &["rollbookExternalId"], "identifier that the provisioning client gave").whole().single().scim("externalId"),
        boolean(222, "1.3.6.1.4.1.61441.1.1.27", &["rollbookMailVerified"], "whether the address is known to be the account's").single().claim("email_verified"),
        // What SCIM and OIDC know about people and LDAP does not
        text(223, "1.3.6.1.4.1.61441.1.1.30", &["rollbookNickName"], "casual name").single().scim("nickName").claim("nickname"),
        text(224, "1.3.6.1.4.1.61441.1.1.31", &["rollbookMiddleName"], "middle name").single().scim("name.middleName").claim("middle_name"),
        text(225, "1.3.6.1.4.1.61441.1.1.32", &["rollbookLocale"], "language and region, such as en-GB").single().scim("locale").claim("locale"),
        exact(226, "1.3.6.1.4.1.61441.1.1.33", &["rollbookTimeZone"], "time zone, such as Europe/Berlin").single().scim("timezone").claim("zoneinfo"),
        text(227, "1.3.6.1.4.1.61441.1.1.34", &["rollbookCostCenter"], "cost centre").single().scim(enterprise!("costCenter")),
        text(228, "1.3.6.1.4.1.61441.1.1.35", &["rollbookDivision"], "division").single().scim(enterprise!("division")),
        text(229, "1.3.6.1.4.1.61441.1.1.36", &["rollbookEntitlement"], "entitlement, as the provisioning client calls it").scim("entitlements.value"),
        // Applications
        exact(230, "1.3.6.1.4.1.61441.1.1.40", &["rollbookClientId"], "client identifier of the application").whole().single(),
        exact(231, "1.3.6.1.4.1.61441.1.1.41", &["rollbookRedirectUri"], "address to return to after sign-in").whole(),
        exact(232, "1.3.6.1.4.1.61441.1.1.42", &["rollbookPostLogoutUri"], "address to return to after sign-out").whole(),
        exact(233, "1.3.6.1.4.1.61441.1.1.43", &["rollbookBackChannelLogoutUri"], "address that is told of a sign-out").whole().single(),
        text(234, "1.3.6.1.4.1.61441.1.1.44", &["rollbookGrantType"], "grant that the application may use").whole(),
        text(235, "1.3.6.1.4.1.61441.1.1.45", &["rollbookClientAuthentication"], "how the application proves itself").whole().single(),
        exact(236, "1.3.6.1.4.1.61441.1.1.46", &["rollbookAllowedScope"], "scope that the application may ask for").whole(),
        // Policies, beside those of pwdPolicy
        integer(237, "1.3.6.1.4.1.61441.1.1.50", &["rollbookDormancyMonths"], "months without activity that make an account dormant").single(),
        integer(238, "1.3.6.1.4.1.61441.1.1.51", &["rollbookPurgeMonths"], "months from deletion to purge").single(),
        boolean(239, "1.3.6.1.4.1.61441.1.1.52", &["rollbookFreeNames"], "whether a deletion frees the names at once").single(),
        text(240, "1.3.6.1.4.1.61441.1.1.53", &["rollbookAllowedUserType"], "user type that accounts may have").whole(),
        text(241, "1.3.6.1.4.1.61441.1.1.54", &["rollbookAllowedSsoDomain"], "mail domain that may sign in through a provider").whole(),
        boolean(242, "1.3.6.1.4.1.61441.1.1.55", &["rollbookSecondFactor"], "whether a second factor is required").single(),
        boolean(243, "1.3.6.1.4.1.61441.1.1.56", &["rollbookRestrictedBind"], "whether a bind that must change the password is let in for that").single(),
        boolean(244, "1.3.6.1.4.1.61441.1.1.57", &["rollbookUnlockPassword"], "whether enabling an account takes a new password").single(),
        boolean(245, "1.3.6.1.4.1.61441.1.1.58", &["rollbookCheckName"], "whether a password may not hold the name").single(),
        oid(246, "1.3.6.1.4.1.61441.1.1.59", &["rollbookUniqueAttribute"], "attribute whose values are unique"),
        // State
        text(247, "1.3.6.1.4.1.61441.1.1.60", &["rollbookState"], "life-cycle state of the account; writing one is an act on it").whole().directory().stored(Storage::Account).single(),
        state(time(248, "1.3.6.1.4.1.61441.1.1.61", &["rollbookLastActivity"], "last activity that keeps the account from dormancy")).single(),
        state(time(249, "1.3.6.1.4.1.61441.1.1.62", &["rollbookPurgeTime"], "when the deleted account is purged")).single(),
        state(text(250, "1.3.6.1.4.1.61441.1.1.63", &["rollbookHold"], "why the account cannot log in, for administrators").whole()),
        state(time(251, "1.3.6.1.4.1.61441.1.1.64", &["rollbookDormancyTime"], "when inactivity makes the account dormant")).single(),
        // What SCIM says about values and LDAP cannot: the SCIM attribute's name, a space, JSON. Kept by the SCIM door.
        exact(252, "1.3.6.1.4.1.61441.1.1.65", &["rollbookScimDetail"], "what SCIM says about values beside the values").whole().no_index().directory(),
        // Applications and providers, for sign-in
        text(253, "1.3.6.1.4.1.61441.1.1.70", &["rollbookTokenAlgorithm"], "how ID tokens are signed: RS256, ES256 or EdDSA").whole().single(),
        integer(254, "1.3.6.1.4.1.61441.1.1.71", &["rollbookAccessSeconds"], "seconds that an access token lives").single(),
        integer(255, "1.3.6.1.4.1.61441.1.1.72", &["rollbookRefreshIdleSeconds"], "seconds without use that end a refresh token").single(),
        integer(256, "1.3.6.1.4.1.61441.1.1.73", &["rollbookRefreshSeconds"], "seconds that end a refresh token in any case").single(),
        dn(257, "1.3.6.1.4.1.61441.1.1.74", &["rollbookAllowedGroup"], "group or role whose members may enter"),
        text(258, "1.3.6.1.4.1.61441.1.1.75", &["rollbookRequiredLevel"], "level of sign-in that is needed: pwd or mfa").whole().single(),
        text(259, "1.3.6.1.4.1.61441.1.1.76", &["rollbookConsent"], "whether the owner is asked: ask or implied").whole().single(),
        boolean(260, "1.3.6.1.4.1.61441.1.1.77", &["rollbookBackChannelSession"], "whether a sign-out that the application is told of must name the session").single(),
        boolean(261, "1.3.6.1.4.1.61441.1.1.78", &["rollbookFirstParty"], "whether the application is the deployment's own").single(),
        exact(262, "1.3.6.1.4.1.61441.1.1.79", &["rollbookKeySet"], "public keys of the application, as a JSON Web Key Set").whole().no_index().single(),
        exact(263, "1.3.6.1.4.1.61441.1.1.80", &["rollbookKeySetUri"], "address of the application's public keys").whole().single(),
        text(264, "1.3.6.1.4.1.61441.1.1.81", &["rollbookProviderKind"], "what the provider is: google, entra or oidc").whole().single(),
        exact(265, "1.3.6.1.4.1.61441.1.1.82", &["rollbookIssuer"], "issuer of the provider").whole().single(),
        text(266, "1.3.6.1.4.1.61441.1.1.83", &["rollbookCloud"], "national cloud of Microsoft Entra: global, us or china").whole().single(),
        text(267, "1.3.6.1.4.1.61441.1.1.84", &["rollbookAllowedTenant"], "tenant of the provider that may sign in; * for any").whole(),
        text(268, "1.3.6.1.4.1.61441.1.1.85", &["rollbookTrustedDomain"], "mail domain that the provider speaks for").whole(),
        text(269, "1.3.6.1.4.1.61441.1.1.86", &["rollbookLinkPolicy"], "what happens to an account that is not linked yet: deny, prompt or trusted-email").whole().single(),
        boolean(270, "1.3.6.1.4.1.61441.1.1.87", &["rollbookJustInTime"], "whether somebody without an account gets one").single(),
        boolean(271, "1.3.6.1.4.1.61441.1.1.88", &["rollbookTrustSecondFactor"], "whether the provider's second factor counts here").single(),
        boolean(272, "1.3.6.1.4.1.61441.1.1.89", &["rollbookEnabled"], "whether it is in use").single(),
        exact(273, "1.3.6.1.4.1.61441.1.1.90", &["rollbookGroupMapping"], "group or role of the provider, an equals sign, the DN of ours").whole().no_index(),
    ],
    classes: &[
        auxiliary(66, "1.3.6.1.4.1.61441.1.2.1", &["rollbookTenant"], "container whose accounts, groups and roles are a tenant's").may("rollbookTenantName rollbookTenantContact rollbookTenantPartner rollbookFeature rollbookPolicyName displayName description").rdn("o ou"),
        structural(67, "1.3.6.1.4.1.61441.1.2.2", &["rollbookRole"], "role").must("cn").may("member rollbookRoleFamily rollbookRoleRank rollbookPrivilege rollbookSystemRole displayName description owner seeAlso"),
        structural(68, "1.3.6.1.4.1.61441.1.2.3", &["rollbookPolicy"], "policy of a tenant or of the system").must("cn").may("pwdAttribute pwdMinAge pwdMaxAge pwdInHistory pwdCheckQuality pwdMinLength pwdMaxLength pwdExpireWarning pwdGraceAuthNLimit pwdGraceExpiry pwdLockout pwdLockoutDuration pwdMaxFailure pwdFailureCountInterval pwdMustChange pwdAllowUserChange pwdSafeModify pwdMinDelay pwdMaxDelay pwdMaxIdle pwdMaxRecordedFailure rollbookDormancyMonths rollbookPurgeMonths rollbookFreeNames rollbookAllowedUserType rollbookAllowedSsoDomain rollbookSecondFactor rollbookRestrictedBind rollbookUnlockPassword rollbookCheckName rollbookUniqueAttribute description"),
        structural(69, "1.3.6.1.4.1.61441.1.2.4", &["rollbookApplication"], "application that signs people in here").must("cn").may("rollbookClientId rollbookRedirectUri rollbookPostLogoutUri rollbookBackChannelLogoutUri rollbookGrantType rollbookClientAuthentication rollbookAllowedScope rollbookTokenAlgorithm rollbookAccessSeconds rollbookRefreshIdleSeconds rollbookRefreshSeconds rollbookAllowedGroup rollbookRequiredLevel rollbookConsent rollbookBackChannelSession rollbookFirstParty rollbookKeySet rollbookKeySetUri rollbookEnabled userPassword displayName labeledURI owner seeAlso description"),
        auxiliary(70, "1.3.6.1.4.1.61441.1.2.5", &["rollbookAccount"], "account, of a person or an application").may("rollbookOrigin rollbookLocation rollbookUserType rollbookScope rollbookUpstream rollbookUpstreamSubject rollbookExternalId rollbookMailVerified rollbookNickName rollbookMiddleName rollbookLocale rollbookTimeZone rollbookCostCenter rollbookDivision rollbookEntitlement rollbookPolicyName rollbookSecondFactor personalTitle generationQualifier displayName givenName sn mail c userPassword").rdn("uid"),
        auxiliary(71, "1.3.6.1.4.1.61441.1.2.6", &["rollbookProvisioned"], "group that a provisioning client keeps").may("rollbookExternalId displayName").rdn(""),
        structural(72, "1.3.6.1.4.1.61441.1.2.7", &["rollbookProvider"], "provider that signs people in for us").must("cn rollbookProviderKind").may("rollbookIssuer rollbookClientId rollbookCloud rollbookAllowedTenant rollbookAllowedSsoDomain rollbookTrustedDomain rollbookLinkPolicy rollbookJustInTime rollbookTrustSecondFactor rollbookEnabled rollbookGroupMapping rollbookAllowedScope rollbookTokenAlgorithm displayName labeledURI owner seeAlso description"),
    ],
};

/// A fact about an account, shown as an operational attribute that only events change.
const fn state(line: AttributeLine) -> AttributeLine {
    line.directory().fixed().stored(Storage::Account)
}
