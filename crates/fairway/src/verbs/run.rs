//! `fairway run`: runs pipelines; a green run of a clean revision makes a release.

use crate::{
    app::{App, block_on},
    checkout::Checkout,
    failure::{Doing, Exit, Failure},
    printer::{Format, Printer},
    workshop::Workshop,
};
use fairway_delivery::{Evidence, Release, ReleaseContent};
use fairway_model::{EnvironmentName, RevisionState, ServiceName, StageName};
use fairway_pipeline::{
    Cancel, Canceller, OnFailure, Progress, ProgressEvent, RunEvidence, RunOutcome, RunReport,
    RunRequest, Scope, Selection,
};
use tokio::sync::mpsc;

/// How many progress events may wait to be printed.
const PROGRESS_MAX: usize = 1024;

/// Run pipelines
#[derive(clap::Args)]
pub struct Args {
    /// The services; all of the fleet if none is named
    services: Vec<ServiceName>,
    /// Run only this stage and those it needs
    #[arg(long)]
    stage: Option<StageName>,
    /// Use the secrets and releases of this environment
    #[arg(long, value_name = "ENVIRONMENT")]
    target: Option<EnvironmentName>,
    /// Run this command in the place of a stage's steps, and end with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Runs the pipelines side by side and reports each.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let files = Checkout::find(&app.directory)?;
    let config = match files.load() {
        Ok(config) => config,
        Err(diagnostics) => {
            printer.diagnostics(&diagnostics);
            return Ok(Exit::Misconfigured);
        }
    };
    for name in &args.services {
        if !config.services.contains_key(name) {
            return Err(Failure::usage(format!("the fleet has no service `{name}`")));
        }
    }
    let wanted: Vec<ServiceName> = match args.services.as_slice() {
        [] => config.services.keys().cloned().collect(),
        named => named.to_vec(),
    };
    block_on(async {
        let workshop = Workshop::open(app, &files, &config).await?;
        run_all(args, &workshop, &wanted, printer).await
    })
}

async fn run_all(
    args: &Args,
    workshop: &Workshop,
    wanted: &[ServiceName],
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let (canceller, cancel) = Canceller::new();
    let (sender, mut progress) = mpsc::channel(PROGRESS_MAX);
    let runs = wanted.iter().map(|name| one(args, workshop, name, sender.clone(), cancel.clone()));
    let all = futures_util::future::join_all(runs);
    drop(sender);
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_ok() {
            canceller.cancel();
        }
        std::future::pending::<()>().await;
    };
    tokio::pin!(all, interrupted);
    let reports = loop {
        tokio::select! {
            Some(event) = progress.recv() => show(printer, &event),
            reports = &mut all => break reports,
            () = &mut interrupted => {}
        }
    };
    while let Ok(event) = progress.try_recv() {
        show(printer, &event);
    }
    let mut exit = Exit::Done;
    for report in reports {
        let (report, release) = report?;
        exit = worse(exit, args, &report);
        if let Some(release) = release {
            let image = release.content.image.short();
            printer.talk(&format!("release {} ({image})\n", release.id));
        }
    }
    Ok(exit)
}

/// Runs one pipeline, and makes the release if it proved all that one needs.
async fn one(
    args: &Args,
    workshop: &Workshop,
    name: &ServiceName,
    progress: mpsc::Sender<Progress>,
    cancel: Cancel,
) -> Result<(RunReport, Option<Release>), Failure> {
    let selection = match (&args.stage, args.command.as_slice()) {
        (stage, command @ [_, ..]) => {
            Selection::Command { stage: stage.clone(), command: command.to_vec() }
        }
        (Some(stage), []) => Selection::Stage(stage.clone()),
        (None, []) => Selection::All,
    };
    let request = RunRequest {
        checkout: workshop.checkouts[name].clone(),
        fleet: workshop.fleet(),
        selection,
        target: args.target.clone(),
        on_failure: OnFailure::default(),
        waiting: Vec::new(),
    };
    let report = workshop.runner.run(request, progress, cancel).await;
    let report = report.doing(format!("run the pipeline of `{name}`"))?;
    let release = match report.evidence.as_ref().and_then(release_content) {
        Some(content) => {
            let made = workshop.releases.make(name, content).await;
            Some(made.doing(format!("record the release of `{name}`"))?)
        }
        None => None,
    };
    Ok((report, release))
}

/// What a run proved, if it is enough for a release: all of the pipeline on a clean revision.
fn release_content(evidence: &RunEvidence) -> Option<ReleaseContent> {
    if evidence.scope != Scope::Complete || evidence.revision.state != RevisionState::Clean {
        return None;
    }
    let neighbours = evidence.neighbours.iter().map(|fact| (fact.name.clone(), fact.image));
    Some(ReleaseContent {
        revision: evidence.revision.clone(),
        image: evidence.image?,
        config: evidence.config,
        neighbours: evidence.images.clone(),
        evidence: Evidence {
            run: evidence.run,
            tests: evidence.tests.tests,
            skipped: evidence.tests.skipped,
            neighbours: neighbours.collect(),
        },
    })
}

fn worse(exit: Exit, args: &Args, report: &RunReport) -> Exit {
    match (&report.outcome, report.exit_code()) {
        (_, Some(code)) if !args.command.is_empty() && code > 0 => Exit::Command(code),
        (RunOutcome::Passed, _) => exit,
        _ => Exit::Failed,
    }
}

fn show(printer: &mut Printer, progress: &Progress) {
    if printer.format == Format::Json {
        return printer.json(progress);
    }
    let service = &progress.service;
    match &progress.event {
        ProgressEvent::RunStarted { revision, .. } => {
            printer.talk(&format!("{service}: run {} of {revision}\n", progress.run));
        }
        ProgressEvent::StageEntered { .. } => {}
        ProgressEvent::Line { stage, text, .. } => {
            printer.talk(&format!("{service}/{stage} | {text}\n"));
        }
        ProgressEvent::StageFinished { stage, result } => {
            printer.talk(&format!("{service}/{stage}: {}\n", result.outcome));
        }
        ProgressEvent::RunFinished { outcome, duration } => {
            printer.talk(&format!("{service}: {outcome} in {:.1} s\n", duration.as_secs_f64()));
        }
    }
}
