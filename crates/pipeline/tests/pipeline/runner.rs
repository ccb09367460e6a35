//! Runs cases one by one, like the usual test harness, which cannot be used here: it starts threads
//! before `main` can turn into a helper.

use std::{
    panic,
    pin::Pin,
    process::ExitCode,
    time::{Duration, Instant},
};

/// The longest time a case may take.
const LIMIT: Duration = Duration::from_secs(90);

/// A case of its own.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub run: fn() -> Pin<Box<dyn Future<Output = ()>>>,
}

/// Names async functions as cases.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub const CASES: &[$crate::runner::Case] = &[$(
            $crate::runner::Case { name: stringify!($name), run: || Box::pin($name()) }
        ),*];
    };
}
pub(crate) use cases;

/// Runs the cases whose names contain one of the words of the command line.
pub fn run(cases: &[Case]) -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if std::env::args().any(|word| word == "--list") {
        for case in cases {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    let mut failed = Vec::new();
    let mut count = 0;
    for case in cases {
        if !words.is_empty() && !words.iter().any(|word| case.name.contains(&**word)) {
            continue;
        }
        let begin = Instant::now();
        let ended = panic::catch_unwind(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let limited = async { tokio::time::timeout(LIMIT, (case.run)()).await };
            runtime.unwrap().block_on(limited).expect("the case ends in time");
        });
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
