//! `fairway completions`: a completion script for a shell.

use crate::{
    app::App,
    cli::Cli,
    failure::{Exit, Failure},
    printer::Printer,
};
use clap::CommandFactory;

/// Print a completion script for a shell
#[derive(clap::Args)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints the script; put it where the shell looks for completions.
pub fn run(args: &Args, _: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fairway", &mut script);
    printer.data(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
