//! `fairway ledger serve`: a ledger for services, over HTTP and gRPC.

use super::{
    service::Service,
    tokens_file::{self, FollowedTokens},
};
use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    interrupts::Interrupts,
    ledgers::LedgerArgs,
    printer::Printer,
};
use fairway_api::Tls;
use fairway_model::EnvironmentName;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Serve a ledger over HTTP and gRPC until interrupted
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
    /// The address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2113")]
    pub(super) listen: SocketAddr,
    /// The file with the tokens of those who may call; without one everybody may who reaches the
    /// address, which then has to be on this machine
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// The folder with the files that declare read models, which are followed and can be asked
    #[arg(long, value_name = "DIR")]
    pub(super) read_models: Option<PathBuf>,
    /// The environment whose secrets the files of read models refer to
    #[arg(long, value_name = "ENVIRONMENT", requires = "read_models")]
    pub(super) secrets_of: Option<EnvironmentName>,
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
    block_on(async {
        let interrupts = Interrupts::open()?;
        let service = Service::assemble(args, app, (tls, tokens), printer).await?;
        service.run(interrupts, printer).await
    })
}

fn tls(directory: &Path, certificate: &Path, key: &Path) -> Result<Tls, Failure> {
    let read =
        |path: &Path| fs::read(directory.join(path)).doing(format!("read `{}`", path.display()));
    let tls = Tls::from_pem(&read(certificate)?, &read(key)?);
    tls.map_err(|error| Failure::usage("TLS cannot be used").because(error))
}
