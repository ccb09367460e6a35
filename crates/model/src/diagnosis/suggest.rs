//! The word that was probably meant.

/// Longer words are compared with none: the comparison is quadratic.
const WORD_MAX: usize = 128;

/// The candidate that a word was probably meant to be, if one is near.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_MAX {
        return None;
    }
    let allowed = match word.chars().count() {
        0..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= WORD_MAX && *candidate != word)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of slips of the pen between two words; case and `_` for `-` are a slip less.
fn distance(word: &str, candidate: &str) -> usize {
    let fold = |text: &str| text.to_lowercase().replace('_', "-");
    strsim::damerau_levenshtein(&fold(word), &fold(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        let keys = ["build", "port", "ready", "env", "routes"];
        for (word, meant) in [
            ("biuld", Some("build")),
            ("prot", Some("port")),
            ("Env", Some("env")),
            ("route", Some("routes")),
            ("kubernetes", None),
            ("", None),
        ] {
            assert_eq!(closest(word, keys), meant, "{word}");
        }
        assert_eq!(closest(&"a".repeat(1000), keys), None);
    }
}
