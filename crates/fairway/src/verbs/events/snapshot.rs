//! `fairway events snapshot`: what a stream's events amount to, as it was saved.

use super::{read::assert_readable, shown};
use crate::{
    app::App,
    failure::{Exit, Failure},
    ledgers::{self, LedgerArgs},
    moment::iso_millis,
    printer::{Format, Printer},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use fairway_ledger::{Snapshot, StreamName, Version};
use serde_json::{Value, json, value::RawValue};

/// Show the newest snapshot of a stream
#[derive(clap::Args)]
pub struct Args {
    /// The stream
    stream: StreamName,
    /// The newest up to this version
    #[arg(long, value_name = "VERSION")]
    at: Option<u64>,
}

/// Prints the snapshot.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let ledger = ledgers::open_to_read(app, place).await?;
    let stream = &args.stream;
    assert_readable(&ledger, stream).await?;
    let up_to = args.at.map_or(Version::END, |at| Version(at).min(Version::END));
    let found = ledger.snapshot(stream, up_to).await;
    let found = found.map_err(|error| ledgers::failed("read the snapshot", error))?;
    let missing = || Failure::failed(format!("stream `{stream}` has no such snapshot"));
    let snapshot = found.ok_or_else(missing)?;
    match printer.format {
        Format::Text => printer.data(&line(stream, &snapshot)),
        Format::Json => printer.json(&value(stream, &snapshot)),
    }
    Ok(Exit::Done)
}

fn line(stream: &StreamName, snapshot: &Snapshot) -> String {
    let Snapshot { version, kind, data, recorded } = snapshot;
    let (recorded, data) = (iso_millis(*recorded), shown::text(data));
    format!("{stream}@{version}  {recorded}  {kind}  {data}\n")
}

fn value(stream: &StreamName, snapshot: &Snapshot) -> Value {
    let Snapshot { version, kind, data, recorded } = snapshot;
    let recorded = iso_millis(*recorded);
    let mut value =
        json!({ "stream": stream, "version": version, "kind": kind, "recorded": recorded });
    match data.as_json().map(serde_json::from_str::<Box<RawValue>>) {
        Some(Ok(json)) => value["data"] = json!(json),
        _ => value["data_base64"] = json!(BASE64_STANDARD.encode(data.as_bytes())),
    }
    value
}
