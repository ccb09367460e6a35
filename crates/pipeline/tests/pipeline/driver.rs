//! A driver of runs in a process of its own, to be killed.

use crate::fixture::World;
use fairway_pipeline::{RunOutcome, Selection};
use std::{
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

const SUBCOMMAND: &str = "drive-one-run";

/// Runs the service `app` of a data directory if this process was started for that.
pub fn become_driver_if_asked() -> Option<ExitCode> {
    let mut args = std::env::args().skip(1);
    if args.next()? != SUBCOMMAND {
        return None;
    }
    let dir = args.next().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let world = World::open(Path::new(&dir));
        world.run_with(world.request("app", Selection::All)).await.0
    });
    let has_passed = report.outcome == RunOutcome::Passed;
    Some(if has_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts such a process.
pub fn start(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg(SUBCOMMAND)
        .arg(dir)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}
