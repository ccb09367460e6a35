//! What stages of a run wrote.

use crate::{
    app::{App, block_on},
    failure::{Doing, Failure},
    moment::iso,
    printer::{Format, Printer},
};
use fairway_model::{RunId, StageName};
use fairway_pipeline::{LineKind, RunLogs, Runs, StageLogLine};
use serde_json::json;

/// Prints the lines of one stage, or of all that wrote any.
pub(super) fn print(
    run: RunId,
    stage: Option<&str>,
    app: &App,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let logs = RunLogs::new(app.data("runs")?);
    let runs = Runs::new(app.ledger()?, logs.clone());
    block_on(async {
        let record = runs.get(run).await.doing(format!("read run {run}"))?;
        let record = record.ok_or_else(|| {
            Failure::failed(format!("there is no run {run}")).hint("`fairway runs` lists them")
        })?;
        let Some(stage) = stage else {
            for stage in &record.run.start.stages {
                if let Some(origin) = origin(&runs, run, stage).await? {
                    lines(&logs, origin, stage, &format!("{stage} | "), printer)?;
                }
            }
            return Ok(());
        };
        let stage: StageName = stage
            .parse()
            .map_err(|error| Failure::usage(format!("`{stage}` is no stage")).because(error))?;
        let origin = origin(&runs, run, &stage).await?;
        let origin =
            origin.ok_or_else(|| Failure::failed(format!("run {run} has no log of `{stage}`")))?;
        lines(&logs, origin, &stage, "", printer)
    })
}

/// The run in which the stage wrote its log: another one if it was cached.
async fn origin(runs: &Runs, run: RunId, stage: &StageName) -> Result<Option<RunId>, Failure> {
    runs.origin(run, stage).await.doing(format!("find the log of `{stage}`"))
}

fn lines(
    logs: &RunLogs,
    run: RunId,
    stage: &StageName,
    prefix: &str,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let doing = || format!("read the log of `{stage}`");
    for line in logs.read(run, stage).doing(doing())?.into_iter().flatten() {
        one(stage, prefix, &line.doing(doing())?, printer);
    }
    Ok(())
}

fn one(stage: &StageName, prefix: &str, line: &StageLogLine, printer: &mut Printer) {
    let text = String::from_utf8_lossy(&line.text);
    let stream = match line.kind {
        LineKind::Stdout => "stdout",
        LineKind::Stderr => "stderr",
        LineKind::Note => "note",
    };
    match printer.format {
        Format::Text => printer.data(&format!("{prefix}{text}\n")),
        Format::Json => printer
            .json(&json!({ "at": iso(line.at), "stage": stage, "stream": stream, "text": text })),
    }
}
