//! Where this program turns into a helper.

use super::run;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The hidden subcommand.
pub(crate) const SUBCOMMAND: &str = "__container";
/// Its verb that starts and watches one container.
pub(crate) const RUN: &str = "run";

/// The exit code of a helper that was not asked properly.
const USAGE: i32 = 2;

/// Turns this process into the helper of a container, if it was started as one; then it never
/// returns. To be called by `main` before anything else: before the command line is parsed, before
/// a thread is started.
pub fn become_helper_if_asked() {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_none_or(|first| first != SUBCOMMAND) {
        return;
    }
    let verb = args.next().unwrap_or_default();
    let path: Option<PathBuf> = args.next().map(PathBuf::from);
    let code = path.map_or(USAGE, |path| serve(&verb, &path));
    std::process::exit(code)
}

fn serve(verb: &OsString, path: &Path) -> i32 {
    if verb == RUN { run::run(path) } else { USAGE }
}
