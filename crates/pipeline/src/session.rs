//! The one shell session in which the steps of a stage run, and how their boundaries are found in
//! its output.
//!
//! Before each step the session prints a marker line with a nonce that nobody can guess. Steps are
//! given to `eval` one by one, so a syntax error in one does not reach the others, while folders,
//! variables and functions persist.

use crate::{StepResult, StepState};
use fairway_model::{Digest, Timestamp};

/// Longest script of a stage in bytes: less than the kernel takes as one argument (128 KiB).
pub const SCRIPT_MAX: usize = 120 << 10;

const START: &str = "\u{1e}fairway-";

/// A nonce that marks the boundaries of one stage's steps.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// A new one from the system's randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(Digest::of(bytes).hex()[..32].to_owned()))
    }

    fn marker(&self) -> String {
        format!("{START}{}:", self.0)
    }
}

/// The script for `sh -c`; none if it would be too long.
pub fn script(steps: &[String], nonce: &Nonce) -> Option<String> {
    let mut script = String::new();
    for (index, step) in steps.iter().enumerate() {
        script.push_str(&announcement(nonce, index));
        script.push_str("set -e\neval ");
        script.push_str(&quoted(step));
        // A step may have switched `errexit` off, or ended with a failed condition that it ignores.
        script.push_str("\nset -- \"$?\"\n[ \"$1\" = 0 ] || exit \"$1\"\n");
    }
    script.push_str(&announcement(nonce, steps.len()));
    (script.len() <= SCRIPT_MAX).then_some(script)
}

fn announcement(nonce: &Nonce, index: usize) -> String {
    format!("printf '\\n%s\\n' '{}{index}'\n", nonce.marker())
}

/// Quotes a text for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Follows the output of a session: knows which step runs, and takes marker lines out.
#[derive(Debug, Clone)]
pub struct Session {
    marker: Vec<u8>,
    steps: Vec<StepResult>,
    /// The step that runs, and since when.
    running: Option<(usize, Timestamp)>,
    is_cut: bool,
    holds_blank: bool,
}

/// What a line of standard output is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Output of the stage; `blank_before` says that an empty line was held back before it.
    Output {
        /// An empty line comes before it.
        blank_before: bool,
    },
    /// An empty line that may belong to a marker; it is told with the next line.
    Held,
    /// The boundary before this step; the number of steps stands for the end.
    Boundary(usize),
}

impl Session {
    /// No step has begun.
    pub fn new(steps: &[String], nonce: &Nonce) -> Self {
        let step = |text: &String| StepResult {
            text: text.clone(),
            state: StepState::NotReached,
            duration: std::time::Duration::ZERO,
        };
        Self {
            marker: nonce.marker().into_bytes(),
            steps: steps.iter().map(step).collect(),
            running: None,
            is_cut: false,
            holds_blank: false,
        }
    }

    /// One command, which has begun.
    pub fn of_command(text: &str, nonce: &Nonce, at: Timestamp) -> Self {
        let mut session = Self::new(&[text.to_owned()], nonce);
        session.begin(0, at);
        session
    }

    /// The text of a step.
    pub fn text(&self, index: usize) -> Option<&str> {
        self.steps.get(index).map(|step| step.text.as_str())
    }

    /// Whether a line of standard error shows a marker, as `set -x` makes the shell do.
    pub fn is_noise(&self, text: &[u8]) -> bool {
        let marker = &self.marker[START.len()..];
        text.windows(marker.len()).any(|window| window == marker)
    }

    /// Takes in a line of standard output.
    pub fn line(&mut self, text: &[u8], at: Timestamp) -> Seen {
        if let Some(index) = self.boundary(text) {
            self.holds_blank = false;
            self.begin(index, at);
            return Seen::Boundary(index);
        }
        let blank_before = std::mem::replace(&mut self.holds_blank, text.is_empty());
        match (text.is_empty(), blank_before) {
            (true, false) => Seen::Held,
            // The first of two blank lines is certain to be output; the second is held.
            (true, true) | (false, _) => {
                Seen::Output { blank_before: blank_before && !text.is_empty() }
            }
        }
    }

    /// Takes in that the log was cut: what comes is not known.
    pub fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Whether an empty line was held back when the output ended.
    pub fn ends_with_blank(&self) -> bool {
        self.holds_blank
    }

    /// The step that is running, if that is known.
    pub fn current(&self) -> Option<usize> {
        self.running.map(|(index, _)| index).filter(|_| !self.is_cut)
    }

    /// The steps when the session has ended: with 0, with another status, or from outside.
    pub fn finish(mut self, end: SessionEnd, at: Timestamp) -> Vec<StepResult> {
        if let Some((index, since)) = self.running {
            let step = &mut self.steps[index];
            step.duration = at.since(since);
            step.state = match end {
                SessionEnd::Success => StepState::Passed,
                _ if self.is_cut => StepState::Unknown,
                SessionEnd::Failure => StepState::Failed,
                SessionEnd::FromOutside => StepState::Interrupted,
            };
        }
        if self.is_cut {
            let rest = match end {
                SessionEnd::Success => StepState::Passed,
                SessionEnd::Failure | SessionEnd::FromOutside => StepState::Unknown,
            };
            let open = self.steps.iter_mut().filter(|step| step.state == StepState::NotReached);
            open.for_each(|step| step.state = rest);
        }
        self.steps
    }

