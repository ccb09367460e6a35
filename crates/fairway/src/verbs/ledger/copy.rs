//! `fairway ledger copy`: a ledger at another place, while it is in use; and the move there.

use crate::{
    app::{App, block_on},
    failure::{Exit, Failure},
    interrupts::Interrupts,
    ledgers::{self, Place},
    printer::{Format, LiveLine, Printer},
};
use fairway_ledger::{CopyError, Copying, Home, LedgerError, Portable, Progress};
use serde_json::json;
use std::sync::Arc;

/// Copy a ledger to another place while it is in use, or move it there
#[derive(clap::Args)]
pub struct Args {
    /// The ledger: a path, the `postgres://` address of a database, or `@FILE` for an address in a
    /// file
    from: String,
    /// Where the copy is or is going to be, in the same forms
    to: String,
    /// Go on copying what is appended, until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Move: in the end, close the ledger to appends and open the copy to them
    #[arg(long, conflicts_with = "follow")]
    switch: bool,
}

/// Shows how far a copy is.
pub struct Shown(Option<LiveLine>);

impl Shown {
    /// On a terminal only.
    pub fn new(printer: &Printer) -> Self {
        Self(printer.live_line())
    }

    /// Shows it.
    pub fn show(&mut self, Progress { copied, head }: Progress) {
        if let Some(live) = &self.0 {
            let percent = (copied.0 * 100).checked_div(head.0).unwrap_or(100);
            live.show(format!("position {copied} of {head}, {percent} %"));
        }
    }
}

/// Copies what the copy does not have yet.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let from_place = Place::or_default(app, Some(&args.from))?;
    let to_place = Place::or_default(app, Some(&args.to))?;
    if from_place == to_place {
        return Err(Failure::usage("a ledger cannot be copied to itself"));
    }
    block_on(async {
        let mut interrupts = Interrupts::open()?;
        let from = ledgers::open_existing(&from_place).await?;
        let to = ledgers::open_portable(&to_place).await?;
        let before = format!("ledger `{from_place}` was moved to `{to_place}` before\n");
        if is_moved(&from, &to, args.switch).await? {
            printer.talk(&before);
            return Ok(Exit::Done);
        }
        let to = adopt(&from, to, &to_place).await?;
        let mut shown = Shown::new(printer);
        let copied = tokio::select! {
            copied = copy(args, (&from, &to), &mut shown) => copied,
            () = interrupts.next() => {
                if !args.follow {
                    let again = "the same command goes on from there";
                    return Err(Failure::failed("interrupted").hint(again));
                }
                Ok(())
            }
        };
        drop(shown);
        match copied {
            // Another one that does the same may have come to the end first.
            Err(CopyError::Independent(_)) if is_moved(&from, &to, args.switch).await? => {
                printer.talk(&before);
                Ok(Exit::Done)
            }
            copied => {
                copied.map_err(failed)?;
                tell(args, (&from_place, &to), &to_place, printer).await
            }
        }
    })
}

async fn copy(
    args: &Args,
    (from, to): (&Arc<dyn Portable>, &Arc<dyn Portable>),
    shown: &mut Shown,
) -> Result<(), CopyError> {
    let mut watch = |progress| shown.show(progress);
    let mut copying = Copying::begin(from.clone(), to.clone()).await?;
    copying.catch_up(&mut watch).await?;
    copying.copy_rest(&mut watch).await?;
    if args.follow {
        match copying.follow(&mut watch).await? {}
    }
    if args.switch {
        copying.switch(&mut watch).await?;
    }
    Ok(())
}

async fn tell(
    args: &Args,
    (from_place, to): (&Place, &Arc<dyn Portable>),
    to_place: &Place,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let head = to.head().await.map_err(|error| failed(error.into()))?;
    match (printer.format, args.switch) {
        (Format::Json, moved) => {
            let place = to_place.to_string();
            printer.json(&json!({ "place": place, "position": head, "moved": moved }));
        }
        (Format::Text, true) => {
            let moved = format!("ledger `{from_place}` is at `{to_place}` now");
            printer.talk(&format!("{moved}, with all up to position {head}\n"));
        }
        (Format::Text, false) => {
            printer.talk(&format!("`{to_place}` has all up to position {head}\n"));
        }
    }
    Ok(Exit::Done)
}

/// Whether an earlier move was finished. One that was not has to be gone on with.
async fn is_moved(
    from: &Arc<dyn Portable>,
    to: &Arc<dyn Portable>,
    switch: bool,
) -> Result<bool, Failure> {
    let unreadable = |error: LedgerError| failed(error.into());
    let Home::At(home) = from.home().await.map_err(unreadable)? else { return Ok(false) };
    if home != to.place() {
        return Ok(false);
    }
    if to.id() == from.id() && to.home().await.map_err(unreadable)? == Home::Here {
        return Ok(true);
    }
    if switch {
        return Ok(false);
    }
    let message = format!("the move of `{}` to `{home}` is not finished", from.place());
    Err(Failure::failed(message)
        .hint("run the same with `--switch`; until then neither takes appends"))
}

/// Makes the place a copy, unless it is one.
async fn adopt(
    from: &Arc<dyn Portable>,
    to: Arc<dyn Portable>,
    to_place: &Place,
) -> Result<Arc<dyn Portable>, Failure> {
    let is_copy = to.id() == from.id()
        && to.home().await.map_err(|error| failed(error.into()))? != Home::Here;
    if is_copy {
        return Ok(to);
    }
    let adopted = to.adopt(from.id(), from.place()).await;
    if !adopted.map_err(|error| failed(error.into()))? {
        return Err(failed(CopyError::Occupied(to_place.to_string())));
    }
    drop(to);
    ledgers::open_portable(to_place).await
}

/// The failure of a copy.
pub fn failed(error: CopyError) -> Failure {
    match error {
        CopyError::Ledger(error) => ledgers::failed("copy the ledger", error),
        CopyError::Occupied(_) => Failure::failed("could not copy the ledger")
            .because(error)
            .hint("name a place without a ledger; another schema of a database is another place"),
        CopyError::Independent(_) | CopyError::Elsewhere { .. } => {
            Failure::failed("could not copy the ledger").because(error)
        }
    }
}
