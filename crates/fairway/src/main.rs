//! Fairway takes a fleet of microservices from a laptop to production.

mod addresses;
mod app;
mod build_failure;
mod checkout;
mod cli;
mod failure;
mod git;
mod interrupts;
mod keeper;
mod ledgers;
mod moment;
mod pipelines;
mod printer;
mod progress;
mod promotion;
mod residents;
mod settings;
mod sources;
mod space;
mod supply;
mod verbs;
mod words;
mod workshop;

use app::App;
use clap::Parser;
use cli::{Cli, Verb};
use failure::{Exit, Failure};
use printer::Printer;
use settings::Settings;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

/// The exit code of a bug of ours.
const BUG: u8 = 255;

fn main() -> ExitCode {
    fairway_engine_embedded::become_helper_if_asked();
    let cli = Cli::parse();
    let settings = Settings::read();
    let mut printer = Printer { format: cli.output, audience: settings.audience };
    let directory = cli.directory.unwrap_or_else(|| ".".into());
    let app = App { settings, directory };
    // What was left half done by a panic is not used afterwards.
    let ended = catch_unwind(AssertUnwindSafe(|| run(&cli.verb, &app, &mut printer)));
    match ended {
        Ok(Ok(exit)) => ExitCode::from(exit.code()),
        Ok(Err(failure)) => {
            printer.talk(&failure.render());
            ExitCode::from(failure.code())
        }
        Err(_) => {
            printer.talk("error: this is a bug of Fairway; the lines above say where it is\n");
            ExitCode::from(BUG)
        }
    }
}

fn run(verb: &Verb, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    match verb {
        Verb::Init(args) => verbs::init::run(args, app, printer),
        Verb::Check(args) => verbs::check::run(args, app, printer),
        Verb::Run(args) => verbs::run::run(args, app, printer),
        Verb::Build(args) => verbs::build::run(args, app, printer),
        Verb::Images(args) => verbs::images::run(args, app, printer),
        Verb::Runs(args) => verbs::runs::run(args, app, printer),
        Verb::Releases(args) => verbs::releases::run(args, app, printer),
        Verb::Promote(args) => verbs::promote::run(args, app, printer),
        Verb::Rollback(args) => verbs::rollback::run(args, app, printer),
        Verb::Status(args) => verbs::status::run(args, app, printer),
        Verb::Logs(args) => verbs::logs::run(args, app, printer),
        Verb::Exec(args) => verbs::exec::run(args, app, printer),
        Verb::Down(args) => verbs::down::run(args, app, printer),
        Verb::Keeper(args) => verbs::keeper::run(args, app, printer),
        Verb::Secret(args) => verbs::secret::run(args, app, printer),
        Verb::Events(args) => verbs::events::run(args, app, printer),
        Verb::Ledger(args) => verbs::ledger::run(args, app, printer),
        Verb::ReadModels(args) => verbs::read_models::run(args, app, printer),
        Verb::Completions(args) => verbs::completions::run(args, app, printer),
        Verb::Man(args) => verbs::man::run(args, app, printer),
    }
}
