//! Globs for what a stage hands on.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::path::Path;

/// One glob of reports or artifacts: what to take out of the container, and which of that to keep.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// The longest path without wildcards, relative to the service; empty for the service itself.
    pub(crate) fixed: String,
    /// Whether `fixed` may be a file: it is the whole pattern and does not end with a slash.
    pub(crate) may_be_file: bool,
    set: GlobSet,
}

/// Why a text is not a glob.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is not a glob for files below the source: {because}")]
pub(crate) struct PatternError {
    pattern: String,
    because: String,
}

impl Pattern {
    /// Reads a glob. A folder stands for all that is in it.
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        let refuse = |because: String| PatternError { pattern: pattern.to_owned(), because };
        let plain = pattern.trim_start_matches("./").trim_end_matches('/');
        if plain.starts_with('/') || plain.split('/').any(|part| part == "..") {
            return Err(refuse("it is absolute or has a `..`".to_owned()));
        }
        let plain = if plain == "." { "" } else { plain };
        let mut set = GlobSetBuilder::new();
        for glob in [plain.to_owned(), format!("{plain}/**"), "**".to_owned()] {
            if (glob == "**") != plain.is_empty() {
                continue;
            }
            let glob = GlobBuilder::new(&glob).literal_separator(true).build();
            set.add(glob.map_err(|error| refuse(error.kind().to_string()))?);
        }
        let set = set.build().map_err(|error| refuse(error.kind().to_string()))?;
        let is_wild = |part: &&str| part.contains(['*', '?', '[', '{', '\\']);
        let fixed: Vec<&str> = plain.split('/').take_while(|part| !is_wild(part)).collect();
        let fixed = fixed.join("/");
        let may_be_file = !plain.is_empty() && fixed == plain && !pattern.ends_with('/');
        Ok(Self { fixed, may_be_file, set })
    }

    /// Whether a path relative to the service matches.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        self.set.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_says_what_to_take_and_what_to_keep() {
        for (pattern, fixed, yes, no) in [
            ("dist/", "dist", "dist/a/b", "dists"),
            ("junit.xml", "junit.xml", "junit.xml", "a/junit.xml"),
            ("out/*.xml", "out", "out/a.xml", "out/a/b.xml"),
            ("**/*.xml", "", "a/b/c.xml", "a/b/c.txt"),
            ("./build/{a,b}", "build", "build/a/x", "build/c"),
            (".", "", "any/thing", ""),
        ] {
            let found = Pattern::new(pattern).unwrap();
            assert_eq!(found.fixed, fixed, "{pattern}");
            assert!(found.matches(Path::new(yes)), "{pattern} {yes}");
            assert!(no.is_empty() || !found.matches(Path::new(no)), "{pattern} {no}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_refused(text in "[a-z./*?{}\\[\\],!\\\\-]{0,40}", path in "[a-z./]{0,20}") {
            if let Ok(pattern) = Pattern::new(&text) {
                pattern.matches(Path::new(&path));
                prop_assert!(!pattern.fixed.starts_with('/'));
                prop_assert!(pattern.fixed.split('/').all(|part| part != ".."));
            }
        }
    }

    #[test]
    fn a_pattern_stays_below_the_source() {
        for bad in ["/etc", "../a", "a/../../b", "a[", "{a"] {
            assert!(Pattern::new(bad).is_err(), "{bad}");
        }
    }
}
