//! `fairway events append`: one event from the command line, or several from a file, to all their
//! streams or to none.

use super::{
    bounded_lines::{BoundedLines, STANDARD},
    line::{self, Line},
    own::assert_writable,
};
use crate::{
    app::App,
    failure::{Doing, Exit, Failure},
    ledgers::{self, LedgerArgs},
    printer::{Format, Printer},
};
use fairway_ledger::{
    Append, AppendError, Appended, BATCH_EVENTS_MAX, CAUSATION, CORRELATION, Data, EVENT_BYTES_MAX,
    EventId, Expected, Json, Kind, NewEvent, StreamName, Version,
};
use serde_json::{Map, Value, json};
use std::{io::Read, path::PathBuf};

/// Append events to a stream
#[derive(clap::Args)]
pub struct Args {
    /// The stream: a category, `-` and an id, such as `orders-17`
    #[arg(required_unless_present = "file")]
    stream: Option<StreamName>,
    /// What kind of fact it is, such as `order-paid`
    #[arg(required_unless_present = "file")]
    kind: Option<Kind>,
    /// The fact, as JSON; `-` reads it from standard input
    #[arg(default_value = "{}")]
    data: String,
    /// The data are bytes, not JSON
    #[arg(long, conflicts_with = "file")]
    bytes: bool,
    /// What has to be true of the stream: any, none, exists, or its version
    #[arg(long, value_name = "VERSION", default_value = "any", value_parser = expected)]
    expected: Expected,
    /// Identifies the event: appending it again does nothing
    #[arg(long, value_name = "UUID", conflicts_with = "file")]
    id: Option<EventId>,
    /// What is about the event, as a JSON object
    #[arg(long, value_name = "JSON", conflicts_with = "file")]
    metadata: Option<String>,
    /// What the event belongs to
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    correlation: Option<String>,
    /// The event that led to this one
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    causation: Option<String>,
    /// Append the events of a file, all or none; one JSON object per line, with `kind` and, if
    /// wanted, `stream`, `data`, `metadata` and `id`; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "kind")]
    file: Option<PathBuf>,
}

fn expected(text: &str) -> Result<Expected, String> {
    match text {
        "any" => Ok(Expected::Any),
        "none" => Ok(Expected::NoStream),
        "exists" => Ok(Expected::Exists),
        version => version
            .parse()
            .map(|version| Expected::Exact(Version(version)))
            .map_err(|_| "use `any`, `none`, `exists`, or a version".to_owned()),
    }
}

/// Appends, and prints where the events are.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let appends = match (&args.file, &args.stream, &args.kind) {
        (Some(file), stream, _) => from_file(args, app, file, stream.as_ref())?,
        (None, Some(stream), Some(kind)) => {
            let events = vec![event(args, kind)?];
            vec![Append { stream: stream.clone(), expected: args.expected, events }]
        }
        (None, _, _) => return Err(Failure::usage("name a stream and a kind")),
    };
    appends.iter().try_for_each(|append| assert_writable(&append.stream))?;
    let ledger = ledgers::open(app, place).await?;
    let streams: Vec<StreamName> = appends.iter().map(|append| append.stream.clone()).collect();
    let appended = ledger.append_all(appends).await.map_err(refused)?;
    for (stream, appended) in streams.iter().zip(appended) {
        print(stream, appended, printer);
    }
    Ok(Exit::Done)
}

fn print(stream: &StreamName, Appended { position, version }: Appended, printer: &mut Printer) {
    match printer.format {
        Format::Text => printer.data(&format!("{stream}@{version} at position {position}\n")),
        Format::Json => {
            printer.json(&json!({ "stream": stream, "version": version, "position": position }));
        }
    }
}

/// The failure of an append, with what to do about it.
pub fn refused(error: AppendError) -> Failure {
    match error {
        AppendError::Ledger(error) => ledgers::failed("append", error),
        AppendError::Conflict { ref stream, actual } => {
            let read = format!("`fairway events read {stream}` shows what is there");
            let hint = format!("{read}; to append after it: `--expected {actual}`");
            Failure::failed("could not append").because(error).hint(hint)
        }
        error => Failure::failed("could not append").because(error),
    }
}

fn event(args: &Args, kind: &Kind) -> Result<NewEvent, Failure> {
    let data = match args.data.as_str() {
        STANDARD => standard_input()?,
        data => data.as_bytes().to_vec(),
    };
    let data = if args.bytes { Data::Bytes(data) } else { parsed("the data", data)?.into() };
    Ok(NewEvent { id: args.id, kind: kind.clone(), data, metadata: metadata(args)? })
}

/// All of standard input; a little more than an event may have is refused by the ledger.
fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut input = std::io::stdin().lock().take(EVENT_BYTES_MAX as u64 + 1);
    input.read_to_end(&mut bytes).doing("read standard input")?;
    Ok(bytes)
}

fn parsed(what: &str, text: Vec<u8>) -> Result<Json, Failure> {
    let refused = || Failure::usage(format!("{what} have to be JSON"));
    let text = String::from_utf8(text).map_err(|error| refused().because(error))?;
    Json::parse(text.trim_ascii().to_owned()).map_err(|error| {
        refused().because(error).hint("text in JSON has quotes: '\"paid\"'; see `--bytes` for more")
    })
}

fn metadata(args: &Args) -> Result<Data, Failure> {
    let given = args.metadata.clone().unwrap_or_else(|| "{}".to_owned());
    let names = [(CORRELATION, &args.correlation), (CAUSATION, &args.causation)];
    let json = parsed("the metadata", given.into_bytes())?;
    let mut metadata: Map<String, Value> = serde_json::from_str(json.as_str())
        .map_err(|_| Failure::usage("the metadata have to be a JSON object"))?;
    if names.iter().all(|(_, value)| value.is_none()) {
        return Ok(json.into());
    }
    for (name, value) in names {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), value.clone().into());
        }
    }
    Json::of(&metadata).map(Data::from).doing("write the metadata")
}

/// The events of a file by stream, the streams in the order of their first events.
fn from_file(
    args: &Args,
    app: &App,
    file: &std::path::Path,
    stream: Option<&StreamName>,
) -> Result<Vec<Append>, Failure> {
    let mut lines = BoundedLines::open(app, file)?;
    let mut appends: Vec<Append> = Vec::new();
    let mut count = 0;
    while let Some((number, text)) = lines.next()? {
        let line = line::read(&text).map_err(|error| lines.refused(number, error))?;
        let Line { stream: named, event, .. } = line;
        let stream = match (named, stream) {
            (Some(named), Some(stream)) if named != *stream => {
                return Err(lines.refused(number, format!("it is of stream `{named}`")));
            }
            (Some(named), _) => named,
            (None, Some(stream)) => stream.clone(),
            (None, None) => return Err(lines.refused(number, "it names no stream")),
        };
        count += 1;
        if count > BATCH_EVENTS_MAX {
            return Err(refused(AppendError::BatchTooLarge)
                .hint("`fairway events import` takes any number"));
        }
        match appends.iter_mut().find(|append| append.stream == stream) {
            Some(append) => append.events.push(event),
            None => appends.push(Append { stream, expected: args.expected, events: vec![event] }),
        }
    }
    if appends.is_empty() {
        return Err(Failure::failed(format!("there is no event in `{}`", file.display())));
    }
    Ok(appends)
}
