//! The groups of a ledger.

use crate::{
    drivers::Drivers,
    error::{Ended, GroupError},
    facts::{Fact, Facts, Standing},
    group_id::{GROUP_CATEGORY, GroupId, Source},
    info::GroupSummary,
    progress_row,
    settings::{Settings, SettingsError, Start},
};
use fairway_ledger::{AppendError, Expected, Ledger, ListStreams, PAGE_STREAMS_MAX};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The groups of a ledger. Cheap to clone. A group that consumers of this process want is handed out
/// by this process, until [`Groups::close`], or until the last clone and consumer are dropped.
#[derive(Debug, Clone)]
pub struct Groups(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ledger: Ledger,
    /// None when closed.
    drivers: Mutex<Option<Drivers>>,
}

impl Groups {
    /// The groups of a ledger. Nothing is done until something is asked for.
    pub fn open(ledger: Ledger) -> Self {
        Self(Arc::new(Inner { ledger, drivers: Mutex::new(Some(HashMap::new())) }))
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// The drivers of this process; none when closed.
    pub(crate) fn drivers(&self) -> MutexGuard<'_, Option<Drivers>> {
        self.0.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a group.
    pub async fn create(&self, id: &GroupId, settings: Settings) -> Result<(), GroupError> {
        settings.check()?;
        let start = self.start_of(id, settings.start).await?;
        let settings = Box::new(Settings { start, ..settings });
        let (source, name) = (id.source().clone(), id.name().clone());
        self.decide(id, |facts| match facts.group {
            Some(_) => Err(GroupError::Exists(id.clone())),
            None => Ok(Some(Fact::Created {
                source: source.clone(),
                name: name.clone(),
                settings: settings.clone(),
            })),
        })
        .await
    }

    /// Gives a group other settings, but for its filter and its start. Its consumers are
    /// disconnected.
    pub async fn update(&self, id: &GroupId, settings: Settings) -> Result<(), GroupError> {
        settings.check()?;
        self.decide(id, |facts| {
            let before = facts.group.as_ref().ok_or_else(|| GroupError::Unknown(id.clone()))?;
            let Settings { filter, start, .. } = before.settings.clone();
            let settings = Settings { filter, start, ..settings.clone() };
            Ok(Some(Fact::Updated { settings: Box::new(settings) }))
        })
        .await?;
        self.stop(id, Ended::Updated).await;
        Ok(())
    }

    /// Removes a group. Its consumers are disconnected; what was parked is forgotten.
    pub async fn remove(&self, id: &GroupId) -> Result<(), GroupError> {
        self.decide(id, |facts| match facts.group {
            Some(_) => Ok(Some(Fact::Removed)),
            None => Err(GroupError::Unknown(id.clone())),
        })
        .await?;
        self.stop(id, Ended::Removed).await;
        Ok(progress_row::remove(self.ledger(), id).await?)
    }

    /// All groups, by the names of their streams.
    pub async fn list(&self) -> Result<Vec<GroupSummary>, GroupError> {
        let mut groups = Vec::new();
        let (prefix, limit) = (format!("{GROUP_CATEGORY}-"), PAGE_STREAMS_MAX);
        let mut after = String::new();
        loop {
            let asked = ListStreams { prefix: prefix.clone(), after, limit };
            let page = self.ledger().streams(asked).await?;
            let Some(end) = page.last() else { return Ok(groups) };
            after = end.name.to_string();
            for stream in page {
                let facts = Facts::load(self.ledger(), &stream.name).await?;
                if let Some(Standing { source, name, settings, .. }) = facts.group {
                    groups.push(GroupSummary { id: GroupId::new(source, name)?, settings });
                }
            }
        }
    }

    /// How a group is set.
    pub async fn settings(&self, id: &GroupId) -> Result<Settings, GroupError> {
        let facts = Facts::load(self.ledger(), id.stream()).await?;
        facts.group.map(|group| group.settings).ok_or_else(|| GroupError::Unknown(id.clone()))
    }

    /// Writes a fact that follows from those that are there, if one does.
    pub(crate) async fn decide(
        &self,
        id: &GroupId,
        mut fact: impl FnMut(&Facts) -> Result<Option<Fact>, GroupError>,
    ) -> Result<(), GroupError> {
        loop {
            let facts = Facts::load(self.ledger(), id.stream()).await?;
            let Some(event) = fact(&facts)?.map(|fact| fact.event()) else { return Ok(()) };
            let expected = Expected::Exact(facts.version);
            match self.ledger().append(id.stream(), expected, vec![event]).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Looks up the end, and refuses what the source does not know.
    async fn start_of(&self, id: &GroupId, start: Start) -> Result<Start, GroupError> {
        Ok(match (start, id.source()) {
            (Start::End, Source::Stream(stream)) => {
                Start::AfterVersion(self.ledger().stream_version(stream).await?)
            }
            (Start::End, _) => Start::AfterPosition(self.ledger().head().await?),
            (Start::AfterVersion(_), Source::All | Source::Category(_))
            | (Start::AfterPosition(_), Source::Stream(_)) => {
                return Err(SettingsError::Start.into());
            }
            // Nobody knows yet what is after the end.
            (Start::AfterPosition(position), _) => {
                Start::AfterPosition(position.min(self.ledger().head().await?))
            }
            (Start::Beginning | Start::AfterVersion(_), _) => start,
        })
    }
}
