//! Runs tests one by one, like the usual test harness, which cannot be used here: it starts threads
//! before `main` can turn into a helper.

use futures_util::future::BoxFuture;
use std::{process::ExitCode, time::Instant};

/// A test: a sentence about behaviour, and what shows it by not panicking.
pub struct Test {
    pub name: &'static str,
    pub run: Box<dyn FnOnce() -> BoxFuture<'static, ()>>,
}

/// Runs the tests whose names contain one of the words of the command line.
pub fn run(tests: Vec<Test>) -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted =
        |test: &Test| words.is_empty() || words.iter().any(|word| test.name.contains(&**word));
    if std::env::args().any(|word| word == "--list") {
        for test in tests {
            println!("{}: test", test.name);
        }
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut failed = Vec::new();
    let mut count = 0;
    for test in tests.into_iter().filter(is_wanted) {
        let begin = Instant::now();
        let ended = runtime.block_on(async { tokio::spawn((test.run)()).await });
        let result = if ended.is_ok() { "ok" } else { "FAILED" };
        println!("test {} ... {result} ({:.2?})", test.name, begin.elapsed());
        count += 1;
        if ended.is_err() {
            failed.push(test.name);
        }
    }
    println!("\n{} passed; {} failed: {failed:?}", count - failed.len(), failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
