//! What a command printed and how it ended, in a form that does not change from day to day.

use std::{fmt, process::Output};

/// How a command ended.
pub struct Outcome {
    /// The exit code; 128 and the signal's number if a signal ended it.
    pub code: i32,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl Outcome {
    /// What a process left.
    pub fn of(output: &Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status;
        Self {
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test if the command failed.
    #[track_caller]
    pub fn passed(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// The value that was printed as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Leaves out which instructions a build of images came to.
    pub fn terse(mut self) -> Self {
        let is_build = |line: &&str| line.contains(" | [") || line.contains(" | base `");
        let lines = self.stderr.split_inclusive('\n').filter(|line| !is_build(line));
        self.stderr = lines.collect();
        self
    }

    /// Sorts the lines besides: those of stages that run side by side come in any order.
    pub fn settled(mut self) -> Self {
        self = self.terse();
        let mut lines: Vec<&str> = self.stderr.split_inclusive('\n').collect();
        lines.sort_unstable();
        self.stderr = lines.concat();
        self
    }
}

/// Columns are as wide as what is redacted in them.
fn without_alignment(text: &str) -> String {
    let cells = |line: &str| {
        let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        cells.collect::<Vec<_>>().join("  ") + "\n"
    };
    text.lines().map(cells).collect()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "exit {}", self.code)?;
        let stdout = without_alignment(&self.stdout);
        for (name, text) in [("stdout", &stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "--- {name}\n{text}")?;
            }
        }
        Ok(())
    }
}

/// What differs from one run of a test to the next, and what is shown for it.
pub const REDACTIONS: &[(&str, &str)] = &[
    (r"/var/tmp/fairway-cli-[A-Za-z0-9]+", "[DIR]"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[ID]"),
    (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
    (r"\b[0-9a-f]{40}\b", "[COMMIT]"),
    (r"\b[0-9a-f]{12}\b", "[DIGEST]"),
    (r"\b[0-9a-f]{10}\b", "[COMMIT]"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[MOMENT]"),
    (r"\b\d+(\.\d+)? (ms|s|min)\b", "[TIME]"),
    (r#""(milliseconds|duration)":[0-9.]+"#, r#""$1":"[TIME]""#),
    (r"-[0-9a-f]{6}\.\d+-\d+`", "-[SET]`"),
    (r"-[0-9a-f]{6}\.\d+-\d+:", "-[SET]:"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
];

/// Compares an outcome with what is written here.
macro_rules! assert_outcome {
    ($outcome:expr, @$expected:literal) => {
        let outcome = $outcome.to_string();
        insta::with_settings!({ filters => crate::outcome::REDACTIONS.to_vec() }, {
            insta::assert_snapshot!(outcome, @$expected);
        });
    };
}
pub(crate) use assert_outcome;
