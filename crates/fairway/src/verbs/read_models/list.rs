//! `fairway read-models list` and `status`: how far read models are.

use super::{CommonArgs, host, named::NameArg};
use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::{Format, Printer},
};
use fairway_ledger::Position;
use fairway_model::ReadModelName;
use fairway_read_models::{Building, Refused, State, Status};
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
    let all = async { Ok((models.list().await?, models.refused().await?)) };
    let (all, refused) = all.await.map_err(|error| host::failed("list the read models", error))?;
    print((&all, &refused), printer);
    Ok(Exit::Done)
}

/// Prints one, with the files that may be of it.
pub async fn status(
    args: &StatusArgs,
    common: &CommonArgs,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let (models, name) = (host::open(common, app).await?, &args.of.name);
    let status = async { Ok((models.status(name).await?, models.refused().await?)) };
    let status = status.await.map_err(|error| host::failed("see how far it is", error));
    let (status, mut refused) = status?;
    refused.retain(|one| one.name.as_ref().is_none_or(|other| other == name));
    print((&[status], &refused), printer);
    Ok(Exit::Done)
}

fn print((all, refused): (&[Status], &[Refused]), printer: &mut Printer) {
    match printer.format {
        Format::Text => {
            if all.is_empty() {
                printer.talk("no read models\n");
            } else {
                let rows: Vec<Vec<String>> = all.iter().flat_map(rows).collect();
                printer.table(&["READ MODEL", "VERSION", "IS", "POSITION", "LAG", "PARKED"], &rows);
            }
            for status in all {
                let builds = status.live.iter().chain(&status.candidate);
                for why in builds.filter_map(|build| failing(build).or(withheld(build))) {
                    printer.talk(&format!("read model `{}`: {why}\n", status.name));
                }
            }
            for Refused { path, why, .. } in refused {
                let when = "when the ledger was last served";
                printer.talk(&format!("`{path}` was not taken {when}:\n{why}"));
            }
        }
        Format::Json => {
            for status in all {
                let is_of = |one: &&Refused| one.name.as_ref() == Some(&status.name);
                printer.json(&shown(status, refused.iter().filter(is_of)));
            }
            let names = |name: &ReadModelName| all.iter().any(|status| status.name == *name);
            let is_of_none = |one: &&Refused| !one.name.as_ref().is_some_and(names);
            for refused in refused.iter().filter(is_of_none) {
                printer.json(&json!({ "read_model": refused.name, "refused": [of_file(refused)] }));
            }
        }
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
    let new = |building: &Building| match building.state {
        Some(State::Withheld(_)) => "withheld",
        _ => "building",
    };
    live.chain(status.candidate.iter().map(|building| row(building, new(building)))).collect()
}

/// A read model as JSON, with the files of it that were not taken.
fn shown<'r>(status: &Status, refused: impl Iterator<Item = &'r Refused>) -> Value {
    let of = |building: &Building| of_building(building, status.head);
    json!({
        "read_model": status.name,
        "head": status.head,
        "live": status.live.as_ref().map(of),
        "building": status.candidate.as_ref().map(of),
        "refused": refused.map(of_file).collect::<Vec<_>>(),
    })
}

fn of_file(refused: &Refused) -> Value {
    json!({ "file": refused.path, "why": refused.why })
}

fn of_building(building: &Building, head: Position) -> Value {
    json!({
        "version": building.version,
        "build": building.build,
        "position": building.standing.position,
        "lag": building.lag(head),
        "parked": building.standing.parked,
        "failing": failing(building),
        "withheld": withheld(building),
    })
}

/// Why a build does not go on, or cannot be looked at.
fn failing(building: &Building) -> Option<&String> {
    match building.state.as_ref()? {
        State::Failing(why) => Some(why),
        State::CatchingUp | State::Following | State::Withheld(_) => None,
    }
}

/// Why a build that has all there is is not read.
fn withheld(building: &Building) -> Option<&String> {
    match building.state.as_ref()? {
        State::Withheld(why) => Some(why),
        State::CatchingUp | State::Following | State::Failing(_) => None,
    }
}
