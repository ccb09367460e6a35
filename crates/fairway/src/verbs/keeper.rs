//! `fairway keeper`: the process that keeps environments running. Verbs start it.

use crate::{
    app::{App, block_on},
    failure::{Exit, Failure},
    keeper,
    printer::Printer,
};

/// Keep environments running until none is up
#[derive(clap::Args)]
pub struct Args {}

/// Is the keeper, unless there is one.
pub fn run(_: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    block_on(async {
        keeper::serve(app, |text| printer.talk(text)).await?;
        Ok(Exit::Done)
    })
}
