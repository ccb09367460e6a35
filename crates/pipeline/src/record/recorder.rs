//! Writes the events of one run.

use super::{RunEvent, RunRecord, RunStart, run_stream};
use fairway_ledger::{
    Append, AppendError, DecodeError, EventError, Expected, Ledger, LedgerError, NewEvent,
    StreamName, Version,
};
use fairway_model::RunId;

/// Most events of one run that are read.
const EVENTS_MAX: usize = 10_000;
/// Why a run could not be recorded or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The ledger refused.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An event could not be written.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An event could not be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Its events begin otherwise than with its start.
    #[error("run `{0}` has no start")]
    NoStart(RunId),
    /// Very many runs start at once.
    #[error("no number for a run was free")]
    Busy,
}

/// The stream that counts runs.
fn counter() -> StreamName {
    "runs".parse().expect("`runs` names a stream")
}

/// Writes the events of one run, each append on condition that nobody else wrote meanwhile.
pub(crate) struct Recorder {
    ledger: Ledger,
    run: RunId,
    version: Version,
    held: Vec<NewEvent>,
}

impl Recorder {
    /// The number that the next run gets, unless somebody else takes it.
    pub(crate) async fn next_number(ledger: &Ledger) -> Result<RunId, RecordError> {
        Ok(RunId(ledger.stream_version(&counter()).await?.0 + 1))
    }

    /// Records the start of a new run with this number; none if somebody else took it.
    pub(crate) async fn start(
        ledger: &Ledger,
        run: RunId,
        start: RunStart,
    ) -> Result<Option<Self>, RecordError> {
        let appends = vec![
            Append {
                stream: counter(),
                expected: Expected::Exact(Version(run.0 - 1)),
                events: vec![NewEvent::new("run-numbered", &run)?],
            },
            Append {
                stream: run_stream(run),
                expected: Expected::NoStream,
                events: vec![RunEvent::RunStarted(start).to_new()?],
            },
        ];
        match ledger.append_all(appends).await {
            Ok(_) => Ok(Some(Self::continue_at(ledger, run, Version(1)))),
            Err(AppendError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes on where a run's last driver stopped.
    pub(crate) fn continue_at(ledger: &Ledger, run: RunId, version: Version) -> Self {
        Self { ledger: ledger.clone(), run, version, held: Vec::new() }
    }

    /// The run.
    pub(crate) fn run(&self) -> RunId {
        self.run
    }

    /// Takes an event, to be written with the next one that cannot wait.
    pub(crate) fn hold(&mut self, event: &RunEvent) -> Result<(), RecordError> {
        self.held.push(event.to_new()?);
        Ok(())
    }

    /// Writes an event and those that were held; they are on disk when this returns.
    pub(crate) async fn write(&mut self, event: &RunEvent) -> Result<(), RecordError> {
        self.hold(event)?;
        let events = std::mem::take(&mut self.held);
        let expected = Expected::Exact(self.version);
        let appended = self.ledger.append(&run_stream(self.run), expected, events).await?;
        self.version = appended.version;
        Ok(())
    }
}

impl RunRecord {
    /// Reads a run with the version of its stream; none if there is no such run.
    pub async fn read(
        ledger: &Ledger,
        run: RunId,
    ) -> Result<Option<(RunRecord, Version)>, RecordError> {
        let events = ledger.read_stream(&run_stream(run), Version(0), EVENTS_MAX).await?;
        let mut record: Option<RunRecord> = None;
        let mut version = Version(0);
        for event in events {
            version = event.version;
            match (&mut record, event.decode()?) {
                (None, RunEvent::RunStarted(start)) => {
                    record = Some(RunRecord::new(run, start, event.recorded));
                }
                (Some(record), fact) => record.apply(fact, event.recorded),
                (None, _) => return Err(RecordError::NoStart(run)),
            }
        }
        Ok(record.map(|record| (record, version)))
    }
}
