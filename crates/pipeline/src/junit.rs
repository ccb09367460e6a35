//! Reads JUnit reports, as far as evidence needs them: how many tests there were and which failed.
//!
//! A report comes from whatever a stage ran, so nothing in it is trusted: its size and depth are
//! limited, and entities of its own are not expanded.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// Largest report in bytes that is read.
pub const REPORT_MAX: u64 = 32 << 20;
/// Most failing tests whose names are kept.
pub const FAILING_MAX: usize = 100;
/// Deepest nesting of elements that is read.
pub const DEPTH_MAX: usize = 64;
/// Longest name of a test in characters that is kept.
const NAME_CHARACTERS_MAX: usize = 300;
/// Longest time of one test that is believed.
const TIME_MAX: f64 = 1e7;

/// What the reports of a stage say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JUnitSummary {
    /// Tests that are listed.
    pub tests: u64,
    /// Tests among them whose expectations were not met.
    pub failures: u64,
    /// Tests among them that broke.
    pub errors: u64,
    /// Tests among them that were skipped.
    pub skipped: u64,
    /// The time of all of them together.
    #[serde(rename = "time_ms", with = "crate::millis")]
    pub time: Duration,
    /// The first names of those that failed or broke.
    pub failing: Vec<String>,
}

impl JUnitSummary {
    /// Adds what another report says.
    pub fn add(&mut self, other: JUnitSummary) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.time += other.time;
        self.failing.extend(other.failing);
        self.failing.truncate(FAILING_MAX);
    }
}

/// Why a file is not a JUnit report.
#[derive(Debug, thiserror::Error)]
pub enum JUnitError {
    /// More bytes than [`REPORT_MAX`].
    #[error("has more than {REPORT_MAX} bytes")]
    TooLarge,
    /// Elements nested too deep.
    #[error("nests elements deeper than {DEPTH_MAX}")]
    TooDeep,
    /// Not well-formed.
    #[error("is not well-formed XML: {0}")]
    Xml(String),
    /// The root is another element than `testsuites` or `testsuite`.
    #[error("is not a JUnit report: its root is neither `testsuites` nor `testsuite`")]
    Root,
}

