//! Logs as streams.

use crate::{
    contact::{self, Contact, Found, Said},
    embedded::Embedded,
    launch::blocking,
    log::LogReader,
    wire::Request,
};
use fairway_engine::{ContainerId, EngineError, LogEvent, LogFrom};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::{io, path::Path};

/// A log as it is read by callers.
pub(crate) type Events = BoxStream<'static, Result<LogEvent, EngineError>>;

/// Reads the log of a container.
pub(crate) async fn read(
    engine: &Embedded,
    id: &ContainerId,
    from: LogFrom,
) -> Result<Events, EngineError> {
    let found = contact::find(engine, id).await?;
    let path = engine.places().container_files(id).join("log");
    match (from, found) {
        (LogFrom::StartAndFollow, Found::Watched(contact, state)) if state.exit.is_none() => {
            follow(&path, *contact).await
        }
        (LogFrom::Start | LogFrom::StartAndFollow, _) => {
            let reader = LogReader::open(&path).map_err(failed)?;
            Ok(stream::unfold(Some(reader), until_end).boxed())
        }
        (LogFrom::Last(lines), _) => {
            let last = move || LogReader::open(&path)?.last(lines);
            let events = blocking(move || last().map_err(failed)).await?;
            Ok(stream::iter(events.into_iter().map(Ok)).boxed())
        }
    }
}

fn failed(error: io::Error) -> EngineError {
    EngineError::io("read the log")(error)
}

type Step = Option<(Result<LogEvent, EngineError>, Option<LogReader>)>;

async fn until_end(reader: Option<LogReader>) -> Step {
    let mut reader = reader?;
    match reader.next() {
        Ok(Some(line @ LogEvent::Line(_))) => Some((Ok(line), Some(reader))),
        Ok(Some(cut @ LogEvent::Cut { .. })) => Some((Ok(cut), None)),
        Ok(None) => None,
        Err(error) => Some((Err(failed(error)), None)),
    }
}

async fn follow(path: &Path, mut contact: Contact) -> Result<Events, EngineError> {
    contact.ask(Request::Growth).await?;
    let reader = LogReader::open(path).map_err(failed)?;
    let follower = Follower { reader, contact: Some(contact), cut: None };
    Ok(stream::unfold(Some(follower), |follower| async {
        let mut follower = follower?;
        match follower.next().await {
            Ok(event) => event.map(|event| (Ok(event), Some(follower))),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed())
}

struct Follower {
    reader: LogReader,
    /// The helper, until the container has ended.
    contact: Option<Contact>,
    /// How much was dropped when it was said last.
    cut: Option<u64>,
}

impl Follower {
    async fn next(&mut self) -> Result<Option<LogEvent>, EngineError> {
        loop {
            match self.reader.next().map_err(failed)? {
                Some(line @ LogEvent::Line(_)) => return Ok(Some(line)),
                // Said when it begins, and once more at the end.
                Some(LogEvent::Cut { dropped })
                    if self.cut.is_none()
                        || (self.contact.is_none() && self.cut != Some(dropped)) =>
                {
                    self.cut = Some(dropped);
                    return Ok(Some(LogEvent::Cut { dropped }));
                }
                Some(LogEvent::Cut { .. }) | None if self.contact.is_none() => return Ok(None),
                Some(LogEvent::Cut { .. }) | None => self.wait().await?,
            }
        }
    }

    /// Waits until something is written or the container has ended.
    async fn wait(&mut self) -> Result<(), EngineError> {
        let Some(contact) = &mut self.contact else { return Ok(()) };
        match contact.hear().await? {
            Some(Said::Growth) => contact.ask(Request::Growth).await?,
            Some(Said::State(state)) if state.exit.is_none() => {}
            Some(Said::State(_)) | None => self.contact = None,
        }
        Ok(())
    }
}
