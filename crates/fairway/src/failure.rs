//! How a verb fails: one error with its causes and hints, and the exit code it maps to.

use fairway_ledger::{Cause, LedgerError};
use fairway_subjects::SubjectError;
use rustix::process::geteuid;
use std::{error::Error, fmt::Write as _, io, iter::successors};

/// Why a verb did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    kind: FailureKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hints: Vec<String>,
}

/// Which exit code a failure maps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// What was asked for failed: 1.
    Failed,
    /// Wrong usage or configuration: 2.
    Usage,
    /// An engine or server could not be reached: 3.
    Unreachable,
}

/// How a verb that ran to its end ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done: 0.
    Done,
    /// What was asked for failed, and was reported: 1.
    Failed,
    /// Configuration errors were reported: 2.
    Misconfigured,
    /// The code of a command that was run for the user.
    Command(u8),
}

impl Exit {
    /// The exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Misconfigured => 2,
            Self::Command(code) => code,
        }
    }
}

impl Failure {
    /// What was asked for failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Failed, message: message.into(), source: None, hints: Vec::new() }
    }

    /// Wrong usage or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Usage, ..Self::failed(message) }
    }

    /// An engine or server could not be reached.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Unreachable, ..Self::failed(message) }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = source.into();
        let is_refusal = is_refusal(&*source);
        if is_of_other_keys(&*source) {
            self = self.hint("name the place of the ledger's keys with `--subjects`");
            self = self.hint("if they are lost: `fairway events adopt-keys`");
        }
        self.source = Some(source);
        if is_refusal && !geteuid().is_root() {
            self.kind = FailureKind::Unreachable;
            return self.hint("run it as a user who may do that, with `sudo` if that is root");
        }
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code of the process.
    pub fn code(&self) -> u8 {
        match self.kind {
            FailureKind::Failed => 1,
            FailureKind::Usage => 2,
            FailureKind::Unreachable => 3,
        }
    }

    /// The error, its causes and its hints, a line each.
    pub fn render(&self) -> String {
        let mut text = format!("error: {}\n", self.message);
        let mut cause: Option<&dyn Error> = self.source.as_ref().map(|source| &**source as _);
        while let Some(error) = cause {
            writeln!(text, "  caused by: {error}").expect("writing to a string succeeds");
            cause = error.source();
        }
        for hint in &self.hints {
            writeln!(text, "  hint: {hint}").expect("writing to a string succeeds");
        }
        text
    }
}

/// Whether the system refused something that root may do.
fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
            || matches!(error.downcast_ref(), Some(LedgerError::NotWritable { .. }))
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether what is personal in a ledger is sealed with other keys than those that are here.
fn is_of_other_keys(error: &(dyn Error + 'static)) -> bool {
    let mut causes = successors(Some(error), |&error| error.source());
    causes.any(|error| {
        let shared = error.downcast_ref::<Cause>().and_then(|cause| cause.downcast_ref());
        let found = error.downcast_ref().or(shared);
        matches!(found, Some(SubjectError::OtherKeys))
    })
}

/// Says what was being done when something failed.
pub trait Doing<T> {
    /// Turns an error into a failure of what was being done.
    fn doing(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Doing<T> for Result<T, E> {
    fn doing(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| Failure::failed(format!("could not {}", what.into())).because(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_its_causes_and_hints() {
        let failure = Failure::failed("could not deploy `cart` to `staging`")
            .because("image `cart@sha256:9f2c` is not here")
            .hint("build it first with `fairway build cart`");
        expect_test::expect![[r"
            error: could not deploy `cart` to `staging`
              caused by: image `cart@sha256:9f2c` is not here
              hint: build it first with `fairway build cart`
        "]]
        .assert_eq(&failure.render());
        assert_eq!(failure.code(), 1);
    }
}
