//! `fairway events`: the events of services, in a ledger of their own.

mod adopt_keys;
mod append;
mod batches;
mod bounded_lines;
mod export;
mod forget;
mod import;
mod line;
mod own;
mod read;
mod retain;
mod scope;
mod shown;
mod snapshot;
mod streams;
mod tail;

use crate::{
    app::{App, block_on},
    failure::{Exit, Failure},
    ledgers::LedgerArgs,
    printer::Printer,
};

/// Append and read the events of services
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Append events to a stream
    Append(#[command(flatten)] Box<With<append::Args>>),
    /// Read events
    Read(#[command(flatten)] With<read::Args>),
    /// Follow events as they are appended, until Ctrl-C
    Tail(#[command(flatten)] With<tail::Args>),
    /// List streams
    Streams(#[command(flatten)] With<streams::Args>),
    /// Show the newest snapshot of a stream
    Snapshot(#[command(flatten)] With<snapshot::Args>),
    /// Remove events from the start of a stream
    Truncate(#[command(flatten)] With<retain::TruncateArgs>),
    /// Delete a stream
    Delete(#[command(flatten)] With<retain::DeleteArgs>),
    /// Make what is personal of a subject unreadable for ever
    Forget(#[command(flatten)] With<forget::Args>),
    /// Seal what is personal with the keys that are here, because those before are lost
    AdoptKeys(#[command(flatten)] With<adopt_keys::Args>),
    /// Write events to a file, one JSON object per line
    Export(#[command(flatten)] With<export::Args>),
    /// Append events from a file that was exported
    Import(#[command(flatten)] With<import::Args>),
}

/// The arguments of a verb, and which ledger it works on.
#[derive(clap::Args)]
struct With<T: clap::Args> {
    #[command(flatten)]
    own: T,
    #[command(flatten)]
    place: LedgerArgs,
}

/// Appends, reads, follows, lists, forgets or moves events.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    block_on(async {
        match &args.action {
            Action::Append(with) => append::run(&with.own, &with.place, app, printer).await,
            Action::Read(with) => read::run(&with.own, &with.place, app, printer).await,
            Action::Tail(with) => tail::run(&with.own, &with.place, app, printer).await,
            Action::Streams(with) => streams::run(&with.own, &with.place, app, printer).await,
            Action::Snapshot(with) => snapshot::run(&with.own, &with.place, app, printer).await,
            Action::Truncate(with) => retain::truncate(&with.own, &with.place, app, printer).await,
            Action::Delete(with) => retain::delete(&with.own, &with.place, app, printer).await,
            Action::Forget(with) => forget::run(&with.own, &with.place, app, printer).await,
            Action::AdoptKeys(with) => adopt_keys::run(&with.own, &with.place, app, printer).await,
            Action::Export(with) => export::run(&with.own, &with.place, app, printer).await,
            Action::Import(with) => import::run(&with.own, &with.place, app, printer).await,
        }
    })
}
