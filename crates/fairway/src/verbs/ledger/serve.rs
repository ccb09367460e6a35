//! `fairway ledger serve`: a ledger for services, over HTTP.

use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    interrupts::Interrupts,
    ledgers::{self, LedgerArgs},
    printer::Printer,
};
use fairway_api::Api;
use std::net::{SocketAddr, TcpListener};

/// Serve a ledger over HTTP until interrupted
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2113")]
    listen: SocketAddr,
}

/// Serves until somebody asks to stop.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    block_on(async {
        let mut interrupts = Interrupts::open()?;
        let ledger = ledgers::open(app, args.ledger.ledger.as_deref()).await?;
        let listener = TcpListener::bind(args.listen);
        let listener = listener.doing(format!("listen at `{}`", args.listen))?;
        let address = listener.local_addr().doing("find the address")?;
        printer.talk(&format!("serving `{}` at http://{address}\n", ledger.place()));
        let stop = async move { interrupts.next().await };
        fairway_api::serve(listener, Api::new(ledger), stop).await.doing("serve")?;
        Ok(Exit::Done)
    })
}
