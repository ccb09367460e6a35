//! `fairway read-models list` and `status`: how far read models are.

use super::{CommonArgs, host, named::NameArg};
use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::{Format, Printer},
};
use fairway_ledger::Position;
use fairway_read_models::{Building, State, Status};
use serde_json::{Value, json};

/// List read models and how far they are
#[derive(clap::Args)]
pub struct ListArgs {}

/// Show how far a read model is
#[derive(clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    of: NameArg,
}

/// Prints all.
pub async fn list(
    _: &ListArgs,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let models = host::open(common, app).await?;
    let all = models.list().await;
    let all = all.map_err(|error| host::failed("list the read models", error))?;
    print(&all, printer);
    Ok(Exit::Done)
}

/// Prints one.
pub async fn status(
    args: &StatusArgs,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let models = host::open(common, app).await?;
    let status = models.status(&args.of.name).await;
    let status = status.map_err(|error| host::failed("see how far it is", error))?;
    print(&[status], printer);
    Ok(Exit::Done)
}

fn print(all: &[Status], printer: &mut Printer) {
    match printer.format {
        Format::Text if all.is_empty() => printer.talk("no read models\n"),
        Format::Text => {
            let rows: Vec<Vec<String>> = all.iter().flat_map(rows).collect();
            printer.table(&["READ MODEL", "VERSION", "IS", "POSITION", "LAG", "PARKED"], &rows);
            for status in all {
                let builds = status.live.iter().chain(&status.candidate);
                for why in builds.filter_map(failing) {
                    printer.talk(&format!("read model `{}`: {why}\n", status.name));
                }
            }
        }
        Format::Json => all.iter().for_each(|status| printer.json(&shown(status))),
    }
}

fn rows(status: &Status) -> Vec<Vec<String>> {
    let row = |building: &Building, is: &str| {
        vec![
            status.name.to_string(),
            building.version.to_string(),
            is.to_owned(),
            building.standing.position.to_string(),
            building.lag(status.head).to_string(),
            building.standing.parked.to_string(),
        ]
    };
    let live = status.live.iter().map(|building| row(building, "live"));
    live.chain(status.candidate.iter().map(|building| row(building, "building"))).collect()
}

/// A read model as JSON.
fn shown(status: &Status) -> Value {
    let of = |building: &Building| of_building(building, status.head);
    json!({
        "read_model": status.name,
        "head": status.head,
        "live": status.live.as_ref().map(of),
        "building": status.candidate.as_ref().map(of),
    })
}

fn of_building(building: &Building, head: Position) -> Value {
    json!({
        "version": building.version,
        "build": building.build,
        "position": building.standing.position,
        "lag": building.lag(head),
        "parked": building.standing.parked,
        "failing": failing(building),
    })
}

/// Why a build does not go on, or cannot be looked at.
fn failing(building: &Building) -> Option<&String> {
    match building.state.as_ref()? {
        State::Failing(why) => Some(why),
        State::CatchingUp | State::Following => None,
    }
}
