//! `fairway read-models rebuild`, `accept`, `retry` and `skip`: what is asked of who drives.

use super::{
    CommonArgs,
    host::failed,
    named::NameArg,
    work::{Finished, Outcome, Work},
};
use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::Printer,
    words::counted,
};
use fairway_ledger::Position;
use fairway_model::ReadModelName;

/// Build a read model once more, beside the one that is read
#[derive(clap::Args)]
pub struct RebuildArgs {
    #[command(flatten)]
    of: NameArg,
}

/// Have a new build read that parked more events than the one before
#[derive(clap::Args)]
pub struct AcceptArgs {
    #[command(flatten)]
    of: NameArg,
}

/// Try parked events again
#[derive(clap::Args)]
pub struct RetryArgs {
    #[command(flatten)]
    of: NameArg,
    /// Only those with this key
    #[arg(long)]
    key: Option<String>,
}

/// Leave a parked event out, so that those behind it go on
#[derive(clap::Args)]
pub struct SkipArgs {
    #[command(flatten)]
    of: NameArg,
    /// The position of the event
    position: u64,
}

/// Builds anew.
pub async fn rebuild(
    args: &RebuildArgs,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    Work::with(common, app, async |work| {
        let asked = work.models.rebuild(&args.of.name).await;
        asked.map_err(|error| failed("rebuild the read model", error))?;
        finish(work, &args.of.name, printer).await
    })
    .await
}

/// Has a new build read as it is.
pub async fn accept(
    args: &AcceptArgs,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    Work::with(common, app, async |work| {
        let accepted = work.models.accept(&args.of.name).await;
        accepted.map_err(|error| failed("accept the new build", error))?;
        finish(work, &args.of.name, printer).await
    })
    .await
}

/// Tries again.
pub async fn retry(
    args: &RetryArgs,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    Work::with(common, app, async |work| {
        let asked = work.models.retry(&args.of.name, args.key.clone()).await;
        asked.map_err(|error| failed("retry parked events", error))?;
        finish(work, &args.of.name, printer).await
    })
    .await
}

/// Leaves out.
pub async fn skip(
    args: &SkipArgs,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    Work::with(common, app, async |work| {
        let asked = work.models.skip(&args.of.name, Position(args.position)).await;
        asked.map_err(|error| failed("skip the event", error))?;
        finish(work, &args.of.name, printer).await
    })
    .await
}

/// Waits until it is done, and says what is parked then, and why a new build is not read.
async fn finish(work: &Work, name: &ReadModelName, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    if work.finish(name, printer).await? == Finished::Done {
        let Outcome { parked, withheld } = work.outcome(name).await?;
        let parked = counted(parked, "parked event");
        printer.talk(&format!("read model `{name}` has {parked}\n"));
        if let Some(failure) = withheld {
            printer.talk(&failure.render());
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}
