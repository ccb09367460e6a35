//! `.dockerignore`: which files of a build context are not copied (Docker's reference,
//! ".dockerignore files").

use fairway_blobs::{Kind, Selection};
use globset::{GlobBuilder, GlobMatcher};
use std::path::Path;

/// Most rules that are read of one file.
pub const RULES_MAX: usize = 1000;
/// Most bytes of a `.dockerignore`.
pub const IGNORE_FILE_MAX: u64 = 1 << 20;

/// The rules of one `.dockerignore`; the last one that matches a path counts.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    glob: GlobMatcher,
    /// Begins with `!`: what it matches is copied.
    is_exception: bool,
}

/// Why a `.dockerignore` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// A rule is not a pattern.
    #[error("`{rule}` is not a pattern")]
    Pattern {
        /// The line, from 1.
        line: u32,
        /// The rule.
        rule: String,
    },
    /// Too many rules.
    #[error("a `.dockerignore` has at most {RULES_MAX} rules")]
    TooMany,
}

impl IgnoreRules {
    /// Reads a `.dockerignore`.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let mut rules = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, raw) in (1..).zip(text.lines()) {
            if raw.starts_with('#') {
                continue;
            }
            let rule = raw.trim();
            let (pattern, is_exception) = match rule.strip_prefix('!') {
                Some(pattern) => (pattern.trim(), true),
                None => (rule, false),
            };
            let pattern = clean(pattern);
            if pattern.is_empty() {
                continue;
            }
            if rules.len() == RULES_MAX {
                return Err(IgnoreError::TooMany);
            }
            let glob = glob(&pattern).map_err(|_| IgnoreError::Pattern {
                line,
                rule: rule.chars().take(80).collect(),
            })?;
            rules.push(Rule { glob, is_exception });
        }
        Ok(Self { rules })
    }

    /// Whether a path of the context is not copied. A rule that matches a directory holds for all
    /// in it.
    pub fn is_ignored(&self, path: &Path) -> bool {
        let matches = |rule: &Rule| {
            path.ancestors()
                .take_while(|part| !part.as_os_str().is_empty())
                .any(|part| rule.glob.is_match(part))
        };
        let last = self.rules.iter().rev().find(|rule| matches(rule));
        last.is_some_and(|rule| !rule.is_exception)
    }

    /// What a capture of a context does with a path.
    pub fn select(&self, path: &Path, kind: Kind) -> Selection {
        if !self.is_ignored(path) {
            return Selection::Take;
        }
        let has_exceptions = self.rules.iter().any(|rule| rule.is_exception);
        if kind == Kind::Directory && has_exceptions { Selection::Enter } else { Selection::Skip }
    }
}

/// Resolves `.`, `..` and doubled slashes, as Go's `filepath.Clean` does.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A pattern of Go's `filepath.Match` with `**` for any number of directories. Braces mean
/// themselves there.
pub(crate) fn glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let pattern = pattern.replace('{', "\\{").replace('}', "\\}");
    let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build()?;
    Ok(glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ignored(rules: &str, path: &str) -> bool {
        IgnoreRules::parse(rules).unwrap().is_ignored(Path::new(path))
    }

    #[test]
    fn the_last_matching_rule_counts() {
        for (rules, path, expected) in [
            ("node_modules", "node_modules/a/b.js", true),
            ("node_modules", "web/node_modules/a", false),
            ("**/node_modules", "web/node_modules/a", true),
            ("**/node_modules", "node_modules", true),
            ("*.md\n!README.md", "README.md", false),
            ("*.md\n!README.md", "OTHER.md", true),
            ("!README.md\n*.md", "README.md", true),
            ("*.md", "docs/a.md", false),
            ("/dist/", "dist/x", true),
            ("a/../dist", "dist", true),
            ("docs\n!docs/keep", "docs/keep/x", false),
            ("docs\n!docs/keep", "docs/drop/x", true),
            ("*\n!src", "src/main.rs", false),
            ("*\n!src", "Cargo.toml", true),
            ("temp?", "temp1", true),
            ("foo/**", "foo/a/b", true),
            ("# comment\n\n  x  ", "x", true),
            ("{a}", "{a}", true),
            (".", "a", false),
        ] {
            assert_eq!(ignored(rules, path), expected, "{rules:?} {path}");
        }
    }

    #[test]
    fn an_ignored_directory_is_entered_only_for_exceptions() {
        let plain = IgnoreRules::parse("docs").unwrap();
        assert_eq!(plain.select(Path::new("docs"), Kind::Directory), Selection::Skip);
        let with_exception = IgnoreRules::parse("docs\n!docs/keep").unwrap();
        assert_eq!(with_exception.select(Path::new("docs"), Kind::Directory), Selection::Enter);
        assert_eq!(with_exception.select(Path::new("docs/x"), Kind::File), Selection::Skip);
    }

    #[test]
    fn a_broken_pattern_names_its_line() {
        let error = IgnoreRules::parse("a\n[").unwrap_err();
        assert_eq!(error, IgnoreError::Pattern { line: 2, rule: "[".to_owned() });
    }

    proptest! {
        #[test]
        fn any_text_is_rules_or_an_error(text in "[a*?!/\\[\\]{}\\\\.\n-]{0,60}", path in "[a/.]{1,9}") {
            if let Ok(rules) = IgnoreRules::parse(&text) {
                rules.is_ignored(Path::new(&path));
            }
        }
    }
}
