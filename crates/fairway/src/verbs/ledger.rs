//! `fairway ledger`: the ledgers of services' events as a whole.

mod backup;
mod callers;
mod check;
mod copy;
mod files;
mod remarks;
mod restore;
pub mod serve;
mod service;
mod token;
mod tokens_file;

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
    /// Serve a ledger over HTTP and gRPC until interrupted
    Serve(serve::Args),
    /// Make tokens for a served ledger
    Token(token::Args),
    /// Copy a ledger to another place while it is in use, or move it there
    Copy(copy::Args),
    /// Write a ledger to a file, as it is at one moment
    Backup(backup::Args),
    /// Make a ledger of a backup
    Restore(restore::Args),
    /// Look for damage
    Check(check::Args),
}

/// Does one of them.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    match &args.action {
        Action::Serve(args) => serve::run(args, app, printer),
        Action::Token(args) => token::run(args, app, printer),
        Action::Copy(args) => copy::run(args, app, printer),
        Action::Backup(args) => backup::run(args, app, printer),
        Action::Restore(args) => restore::run(args, app, printer),
        Action::Check(args) => check::run(args, app, printer),
    }
}