/// Reads one report.
pub fn parse_junit(bytes: &[u8]) -> Result<JUnitSummary, JUnitError> {
    if bytes.len() as u64 > REPORT_MAX {
        return Err(JUnitError::TooLarge);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut report = Report::default();
    loop {
        match reader.read_event().map_err(|error| JUnitError::Xml(error.to_string()))? {
            Event::Start(element) => report.open(&element)?,
            Event::End(_) => report.close(),
            Event::Eof => return report.finish(),
            _ => {}
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Report {
    depth: usize,
    has_root: bool,
    test: Option<Test>,
    summary: JUnitSummary,
}

/// The test whose element is open.
struct Test {
    name: String,
    depth: usize,
    verdict: Option<Verdict>,
}

#[derive(Clone, Copy)]
enum Verdict {
    Failure,
    Error,
    Skipped,
}

impl Report {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), JUnitError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(JUnitError::TooDeep);
        }
        let name = element.local_name();
        if self.depth == 1 {
            self.has_root = matches!(name.as_ref(), "testsuites" | "testsuite");
            return if self.has_root { Ok(()) } else { Err(JUnitError::Root) };
        }
        match (name.as_ref(), &mut self.test) {
            ("testcase", None) => self.open_test(element),
            ("failure", Some(test)) => test.mark(self.depth, Verdict::Failure),
            ("error", Some(test)) => test.mark(self.depth, Verdict::Error),
            ("skipped", Some(test)) => test.mark(self.depth, Verdict::Skipped),
            _ => {}
        }
        Ok(())
    }

    fn open_test(&mut self, element: &BytesStart<'_>) {
        let name = match (attribute(element, "classname"), attribute(element, "name")) {
            (Some(class), Some(name)) if !class.is_empty() => format!("{class}: {name}"),
            (_, Some(name)) => name,
            (class, None) => class.unwrap_or_default(),
        };
        let time = attribute(element, "time").and_then(|text| seconds(&text));
        self.summary.time += time.unwrap_or_default();
        let name = name.chars().take(NAME_CHARACTERS_MAX).collect();
        self.test = Some(Test { name, depth: self.depth, verdict: None });
    }

    fn close(&mut self) {
        if let Some(test) = self.test.take_if(|test| test.depth == self.depth) {
            self.summary.count(test);
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn finish(self) -> Result<JUnitSummary, JUnitError> {
        if self.depth > 0 {
            return Err(JUnitError::Xml("it ends inside an element".to_owned()));
        }
        if self.has_root { Ok(self.summary) } else { Err(JUnitError::Root) }
    }
}

impl Test {
    /// Takes a verdict that stands right in the test's element; the first one counts.
    fn mark(&mut self, depth: usize, verdict: Verdict) {
        if depth == self.depth + 1 {
            self.verdict.get_or_insert(verdict);
        }
    }
}

impl JUnitSummary {
    fn count(&mut self, test: Test) {
        self.tests += 1;
        match test.verdict {
            None => return,
            Some(Verdict::Skipped) => {
                self.skipped += 1;
                return;
            }
            Some(Verdict::Failure) => self.failures += 1,
            Some(Verdict::Error) => self.errors += 1,
        }
        if self.failing.len() < FAILING_MAX {
            self.failing.push(test.name);
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok().flatten()?;
    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
    Some(value.map_or_else(|_| attribute.value.to_string(), Cow::into_owned))
}

/// Reads seconds, as in `1,234.5`.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().replace(',', "").parse().ok()?;
    (0.0..=TIME_MAX).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn check(xml: &str, expected: &Expect) {
        let shown = match parse_junit(xml.as_bytes()) {
            Ok(found) => format!(
                "{} tests, {} failures, {} errors, {} skipped, {:?}, {:?}",
                found.tests, found.failures, found.errors, found.skipped, found.time, found.failing
            ),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn reports_of_common_tools_are_understood() {
        check(
            r#"<?xml version="1.0"?><testsuites><testsuite name="s" tests="9">
               <testcase classname="a.B" name="works" time="0.25"/>
               <testcase classname="a.B" name="is &lt;odd&gt;" time="1,000.5"><failure>x</failure></testcase>
               <testcase name="breaks"><error/><failure/></testcase>
               <testcase name="later"><skipped/></testcase>
               <system-out><![CDATA[<failure>]]></system-out></testsuite></testsuites>"#,
            &expect![[
                r#"4 tests, 1 failures, 1 errors, 1 skipped, 1000.75s, ["a.B: is <odd>", "breaks"]"#
            ]],
        );
        check(
            "<testsuite><testsuite><testcase name='nested'/></testsuite></testsuite>",
            &expect!["1 tests, 0 failures, 0 errors, 0 skipped, 0ns, []"],
        );
        check("<testsuites/>", &expect!["0 tests, 0 failures, 0 errors, 0 skipped, 0ns, []"]);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        check(
            "<html/>",
            &expect!["is not a JUnit report: its root is neither `testsuites` nor `testsuite`"],
        );
        check(
            "",
            &expect!["is not a JUnit report: its root is neither `testsuites` nor `testsuite`"],
        );
        check("<testsuite>", &expect!["is not well-formed XML: it ends inside an element"]);
        let deep = format!("<testsuite>{}", "<a>".repeat(100));
        check(&deep, &expect!["nests elements deeper than 64"]);
    }

    #[test]
    fn entities_of_a_report_are_not_expanded() {
        let bomb = r#"<!DOCTYPE t [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
            <testsuite><testcase name="&b;"><failure>&b;</failure></testcase></testsuite>"#;
        let found = parse_junit(bomb.as_bytes()).unwrap();
        assert_eq!(found.failing, ["&b;"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            drop(parse_junit(&bytes));
        }

        #[test]
        fn counts_are_right_for_any_mix(verdicts in proptest::collection::vec(0_u8..4, 0..200)) {
            let case = |verdict: &u8| match verdict {
                0 => "<testcase name='t'/>".to_owned(),
                1 => "<testcase name='t'><failure/></testcase>".to_owned(),
                2 => "<testcase name='t'><error>e</error></testcase>".to_owned(),
                _ => "<testcase name='t'><skipped/></testcase>".to_owned(),
            };
            let cases: String = verdicts.iter().map(case).collect();
            let found = parse_junit(format!("<testsuite>{cases}</testsuite>").as_bytes()).unwrap();
            let count = |wanted| verdicts.iter().map(|&verdict| u64::from(verdict == wanted)).sum::<u64>();
            prop_assert_eq!(found.tests, verdicts.len() as u64);
            prop_assert_eq!(
                (found.failures, found.errors, found.skipped),
                (count(1), count(2), count(3))
            );
        }
    }
}
