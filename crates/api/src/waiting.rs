//! Waiting until the ledger is as far as a client knows it was: reading one's own writes.

use crate::{
    api::Shared,
    params::Params,
    problem::{Problem, ProblemKind},
};
use fairway_ledger::{Ledger, LedgerError, Position};
use std::time::Duration;
use tokio::time::timeout;

/// How long is waited, unless the client says.
const WAIT: Duration = Duration::from_secs(2);
/// Longest time that a client may want to wait.
pub const WAIT_MAX: Duration = Duration::from_mins(1);

/// Waits until the ledger has the position that `at_least` names, at most for `wait`.
pub(crate) async fn wait(api: &Shared, params: &mut Params) -> Result<(), Problem> {
    let Some((at_least, wait)) = wanted(params)? else { return Ok(()) };
    if let Ok(reached) = timeout(wait, reach(&api.ledger, at_least)).await {
        return Ok(reached?);
    }
    let head = api.ledger.head().await?;
    let detail = format!("position {at_least} is wanted, {head} is there");
    Err(Problem::new(ProblemKind::Behind, detail))
}

/// The position that a client wants, and how long it waits for it.
pub(crate) fn wanted(params: &mut Params) -> Result<Option<(Position, Duration)>, Problem> {
    let (at_least, wait) = (params.number("at_least")?, params.duration("wait")?);
    let wait = wait.unwrap_or(WAIT).min(WAIT_MAX);
    Ok(at_least.map(|at_least| (Position(at_least), wait)))
}

async fn reach(ledger: &Ledger, position: Position) -> Result<(), LedgerError> {
    if ledger.head().await? >= position {
        return Ok(());
    }
    let mut watch = ledger.store().watch()?;
    loop {
        watch.changed().await?;
        if ledger.head().await? >= position {
            return Ok(());
        }
    }
}
