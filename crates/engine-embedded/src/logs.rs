//! Logs as streams.

use crate::{
    contact::{self, Contact, Found},
    embedded::Embedded,
    launch::blocking,
    log::LogReader,
};
use fairway_engine::{ContainerId, EngineError, LogEvent, LogFrom};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use rustix::{fs::inotify, io::Errno};
use std::{io, mem::MaybeUninit, os::fd::OwnedFd, path::Path};
use tokio::io::unix::AsyncFd;

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
            follow(&path, *contact).map_err(failed)
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

#[expect(deprecated, reason = "an owned descriptor stays the same and open")]
fn follow(path: &Path, contact: Contact) -> io::Result<Events> {
    // First the watch, then the first look, so that nothing falls between.
    let changes = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    inotify::add_watch(&changes, path, inotify::WatchFlags::MODIFY)?;
    let reader = LogReader::open(path)?;
    let changes = AsyncFd::new(changes)?;
    let follower = Follower { reader, changes, contact: Some(contact), cut: None };
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
    changes: AsyncFd<OwnedFd>,
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
        tokio::select! {
            ready = self.changes.readable() => {
                let mut ready = ready.map_err(failed)?;
                forget_changes(ready.get_inner()).map_err(failed)?;
                ready.clear_ready();
            }
            state = contact.next() => {
                if state?.is_none_or(|state| state.exit.is_some()) {
                    self.contact = None;
                }
            }
        }
        Ok(())
    }
}

fn forget_changes(changes: &OwnedFd) -> io::Result<()> {
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 1024];
    loop {
        match rustix::io::read(changes, &mut buffer[..]) {
            Ok(_) => {}
            Err(Errno::AGAIN) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
