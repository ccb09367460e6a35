//! How a verb speaks to the keeper; starts it if there is none.

use super::{
    places::Places,
    protocol::{Answer, Greeting, PROTOCOL, Question, Replica, hear, say},
};
use crate::{
    app::App,
    failure::{Doing, Failure},
};
use fairway_model::EnvironmentName;
use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufStream},
    net::UnixStream,
    time::{Instant, sleep, timeout},
};

/// How long a keeper may take until it answers.
const START_MAX: Duration = Duration::from_secs(20);
/// How long it may take to greet.
const GREETING_MAX: Duration = Duration::from_secs(5);
/// The pause between attempts to reach it.
const PAUSE: Duration = Duration::from_millis(10);
/// A longer log of the keeper is put aside when it starts.
const LOG_MAX: u64 = 4 << 20;
/// How much of its log is shown when it does not start, in lines.
const LAST_LINES: usize = 10;

/// A connection to the keeper.
pub struct Contact {
    stream: BufStream<UnixStream>,
}

impl Contact {
    /// Reaches the keeper, which is started if there is none.
    pub async fn open(app: &App) -> Result<Self, Failure> {
        let places = Places::of(app)?;
        let deadline = Instant::now() + START_MAX;
        let mut child: Option<Child> = None;
        loop {
            if let Some(contact) = Self::reach(&places.socket).await? {
                return Ok(contact);
            }
            child = match child.take() {
                None => Some(start(app, &places)?),
                Some(mut started) => match started.try_wait().doing("watch the keeper")? {
                    None => Some(started),
                    // Another keeper was there first, or left just now.
                    Some(status) if status.success() => None,
                    Some(_) => return Err(not_started(&places)),
                },
            };
            if Instant::now() > deadline {
                return Err(not_started(&places));
            }
            sleep(PAUSE).await;
        }
    }

    /// Reaches the keeper if there is one.
    async fn reach(socket: &Path) -> Result<Option<Self>, Failure> {
        let Ok(stream) = UnixStream::connect(socket).await else {
            return Ok(None);
        };
        let mut stream = BufStream::new(stream);
        match timeout(GREETING_MAX, hear::<Greeting>(&mut stream)).await {
            Ok(Ok(Some(Greeting { protocol: PROTOCOL, .. }))) => Ok(Some(Self { stream })),
            Ok(Ok(Some(Greeting { protocol, process }))) => Err(Failure::unreachable(format!(
                "the keeper speaks version {protocol} of its protocol, this program {PROTOCOL}"
            ))
            .hint(format!("end it with `kill {process}`; what runs goes on"))),
            Ok(Ok(None) | Err(_)) | Err(_) => Ok(None),
        }
    }

    /// Makes the keeper look at the ledger now.
    pub async fn wake(&mut self) -> Result<(), Failure> {
        self.ask(&Question::Wake).await.doing("wake the keeper").map(drop)
    }

    /// How the replicas of an environment stand.
    pub async fn replicas(
        &mut self,
        environment: &EnvironmentName,
    ) -> Result<Vec<Replica>, Failure> {
        match self.ask(&Question::Replicas(environment.clone())).await {
            Ok(Answer::Replicas(replicas)) => Ok(replicas),
            Ok(Answer::Awake) => Ok(Vec::new()),
            Err(error) => Err(error).doing("ask the keeper how replicas stand"),
        }
    }

    /// Completes when the keeper is gone.
    pub async fn gone(&mut self) {
        // It says nothing unasked, so whatever comes is the end.
        drop(self.stream.read_u8().await);
    }

    async fn ask(&mut self, question: &Question) -> io::Result<Answer> {
        say(&mut self.stream, question).await?;
        self.stream.flush().await?;
        hear(&mut self.stream).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Starts the keeper as a process of its own.
fn start(app: &App, places: &Places) -> Result<Child, Failure> {
    if fs::metadata(&places.log).is_ok_and(|log| log.len() > LOG_MAX) {
        fs::rename(&places.log, places.log.with_extension("old")).doing("put the log aside")?;
    }
    let log = File::options().create(true).append(true).open(&places.log);
    let log = log.doing(format!("open `{}`", places.log.display()))?;
    let program = std::env::current_exe().doing("find this program")?;
    let mut command = Command::new(program);
    command
        .arg("keeper")
        .env("FAIRWAY_HOME", app.data("")?.canonicalize().doing("find the data directory")?)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().doing("open the keeper's log")?)
        .stderr(log);
    command.spawn().doing("start the keeper")
}

fn not_started(places: &Places) -> Failure {
    let log = fs::read_to_string(&places.log).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    let failure = Failure::unreachable("the keeper does not start")
        .hint(format!("its log is `{}`", places.log.display()));
    if last.is_empty() { failure } else { failure.because(last) }
}
