//! `fairway ledger backup`: a ledger in a file of its own, as it is at one moment.

use super::{
    copy::Shown,
    files::{self, Unfinished},
};
use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    ledgers::{self, Place, PlaceArgs},
    printer::{Format, Printer},
};
use fairway_ledger::{Checked, Copying};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Write a ledger to a file, as it is at one moment
#[derive(clap::Args)]
pub struct Args {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    /// Do not ask whether to replace a file that is there
    #[arg(short, long)]
    yes: bool,
}

/// Copies, looks at the copy, and puts it to its place. Others can go on writing.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let place = Place::or_default(app, args.place.ledger.as_deref())?;
    place.assert_there()?;
    let (path, shown) = (app.directory.join(&args.file), args.file.display());
    if matches!(&place, Place::File(ledger) if files::is_same(ledger, &path)) {
        return Err(Failure::usage("the backup is the ledger itself"));
    }
    let is_there = path.try_exists().doing(format!("look for `{shown}`"))?;
    if is_there && !args.yes {
        let intent = format!("this replaces the backup in `{shown}`");
        if !printer.confirm("ledger backup", &intent)? {
            printer.talk("nothing was written\n");
            return Ok(Exit::Failed);
        }
    }
    let unfinished = Unfinished::begin(&path)?;
    match &place {
        Place::File(ledger) => unfinished.copy(ledger, printer)?,
        Place::Server(_) => block_on(copy(&place, unfinished.file(), printer))?,
    }
    let Checked { head, .. } = unfinished.finish(printer)?;
    let bytes = fs::metadata(&path).doing(format!("look at `{shown}`"))?.len();
    match printer.format {
        Format::Json => {
            printer.json(&json!({ "file": args.file, "position": head, "bytes": bytes }));
        }
        Format::Text => {
            printer.talk(&format!("all up to position {head} is in `{shown}`, {bytes} bytes\n"));
        }
    }
    Ok(Exit::Done)
}

/// Copies a ledger that is not in a file, event by event.
async fn copy(place: &Place, file: &Path, printer: &mut Printer) -> Result<(), Failure> {
    let from = ledgers::open_existing(place).await?;
    let file = Place::File(file.to_owned());
    let failed = |error| ledgers::failed("write the backup", error);
    let to = ledgers::open_portable(&file).await?;
    to.adopt(from.id(), from.place()).await.map_err(failed)?;
    let to = ledgers::open_portable(&file).await?;
    let mut shown = Shown::new(printer);
    let mut watch = |progress| shown.show(progress);
    let copied = async {
        let mut copying = Copying::begin(from, to).await?;
        copying.catch_up(&mut watch).await?;
        copying.copy_rest(&mut watch).await
    };
    copied.await.map_err(super::copy::failed)
}
