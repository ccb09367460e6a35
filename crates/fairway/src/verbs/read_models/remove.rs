//! `fairway read-models remove`: a read model with all that it keeps.

use super::{
    CommonArgs,
    host::failed,
    named::NameArg,
    work::{Finished, Work},
};
use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::Printer,
};

/// Remove a read model with all that it keeps
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    of: NameArg,
    /// Do not ask first
    #[arg(short, long)]
    yes: bool,
}

/// Removes it, after asking. The ledger keeps all its events.
pub async fn run(
    args: &Args,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let name = &args.of.name;
    let what = format!("read model `{name}` and its tables are removed; events stay");
    if !args.yes && !printer.confirm("fairway read-models remove", &what)? {
        return Ok(Exit::Failed);
    }
    Work::with(common, app, async |work| {
        let removed = work.models.remove(name).await;
        removed.map_err(|error| failed("remove the read model", error))?;
        if work.finish(name, printer).await? == Finished::Done {
            printer.talk(&format!("read model `{name}` is removed\n"));
        }
        Ok(Exit::Done)
    })
    .await
}
