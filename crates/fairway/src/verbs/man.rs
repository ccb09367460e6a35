//! `fairway man`: manual pages from the definition of the command line.

use crate::{
    app::App,
    cli::Cli,
    failure::{Doing, Exit, Failure},
    printer::Printer,
};
use clap::CommandFactory;
use std::path::PathBuf;

/// Write manual pages to a folder
#[derive(clap::Args)]
pub struct Args {
    /// The folder, which has to exist
    folder: PathBuf,
}

/// Writes a page for the program and one per verb.
pub fn run(args: &Args, _: &App, _: &mut Printer) -> Result<Exit, Failure> {
    clap_mangen::generate_to(Cli::command(), &args.folder)
        .doing(format!("write manual pages to `{}`", args.folder.display()))?;
    Ok(Exit::Done)
}
