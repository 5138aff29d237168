//! How many families accounts hold at most, as far as the write lane knows: so that they are not counted with every one more.
//!
//! Families come about in the lane alone, one by one; so a number that was counted once and raised with every one that was
//! issued since is never below the true one. It may be above: families end, and a transaction that is given up issued none.
//! Whoever finds it at the bound counts again.

use crate::error::Refusal;
use crate::id::EntryId;
use std::cell::RefCell;
use std::collections::HashMap;

/// So many accounts are known; one more, and it begins anew.
const ACCOUNTS: usize = 4_096;

/// The most that each account may hold now.
#[derive(Debug, Default)]
pub(crate) struct Crowds(RefCell<HashMap<EntryId, usize>>);

impl Crowds {
    /// Whether there is room for one more, which then counts as held. When what is known leaves no room, or nothing is
    /// known, `count` says how many there are.
    ///
    /// # Errors
    /// Those of `count`.
    pub(super) fn enter(
        &self,
        account: EntryId,
        bound: usize,
        count: impl FnOnce() -> Result<usize, Refusal>,
    ) -> Result<bool, Refusal> {
        let mut known = self.0.borrow_mut();
        if known.len() >= ACCOUNTS && !known.contains_key(&account) {
            known.clear();
        }
        let held = match known.get(&account) {
            Some(held) if *held < bound => *held,
            _ => count()?,
        };
        known.insert(account, held.saturating_add(1));
        Ok(held < bound)
    }

    /// Nothing is known any more: somebody else has written.
    pub(crate) fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: a place is never given that is not there, whatever comes and goes, and one that is there always is.
        #[test]
        fn the_bound_holds(steps in proptest::collection::vec((0_u64..3, any::<bool>()), 1..200)) {
            let (crowds, bound) = (Crowds::default(), 5);
            let mut held = [0_usize; 3];
            for (account, comes) in steps {
                let (id, held) = (EntryId(account), &mut held[usize::try_from(account).unwrap()]);
                if !comes {
                    *held = held.saturating_sub(1);
                    continue;
                }
                let free = crowds.enter(id, bound, || Ok(*held)).unwrap();
                prop_assert_eq!(free, *held < bound);
                *held += usize::from(free);
            }
        }
    }
}
