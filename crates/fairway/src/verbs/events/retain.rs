//! `fairway events truncate` and `delete`: events that are wanted no more.

use super::{own::assert_writable, read::assert_readable};
use crate::{
    app::App,
    failure::{Exit, Failure},
    ledgers::{self, LedgerArgs},
    printer::Printer,
    words::counted,
};
use fairway_ledger::{Expected, Ledger, Retention, Standing, StreamName, StreamState, Version};

/// Remove events from the start of a stream
#[derive(clap::Args)]
pub struct TruncateArgs {
    /// The stream
    stream: StreamName,
    /// The first version that stays
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..))]
    before: u64,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Delete a stream
#[derive(clap::Args)]
pub struct DeleteArgs {
    /// The stream
    stream: StreamName,
    /// For ever: nothing can be appended to it any more
    #[arg(long)]
    tombstone: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Removes what comes before a version.
pub async fn truncate(
    args: &TruncateArgs,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let ledger = ledgers::open_to_read(app, place).await?;
    let stream = &args.stream;
    assert_writable(stream)?;
    assert_readable(&ledger, stream).await?;
    let state = state(&ledger, stream).await?;
    let gone = Version(args.before - 1).min(state.version);
    if gone <= state.truncated {
        printer.talk(&format!("`{stream}` has no events before version {}\n", args.before));
        return Ok(Exit::Done);
    }
    let (first, removed) = (state.truncated.0 + 1, counted(gone.0 - state.truncated.0, "event"));
    let intent =
        format!("this removes {removed} of `{stream}` for good: versions {first} to {gone}");
    if !args.yes && !printer.confirm("events truncate", &intent)? {
        printer.talk("nothing was removed\n");
        return Ok(Exit::Failed);
    }
    let done = ledger.retain(stream, Expected::Exists, Retention::Truncated(gone)).await;
    done.map_err(super::append::refused)?;
    printer.talk(&format!("`{stream}` begins with version {}\n", gone.0 + 1));
    Ok(Exit::Done)
}

/// Removes all events of a stream.
pub async fn delete(
    args: &DeleteArgs,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let ledger = ledgers::open_to_read(app, place).await?;
    let stream = &args.stream;
    assert_writable(stream)?;
    let state = state(&ledger, stream).await?;
    let retention = if args.tombstone { Retention::Tombstoned } else { Retention::Deleted };
    // A stream that is gone, or that never was, can be closed for ever still.
    if !args.tombstone || state.standing == Standing::Tombstoned {
        assert_readable(&ledger, stream).await?;
    }
    let count = counted(state.version.0 - state.truncated.0, "event");
    let until = if args.tombstone { "; nothing can be appended to it any more" } else { "" };
    let intent = format!("this deletes `{stream}` with {count} for good{until}");
    if !args.yes && !printer.confirm("events delete", &intent)? {
        printer.talk("nothing was deleted\n");
        return Ok(Exit::Failed);
    }
    let done = ledger.retain(stream, Expected::Any, retention).await;
    done.map_err(super::append::refused)?;
    printer.talk(&format!("`{stream}` is deleted\n"));
    Ok(Exit::Done)
}

async fn state(ledger: &Ledger, stream: &StreamName) -> Result<StreamState, Failure> {
    let state = ledger.stream(stream).await;
    state.map_err(|error| ledgers::failed(format!("look at `{stream}`"), error))
}
