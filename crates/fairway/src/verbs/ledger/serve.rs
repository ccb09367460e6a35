//! `fairway ledger serve`: a ledger for services, over HTTP and gRPC.

use super::{callers::Callers, tokens_file};
use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    interrupts::Interrupts,
    ledgers::{self, LedgerArgs},
    printer::Printer,
};
use fairway_api::{Api, Server, Tls, Tokens};
use fairway_kurrent::{Kurrent, Open, Rights};
use fairway_ledger::Ledger;
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

/// Serve a ledger over HTTP and gRPC until interrupted
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2113")]
    listen: SocketAddr,
    /// The file with the tokens of those who may call; without one everybody may who reaches the
    /// address, which then has to be on this machine
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// The certificate for TLS, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// Serves until somebody asks to stop.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    if args.tokens.is_none() && !args.listen.ip().is_loopback() {
        let message = format!("without tokens a ledger is not served at `{}`", args.listen);
        return Err(Failure::usage(message)
            .hint("make one with `fairway ledger token new`, and name its file with `--tokens`"));
    }
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(tls(&app.directory, certificate, key)?),
        _ => None,
    };
    let tokens = args.tokens.as_ref().map(|path| tokens_file::below(&app.directory, path));
    let (sender, receiver) = match &tokens {
        Some(file) => watch::channel(Arc::new(file.read()?)),
        None => watch::channel(Arc::new(Tokens::default())),
    };
    block_on(async {
        let mut interrupts = Interrupts::open()?;
        let ledger = ledgers::open(app, args.ledger.ledger.as_deref()).await?;
        let listener = TcpListener::bind(args.listen);
        let listener = listener.doing(format!("listen at `{}`", args.listen))?;
        let address = listener.local_addr().doing("find the address")?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        printer.talk(&format!("serving `{}` at {scheme}://{address}\n", ledger.place()));
        let server = server(ledger, tokens.is_some().then_some(receiver), tls);
        let following = async {
            match tokens {
                Some(file) => file.follow(sender, |text| printer.talk(text)).await,
                None => std::future::pending().await,
            }
        };
        let stop = async {
            tokio::select! {
                () = following => {}
                () = interrupts.next() => {}
            }
        };
        server.serve(listener, stop).await.doing("serve")?;
        Ok(Exit::Done)
    })
}

/// What answers requests for a ledger.
fn server(
    ledger: Ledger,
    tokens: Option<watch::Receiver<Arc<Tokens>>>,
    tls: Option<Tls>,
) -> Server {
    let clock = ledger.clock().clone();
    let api = Api::new(ledger);
    let (api, rights): (Api, Arc<dyn Rights>) = match tokens {
        None => (api, Arc::new(Open)),
        Some(tokens) => {
            (api.with_tokens(tokens.clone()), Arc::new(Callers::new(tokens, clock)))
        }
    };
    let kurrent = Kurrent::new(api.groups().clone(), rights);
    let api = api.with_grpc(move |request| {
        let kurrent = kurrent.clone();
        async move { kurrent.handle(request).await }
    });
    let server = Server::new(api);
    match tls {
        Some(tls) => server.with_tls(tls),
        None => server,
    }
}

fn tls(directory: &Path, certificate: &Path, key: &Path) -> Result<Tls, Failure> {
    let read =
        |path: &Path| fs::read(directory.join(path)).doing(format!("read `{}`", path.display()));
    let tls = Tls::from_pem(&read(certificate)?, &read(key)?);
    tls.map_err(|error| Failure::usage("TLS cannot be used").because(error))
}
