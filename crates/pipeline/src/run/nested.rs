//! Builds a colleague's service for a run that needs it beside a stage.

use super::{Progress, ProgressEvent, RunContext, RunReport, RunRequest, Runner};
use crate::{OnFailure, SeamError, Selection, ServiceImage, ServiceOrigin, StageOutcome, Talk};
use fairway_model::{ServiceName, config::Stage};
use std::{pin::Pin, sync::Arc};
use tokio::sync::mpsc;

/// Most events of the inner run that wait to be told.
const PROGRESS_MAX: usize = 64;

type Built<'a> = Pin<Box<dyn Future<Output = Result<ServiceImage, SeamError>> + Send + 'a>>;

/// Runs the stage `build` of a service, as a run of its own. Boxed, as runs contain runs.
pub(crate) fn build<'a>(
    outer: &'a RunContext,
    service: &'a ServiceName,
    talk: &'a Talk,
) -> Built<'a> {
    Box::pin(async move {
        let request = request(outer, service).await?;
        let checkout = request.checkout.clone();
        let (sender, mut told) = mpsc::channel(PROGRESS_MAX);
        let runner = Runner::with(Arc::clone(&outer.tools));
        let run = runner.run(request, sender, outer.cancel.clone());
        let tell = async {
            while let Some(Progress { event, .. }) = told.recv().await {
                if let ProgressEvent::Line { text, .. } = event {
                    // Who listens may have gone when the outer run is cancelled.
                    drop(talk.send(format!("{service} | {text}")).await);
                }
            }
        };
        let (report, ()) = tokio::join!(run, tell);
        let report = report
            .map_err(|error| SeamError::new(format!("could not build `{service}`"), error))?;
        let image = report.image().ok_or_else(|| refused(service, &report))?;
        let origin = ServiceOrigin::Revision(checkout.revision);
        Ok(ServiceImage { service: checkout.service, image, origin })
    })
}

async fn request(outer: &RunContext, service: &ServiceName) -> Result<RunRequest, SeamError> {
    let request = &outer.request;
    let mut waiting = request.waiting.clone();
    waiting.push(request.checkout.service.name.clone());
    if waiting.contains(service) {
        let names: Vec<String> = waiting.iter().map(|name| format!("`{name}`")).collect();
        return Err(SeamError::plain(format!(
            "`{service}` cannot be built, as building {} waits for it",
            names.join(", ")
        )));
    }
    Ok(RunRequest {
        checkout: outer.tools.services.checkout(service).await?,
        fleet: Arc::clone(&request.fleet),
        selection: Selection::Stage(Stage::build()),
        target: request.target.clone(),
        on_failure: OnFailure::StartNothingNew,
        waiting,
    })
}

fn refused(service: &ServiceName, report: &RunReport) -> SeamError {
    let failed = report.stages.iter().find_map(|(stage, result)| match &result.outcome {
        StageOutcome::Failed { cause } => Some(format!("stage `{stage}`: {cause}")),
        _ => None,
    });
    let why = failed.unwrap_or_else(|| format!("the run {}", report.outcome));
    SeamError::plain(format!("could not build `{service}` in run {}: {why}", report.run))
}
