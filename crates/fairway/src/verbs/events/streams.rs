//! `fairway events streams`: the streams of a ledger.

use crate::{
    app::App,
    failure::{Exit, Failure},
    ledgers::{self, LedgerArgs},
    printer::{Format, Printer},
};
use fairway_ledger::{ListStreams, PAGE_STREAMS_MAX, Standing, StreamState};
use serde_json::json;

/// List streams
#[derive(clap::Args)]
pub struct Args {
    /// Only those whose names start so; those of the ledger itself start with `$`
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
    /// Only those whose names come after this one
    #[arg(long, value_name = "STREAM", default_value = "", hide_default_value = true)]
    after: String,
    /// At most so many streams
    #[arg(short = 'n', long, value_name = "STREAMS", default_value_t = 1_000)]
    limit: usize,
}

/// Prints the streams by name.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let ledger = ledgers::open_to_read(app, place).await?;
    let is_listed = |stream: &StreamState| args.prefix.starts_with('$') || !stream.name.is_system();
    let mut found: Vec<StreamState> = Vec::new();
    let mut list = ListStreams {
        prefix: args.prefix.clone(),
        after: args.after.clone(),
        limit: PAGE_STREAMS_MAX.min(args.limit.saturating_add(1)),
    };
    while found.len() <= args.limit {
        let page = ledger.streams(list.clone()).await;
        let page = page.map_err(|error| ledgers::failed("list the streams", error))?;
        let Some(end) = page.last() else { break };
        end.name.as_str().clone_into(&mut list.after);
        found.extend(page.into_iter().filter(is_listed));
    }
    let is_more = found.len() > args.limit;
    found.truncate(args.limit);
    print(&found, printer);
    if let (true, Some(last)) = (is_more, found.last()) {
        printer.talk(&format!("there are more; go on with `--after {}`\n", last.name));
    }
    Ok(Exit::Done)
}

fn print(streams: &[StreamState], printer: &mut Printer) {
    match printer.format {
        Format::Text if streams.is_empty() => printer.talk("no such streams\n"),
        Format::Text => {
            let rows: Vec<Vec<String>> = streams.iter().map(cells).collect();
            printer.table(&["STREAM", "VERSION", "EVENTS", "STANDING"], &rows);
        }
        Format::Json => {
            for stream in streams {
                printer.json(&json!({
                    "stream": stream.name,
                    "version": stream.version,
                    "truncated": stream.truncated,
                    "standing": word(stream.standing),
                }));
            }
        }
    }
}

fn cells(stream: &StreamState) -> Vec<String> {
    let events = stream.version.0.saturating_sub(stream.truncated.0);
    let standing = word(stream.standing).to_owned();
    vec![stream.name.to_string(), stream.version.to_string(), events.to_string(), standing]
}

/// A standing in one word.
pub fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Live => "live",
        Standing::Deleted => "deleted",
        Standing::Tombstoned => "tombstoned",
    }
}
