//! Events that point to others (`$>`, with `REVISION@STREAM` as data), and what is sent for them.

use crate::{
    ask::{Links, Shape},
    expected,
    rights::Caller,
    status,
    wire::streams::{Content, ReadEvent, ReadResp},
};
use fairway_ledger::{Event, From, Ledger, Read, Scope, StreamName, Version};
use tonic::Status;

/// The type of an event that points to another.
const LINK: &str = "$>";

/// Sends events in the form that was asked for.
pub(crate) struct Sender {
    pub(crate) ledger: Ledger,
    pub(crate) caller: Caller,
    pub(crate) shape: Shape,
}

impl Sender {
    /// An event as an answer to a read.
    pub(crate) async fn content(&self, event: Event) -> Result<ReadResp, Status> {
        let event = self.event(event).await?;
        Ok(ReadResp { content: Some(Content::Event(event)) })
    }

    /// An event, and what it points to.
    pub(crate) async fn event(&self, event: Event) -> Result<ReadEvent, Status> {
        let ids = self.shape.ids;
        let commit_position = Some(event.position.0);
        if self.shape.links == Links::Kept || event.kind != LINK {
            return Ok(ReadEvent { event: Some(ids.event(event)), link: None, commit_position });
        }
        let target = match target(&event) {
            Some((stream, version)) => self.find(stream, version).await?,
            None => None,
        };
        let (event, link) = (target.map(|event| ids.event(event)), Some(ids.event(event)));
        Ok(ReadEvent { event, link, commit_position })
    }

    /// The event that is pointed to, if it is there and the caller may read it.
    async fn find(&self, stream: StreamName, version: Version) -> Result<Option<Event>, Status> {
        if self.caller.may_read(&stream).is_err() {
            return Ok(None);
        }
        let after = Version(version.0.saturating_sub(1));
        let read = Read::new(Scope::Stream(stream, From::After(after)), 1);
        let found = self.ledger.read(read).await.map_err(|error| status::ledger(&error))?;
        Ok(found.into_iter().next().filter(|event| event.version == version))
    }
}

fn target(event: &Event) -> Option<(StreamName, Version)> {
    let text = std::str::from_utf8(event.data.as_bytes()).ok()?;
    let (revision, stream) = text.split_once('@')?;
    Some((stream.parse().ok()?, expected::version(revision.parse().ok()?)))
}
