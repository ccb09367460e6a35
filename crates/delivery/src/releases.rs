//! The releases of all services, in the ledger.

use crate::{Release, ReleaseContent};
use fairway_ledger::{
    AppendError, DecodeError, Event, EventError, Expected, Key, Ledger, LedgerError, NewEvent,
    Projection, StreamName, StreamNameError, Version,
};
use fairway_model::{ReleaseId, ServiceName};

const CATEGORY: &str = "release";
const MADE: &str = "release-made";
/// How often a release is tried again when somebody else makes one of the same service meanwhile.
const ATTEMPTS: usize = 8;
/// Most releases among which the newest of all services are looked for.
const SEARCHED_MAX: usize = 10_000;

/// Why a release could not be recorded or read.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger did not take the event.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The event has no form.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The stream has no name.
    #[error(transparent)]
    Stream(#[from] StreamNameError),
}

impl DeliveryError {
    /// Whether the ledger cannot be written for want of space.
    pub(crate) fn is_full_disk(&self) -> bool {
        let (Self::Ledger(error) | Self::Append(AppendError::Ledger(error))) = self else {
            return false;
        };
        matches!(error, LedgerError::DiskFull { .. })
    }
}

/// Makes and finds releases.
#[derive(Debug, Clone)]
pub struct Releases {
    ledger: Ledger,
}

impl Releases {
    /// The releases in a ledger.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }

    /// Makes a release. If the newest one of the service would run just the same, it is that one.
    pub async fn make(
        &self,
        service: &ServiceName,
        content: ReleaseContent,
    ) -> Result<Release, DeliveryError> {
        let stream = StreamName::of(CATEGORY, service)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let newest = self.newest(service).await?;
            if let Some(newest) =
                newest.as_ref().filter(|newest| newest.content.runs_like(&content))
            {
                return Ok(newest.clone());
            }
            let version = Version(newest.map_or(0, |newest| newest.id.number));
            let event = NewEvent::new(MADE, &content)?;
            let appended = self.ledger.append(&stream, Expected::Exact(version), vec![event]).await;
            match appended {
                Ok(appended) => {
                    let id = ReleaseId { service: service.clone(), number: appended.version.0 };
                    return Ok(Release { id, content, at: self.ledger.clock().now() });
                }
                Err(AppendError::Conflict { .. }) if attempt < ATTEMPTS => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The release of this id.
    pub async fn get(&self, id: &ReleaseId) -> Result<Option<Release>, DeliveryError> {
        Ok(self.ledger.row::<ReleaseRows>(key(&id.service, id.number)).await?)
    }

    /// The newest releases of a service, newest first.
    pub async fn list(
        &self,
        service: &ServiceName,
        limit: usize,
    ) -> Result<Vec<Release>, DeliveryError> {
        let prefix = format!("{service}/");
        let rows = self.ledger.last_rows_with_prefix::<ReleaseRows>(&prefix, limit).await?;
        Ok(rows.into_iter().map(|(_, release)| release).collect())
    }

    /// The newest releases of all services, newest first.
    pub async fn all(&self, limit: usize) -> Result<Vec<Release>, DeliveryError> {
        let rows = self.ledger.last_rows::<ReleaseRows>(SEARCHED_MAX).await?;
        let mut releases: Vec<Release> = rows.into_iter().map(|(_, release)| release).collect();
        releases.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| b.id.cmp(&a.id)));
        releases.truncate(limit);
        Ok(releases)
    }

    /// The newest release of a service.
    pub async fn newest(&self, service: &ServiceName) -> Result<Option<Release>, DeliveryError> {
        Ok(self.list(service, 1).await?.into_iter().next())
    }
}

/// A row per release, in the order of services and numbers.
struct ReleaseRows;

impl Projection for ReleaseRows {
    const NAME: &'static str = "releases";
    const VERSION: u32 = 1;
    type Row = Release;

    fn key(event: &Event) -> Option<Key> {
        let service = event.stream.id()?.parse().ok()?;
        let is_made = event.stream.category() == CATEGORY && event.kind == MADE;
        is_made.then(|| key(&service, event.version.0))
    }

    fn apply(_: Option<Release>, event: &Event) -> Result<Option<Release>, DecodeError> {
        let Some(service) = event.stream.id().and_then(|id| id.parse().ok()) else {
            return Ok(None);
        };
        let id = ReleaseId { service, number: event.version.0 };
        Ok(Some(Release { id, content: event.decode()?, at: event.recorded }))
    }
}

/// Sorts by number within a service.
fn key(service: &ServiceName, number: u64) -> Key {
    Key::Text(format!("{service}/{number:020}"))
}
