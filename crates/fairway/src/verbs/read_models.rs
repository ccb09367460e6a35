//! `fairway read-models`: tables that follow a ledger of services' events.

mod apply;
mod host;
mod list;
mod mend;
mod named;
mod parked;
mod query;
mod remove;
mod work;

use crate::{
    app::{App, block_on},
    failure::{Exit, Failure},
    ledgers::LedgerArgs,
    printer::Printer,
};
use fairway_model::EnvironmentName;

pub use host::{Hosted, host};

/// Declare, ask and mend read models
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Declare read models, and build what is new
    Apply(#[command(flatten)] With<apply::Args>),
    /// List read models and how far they are
    List(#[command(flatten)] With<list::ListArgs>),
    /// Show how far a read model is
    Status(#[command(flatten)] With<list::StatusArgs>),
    /// Ask a read model
    Query(#[command(flatten)] With<query::Args>),
    /// Build a read model once more, beside the one that is read
    Rebuild(#[command(flatten)] With<mend::RebuildArgs>),
    /// Have a new build read that parked more events than the one before
    Accept(#[command(flatten)] With<mend::AcceptArgs>),
    /// List events that failed, and those that wait behind them
    Parked(#[command(flatten)] With<parked::Args>),
    /// Try parked events again
    Retry(#[command(flatten)] With<mend::RetryArgs>),
    /// Leave a parked event out, so that those behind it go on
    Skip(#[command(flatten)] With<mend::SkipArgs>),
    /// Remove a read model with all that it keeps
    Remove(#[command(flatten)] With<remove::Args>),
}

/// The arguments of a verb, and what they have in common.
#[derive(clap::Args)]
struct With<T: clap::Args> {
    #[command(flatten)]
    own: T,
    #[command(flatten)]
    common: CommonArgs,
}

/// Which ledger, and whose secrets.
#[derive(clap::Args)]
pub struct CommonArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The environment whose secrets addresses refer to
    #[arg(long, value_name = "ENVIRONMENT")]
    secrets_of: Option<EnvironmentName>,
}

/// Does one of them.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    block_on(async {
        match &args.action {
            Action::Apply(with) => apply::run(&with.own, &with.common, app, printer).await,
            Action::List(with) => list::list(&with.own, &with.common, app, printer).await,
            Action::Status(with) => list::status(&with.own, &with.common, app, printer).await,
            Action::Query(with) => query::run(&with.own, &with.common, app, printer).await,
            Action::Rebuild(with) => mend::rebuild(&with.own, &with.common, app, printer).await,
            Action::Accept(with) => mend::accept(&with.own, &with.common, app, printer).await,
            Action::Parked(with) => parked::run(&with.own, &with.common, app, printer).await,
            Action::Retry(with) => mend::retry(&with.own, &with.common, app, printer).await,
            Action::Skip(with) => mend::skip(&with.own, &with.common, app, printer).await,
            Action::Remove(with) => remove::run(&with.own, &with.common, app, printer).await,
        }
    })
}
