//! Runs cases one by one, with the command line of the usual test harness.

#![allow(clippy::print_stdout, reason = "this is what a test harness is for")]

use std::{pin::Pin, process::ExitCode, time::Instant};

/// A test.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub run: fn() -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Runs the cases whose names contain one of the words of the command line.
pub fn run(cases: &[Case]) -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted =
        |case: &&Case| words.is_empty() || words.iter().any(|word| case.name.contains(&**word));
    if std::env::args().any(|word| word == "--list") {
        for case in cases {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut failed = Vec::new();
    let mut count = 0;
    for case in cases.iter().filter(is_wanted) {
        let begin = Instant::now();
        let ended = runtime.block_on(async { tokio::spawn((case.run)()).await });
        let result = if ended.is_ok() { "ok" } else { "FAILED" };
        println!("test {} ... {result} ({:.2?})", case.name, begin.elapsed());
        count += 1;
        if ended.is_err() {
            failed.push(case.name);
        }
    }
    println!("\n{} passed; {} failed: {failed:?}", count - failed.len(), failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
