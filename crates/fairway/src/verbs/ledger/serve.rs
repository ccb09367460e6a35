//! `fairway ledger serve`: a ledger for services, over HTTP and gRPC.

use super::{
    callers::Callers,
    tokens_file::{self, FollowedTokens},
};
use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    interrupts::Interrupts,
    ledgers::{self, LedgerArgs},
    printer::Printer,
    verbs::read_models::{self, Hosted},
};
use fairway_api::{Api, Server, Tls, Tokens};
use fairway_kurrent::{Kurrent, Open, Rights};
use fairway_ledger::Ledger;
use fairway_model::EnvironmentName;
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::{mpsc, watch};

/// Most remarks that wait to be said.
const SAID_MAX: usize = 16;

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
    /// The folder with the files that declare read models, which are followed and can be asked
    #[arg(long, value_name = "DIR")]
    read_models: Option<PathBuf>,
    /// The environment whose secrets the files of read models refer to
    #[arg(long, value_name = "ENVIRONMENT", requires = "read_models")]
    secrets_of: Option<EnvironmentName>,
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
    let tokens = match &args.tokens {
        Some(path) => Some(FollowedTokens::open(tokens_file::below(&app.directory, path))?),
        None => None,
    };
    block_on(serve(args, app, (tls, tokens), printer))
}

async fn serve(
    args: &Args,
    app: &App,
    (tls, tokens): (Option<Tls>, Option<FollowedTokens>),
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut interrupts = Interrupts::open()?;
    let ledger = ledgers::open(app, args.ledger.ledger.as_deref()).await?;
    let hosted = match &args.read_models {
        Some(folder) => {
            let from = (folder.as_path(), args.secrets_of.as_ref());
            Some(read_models::host(app, &ledger, from, printer).await?)
        }
        None => None,
    };
    let listener = TcpListener::bind(args.listen);
    let listener = listener.doing(format!("listen at `{}`", args.listen))?;
    let address = listener.local_addr().doing("find the address")?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    printer.talk(&format!("serving `{}` at {scheme}://{address}\n", ledger.place()));
    let (say, mut said) = mpsc::channel(SAID_MAX);
    let callers = tokens.as_ref().map(FollowedTokens::receiver);
    let (api, kurrent) = api(ledger, callers, &say);
    let api = api.with_subjects(ledgers::subjects(app)?);
    let api = match &hosted {
        Some(Hosted { models, .. }) => api.with_read_models(models.clone()),
        None => api,
    };
    let server = match tls {
        Some(tls) => Server::new(api).with_tls(tls),
        None => Server::new(api),
    };
    let following = async {
        match tokens {
            Some(tokens) => tokens.follow(say).await,
            None => std::future::pending().await,
        }
    };
    let stop = async {
        tokio::pin!(following);
        loop {
            tokio::select! {
                () = &mut following => return,
                Some(text) = said.recv() => printer.talk(&format!("{}\n", text.trim_end())),
                () = interrupts.next() => return,
            }
        }
    };
    let stop = async {
        stop.await;
        kurrent.close();
    };
    let ended = server.serve(listener, stop).await;
    if let Some(Hosted { following, .. }) = hosted {
        following.stop().await;
    }
    ended.doing("serve")?;
    Ok(Exit::Done)
}

/// What is answered for a ledger, and what of that clients of KurrentDB are answered.
fn api(
    ledger: Ledger,
    tokens: Option<watch::Receiver<Arc<Tokens>>>,
    faults: &mpsc::Sender<String>,
) -> (Api, Kurrent) {
    let clock = ledger.clock().clone();
    let api = Api::new(ledger).with_faults(faults.clone());
    let (api, rights): (Api, Arc<dyn Rights>) = match tokens {
        None => (api, Arc::new(Open)),
        Some(tokens) => (api.with_tokens(tokens.clone()), Arc::new(Callers::new(tokens, clock))),
    };
    let kurrent = Kurrent::new(api.groups().clone(), rights).with_faults(faults.clone());
    let answering = kurrent.clone();
    let api = api.with_grpc(move |request| {
        let kurrent = answering.clone();
        async move { kurrent.handle(request).await }
    });
    (api, kurrent)
}

fn tls(directory: &Path, certificate: &Path, key: &Path) -> Result<Tls, Failure> {
    let read =
        |path: &Path| fs::read(directory.join(path)).doing(format!("read `{}`", path.display()));
    let tls = Tls::from_pem(&read(certificate)?, &read(key)?);
    tls.map_err(|error| Failure::usage("TLS cannot be used").because(error))
}
