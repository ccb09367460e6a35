//! `fairway logs`: what stages of a run and services of an environment wrote.

use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    keeper::Replica,
    moment::iso,
    printer::{Format, Printer},
    residents::residents,
};
use fairway_engine::{LogEvent, LogFrom, Sandbox};
use fairway_model::{EnvironmentName, RunId, StageName, Timestamp};
use fairway_pipeline::{LineKind, RunLogs, Runs, StageLogLine};
use fairway_secrets::Masker;
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind},
    str::FromStr,
};

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
    match (&args.place, &args.name) {
        (Place::Run(run), stage) => run_logs(*run, stage.as_deref(), app, printer),
        (Place::Environment(environment), Some(name)) if name == GATEWAY => {
            gateway_logs(environment, args.last, app, printer)
        }
        (Place::Environment(environment), Some(name)) => {
            service_logs(args, environment, name, app, printer)
        }
        (Place::Environment(environment), None) => {
            Err(Failure::usage(format!("which service of `{environment}`?"))
                .hint(format!("`fairway status {environment}` names them")))
        }
    }
}

fn run_logs(
    run: RunId,
    stage: Option<&str>,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let wanted: Option<StageName> =
        match stage {
            Some(stage) => Some(stage.parse().map_err(|error| {
                Failure::usage(format!("`{stage}` is no stage")).because(error)
            })?),
            None => None,
        };
    let runs = Runs::new(app.ledger()?, RunLogs::new(app.data("runs")?));
    let logs = RunLogs::new(app.data("runs")?);
    block_on(async {
        let record = runs.get(run).await.doing(format!("read run {run}"))?;
        let record = record.ok_or_else(|| {
            Failure::failed(format!("there is no run {run}")).hint("`fairway runs` lists them")
        })?;
        let stages: Vec<StageName> = match wanted {
            Some(stage) => vec![stage],
            None => record.run.start.stages.clone(),
        };
        for stage in &stages {
            let origin =
                runs.origin(run, stage).await.doing(format!("find the log of `{stage}`"))?;
            let origin = origin.ok_or_else(|| {
                Failure::failed(format!("run {run} has no log of a stage `{stage}`"))
            });
            // Of all stages, those that did not begin have none.
            let origin = match (origin, stages.len()) {
                (Ok(origin), _) => origin,
                (Err(_), 2..) => continue,
                (Err(failure), _) => return Err(failure),
            };
            let lines = logs.read(origin, stage).doing(format!("read the log of `{stage}`"))?;
            for line in lines.into_iter().flatten() {
                let line = line.doing(format!("read the log of `{stage}`"))?;
                let prefix = if stages.len() > 1 { format!("{stage} | ") } else { String::new() };
                print_stage_line(&prefix, stage, &line, printer);
            }
        }
        Ok(Exit::Done)
    })
}

fn print_stage_line(prefix: &str, stage: &StageName, line: &StageLogLine, printer: &mut Printer) {
    let text = String::from_utf8_lossy(&line.text);
    match printer.format {
        Format::Text => printer.data(&format!("{prefix}{text}\n")),
        Format::Json => {
            let stream = match line.kind {
                LineKind::Stdout => "stdout",
                LineKind::Stderr => "stderr",
                LineKind::Note => "note",
            };
            printer.json(
                &json!({ "at": iso(line.at), "stage": stage, "stream": stream, "text": text }),
            );
        }
    }
}

/// The requests that users made, a JSON line each; the newest last.
fn gateway_logs(
    environment: &EnvironmentName,
    last: Option<usize>,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let path = app.data("gateways")?.join(format!("{environment}.log"));
    let doing = || format!("read `{}`", path.display());
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            printer.talk(&format!("the gateway of {environment} has had no requests\n"));
            return Ok(Exit::Done);
        }
        file => file.doing(doing())?,
    };
    let mut lines = std::collections::VecDeque::new();
    for line in BufReader::new(file).lines() {
        let line = line.doing(doing())?;
        match last {
            None => printer.data(&(line + "\n")),
            Some(last) => {
                lines.push_back(line);
                lines.drain(..lines.len().saturating_sub(last));
            }
        }
    }
    for line in lines {
        printer.data(&(line + "\n"));
    }
    Ok(Exit::Done)
}

fn service_logs(
    args: &Args,
    environment: &EnvironmentName,
    name: &str,
    app: &App,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let from = match (args.last, args.follow) {
        (Some(lines), _) => LogFrom::Last(lines),
        (None, true) => LogFrom::StartAndFollow,
        (None, false) => LogFrom::Start,
    };
    let masker = app.secrets()?.masker(environment).doing("read the secrets to mask")?;
    block_on(async {
        let engine = app.engine()?;
        let replicas = residents(app, environment, name).await?;
        let prefixed = replicas.len() > 1;
        let mut lines = Vec::new();
        for Replica { container, .. } in replicas {
            let log = engine.logs(&container, from).await;
            let log = log.doing(format!("read the log of `{}`", container.name))?;
            lines.push(log.map(move |line| (container.name.clone(), line)));
        }
        let mut lines = stream::select_all(lines);
        while let Some((replica, event)) = lines.next().await {
            let event = event.doing(format!("read the log of `{replica}`"))?;
            print_service_line(prefixed.then_some(&replica), &event, &masker, printer);
        }
        Ok(Exit::Done)
    })
}

fn print_service_line(
    replica: Option<&String>,
    event: &LogEvent,
    masker: &Masker,
    printer: &mut Printer,
) {
    let (at, text): (Option<Timestamp>, String) = match event {
        LogEvent::Line(line) => {
            (Some(line.at), masker.mask_text(&String::from_utf8_lossy(&line.text)))
        }
        LogEvent::Cut { dropped } => (None, format!("[the log is full: {dropped} bytes follow]")),
    };
    match (printer.format, replica) {
        (Format::Json, replica) => {
            printer.json(&json!({ "at": at.map(iso), "replica": replica, "text": text }));
        }
        (Format::Text, Some(replica)) => printer.data(&format!("{replica} | {text}\n")),
        (Format::Text, None) => printer.data(&format!("{text}\n")),
    }
}
