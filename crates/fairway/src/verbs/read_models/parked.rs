//! `fairway read-models parked`: events that wait.

use super::{CommonArgs, host, named::NameArg};
use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::{Format, Printer},
    words::one_line,
};
use fairway_read_models::Parked;

/// List events that failed, and those that wait behind them
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    of: NameArg,
    /// At most so many events
    #[arg(short = 'n', long, value_name = "EVENTS", default_value_t = 100)]
    limit: usize,
}

/// Prints them by position.
pub async fn run(
    args: &Args,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let models = host::open(common, app).await?;
    let found = models.parked(&args.of.name, args.limit).await;
    let found = found.map_err(|error| host::failed("list parked events", error))?;
    match printer.format {
        Format::Text if found.is_empty() => printer.talk("nothing is parked\n"),
        Format::Text => {
            let rows: Vec<Vec<String>> = found.iter().map(row).collect();
            let header = ["POSITION", "EVENT", "STREAM", "KIND", "KEY", "TRIES", "WHY"];
            printer.table(&header, &rows);
        }
        Format::Json => found.iter().for_each(|parked| printer.json(parked)),
    }
    Ok(Exit::Done)
}

fn row(parked: &Parked) -> Vec<String> {
    let waits = || "waits behind one of its key".to_owned();
    vec![
        parked.position.to_string(),
        parked.event_id.clone(),
        parked.stream.clone(),
        parked.kind.clone(),
        one_line(&parked.key),
        parked.tries.to_string(),
        parked.error.as_deref().map_or_else(waits, one_line),
    ]
}
