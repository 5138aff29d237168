//! The numbers of attribute types and classes that code asks for by name, as constants.
//!
//! Owns no definition: the numbers are those of [`super::catalog`], and a test holds the two together. Also says
//! which classes make which kind of entry.

use super::kind::{ClassId, Kind};

/// Declares constants and the list that the test compares with the catalog.
macro_rules! known {
    ($type:ident: $($constant:ident = $number:literal $name:literal;)*) => {
        $(#[doc = concat!("`", $name, "`")] pub const $constant: $type = $type($number);)*

        #[cfg(test)]
        pub(in crate::schema) const ALL: &[($type, &str)] = &[$(($constant, $name),)*];
    };
}

/// Attribute types.
pub mod attribute {
    use crate::schema::AttributeId;

    known! { AttributeId:
        OBJECT_CLASS = 1 "objectClass";
        ALIASED_OBJECT_NAME = 2 "aliasedObjectName";
        CREATORS_NAME = 3 "creatorsName";
        CREATE_TIMESTAMP = 4 "createTimestamp";
        MODIFIERS_NAME = 5 "modifiersName";
        MODIFY_TIMESTAMP = 6 "modifyTimestamp";
        STRUCTURAL_OBJECT_CLASS = 7 "structuralObjectClass";
        SUBSCHEMA_SUBENTRY = 9 "subschemaSubentry";
        ENTRY_DN = 10 "entryDN";
        ENTRY_UUID = 11 "entryUUID";
        HAS_SUBORDINATES = 12 "hasSubordinates";
        NUM_SUBORDINATES = 13 "numSubordinates";
        ATTRIBUTE_TYPES = 14 "attributeTypes";
        OBJECT_CLASSES = 15 "objectClasses";
        MATCHING_RULES = 16 "matchingRules";
        MATCHING_RULE_USE = 17 "matchingRuleUse";
        LDAP_SYNTAXES = 18 "ldapSyntaxes";
        ALT_SERVER = 22 "altServer";
        NAMING_CONTEXTS = 23 "namingContexts";
        DEFAULT_NAMING_CONTEXT = 24 "defaultNamingContext";
        SUPPORTED_CONTROL = 25 "supportedControl";
        SUPPORTED_EXTENSION = 26 "supportedExtension";
        SUPPORTED_FEATURES = 27 "supportedFeatures";
        SUPPORTED_LDAP_VERSION = 28 "supportedLDAPVersion";
        SUPPORTED_SASL_MECHANISMS = 29 "supportedSASLMechanisms";
        VENDOR_NAME = 30 "vendorName";
        VENDOR_VERSION = 31 "vendorVersion";
        CN = 37 "cn";
        SN = 65 "sn";
        GIVEN_NAME = 46 "givenName";
        DISPLAY_NAME = 111 "displayName";
        DESCRIPTION = 39 "description";
        DC = 38 "dc";
        O = 52 "o";
        OU = 53 "ou";
        C = 36 "c";
        L = 50 "l";
        UID = 72 "uid";
        MAIL = 99 "mail";
        TELEPHONE_NUMBER = 68 "telephoneNumber";
        MOBILE = 101 "mobile";
        TITLE = 71 "title";
        MANAGER = 100 "manager";
        OWNER = 54 "owner";
        SEE_ALSO = 63 "seeAlso";
        MEMBER = 51 "member";
        UNIQUE_MEMBER = 73 "uniqueMember";
        MEMBER_OF = 154 "memberOf";
        USER_PASSWORD = 74 "userPassword";
        MEMBER_UID = 133 "memberUid";
        UID_NUMBER = 121 "uidNumber";
        GID_NUMBER = 122 "gidNumber";
        HOME_DIRECTORY = 124 "homeDirectory";
        LOGIN_SHELL = 125 "loginShell";
        EMPLOYEE_NUMBER = 112 "employeeNumber";
        DEPARTMENT_NUMBER = 110 "departmentNumber";
        PREFERRED_LANGUAGE = 115 "preferredLanguage";
        JPEG_PHOTO = 114 "jpegPhoto";
        USER_CERTIFICATE = 77 "userCertificate";
        SSH_PUBLIC_KEY = 155 "sshPublicKey";
        REF = 156 "ref";
        PWD_CHANGED_TIME = 193 "pwdChangedTime";
        PWD_ACCOUNT_LOCKED_TIME = 194 "pwdAccountLockedTime";
        PWD_FAILURE_TIME = 195 "pwdFailureTime";
        PWD_HISTORY = 196 "pwdHistory";
        PWD_GRACE_USE_TIME = 197 "pwdGraceUseTime";
        PWD_RESET = 198 "pwdReset";
        PWD_POLICY_SUBENTRY = 199 "pwdPolicySubentry";
        PWD_START_TIME = 200 "pwdStartTime";
        PWD_END_TIME = 201 "pwdEndTime";
        PWD_LAST_SUCCESS = 202 "pwdLastSuccess";
        PWD_ACCOUNT_TMP_LOCKOUT_END = 203 "pwdAccountTmpLockoutEnd";
        AUTH_TIMESTAMP = 204 "authTimestamp";
        PWD_ATTRIBUTE = 172 "pwdAttribute";
        PWD_MIN_AGE = 173 "pwdMinAge";
        PWD_MAX_AGE = 174 "pwdMaxAge";
        PWD_IN_HISTORY = 175 "pwdInHistory";
        PWD_CHECK_QUALITY = 176 "pwdCheckQuality";
        PWD_MIN_LENGTH = 177 "pwdMinLength";
        PWD_MAX_LENGTH = 178 "pwdMaxLength";
        PWD_EXPIRE_WARNING = 179 "pwdExpireWarning";
        PWD_GRACE_AUTH_N_LIMIT = 180 "pwdGraceAuthNLimit";
        PWD_GRACE_EXPIRY = 181 "pwdGraceExpiry";
        PWD_LOCKOUT = 182 "pwdLockout";
        PWD_LOCKOUT_DURATION = 183 "pwdLockoutDuration";
        PWD_MAX_FAILURE = 184 "pwdMaxFailure";
        PWD_FAILURE_COUNT_INTERVAL = 185 "pwdFailureCountInterval";
        PWD_MUST_CHANGE = 186 "pwdMustChange";
        PWD_ALLOW_USER_CHANGE = 187 "pwdAllowUserChange";
        PWD_SAFE_MODIFY = 188 "pwdSafeModify";
        PWD_MIN_DELAY = 189 "pwdMinDelay";
        PWD_MAX_DELAY = 190 "pwdMaxDelay";
        PWD_MAX_IDLE = 191 "pwdMaxIdle";
        PWD_MAX_RECORDED_FAILURE = 192 "pwdMaxRecordedFailure";
        ROLLBOOK_TENANT_NAME = 205 "rollbookTenantName";
        ROLLBOOK_TENANT_CONTACT = 206 "rollbookTenantContact";
        ROLLBOOK_TENANT_PARTNER = 207 "rollbookTenantPartner";
        ROLLBOOK_FEATURE = 208 "rollbookFeature";
        ROLLBOOK_POLICY_NAME = 209 "rollbookPolicyName";
        ROLLBOOK_ROLE_FAMILY = 210 "rollbookRoleFamily";
        ROLLBOOK_ROLE_RANK = 211 "rollbookRoleRank";
        ROLLBOOK_PRIVILEGE = 212 "rollbookPrivilege";
        ROLLBOOK_PREDEFINED = 213 "rollbookPredefined";
        ROLLBOOK_SYSTEM_ROLE = 214 "rollbookSystemRole";
        ROLLBOOK_ORIGIN = 215 "rollbookOrigin";
        ROLLBOOK_LOCATION = 216 "rollbookLocation";
        ROLLBOOK_USER_TYPE = 217 "rollbookUserType";
        ROLLBOOK_SCOPE = 218 "rollbookScope";
        ROLLBOOK_UPSTREAM = 219 "rollbookUpstream";
        ROLLBOOK_UPSTREAM_SUBJECT = 220 "rollbookUpstreamSubject";
        ROLLBOOK_EXTERNAL_ID = 221 "rollbookExternalId";
        ROLLBOOK_MAIL_VERIFIED = 222 "rollbookMailVerified";
        ROLLBOOK_NICK_NAME = 223 "rollbookNickName";
        ROLLBOOK_MIDDLE_NAME = 224 "rollbookMiddleName";
        ROLLBOOK_LOCALE = 225 "rollbookLocale";
        ROLLBOOK_TIME_ZONE = 226 "rollbookTimeZone";
        ROLLBOOK_COST_CENTER = 227 "rollbookCostCenter";
        ROLLBOOK_DIVISION = 228 "rollbookDivision";
        ROLLBOOK_ENTITLEMENT = 229 "rollbookEntitlement";
        ROLLBOOK_CLIENT_ID = 230 "rollbookClientId";
        ROLLBOOK_REDIRECT_URI = 231 "rollbookRedirectUri";
        ROLLBOOK_POST_LOGOUT_URI = 232 "rollbookPostLogoutUri";
        ROLLBOOK_BACK_CHANNEL_LOGOUT_URI = 233 "rollbookBackChannelLogoutUri";
        ROLLBOOK_GRANT_TYPE = 234 "rollbookGrantType";
        ROLLBOOK_CLIENT_AUTHENTICATION = 235 "rollbookClientAuthentication";
        ROLLBOOK_ALLOWED_SCOPE = 236 "rollbookAllowedScope";
        ROLLBOOK_DORMANCY_MONTHS = 237 "rollbookDormancyMonths";
        ROLLBOOK_PURGE_MONTHS = 238 "rollbookPurgeMonths";
        ROLLBOOK_FREE_NAMES = 239 "rollbookFreeNames";
        ROLLBOOK_ALLOWED_USER_TYPE = 240 "rollbookAllowedUserType";
        ROLLBOOK_ALLOWED_SSO_DOMAIN = 241 "rollbookAllowedSsoDomain";
        ROLLBOOK_SECOND_FACTOR = 242 "rollbookSecondFactor";
        ROLLBOOK_RESTRICTED_BIND = 243 "rollbookRestrictedBind";
        ROLLBOOK_UNLOCK_PASSWORD = 244 "rollbookUnlockPassword";
        ROLLBOOK_CHECK_NAME = 245 "rollbookCheckName";
        ROLLBOOK_UNIQUE_ATTRIBUTE = 246 "rollbookUniqueAttribute";
        ROLLBOOK_STATE = 247 "rollbookState";
        ROLLBOOK_LAST_ACTIVITY = 248 "rollbookLastActivity";
        ROLLBOOK_PURGE_TIME = 249 "rollbookPurgeTime";
        ROLLBOOK_HOLD = 250 "rollbookHold";
        ROLLBOOK_DORMANCY_TIME = 251 "rollbookDormancyTime";
        ROLLBOOK_SCIM_DETAIL = 252 "rollbookScimDetail";
        ROLLBOOK_TOKEN_ALGORITHM = 253 "rollbookTokenAlgorithm";
        ROLLBOOK_ACCESS_SECONDS = 254 "rollbookAccessSeconds";
        ROLLBOOK_REFRESH_IDLE_SECONDS = 255 "rollbookRefreshIdleSeconds";
        ROLLBOOK_REFRESH_SECONDS = 256 "rollbookRefreshSeconds";
        ROLLBOOK_ALLOWED_GROUP = 257 "rollbookAllowedGroup";
        ROLLBOOK_REQUIRED_LEVEL = 258 "rollbookRequiredLevel";
        ROLLBOOK_CONSENT = 259 "rollbookConsent";
        ROLLBOOK_BACK_CHANNEL_SESSION = 260 "rollbookBackChannelSession";
        ROLLBOOK_FIRST_PARTY = 261 "rollbookFirstParty";
        ROLLBOOK_KEY_SET = 262 "rollbookKeySet";
        ROLLBOOK_KEY_SET_URI = 263 "rollbookKeySetUri";
        ROLLBOOK_PROVIDER_KIND = 264 "rollbookProviderKind";
        ROLLBOOK_ISSUER = 265 "rollbookIssuer";
        ROLLBOOK_CLOUD = 266 "rollbookCloud";
        ROLLBOOK_ALLOWED_TENANT = 267 "rollbookAllowedTenant";
        ROLLBOOK_TRUSTED_DOMAIN = 268 "rollbookTrustedDomain";
        ROLLBOOK_LINK_POLICY = 269 "rollbookLinkPolicy";
        ROLLBOOK_JUST_IN_TIME = 270 "rollbookJustInTime";
        ROLLBOOK_TRUST_SECOND_FACTOR = 271 "rollbookTrustSecondFactor";
        ROLLBOOK_ENABLED = 272 "rollbookEnabled";
        ROLLBOOK_GROUP_MAPPING = 273 "rollbookGroupMapping";
    }
}

/// Object classes.
pub mod class {
    use crate::schema::ClassId;

    known! { ClassId:
        TOP = 1 "top";
        ALIAS = 2 "alias";
        SUBSCHEMA = 3 "subschema";
        EXTENSIBLE_OBJECT = 4 "extensibleObject";
        SUBENTRY = 5 "subentry";
        APPLICATION_PROCESS = 6 "applicationProcess";
        DC_OBJECT = 8 "dcObject";
        DEVICE = 9 "device";
        GROUP_OF_NAMES = 10 "groupOfNames";
        GROUP_OF_UNIQUE_NAMES = 11 "groupOfUniqueNames";
        LOCALITY = 12 "locality";
        ORGANIZATION = 13 "organization";
        ORGANIZATIONAL_PERSON = 14 "organizationalPerson";
        ORGANIZATIONAL_ROLE = 15 "organizationalRole";
        ORGANIZATIONAL_UNIT = 16 "organizationalUnit";
        PERSON = 17 "person";
        UID_OBJECT = 19 "uidObject";
        ACCOUNT = 28 "account";
        DOMAIN = 31 "domain";
        SIMPLE_SECURITY_OBJECT = 36 "simpleSecurityObject";
        INET_ORG_PERSON = 37 "inetOrgPerson";
        POSIX_ACCOUNT = 39 "posixAccount";
        SHADOW_ACCOUNT = 40 "shadowAccount";
        POSIX_GROUP = 41 "posixGroup";
        GROUP_OF_MEMBERS = 56 "groupOfMembers";
        LDAP_PUBLIC_KEY = 57 "ldapPublicKey";
        REFERRAL = 58 "referral";
        PWD_POLICY = 65 "pwdPolicy";
        ROLLBOOK_TENANT = 66 "rollbookTenant";
        ROLLBOOK_ROLE = 67 "rollbookRole";
        ROLLBOOK_POLICY = 68 "rollbookPolicy";
        ROLLBOOK_APPLICATION = 69 "rollbookApplication";
        ROLLBOOK_ACCOUNT = 70 "rollbookAccount";
        ROLLBOOK_PROVISIONED = 71 "rollbookProvisioned";
        ROLLBOOK_PROVIDER = 72 "rollbookProvider";
    }
}

/// The kind that an entry of a class is of; subclasses are of the same kind. Which one wins when an entry has several
/// such classes is said in [`Kind`]. `applicationProcess` alone does not bind: one that does is also a
/// `simpleSecurityObject` or a `rollbookAccount`.
pub(super) const KINDS: &[(ClassId, Kind)] = &[
    (class::PERSON, Kind::Person),
    (class::POSIX_ACCOUNT, Kind::Person),
    (class::ACCOUNT, Kind::ApiAccount),
    (class::SIMPLE_SECURITY_OBJECT, Kind::ApiAccount),
    (class::ROLLBOOK_ACCOUNT, Kind::ApiAccount),
    (class::GROUP_OF_NAMES, Kind::Group),
    (class::GROUP_OF_UNIQUE_NAMES, Kind::Group),
    (class::GROUP_OF_MEMBERS, Kind::Group),
    (class::POSIX_GROUP, Kind::Group),
    (class::ORGANIZATIONAL_ROLE, Kind::Role),
    (class::ROLLBOOK_ROLE, Kind::Role),
    (class::ROLLBOOK_TENANT, Kind::Tenant),
    (class::ROLLBOOK_APPLICATION, Kind::Application),
    (class::ROLLBOOK_POLICY, Kind::Policy),
    (class::ROLLBOOK_PROVIDER, Kind::Provider),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn constants_are_the_numbers_of_the_catalog() {
        // Goal: nobody can give a constant the number of another type.
        let schema = Schema::standard();
        for (id, name) in attribute::ALL {
            assert_eq!(schema.find_attribute(name.as_bytes()).map(|found| found.id), Some(*id), "{name}");
        }
        for (id, name) in class::ALL {
            assert_eq!(schema.find_class(name.as_bytes()).map(|found| found.id), Some(*id), "{name}");
        }
    }
}
