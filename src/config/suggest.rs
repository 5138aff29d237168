//! "Did you mean …?": the known word nearest to a mistyped one. Used for keys, choices and variables.

/// The candidate with the fewest typing mistakes (a swap of two letters is one), if they are at most a third of the word's length (at least one).
/// Words longer than 64 bytes get no suggestion.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let bound = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(mistakes, _)| *mistakes <= bound)
        .min_by_key(|(mistakes, _)| *mistakes)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: typing mistakes find their word and strangers find none.
    #[test]
    fn finds_the_near_and_not_the_far() {
        let words = ["limits.connections", "limits.idle", "log.level", "policy.lock_duration"];
        let cases = [
            ("limits.conections", Some("limits.connections")),
            ("LIMITS.idle", Some("limits.idle")),
            ("log.levle", Some("log.level")),
            ("policy.lockduration", Some("policy.lock_duration")),
            ("colour", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, words), expected, "{word}");
        }
    }
}