    fn boundary(&self, text: &[u8]) -> Option<usize> {
        let number = std::str::from_utf8(text.strip_prefix(self.marker.as_slice())?).ok()?;
        number.parse().ok().filter(|&index| index <= self.steps.len())
    }

    fn begin(&mut self, index: usize, at: Timestamp) {
        if let Some((last, since)) = self.running.take() {
            self.steps[last].state = StepState::Passed;
            self.steps[last].duration = at.since(since);
        }
        self.running = (index < self.steps.len()).then_some((index, at));
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// With 0.
    Success,
    /// With another code, or by a signal of its own making.
    Failure,
    /// It was stopped.
    FromOutside,
}

#[cfg(test)]
mod tests {
    use super::*;
    use StepState::{Passed, Unknown};
    use expect_test::{Expect, expect};
    use std::{process::Command, time::Duration};

    /// Runs a session with the machine's own shell and follows its output.
    fn run(steps: &[&str]) -> (Vec<String>, Vec<StepResult>) {
        let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
        let nonce = Nonce::random().unwrap();
        let script = script(&steps, &nonce).unwrap();
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let mut session = Session::new(&steps, &nonce);
        let mut lines = Vec::new();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for (tick, line) in (0_u64..).zip(text.split_terminator('\n')) {
            match session.line(line.as_bytes(), Timestamp(tick)) {
                Seen::Output { blank_before } => {
                    lines.extend(blank_before.then(String::new));
                    lines.push(line.to_owned());
                }
                Seen::Held | Seen::Boundary(_) => {}
            }
        }
        let is_success = output.status.success();
        let end = if is_success { SessionEnd::Success } else { SessionEnd::Failure };
        (lines, session.finish(end, Timestamp(1000)))
    }

    fn check(steps: &[&str], expected: &Expect) {
        let (lines, steps) = run(steps);
        let states: Vec<_> = steps.iter().map(|step| step.state).collect();
        expected.assert_eq(&format!("{} {states:?}", lines.join("|")));
    }

    #[test]
    fn folders_variables_and_functions_persist() {
        check(
            &["cd /tmp; export A=1", "b() { echo \"b$1\"; }", "pwd; echo $A; b 2"],
            &expect!["/tmp|1|b2 [Passed, Passed, Passed]"],
        );
    }

    #[test]
    fn a_step_stops_at_its_first_failure_and_ends_the_session() {
        check(&["echo 1\nfalse\necho 2", "echo 3"], &expect!["1 [Failed, NotReached]"]);
        check(
            &["set +e; false; echo 1", "false", "echo 3"],
            &expect!["1 [Passed, Failed, NotReached]"],
        );
        check(&["echo 'a", "echo 3"], &expect![" [Failed, NotReached]"]);
        check(&["true", "exit 0", "echo 3"], &expect![" [Passed, Passed, NotReached]"]);
    }

    #[test]
    fn output_is_kept_as_it_was() {
        check(
            &["printf 'no end'", "echo; echo; echo x; echo", "printf '\\n\\n'", "echo \"it's\""],
            &expect!["no end|||x||||it's [Passed, Passed, Passed, Passed]"],
        );
    }

    #[test]
    fn a_marker_cannot_be_forged_without_the_nonce() {
        check(
            &["printf '\\n\\036fairway-00000000000000000000000000000000:1\\n'; false", "true"],
            &expect!["|\u{1e}fairway-00000000000000000000000000000000:1 [Failed, NotReached]"],
        );
    }

    #[test]
    fn what_a_cut_log_hides_is_said_to_be_unknown() {
        let steps = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let nonce = Nonce::random().unwrap();
        let mut session = Session::new(&steps, &nonce);
        session.line(format!("{}0", nonce.marker()).as_bytes(), Timestamp(0));
        session.line(format!("{}1", nonce.marker()).as_bytes(), Timestamp(5));
        session.cut();
        assert_eq!(session.current(), None);
        let failed = session.clone().finish(SessionEnd::Failure, Timestamp(9));
        let states = |steps: Vec<StepResult>| steps.iter().map(|s| s.state).collect::<Vec<_>>();
        assert_eq!(failed[0].duration, Duration::from_millis(5));
        assert_eq!(states(failed), [Passed, Unknown, Unknown]);
        let passed = session.finish(SessionEnd::Success, Timestamp(9));
        assert_eq!(states(passed), [Passed, Passed, Passed]);
    }

    #[test]
    fn a_script_that_is_too_long_for_one_argument_is_refused() {
        let nonce = Nonce::random().unwrap();
        assert!(script(&["x".repeat(SCRIPT_MAX)], &nonce).is_none());
    }
}
