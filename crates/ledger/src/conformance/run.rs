//! Runs cases.

use super::{CASES, Place};
use std::pin::Pin;
use tokio::task::JoinSet;

/// One case: a sentence about behaviour, and how it is shown.
#[derive(Clone, Copy)]
pub struct Case {
    /// The sentence, with `_` for spaces.
    pub name: &'static str,
    /// Shows it; panics if it is not so.
    pub run: fn(Box<dyn Place>) -> Showing,
}

/// A case that is being shown.
pub type Showing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Which cases are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cases {
    /// All.
    All,
    /// Those with this in their name.
    With(&'static str),
}

/// How many cases run at once.
const AT_ONCE: usize = 4;

/// Runs cases, each at a place of its own, and panics with the names of those that failed.
pub async fn run(cases: Cases, make: impl Fn() -> Box<dyn Place>) {
    let is_asked = |case: &&Case| match cases {
        Cases::All => true,
        Cases::With(part) => case.name.contains(part),
    };
    let mut waiting = CASES.iter().copied().flatten().filter(is_asked);
    let (mut running, mut failed, mut done) = (JoinSet::new(), Vec::new(), 0);
    loop {
        while running.len() < AT_ONCE
            && let Some(case) = waiting.next()
        {
            let place = make();
            running.spawn(async move {
                let is_shown = tokio::spawn((case.run)(place)).await.is_ok();
                (case.name, is_shown)
            });
        }
        let Some(ended) = running.join_next().await else { break };
        let (name, is_shown) = ended.expect("the panic of a case is caught");
        done += 1;
        if !is_shown {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{} of {done} cases failed: {}", failed.len(), failed.join(", "));
    assert!(done > 0, "there are such cases");
}
