//! The command line.

use crate::{printer::Format, verbs};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// The paved road for microservices: build, test, ship and run a fleet of services
#[derive(Parser)]
#[command(name = "fairway", version, max_term_width = 100)]
pub struct Cli {
    /// Work as if started in this folder
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// The form of what is printed
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub output: Format,
    #[command(subcommand)]
    pub verb: Verb,
}

/// What Fairway can do.
#[derive(Subcommand)]
pub enum Verb {
    /// Begin a service in a folder with a Dockerfile
    Init(verbs::init::Args),
    /// Check fleet.yaml and every fairway.yaml
    Check(verbs::check::Args),
    /// Run pipelines
    Run(verbs::run::Args),
    /// Build images
    Build(verbs::build::Args),
    /// List images
    Images(verbs::images::Args),
    /// List runs
    Runs(verbs::runs::Args),
    /// List releases
    Releases(verbs::releases::Args),
    /// Move a release into an environment
    Promote(verbs::promote::Args),
    /// Go back to the release that ran before
    Rollback(verbs::rollback::Args),
    /// Show what runs where
    Status(verbs::status::Args),
    /// Show what a run or a running service wrote
    Logs(verbs::logs::Args),
    /// Run a command in a running service
    Exec(verbs::exec::Args),
    /// Stop an environment
    Down(verbs::down::Args),
    /// Keep environments running until none is up
    #[command(hide = true)]
    Keeper(verbs::keeper::Args),
    /// Keep secrets of environments
    Secret(verbs::secret::Args),
    /// Append and read the events of services
    Events(verbs::events::Args),
    /// Serve and keep the ledgers of services' events
    Ledger(verbs::ledger::Args),
    /// Declare, ask and mend read models
    ReadModels(verbs::read_models::Args),
    /// Print a completion script for a shell
    Completions(verbs::completions::Args),
    /// Write manual pages to a folder
    #[command(hide = true)]
    Man(verbs::man::Args),
}
