//! Runs pipelines of a fleet side by side, and makes releases of what they prove.

use crate::{
    failure::{Doing, Exit, Failure},
    interrupts::Interrupts,
    printer::Printer,
    progress::View,
    workshop::Workshop,
};
use fairway_delivery::{Evidence, Release, ReleaseContent};
use fairway_model::{EnvironmentName, RevisionState, ServiceName, config::FleetConfig};
use fairway_pipeline::{
    Cancel, Canceller, OnFailure, Progress, RunError, RunEvidence, RunOutcome, RunReport,
    RunRequest, Scope, Selection,
};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How many progress events may wait to be shown.
const PROGRESS_MAX: usize = 1024;
/// How often elapsed times are shown anew.
const TICK: Duration = Duration::from_millis(100);

/// What is asked of the pipelines.
pub struct Asked {
    /// Whose pipelines.
    pub services: Vec<ServiceName>,
    /// Which part of each.
    pub selection: Selection,
    /// The environment whose secrets and releases are used.
    pub target: Option<EnvironmentName>,
}

/// A pipeline that ran to its end.
pub struct Ran {
    /// Whose it is.
    pub service: ServiceName,
    /// How it ended.
    pub report: RunReport,
    /// What it made.
    pub release: Option<Release>,
    /// How long it took.
    pub took: Duration,
}

/// The services that were named, each once; all of the fleet if none was.
pub fn services(config: &FleetConfig, named: &[ServiceName]) -> Result<Vec<ServiceName>, Failure> {
    let known = || config.services.keys();
    if let Some(unknown) = named.iter().find(|name| !config.services.contains_key(name)) {
        let known: Vec<_> = known().map(|name| format!("`{name}`")).collect();
        return Err(Failure::usage(format!("the fleet has no service `{unknown}`"))
            .hint(format!("it has {}", known.join(", "))));
    }
    let is_wanted = |name: &&ServiceName| named.is_empty() || named.contains(name);
    Ok(known().filter(is_wanted).cloned().collect())
}

/// Runs the pipelines and shows what they do. The first request to stop cancels them, the second
/// one ends the process; what is left then ends by itself.
pub async fn run_all(
    workshop: &Workshop,
    asked: &Asked,
    view: &mut View,
    printer: &mut Printer,
) -> Result<Vec<Ran>, Failure> {
    let mut interrupts = Interrupts::open()?;
    let (canceller, cancel) = Canceller::new();
    let (sender, mut progress) = mpsc::channel(PROGRESS_MAX);
    let runs = asked.services.iter();
    let runs = runs.map(|name| run_one(workshop, asked, name, (sender.clone(), cancel.clone())));
    let all = futures_util::future::join_all(runs);
    drop(sender);
    tokio::pin!(all);
    let mut tick = tokio::time::interval(TICK);
    let ran = loop {
        tokio::select! {
            Some(event) = progress.recv() => view.show(&event, printer),
            ran = &mut all => break ran,
            _ = tick.tick() => view.tick(),
            () = interrupts.next() => {
                if cancel.is_cancelled() {
                    view.close();
                    std::process::exit(Exit::Failed.code().into());
                }
                canceller.cancel();
                view.stopping(printer);
            }
        }
    };
    while let Ok(event) = progress.try_recv() {
        view.show(&event, printer);
    }
    view.close();
    ran.into_iter().collect()
}

/// Runs one pipeline, and makes the release if it proved all that one needs.
async fn run_one(
    workshop: &Workshop,
    asked: &Asked,
    name: &ServiceName,
    (progress, cancel): (mpsc::Sender<Progress>, Cancel),
) -> Result<Ran, Failure> {
    let start = Instant::now();
    let request = RunRequest {
        checkout: workshop.checkouts[name].clone(),
        fleet: workshop.fleet(),
        selection: asked.selection.clone(),
        target: asked.target.clone(),
        on_failure: OnFailure::default(),
        waiting: Vec::new(),
    };
    let report = workshop.runner.run(request, progress, cancel).await;
    let report = report.map_err(|error| could_not_run(name, error))?;
    let release = match report.evidence.as_ref().and_then(release_content) {
        Some(content) => {
            let made = workshop.releases.make(name, content).await;
            Some(made.doing(format!("record the release of `{name}`"))?)
        }
        None => None,
    };
    Ok(Ran { service: name.clone(), report, release, took: start.elapsed() })
}

fn could_not_run(name: &ServiceName, error: RunError) -> Failure {
    let message = format!("could not run the pipeline of `{name}`");
    match error {
        RunError::Plan(error) => Failure::usage(message).because(error),
        error => Failure::failed(message).because(error),
    }
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

impl Ran {
    /// Whether all that was asked for is green.
    pub fn has_passed(&self) -> bool {
        self.report.outcome == RunOutcome::Passed
    }

    /// Why a green run of a whole pipeline made no release, if it is so.
    pub fn why_no_release(&self) -> Option<&'static str> {
        let evidence = self.report.evidence.as_ref()?;
        let revision = &evidence.revision;
        match (evidence.scope, revision.state, &revision.commit) {
            (Scope::Partial, _, _) | (_, RevisionState::Clean, _) => None,
            (_, RevisionState::Dirty, Some(_)) => Some("it has changes that are not committed"),
            (_, RevisionState::Dirty, None) => Some("it is not committed"),
        }
    }
}
