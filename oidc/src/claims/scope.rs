//! Scopes and the claims that each stands for (OpenID Connect Core §5.4, and ours).

/// Makes a request one of OpenID Connect.
pub const OPENID: &str = "openid";
/// A refresh token that outlives the browser's session (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// The scopes that exist, with the claims that each stands for. A scope that is named as a claim of a run-time
/// attribute stands for that claim (see `docs/connect`); those are not in this table.
pub const SCOPES: [(&str, &[&str]); 9] = [
    (OPENID, &["sub"]),
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("groups", &["groups"]),
    ("roles", &["roles"]),
    ("tenant", &["tenant"]),
    (OFFLINE_ACCESS, &[]),
];

/// The claims that a scope stands for.
pub fn claims(scope: &str) -> &'static [&'static str] {
    SCOPES.iter().find(|(name, _)| *name == scope).map_or(&[], |(_, claims)| claims)
}

/// Whether a scope stands for this claim: by the table, or because it is named like it and no scope of the table has it.
pub fn covers(scope: &str, claim: &str) -> bool {
    let by_table = SCOPES.iter().any(|(_, claims)| claims.contains(&claim));
    if by_table { claims(scope).contains(&claim) } else { scope == claim }
}

/// Whether the text is a scope at all (RFC 6749 §3.3).
pub fn is_scope(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: no claim is in two scopes, and a scope of one's own never reaches into a standard one.
    #[test]
    fn scopes_do_not_overlap() {
        let mut all: Vec<&str> = SCOPES.iter().flat_map(|(_, claims)| claims.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(covers("email", "email_verified") && !covers("profile", "email"));
        assert!(covers("shoe_size", "shoe_size") && !covers("profile", "shoe_size"));
        assert!(!covers("birthdate", "birthdate"), "a standard claim comes by its standard scope alone");
        assert!(is_scope("a:b/c") && !is_scope("") && !is_scope("a b") && !is_scope("a\"") && !is_scope("ä"));
    }
}
