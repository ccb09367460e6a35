//! What replicas of a service or neighbour of an environment wrote, with secrets masked.

use crate::{
    app::{App, block_on},
    failure::{Doing, Failure},
    keeper::Replica,
    moment::iso,
    printer::{Format, Printer},
    residents::residents,
};
use fairway_engine::{LogEvent, LogFrom, Sandbox};
use fairway_model::{EnvironmentName, Timestamp};
use fairway_secrets::Masker;
use futures_util::{StreamExt, stream};
use serde_json::json;

/// How much of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What is there.
    All,
    /// What is there, and what comes.
    Growing,
    /// So many last lines of each replica.
    Last(usize),
}

/// Prints the lines of all replicas, each with its name if there are several.
pub(super) fn print(
    environment: &EnvironmentName,
    name: &str,
    extent: Extent,
    app: &App,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let from = match extent {
        Extent::All => LogFrom::Start,
        Extent::Growing => LogFrom::StartAndFollow,
        Extent::Last(lines) => LogFrom::Last(lines),
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
            one(prefixed.then_some(&replica), &event, &masker, printer);
        }
        Ok(())
    })
}

fn one(replica: Option<&String>, event: &LogEvent, masker: &Masker, printer: &mut Printer) {
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
