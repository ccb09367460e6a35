//! What the end of a stage's container means.

use super::end::Stopped;
use crate::Cause;
use fairway_engine::{Exit, ExitStatus};
use fairway_model::config::Resources;

/// Names what ended the steps, unless they ended with 0.
pub(crate) fn of(exit: &Exit, step: Option<usize>, limits: &Resources) -> Result<(), Stopped> {
    match exit.status {
        ExitStatus::Lost => Err(Stopped::Lost),
        ExitStatus::Code(0) => Ok(()),
        _ if exit.memory_kills > 0 => Err(Cause::OutOfMemory { limit: limits.memory }.into()),
        _ if exit.process_refusals > 0 => Err(Cause::ProcessLimit { limit: limits.pids }.into()),
        ExitStatus::Code(code) => Err(Cause::Step { step, code }.into()),
        ExitStatus::Signal(signal) => Err(Cause::Signal { step, signal }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use fairway_model::{ByteSize, Timestamp};

    fn check(status: ExitStatus, memory_kills: u32, process_refusals: u32, expected: &Expect) {
        let exit = Exit { status, memory_kills, process_refusals, at: Timestamp(0) };
        let limits = Resources { memory: Some(ByteSize(64 << 20)), cpus: None, pids: Some(100) };
        let shown = match of(&exit, Some(1), &limits) {
            Ok(()) => "passed".to_owned(),
            Err(Stopped::Failed(cause)) => cause.to_string(),
            Err(_) => "lost".to_owned(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn what_ended_a_stage_is_named_as_what_it_was() {
        check(ExitStatus::Code(0), 0, 0, &expect!["passed"]);
        check(ExitStatus::Code(0), 3, 0, &expect!["passed"]);
        check(ExitStatus::Code(2), 0, 0, &expect!["step 2 exited with 2"]);
        check(
            ExitStatus::Code(137),
            1,
            0,
            &expect!["it needed more memory than its limit of 64Mi"],
        );
        check(
            ExitStatus::Signal(9),
            1,
            7,
            &expect!["it needed more memory than its limit of 64Mi"],
        );
        check(ExitStatus::Code(2), 0, 7, &expect!["it reached its limit of 100 processes"]);
        check(ExitStatus::Signal(11), 0, 0, &expect!["its shell was ended by signal 11"]);
        check(ExitStatus::Lost, 0, 0, &expect!["lost"]);
    }
}
