//! `fairway events export`: events in a file, without loss.

use super::{bounded_lines::STANDARD, line, read::Pages};
use crate::{
    app::App,
    failure::{Doing, Exit, Failure},
    ledgers::{self, LedgerArgs},
    printer::Printer,
    words::counted,
};
use fairway_ledger::{Filter, From, Ledger, Position, Read, Scope, StreamName, System, Version};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// Write events to a file, one JSON object per line
#[derive(clap::Args)]
pub struct Args {
    /// The file; `-` is standard output
    file: PathBuf,
    /// Only the events of this stream
    #[arg(long, value_name = "STREAM")]
    stream: Option<StreamName>,
    /// Only the events of this category
    #[arg(long, value_name = "CATEGORY", conflicts_with = "stream")]
    category: Option<String>,
    /// Only events after this position; of a stream: after this version
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    after: u64,
    /// The streams of the ledger itself as well
    #[arg(long)]
    all: bool,
}

/// Writes the events that are there now.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let ledger = ledgers::open_to_copy(app, place).await?;
    ledgers::say_if_kept_elsewhere(&ledger, app, place, printer).await?;
    let head = ledger.head().await.map_err(|error| ledgers::failed("read the ledger", error))?;
    if args.file == Path::new(STANDARD) {
        write(args, (&ledger, head), printer, |text, printer| {
            printer.data(text);
            Ok(())
        })
        .await?;
        return Ok(Exit::Done);
    }
    let path = app.directory.join(&args.file);
    let shown = format!("`{}`", args.file.display());
    let unfinished = with_suffix(&path, ".unfinished");
    let file = File::create(&unfinished).doing(format!("write {shown}"))?;
    let mut writer = BufWriter::new(file);
    let doing = format!("write {shown}");
    let count = write(args, (&ledger, head), printer, |text, _| {
        writer.write_all(text.as_bytes()).doing(doing.clone())
    })
    .await?;
    let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error);
    let synced = file.and_then(|file| file.sync_all());
    synced.and_then(|()| fs::rename(&unfinished, &path)).doing(doing)?;
    printer.talk(&format!("{} up to position {head} in {shown}\n", counted(count, "event")));
    Ok(Exit::Done)
}

/// Hands on the lines of the events up to the head, and says how many there were.
async fn write(
    args: &Args,
    (ledger, head): (&Ledger, Position),
    printer: &mut Printer,
    mut put: impl FnMut(&str, &mut Printer) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let read = Read::new(scope(args), usize::MAX).as_of(head);
    let system = if args.all || args.stream.is_some() { System::Included } else { System::Left };
    let mut pages = Pages::new(ledger, read, Filter { system, ..Filter::all() });
    let live = printer.live_line();
    let mut count = 0;
    while let Some(page) = pages.next().await? {
        let text: String = page.iter().map(|event| line::write(event) + "\n").collect();
        put(&text, printer)?;
        count += page.len() as u64;
        if let (Some(live), Some(last)) = (&live, page.last()) {
            live.show(format!("{count} events, position {} of {head}", last.position));
        }
    }
    Ok(count)
}

fn scope(args: &Args) -> Scope {
    let after = args.after.min(Position::END.0);
    match (&args.stream, &args.category) {
        (Some(stream), _) => Scope::Stream(stream.clone(), From::After(Version(after))),
        (None, Some(category)) => Scope::Category(category.clone(), From::After(Position(after))),
        (None, None) => Scope::All(From::After(Position(after))),
    }
}

/// A path with something at the end of its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
