//! A filter over keys: a few bits that tell of most keys that they are not there (Bloom, 1970).
//!
//! Whether a name is free is asked of all layers for every entry that comes, and the answer is nearly always that none of
//! them knows it. A key is hashed once for all of them; with the names of some thirty people in a layer, three in a hundred are
//! looked for in vain. Who picks names that collide gains nothing: they are looked for, as without a filter.

use std::hash::{DefaultHasher, Hasher};

/// The words of a filter: 8,192 bits.
const WORDS: usize = 128;

/// Keys that may be there.
#[derive(Debug, Clone)]
pub struct Filter([u64; WORDS]);

/// The place of a key in every filter: a word, and a bit of it.
#[derive(Debug, Clone, Copy)]
pub struct Mark(usize, u64);

impl Mark {
    /// Of a key.
    pub fn of(key: &[u8]) -> Mark {
        let mut hasher = DefaultHasher::new();
        hasher.write(key);
        let [word, bit, ..] = hasher.finish().to_le_bytes();
        Mark(usize::from(word) % WORDS, 1 << (bit % 64))
    }
}

impl Default for Filter {
    fn default() -> Filter {
        Filter([0; WORDS])
    }
}

impl Filter {
    /// One key more.
    pub fn add(&mut self, mark: Mark) {
        if let Some(word) = self.0.get_mut(mark.0) {
            *word |= mark.1;
        }
    }

    /// False: it was never added.
    pub fn may_hold(&self, mark: Mark) -> bool {
        self.0.get(mark.0).is_none_or(|word| word & mark.1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_may_be_there_and_most_of_the_rest_is_not() {
        let key = |number: u32| Mark::of(&number.to_be_bytes());
        let mut filter = Filter::default();
        (0..200).for_each(|number| filter.add(key(number)));
        assert!((0..200).all(|number| filter.may_hold(key(number))));
        let in_vain = (200..10_200).filter(|number| filter.may_hold(key(*number))).count();
        assert!((1..500).contains(&in_vain), "{in_vain} of 10,000");
    }
}
