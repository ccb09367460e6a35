//! `fairway ledger`: the ledgers of services' events as a whole.

pub mod serve;

use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::Printer,
};

/// Serve and keep the ledgers of services' events
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Serve a ledger over HTTP until interrupted
    Serve(serve::Args),
}

/// Does one of them.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    match &args.action {
        Action::Serve(args) => serve::run(args, app, printer),
    }
}
