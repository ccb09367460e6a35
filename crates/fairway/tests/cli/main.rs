//! The command line, run as a user runs it: the built program, a fleet in a git repository, real
//! containers. Needs root and `/bin/busybox` (Debian's `busybox-static`).

#![allow(clippy::unwrap_used, reason = "a failed expectation fails the test")]

mod check;
mod completions;
mod console;
mod fleet;
mod help;
mod keeper_kills;
mod outcome;
mod pages;
mod pair;
mod reference;
mod remains;
mod rolling;
mod secret;
mod seed;
mod world;
