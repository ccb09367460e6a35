//! `fairway exec`: a command inside a running service.

use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    printer::Printer,
    residents::{best, residents},
};
use fairway_engine::{Env, Exec, ExecStreams, ExitStatus, Sandbox};
use fairway_model::EnvironmentName;

/// Run a command in a running service
#[derive(clap::Args)]
pub struct Args {
    /// The environment
    environment: EnvironmentName,
    /// The service, or a neighbour as `db.orders`
    service: String,
    /// Run as this user: `name`, `uid` or `uid:gid`
    #[arg(short, long)]
    user: Option<String>,
    /// The command
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Runs the command in a ready replica and ends with its exit code.
pub fn run(args: &Args, app: &App, _: &mut Printer) -> Result<Exit, Failure> {
    block_on(async {
        let engine = app.engine()?;
        let replicas = residents(app, &args.environment, &args.service).await?;
        let replica = best(replicas).expect("there is at least one resident");
        let exec = Exec {
            command: args.command.clone(),
            env: Env::default(),
            user: args.user.clone(),
            streams: ExecStreams::Inherited,
            timeout: None,
        };
        let ran = Sandbox::exec(&engine, &replica.container, &exec).await;
        let ran = ran.doing(format!("run the command in `{}`", replica.container.name))?;
        Ok(match ran.status {
            ExitStatus::Code(code) => Exit::Command(code),
            // As a shell tells it.
            ExitStatus::Signal(signal) => Exit::Command(128_u8.saturating_add(signal)),
            ExitStatus::Lost => Exit::Failed,
        })
    })
}
