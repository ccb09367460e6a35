//! All that serves a ledger: what is answered, to whom and where, put together and then run.

use super::{callers::Callers, remarks::Remarks, serve::Args, tokens_file::FollowedTokens};
use crate::{
    app::App,
    failure::{Doing, Exit, Failure},
    interrupts::Interrupts,
    ledgers,
    printer::Printer,
    verbs::read_models::{self, Hosted},
};
use fairway_api::{Api, Server, Tls, Tokens};
use fairway_kurrent::{Kurrent, Open, Rights};
use fairway_ledger::Ledger;
use fairway_read_models::Following;
use std::{future::pending, net::TcpListener, pin::pin, sync::Arc};
use tokio::sync::{mpsc, watch};

/// Most remarks that wait to be said.
const SAID_MAX: usize = 16;

/// A ledger that is about to be served.
pub struct Service {
    server: Server,
    listener: TcpListener,
    kurrent: Kurrent,
    read_models: Option<Following>,
    tokens: Option<FollowedTokens>,
    faults: mpsc::Receiver<String>,
}

impl Service {
    /// Opens what is served, takes the address and says which it is.
    pub async fn assemble(
        args: &Args,
        app: &App,
        (tls, tokens): (Option<Tls>, Option<FollowedTokens>),
        printer: &mut Printer,
    ) -> Result<Self, Failure> {
        let ledger = ledgers::open(app, &args.ledger).await?;
        ledgers::say_if_kept_elsewhere(&ledger, app, &args.ledger, printer).await?;
        // Who cannot listen claims nothing and notes nothing.
        let listener = TcpListener::bind(args.listen);
        let listener = listener.doing(format!("listen at `{}`", args.listen))?;
        let address = listener.local_addr().doing("find the address")?;
        let subjects = ledgers::subjects(app, &args.ledger)?;
        let hosted = match &args.read_models {
            Some(folder) => {
                let from = (folder.as_path(), args.secrets_of.as_ref());
                Some(read_models::host(app, &ledger, from, printer).await?)
            }
            None => None,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        printer.talk(&format!("serving `{}` at {scheme}://{address}\n", ledger.place()));

        let (tell, faults) = mpsc::channel(SAID_MAX);
        let callers = tokens.as_ref().map(FollowedTokens::receiver);
        let (api, kurrent) = api(ledger, callers, &tell);
        let api = api.with_subjects(subjects);
        let (api, read_models) = match hosted {
            Some(Hosted { models, following }) => (api.with_read_models(models), Some(following)),
            None => (api, None),
        };
        let server = Server::new(api);
        let server = match tls {
            Some(tls) => server.with_tls(tls),
            None => server,
        };
        Ok(Self { server, listener, kurrent, read_models, tokens, faults })
    }

    /// Serves until somebody asks to stop, and says meanwhile what there is to say.
    pub async fn run(
        self,
        mut interrupts: Interrupts,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let Self { server, listener, kurrent, read_models, tokens, mut faults } = self;
        let (say, mut said) = mpsc::channel(SAID_MAX);
        let following = async {
            match tokens {
                Some(tokens) => tokens.follow(say).await,
                None => pending().await,
            }
        };
        let stop = async {
            let mut following = pin!(following);
            let mut remarks = Remarks::default();
            loop {
                tokio::select! {
                    () = &mut following => break,
                    Some(text) = said.recv() => printer.talk(&format!("{}\n", text.trim_end())),
                    told = remarks.next(&mut faults) => {
                        printer.talk(&(told.join("\n") + "\n"));
                    }
                    () = interrupts.next() => break,
                }
            }
            kurrent.close();
        };
        let ended = server.serve(listener, stop).await;
        if let Some(following) = read_models {
            following.stop().await;
        }
        ended.doing("serve")?;
        Ok(Exit::Done)
    }
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
