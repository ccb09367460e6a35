//! `fairway events import`: the events of a file, in its order. What is there already is left as it
//! is, so that an import can be tried again.

use super::{
    batches::{Batch, Entry},
    bounded_lines::BoundedLines,
    line,
    own::assert_writable,
};
use crate::{
    app::App,
    failure::{Exit, Failure},
    ledgers::{self, LedgerArgs},
    printer::{Format, LiveLine, Printer},
    words::counted,
};
use fairway_ledger::{AppendError, Ledger};
use futures_util::future::join_all;
use serde_json::json;
use std::path::PathBuf;
use tokio::task::coop::unconstrained;

/// Append events from a file that was exported
#[derive(clap::Args)]
pub struct Args {
    /// The file, one JSON object per line; `-` is standard input
    file: PathBuf,
    /// Count versions anew, for streams of which the start is missing or that have other events
    #[arg(long)]
    renumber: bool,
}

/// How far an import came.
#[derive(Default)]
struct Count {
    imported: u64,
    present: u64,
}

/// Appends batch by batch. Nothing of what comes after a line with an error is appended.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut lines = BoundedLines::open(app, &args.file)?;
    let ledger = ledgers::open(app, place).await?;
    let live = printer.live_line();
    let mut count = Count::default();
    let outcome = import(args, &ledger, &mut lines, (&mut count, live.as_ref())).await;
    drop(live);
    let Count { imported, present } = count;
    match printer.format {
        Format::Json => printer.json(&json!({ "imported": imported, "present": present })),
        Format::Text if present > 0 => {
            let were = if present == 1 { "was" } else { "were" };
            let imported = counted(imported, "event");
            printer.talk(&format!("{imported} imported, {present} {were} there already\n"));
        }
        Format::Text => printer.talk(&format!("{} imported\n", counted(imported, "event"))),
    }
    outcome.map(|()| Exit::Done)
}

async fn import(
    args: &Args,
    ledger: &Ledger,
    lines: &mut BoundedLines,
    (count, live): (&mut Count, Option<&LiveLine>),
) -> Result<(), Failure> {
    loop {
        let (batch, end) = next_batch(args, lines);
        let is_last = batch.is_empty();
        append(ledger, batch, lines, count).await?;
        end?;
        if is_last {
            return Ok(());
        }
        if let Some(live) = live {
            live.show(progress(lines, count));
        }
    }
}

/// The next lines, and what ended them if it was an error.
fn next_batch(args: &Args, lines: &mut BoundedLines) -> (Batch, Result<(), Failure>) {
    let mut batch = Batch::default();
    while !batch.is_full() {
        match next_entry(args, lines) {
            Ok(Some(entry)) => batch.push(entry),
            Ok(None) => return (batch, Ok(())),
            Err(error) => return (batch, Err(error)),
        }
    }
    (batch, Ok(()))
}

fn next_entry(args: &Args, lines: &mut BoundedLines) -> Result<Option<Entry>, Failure> {
    let Some((number, text)) = lines.next()? else { return Ok(None) };
    let line = line::read(&text).map_err(|error| lines.refused(number, error))?;
    let stream = line.stream.ok_or_else(|| lines.refused(number, "it names no stream"))?;
    assert_writable(&stream).map_err(|error| {
        lines.refused(number, error).hint("`fairway ledger copy` takes all of a ledger elsewhere")
    })?;
    let version = line.version.filter(|_| !args.renumber);
    Ok(Some(Entry { number, stream, version, event: line.event }))
}

/// Appends a batch: what is refused is refused before anything of the lines after it is appended,
/// unless somebody else appends to the same streams meanwhile.
async fn append(
    ledger: &Ledger,
    batch: Batch,
    lines: &BoundedLines,
    count: &mut Count,
) -> Result<(), Failure> {
    let sorted = batch.sort(ledger).await;
    let sorted = sorted.map_err(|error| ledgers::failed("read the ledger", error))?;
    count.present += sorted.present;
    let head = ledger.head().await;
    let head = head.map_err(|error| ledgers::failed("read the ledger", error))?;
    // Many appends on their way at once are one commit, and stay in their order.
    let appends = sorted.runs.into_iter().map(|run| async move {
        let events = run.events.len() as u64;
        (run.number, events, ledger.append(&run.stream, run.expected, run.events).await)
    });
    // All are sent at once, in order; a task that has to give way would send some of them later.
    for (number, events, appended) in unconstrained(join_all(appends)).await {
        let appended = appended.map_err(|error| match error {
            AppendError::Ledger(error) => ledgers::failed(format!("append line {number}"), error),
            error => lines.refused(number, error),
        })?;
        // The ids of events that were truncated or deleted are known still.
        let is_new = appended.position > head;
        *(if is_new { &mut count.imported } else { &mut count.present }) += events;
    }
    sorted.refused.map_or(Ok(()), |(number, refusal)| {
        let hint = "`--renumber` appends the events with versions of their own";
        Err(lines.refused(number, refusal).hint(hint))
    })
}

fn progress(lines: &BoundedLines, count: &Count) -> String {
    let events = count.imported + count.present;
    match lines.size {
        Some(size) if size > 0 => format!("{events} events, {} %", lines.bytes * 100 / size),
        _ => format!("{events} events"),
    }
}
