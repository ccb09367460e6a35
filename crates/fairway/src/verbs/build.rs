//! `fairway build`: builds the images of services.

use crate::{
    app::{App, block_on},
    checkout,
    failure::{Exit, Failure},
    moment::span,
    pipelines::{Asked, Ran, run_all, services},
    printer::{Format, Printer},
    progress::View,
    workshop::Workshop,
};
use fairway_model::{ServiceName, StageName};
use fairway_pipeline::{Selection, StageOutcome};
use serde_json::{Value, json};

/// The implicit stage of every pipeline.
const STAGE: &str = "build";

/// Build images
#[derive(clap::Args)]
pub struct Args {
    /// The services; all of the fleet if none is named
    services: Vec<ServiceName>,
}

/// Runs the stage `build` of each service and prints the images.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let Some((files, config)) = checkout::load(app, printer)? else {
        return Ok(Exit::Misconfigured);
    };
    let stage: StageName = STAGE.parse().expect("the stage has a name");
    let asked = Asked {
        services: services(&config, &args.services)?,
        selection: Selection::Stage(stage.clone()),
        target: None,
    };
    let all = block_on(async {
        let workshop = Workshop::open(app, &files, &config).await?;
        run_all(&workshop, &asked, &mut View::for_people(printer), printer).await
    })?;
    match printer.format {
        Format::Json => {
            printer.json(&all.iter().map(|ran| object(ran, &stage)).collect::<Vec<_>>());
        }
        Format::Text => {
            let header = ["SERVICE", "IMAGE", "OUTCOME", "TIME"];
            printer.table(&header, &all.iter().map(|ran| row(ran, &stage)).collect::<Vec<_>>());
        }
    }
    Ok(if all.iter().all(Ran::has_passed) { Exit::Done } else { Exit::Failed })
}

/// How the build ended; another stage that it needs may have failed before.
fn outcome<'a>(ran: &'a Ran, stage: &StageName) -> Option<&'a StageOutcome> {
    let found = ran.report.stages.iter().find(|(name, _)| name == stage);
    found.map(|(_, result)| &result.outcome)
}

fn row(ran: &Ran, stage: &StageName) -> Vec<String> {
    let image = ran.report.image().map(|image| image.short());
    vec![
        ran.service.to_string(),
        image.unwrap_or_else(|| "-".to_owned()),
        outcome(ran, stage).map_or("-", word).to_owned(),
        span(ran.took),
    ]
}

fn object(ran: &Ran, stage: &StageName) -> Value {
    let failure = match outcome(ran, stage) {
        Some(StageOutcome::Failed { cause }) => Some(cause.to_string()),
        _ => None,
    };
    json!({
        "service": ran.service,
        "run": ran.report.run,
        "image": ran.report.image(),
        "outcome": outcome(ran, stage).map(word),
        "failure": failure,
        "milliseconds": u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn word(outcome: &StageOutcome) -> &'static str {
    match outcome {
        StageOutcome::Passed => "built",
        StageOutcome::Cached { .. } => "cached",
        StageOutcome::Failed { .. } => "failed",
        StageOutcome::Skipped { .. } => "skipped",
        StageOutcome::Cancelled => "cancelled",
    }
}
