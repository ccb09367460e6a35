//! `fairway events adopt-keys`: a way on when the keys of subjects are lost.

use crate::{
    app::App,
    failure::{Exit, Failure},
    ledgers::{self, LedgerArgs},
    printer::Printer,
};

/// Seal what is personal with the keys that are here from now on, because those before are lost
#[derive(clap::Args)]
pub struct Args {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Tells the ledger of its keys, of which all who append to it take note.
pub async fn run(
    args: &Args,
    place: &LedgerArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let subjects = ledgers::subjects(app, place)?;
    let ledger = ledgers::open_to_copy(app, place).await?;
    let (shown, keys) = (ledger.place(), subjects.place());
    let intent = format!(
        "what is personal in `{shown}` is sealed with the keys in `{keys}` from now on; \
         what was sealed with others is unreadable with these, and who has them can read it still"
    );
    if !args.yes && !printer.confirm("events adopt-keys", &intent)? {
        printer.talk("nothing was changed\n");
        return Ok(Exit::Failed);
    }
    let adopted = fairway_subjects::adopt(&ledger, &subjects).await;
    if adopted.map_err(|error| ledgers::kept_failed("adopt the keys", error))? {
        printer.talk(&format!("`{shown}` has the keys in `{keys}` now\n"));
    } else {
        printer.talk(&format!("`{shown}` has the keys in `{keys}` already\n"));
    }
    Ok(Exit::Done)
}
