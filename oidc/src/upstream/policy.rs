//! What becomes of somebody whom a provider has signed in (rules R8, R9, R11): pure, one table.
//!
//! ```text
//! linked ─▶ that account, whatever the address says
//! not linked, the address (spoken for by the provider) is an account's:
//!     deny ─▶ refused     prompt ─▶ asked     trusted-email ─▶ linked if verified here and without rights, else asked
//! not linked, the address is nobody's, or nothing is known of it:
//!     just-in-time ─▶ an account is made     otherwise: deny ─▶ refused, else ─▶ asked
//! ```
//! An address that the provider does not speak for is not looked at: anybody may write anything there.

use directory::application::{LinkPolicy, Provider};
use directory::grant::Addressed;
use directory::id::EntryId;

/// What is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// The account that the key is linked to.
    pub linked: Option<EntryId>,
    /// The account of the address, if the provider speaks for that.
    pub addressed: Option<Addressed>,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is this account.
    Enter(EntryId),
    /// It is linked to this account.
    Link(EntryId),
    /// It gets an account.
    Make,
    /// It signs in here first, and says whether to link.
    Ask,
    /// It is nobody here.
    Refuse,
}

impl Decision {
    /// The rule that decided.
    pub fn rule(self) -> &'static str {
        match self {
            Decision::Enter(_) | Decision::Refuse => "R8",
            Decision::Link(_) | Decision::Ask => "R9",
            Decision::Make => "R11",
        }
    }
}

/// Decides.
pub fn decide(provider: &Provider, known: Known) -> Decision {
    match (known.linked, known.addressed, provider.link_policy) {
        (Some(account), ..) => Decision::Enter(account),
        (None, Some(Addressed { account, verified: true, privileged: false }), LinkPolicy::TrustedEmail) => {
            Decision::Link(account)
        }
        (None, None, _) if provider.just_in_time => Decision::Make,
        (None, _, LinkPolicy::Deny) => Decision::Refuse,
        (None, _, LinkPolicy::Prompt | LinkPolicy::TrustedEmail) => Decision::Ask,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::provider;
    use super::*;

    const ADA: EntryId = EntryId(7);
    const BOB: EntryId = EntryId(8);

    fn addressed(verified: bool, privileged: bool) -> Option<Addressed> {
        Some(Addressed { account: BOB, verified, privileged })
    }

    /// Goal: the whole table: policy × just-in-time × what the address is. A link decides alone (R8); by an address alone
    /// only a verified account without rights is linked, and only by the policy that says so (R9); an account is made only
    /// where that is switched on and nobody has the address (R11).
    #[test]
    fn the_table() {
        use Decision::{Ask, Enter, Link, Make, Refuse};
        use LinkPolicy::{Deny, Prompt, TrustedEmail};
        let [nobody, good, unverified, admin] =
            [None, addressed(true, false), addressed(false, false), addressed(true, true)];
        for (policy, just_in_time, expected) in [
            (Deny, false, [Refuse, Refuse, Refuse, Refuse]),
            (Deny, true, [Make, Refuse, Refuse, Refuse]),
            (Prompt, false, [Ask, Ask, Ask, Ask]),
            (Prompt, true, [Make, Ask, Ask, Ask]),
            (TrustedEmail, false, [Ask, Link(BOB), Ask, Ask]),
            (TrustedEmail, true, [Make, Link(BOB), Ask, Ask]),
        ] {
            let provider = Provider { link_policy: policy, just_in_time, ..provider() };
            for (addressed, expected) in [nobody, good, unverified, admin].into_iter().zip(expected) {
                let known = Known { linked: None, addressed };
                assert_eq!(decide(&provider, known), expected, "{policy:?} {just_in_time} {addressed:?}");
                assert_eq!(decide(&provider, Known { linked: Some(ADA), addressed }), Enter(ADA));
            }
        }
    }
}
