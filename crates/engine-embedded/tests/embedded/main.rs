//! The embedded engine on this machine: needs root and `/bin/busybox` (Debian's
//! `busybox-static`).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test without the usual harness")]

mod builds;
mod commands;
mod faults;
mod fixture;
mod hosts;
mod kills;
mod owner;
mod remains;
mod runner;

use fairway_engine::conformance::{HOST, SANDBOX};
use fixture::Fixture;
use runner::Test;
use std::{process::ExitCode, sync::Arc};

/// A test of this engine alone.
type Case = (&'static str, fn(Arc<Fixture>) -> futures_util::future::BoxFuture<'static, ()>);

/// A list of tests, each named for its function.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        pub const CASES: &[crate::Case] =
            &[$((stringify!($case), |fixture| Box::pin($case(fixture)))),+];
    };
}
use cases;

fn main() -> ExitCode {
    fairway_engine_embedded::become_helper_if_asked();
    if let Some(code) = owner::become_owner_if_asked() {
        return code;
    }
    let fixture = Arc::new(Fixture::new());
    let suite = SANDBOX.iter().copied().flatten().map(|case| {
        let (case, fixture) = (*case, Arc::clone(&fixture));
        Test { name: case.name, run: Box::new(move || (case.run)(fixture.subject(&case))) }
    });
    let hosts = HOST.iter().map(|case| {
        let fixture = Arc::clone(&fixture);
        let run = move || (case.run)(fixture.host_subject(case.name));
        Test { name: case.name, run: Box::new(run) }
    });
    let own = [builds::CASES, commands::CASES, faults::CASES, kills::CASES, hosts::CASES]
        .into_iter()
        .flatten()
        .map(|case| {
            let ((name, run), fixture) = (*case, Arc::clone(&fixture));
            Test { name, run: Box::new(move || run(fixture)) }
        });
    runner::run(suite.chain(hosts).chain(own).collect())
}
