//! `fairway ledger restore`: a ledger made of a backup.

use super::{
    copy::Shown,
    files::{self, Unfinished},
};
use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    ledgers::{self, Place},
    printer::{Format, Printer},
};
use fairway_ledger::{Clock, Copying, Home, LedgerError, Position, open_portable};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Make a ledger of a backup
#[derive(clap::Args)]
pub struct Args {
    /// The file that `fairway ledger backup` wrote
    file: PathBuf,
    /// Where the ledger is to be: a path, the `postgres://` address of a database, or `@FILE` for an
    /// address in a file [default: `events.db` in the data directory]
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
    /// Do not ask whether to replace a ledger that is there
    #[arg(short, long)]
    yes: bool,
}

/// Copies the backup, looks at the copy, and puts it to its place, where it takes appends.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let file = app.directory.join(&args.file);
    let file = std::path::absolute(&file).doing("find the working folder")?;
    Place::File(file.clone()).assert_there()?;
    let place = Place::or_default(app, args.to.as_deref())?;
    let head = match &place {
        Place::Server(_) => block_on(to_server(&file, &place, printer))?,
        Place::File(path) if files::is_same(path, &file) => {
            return Err(Failure::usage("the ledger is the backup itself"));
        }
        Place::File(path) => {
            if !is_wanted(args, &place, path, printer)? {
                printer.talk("nothing was restored\n");
                return Ok(Exit::Failed);
            }
            let unfinished = Unfinished::begin(path)?;
            unfinished.copy(&file, printer)?;
            unfinished.finish(printer)?.head
        }
    };
    match printer.format {
        Format::Json => printer.json(&json!({ "place": place.to_string(), "position": head })),
        Format::Text => printer.talk(&format!("ledger `{place}` has all up to position {head}\n")),
    }
    Ok(Exit::Done)
}

/// Whether what is there may be replaced. A ledger without events may.
fn is_wanted(
    args: &Args,
    place: &Place,
    path: &Path,
    printer: &mut Printer,
) -> Result<bool, Failure> {
    if args.yes || !path.try_exists().doing(format!("look for `{place}`"))? {
        return Ok(true);
    }
    let head = async { open_portable(path, Clock::system())?.head().await };
    let replaced = match block_on(async { Ok(head.await) })? {
        Ok(Position(0)) => return Ok(true),
        Ok(head) => format!("ledger `{place}` with its {head} events"),
        Err(LedgerError::Damaged { .. }) => {
            format!("`{place}`, which is damaged or is not a ledger,")
        }
        Err(error) => return Err(ledgers::failed(format!("read `{place}`"), error)),
    };
    let intent = format!("this replaces {replaced} by `{}`", args.file.display());
    printer.confirm("ledger restore", &intent)
}

/// Copies the backup event by event into a database, which has to be without events.
async fn to_server(file: &Path, place: &Place, printer: &mut Printer) -> Result<Position, Failure> {
    let failed = |error| ledgers::failed(format!("restore `{place}`"), error);
    let from = ledgers::open_existing(&Place::File(file.to_owned())).await?;
    let faults = from.check().await.map_err(failed)?;
    if let Some(fault) = faults.first() {
        return Err(Failure::failed(format!("`{}` is damaged", file.display()))
            .because(fault.to_string())
            .hint("`fairway ledger check` names all that is wrong"));
    }
    let to = ledgers::open_portable(place).await?;
    let is_newer = to.head().await.map_err(failed)? > from.head().await.map_err(failed)?;
    if is_newer || !to.adopt(from.id(), from.place()).await.map_err(failed)? {
        return Err(Failure::failed(format!("`{place}` has events already"))
            .hint("name another schema: `postgres://..?schema=NAME`"));
    }
    let to = ledgers::open_portable(place).await?;
    let mut shown = Shown::new(printer);
    let mut watch = |progress| shown.show(progress);
    let copied = async {
        let mut copying = Copying::begin(from, to.clone()).await?;
        copying.catch_up(&mut watch).await?;
        copying.copy_rest(&mut watch).await
    };
    copied.await.map_err(super::copy::failed)?;
    to.set_home(Home::Here).await.map_err(failed)?;
    to.head().await.map_err(failed)
}
