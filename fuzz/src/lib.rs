//! Fuzz targets: what anybody can send to the event store, in the forms in which it arrives.
//!
//! `cargo xtask fuzz http` has libFuzzer look for an input that panics, guided by the code that it
//! reaches. Without it, as in tests, a target runs the files that it is given:
//! `cargo run -p fairway-fuzz --bin http -- FILE..` replays what was found.

pub mod grpc;
pub mod http;
pub mod json;
mod served;

use std::{fs, path::Path, process::ExitCode};

/// The folder into which a target writes its seeds before libFuzzer begins.
const SEEDS: &str = "FAIRWAY_FUZZ_SEEDS";

/// A name, and an input that a target begins with.
pub type Seed = (&'static str, Vec<u8>);

/// Writes the seeds of a target into the folder that libFuzzer begins with.
#[expect(clippy::disallowed_methods, reason = "the arguments are libFuzzer's")]
pub fn plant(seeds: &[Seed]) {
    let Some(folder) = std::env::var_os(SEEDS) else { return };
    for (name, seed) in seeds {
        let file = Path::new(&folder).join(name);
        fs::write(&file, seed).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// Runs the files that are this program's arguments.
#[expect(clippy::print_stderr, reason = "it talks to whoever replays an input")]
pub fn replay(target: fn(&[u8])) -> ExitCode {
    for file in std::env::args_os().skip(1) {
        match fs::read(&file) {
            Ok(input) => target(&input),
            Err(error) => {
                eprintln!("{}: {error}", Path::new(&file).display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// The `main` of a target: libFuzzer's, or one that runs the files it is given.
#[macro_export]
macro_rules! target {
    ($target:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(
            init: $crate::plant(&$crate::$target::seeds()),
            |input: &[u8]| $crate::$target::run(input)
        );

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay($crate::$target::run)
        }
    };
}
