//! The helper of networks as a program of its own, for the tests of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    fairway_network::network_main(std::env::args_os().skip(2))
}
