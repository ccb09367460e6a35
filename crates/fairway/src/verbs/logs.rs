//! `fairway logs`: what stages of a run and services of an environment wrote.

mod gateway;
mod service;
mod stage;

use crate::{
    app::App,
    failure::{Exit, Failure},
    printer::Printer,
};
use fairway_model::{EnvironmentName, RunId};
use service::Extent;
use std::str::FromStr;

/// The name under which the requests of an environment's gateway are shown.
const GATEWAY: &str = "gateway";

/// Show what a run or a running service wrote
#[derive(clap::Args)]
pub struct Args {
    /// The number of a run, or an environment
    #[arg(value_name = "RUN|ENVIRONMENT")]
    place: Place,
    /// The stage of the run (all if none is named); or the service of the environment, a neighbour
    /// as `db.orders`, or `gateway` for the requests of users
    #[arg(value_name = "STAGE|SERVICE")]
    name: Option<String>,
    /// Go on as more is written, until Ctrl-C; only of a service
    #[arg(short, long)]
    follow: bool,
    /// Only so many last lines; only of a service
    #[arg(short = 'n', long, value_name = "LINES", conflicts_with = "follow")]
    last: Option<usize>,
}

/// Where to look.
#[derive(Debug, Clone)]
enum Place {
    Run(RunId),
    Environment(EnvironmentName),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            return text
                .parse()
                .map(|number| Self::Run(RunId(number)))
                .map_err(|_| "a run is named by its number".to_owned());
        }
        text.parse().map(Self::Environment).map_err(|error| format!("{error}"))
    }
}

/// Prints the lines.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    match (&args.place, args.name.as_deref()) {
        (Place::Run(run), stage) => stage::print(*run, stage, app, printer)?,
        (Place::Environment(environment), Some(GATEWAY)) => {
            gateway::print(environment, args.last, app, printer)?;
        }
        (Place::Environment(environment), Some(name)) => {
            let extent = match (args.last, args.follow) {
                (Some(lines), _) => Extent::Last(lines),
                (None, true) => Extent::Growing,
                (None, false) => Extent::All,
            };
            service::print(environment, name, extent, app, printer)?;
        }
        (Place::Environment(environment), None) => {
            return Err(Failure::usage(format!("which service of `{environment}`?"))
                .hint(format!("`fairway status {environment}` names them")));
        }
    }
    Ok(Exit::Done)
}
