//! Where this program turns into a helper.

use super::{exec, run};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The hidden subcommand.
pub(crate) const SUBCOMMAND: &str = "__container";
/// Its verb that starts and watches one container.
pub(crate) const RUN: &str = "run";
/// Its verb that runs a command in a running container.
pub(crate) const EXEC: &str = "exec";

/// The exit code of a helper that was not asked properly.
const USAGE: i32 = 2;

/// Turns this process into the helper of a container or of a network, if it was started as one; then it never
/// returns. To be called by `main` before anything else: before the command line is parsed, before
/// a thread is started.
pub fn become_helper_if_asked() {
    let mut args = std::env::args_os().skip(1);
    match args.next() {
        Some(first) if first == SUBCOMMAND => {}
        Some(first) if first == fairway_network::SUBCOMMAND => {
            let code = fairway_network::network_main(args);
            std::process::exit(i32::from(code != ExitCode::SUCCESS))
        }
        _ => return,
    }
    let verb = args.next().unwrap_or_default();
    let path: Option<PathBuf> = args.next().map(PathBuf::from);
    let code = path.map_or(USAGE, |path| serve(&verb, &path));
    std::process::exit(code)
}

fn serve(verb: &OsString, path: &Path) -> i32 {
    match verb.to_str() {
        Some(RUN) => run::run(path),
        Some(EXEC) => exec::exec(path),
        _ => USAGE,
    }
}
