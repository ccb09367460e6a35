//! `fairway run`: runs pipelines of the fleet.

use crate::{
    app::{App, block_on},
    checkout,
    failure::{Exit, Failure},
    pipelines::{Asked, Ran, run_all, services},
    printer::{Format, Printer},
    progress::{View, announce, summary},
    workshop::Workshop,
};
use fairway_model::{EnvironmentName, ServiceName, StageName};
use fairway_pipeline::Selection;

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
    let Some((files, config)) = checkout::load(app, printer)? else {
        return Ok(Exit::Misconfigured);
    };
    let asked = Asked {
        services: services(&config, &args.services)?,
        selection: args.selection(),
        target: args.target.clone(),
    };
    let mut view = match args.command.as_slice() {
        [] => View::of(printer),
        _ => View::of_command(printer, asked.services.len()),
    };
    let all = block_on(async {
        let workshop = Workshop::open(app, &files, &config).await?;
        run_all(&workshop, &asked, &mut view, printer).await
    })?;
    match (printer.format, args.command.as_slice()) {
        (Format::Json, _) => announce(&all, printer),
        (Format::Text, []) => summary(&all, printer),
        (Format::Text, _) => {}
    }
    Ok(all.iter().fold(Exit::Done, |exit, ran| args.worse(exit, ran)))
}

impl Args {
    fn selection(&self) -> Selection {
        match (&self.stage, self.command.as_slice()) {
            (stage, command @ [_, ..]) => {
                Selection::Command { stage: stage.clone(), command: command.to_vec() }
            }
            (Some(stage), []) => Selection::Stage(stage.clone()),
            (None, []) => Selection::All,
        }
    }

    fn worse(&self, exit: Exit, ran: &Ran) -> Exit {
        match ran.report.exit_code() {
            Some(code) if !self.command.is_empty() && code > 0 => Exit::Command(code),
            _ if ran.has_passed() => exit,
            _ => Exit::Failed,
        }
    }
}
