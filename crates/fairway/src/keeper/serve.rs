//! The keeper's process: holds the lock, drives environments, answers on the socket.

use super::{
    gateways::Gateways,
    lock::Lock,
    places::Places,
    protocol::{Answer, Greeting, PROTOCOL, Question, Replica, hear, say},
};
use crate::{
    app::App,
    failure::{Doing, Failure},
};
use fairway_delivery::{
    Environments, Keeper, KeeperError, Library, Notice, Surroundings, group_of,
};
use fairway_engine::Host;
use fairway_engine_embedded::EmbeddedHost;
use fairway_ledger::Ledger;
use fairway_model::EnvironmentName;
use futures_util::{FutureExt, StreamExt};
use rustix::{
    io::Errno,
    process::{Resource, getrlimit, setrlimit, setsid},
};
use std::{error::Error, fs, io, path::Path, sync::Arc};
use tokio::{
    io::BufStream,
    net::{UnixListener, UnixStream},
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};

/// How many verbs are answered at once.
const CONTACTS_MAX: usize = 64;

/// Drives all environments of the data directory until none is up for a while, or a signal asks it
/// to leave; what runs goes on then. Does nothing if there is a keeper already.
pub async fn serve(app: &App, mut tell: impl FnMut(&str)) -> Result<(), Failure> {
    let places = Places::of(app)?;
    let Some(_lock) = Lock::try_take(&places.lock).doing("take the keeper's lock")? else {
        return Ok(());
    };
    leave_terminal().doing("leave the terminal")?;
    raise_file_limit().doing("raise the limit of open files")?;
    let engine = app.engine()?;
    engine.sweep().await.doing("remove what killed processes left")?;
    let (ledger, blobs, secrets) = (app.ledger()?, app.blobs()?, app.secrets()?);
    let host: Arc<dyn Host> = Arc::new(EmbeddedHost::new(engine.clone()));
    let surroundings = Surroundings {
        environments: Environments::new(ledger.clone()),
        library: Library::new(ledger.clone(), blobs, secrets),
        host: host.clone(),
        edge: Arc::new(Gateways::new(Arc::new(engine), places.gateways.clone())),
    };
    let cannot = |error: KeeperError| Failure::failed("the keeper cannot go on").because(error);
    let keeper = Keeper::begin(ledger.clone(), surroundings).await.map_err(cannot)?;
    let listener = listen(&places.socket).doing("open the keeper's socket")?;
    let mut terminate = signal(SignalKind::terminate()).doing("await signals")?;
    let ended = tokio::select! {
        ended = keeper.run(|notice| tell(&described(&notice))) => ended,
        never = answer_all(listener, &ledger, &host) => match never {},
        _ = terminate.recv() => Ok(()),
    };
    fs::remove_file(&places.socket).doing("remove the keeper's socket")?;
    ended.map_err(cannot)
}

/// It was started by a verb, whose terminal is not its own. A process that leads its group cannot
/// leave: it was started by hand.
fn leave_terminal() -> io::Result<()> {
    match setsid() {
        Ok(_) | Err(Errno::PERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The gateway holds two files per request.
fn raise_file_limit() -> io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Listens on a path that a keeper before may have left.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(path)
}

fn described(notice: &Notice) -> String {
    match notice {
        Notice::Faltered(environment, error) => {
            let mut text = format!("`{environment}` is taken up again: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            text + "\n"
        }
    }
}

async fn answer_all(
    listener: UnixListener,
    ledger: &Ledger,
    host: &Arc<dyn Host>,
) -> std::convert::Infallible {
    let mut contacts = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if contacts.len() < CONTACTS_MAX => {
                if let Ok((stream, _)) = accepted {
                    contacts.spawn(converse(stream, ledger.clone(), host.clone()));
                }
            }
            Some(_) = contacts.join_next() => {}
        }
    }
}

/// Answers one verb until it leaves or says what is no question.
async fn converse(stream: UnixStream, ledger: Ledger, host: Arc<dyn Host>) -> io::Result<()> {
    use tokio::io::AsyncWriteExt;
    let mut stream = BufStream::new(stream);
    say(&mut stream, &Greeting { protocol: PROTOCOL, process: std::process::id() }).await?;
    stream.flush().await?;
    while let Some(question) = hear::<Question>(&mut stream).await? {
        let answer = match question {
            Question::Wake => {
                ledger.wake();
                Answer::Awake
            }
            Question::Replicas(environment) => {
                Answer::Replicas(replicas(&*host, &environment).await)
            }
        };
        say(&mut stream, &answer).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// How every replica stands; none of an environment that is not up.
async fn replicas(host: &dyn Host, environment: &EnvironmentName) -> Vec<Replica> {
    let Ok(mut seen) = host.observe(&group_of(environment)).await else {
        return Vec::new();
    };
    let mut replicas = Vec::new();
    while let Some(Some(observation)) = seen.next().now_or_never() {
        replicas.extend(Replica::of(observation));
    }
    replicas
}
