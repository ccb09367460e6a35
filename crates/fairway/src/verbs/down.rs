//! `fairway down`: stops an environment.

use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    keeper::Contact,
    printer::Printer,
    space,
};
use fairway_delivery::{Environment, EnvironmentEvent, Environments, ServiceState, Volumes};
use fairway_ledger::{Ledger, Position};
use fairway_model::EnvironmentName;

/// Stop an environment
#[derive(clap::Args)]
pub struct Args {
    /// The environment
    environment: EnvironmentName,
    /// Remove the data of its databases and queues too, for good
    #[arg(long)]
    volumes: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Stops everything of the environment and waits for it.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let ledger = app.ledger()?;
    let environments = Environments::new(ledger.clone());
    let name = &args.environment;
    block_on(async {
        let state = environments.get(name).await.doing(format!("read how `{name}` stands"))?;
        let is_nothing_to_do = !state.is_up() && (!args.volumes || state.version == 0);
        if is_nothing_to_do {
            printer.talk(&format!("{name} is not up\n"));
            return Ok(Exit::Done);
        }
        if !args.yes && !printer.confirm("down", &intent(&state, args.volumes))? {
            printer.talk("nothing was stopped\n");
            return Ok(Exit::Failed);
        }
        let volumes = if args.volumes { Volumes::Removed } else { Volumes::Kept };
        let request = EnvironmentEvent::DownRequested { volumes };
        let asked = environments.record(name, &request).await.doing("ask for the end")?;
        await_down(app, &ledger, name, asked).await?;
        printer.talk(&format!("{name} is down\n"));
        Ok(Exit::Done)
    })
}

/// What is going to happen.
fn intent(state: &Environment, volumes: bool) -> String {
    let live = state.services.values().filter_map(ServiceState::live);
    let live: Vec<String> = live.map(|live| live.placement.release.to_string()).collect();
    let intent = format!("this stops {} in {}", live.join(", "), state.name);
    let and = " and removes the data of its databases and queues for good";
    if volumes { intent + and } else { intent }
}

async fn await_down(
    app: &App,
    ledger: &Ledger,
    name: &EnvironmentName,
    asked: Position,
) -> Result<(), Failure> {
    let mut events = ledger.subscribe(asked).doing("follow the ledger")?;
    let mut is_down = async || loop {
        let event = events.next().await.doing("follow the ledger")?;
        if let Some((environment, EnvironmentEvent::Down)) = Environments::read(&event)
            && environment == *name
        {
            return Ok(());
        }
    };
    let full = space::runs_out(app);
    tokio::pin!(full);
    loop {
        let mut contact = Contact::open(app).await?;
        if contact.wake().await.is_err() {
            continue;
        }
        tokio::select! {
            down = is_down() => return down,
            () = contact.gone() => {}
            failure = &mut full => return Err(failure),
        }
    }
}
