//! `fairway ledger check`: whether a ledger is as it was written.

use crate::{
    app::{App, block_on},
    failure::{Exit, Failure},
    ledgers::{self, Place},
    printer::{Format, Printer},
    words::counted,
};
use fairway_ledger::{FAULTS_MAX, Home};
use serde_json::json;

/// Look for damage
#[derive(clap::Args)]
pub struct Args {
    /// The ledger: a path, the `postgres://` address of a database, or `@FILE` for an address in a
    /// file [default: `events.db` in the data directory]
    place: Option<String>,
}

/// Looks at everything while others may go on writing, and names what is wrong.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let place = Place::or_default(app, args.place.as_deref())?;
    block_on(async {
        let ledger = ledgers::open_existing(&place).await?;
        let failed = |error| ledgers::failed(format!("check `{place}`"), error);
        let live = printer.live_line();
        if let Some(live) = &live {
            live.show(format!("looking at all of `{place}`"));
        }
        let head = ledger.head().await.map_err(failed)?;
        let faults = ledger.check().await.map_err(failed)?;
        drop(live);
        if let Home::At(home) = ledger.home().await.map_err(failed)? {
            printer.talk(&format!("note: this ledger takes no appends: it is at `{home}`\n"));
        }
        let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
        match printer.format {
            Format::Json => printer.json(&json!({ "position": head, "faults": words })),
            Format::Text => words.iter().for_each(|fault| printer.data(&format!("{fault}\n"))),
        }
        if words.is_empty() {
            printer.talk(&format!("nothing is wrong up to position {head}\n"));
            return Ok(Exit::Done);
        }
        let more = if words.len() == FAULTS_MAX { "at least " } else { "" };
        let count = counted(words.len() as u64, "fault");
        printer.talk(&format!("{more}{count} in `{place}`\n"));
        Ok(Exit::Failed)
    })
}
