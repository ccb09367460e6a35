//! What is said of pipelines when all have ended.

use crate::{
    moment::span,
    pipelines::Ran,
    printer::{Format, Printer},
};
use fairway_pipeline::StageOutcome;
use serde_json::json;

/// Prints a line for each pipeline.
pub fn summary(all: &[Ran], printer: &mut Printer) {
    let header = ["SERVICE", "RUN", "OUTCOME", "RAN", "CACHED", "RELEASE", "TIME"];
    printer.table(&header, &all.iter().map(row).collect::<Vec<_>>());
    for ran in all {
        if let Some(because) = ran.why_no_release() {
            printer.talk(&format!("note: no release of `{}`: {because}\n", ran.service));
        }
    }
}

/// Tells programs of the releases, in the form of progress.
pub fn announce(all: &[Ran], printer: &mut Printer) {
    debug_assert_eq!(printer.format, Format::Json);
    for ran in all {
        let Some(release) = &ran.release else { continue };
        printer.json(&json!({
            "run": ran.report.run, "service": ran.service, "event": "release_made",
            "release": release.id, "image": release.content.image,
        }));
    }
}

fn row(ran: &Ran) -> Vec<String> {
    let count = |is_counted: fn(&StageOutcome) -> bool| {
        let stages = ran.report.stages.iter();
        stages.filter(|(_, result)| is_counted(&result.outcome)).count().to_string()
    };
    let release = ran.release.as_ref().map(|release| release.id.to_string());
    vec![
        ran.service.to_string(),
        ran.report.run.to_string(),
        ran.report.outcome.to_string(),
        count(has_run),
        count(|outcome| matches!(outcome, StageOutcome::Cached { .. })),
        release.unwrap_or_else(|| "-".to_owned()),
        span(ran.took),
    ]
}

fn has_run(outcome: &StageOutcome) -> bool {
    match outcome {
        StageOutcome::Passed | StageOutcome::Failed { .. } | StageOutcome::Cancelled => true,
        StageOutcome::Cached { .. } | StageOutcome::Skipped { .. } => false,
    }
}
