//! Finding out how a group does.

use crate::{
    decide::{Mark, Progress},
    drivers::ask,
    error::GroupError,
    feed,
    group_id::{GroupId, Source},
    groups::Groups,
    info::{GroupInfo, Lag},
    progress_row,
    request::Request,
    settings::Settings,
};
use fairway_ledger::{Event, Filter, LedgerError};
use fairway_model::Timestamp;

/// Most events that are read to find how many pass the filter.
const COUNT_MAX: usize = 1_000;

impl Groups {
    /// How a group does: its progress, what is parked, and how far it is behind.
    pub async fn info(&self, id: &GroupId) -> Result<GroupInfo, GroupError> {
        let (group, facts) = self.standing(id).await?;
        let looked = match self.driver(id).await {
            Some(driver) => ask(&driver, Request::Look).await,
            None => None,
        };
        let (progress, live) = match looked {
            Some((progress, live)) => (progress, Some(live)),
            None => (progress_row::last(self.ledger(), id, (&group, &facts)).await?, None),
        };
        let (lag, first) = self.lag(id, &group.settings, &progress).await?;
        let age = |recorded: Timestamp| self.ledger().clock().now().since(recorded);
        Ok(GroupInfo {
            id: id.clone(),
            settings: group.settings,
            checkpoint: progress.checkpoint,
            taken: progress.taken,
            lag,
            oldest: first.map(age),
            unfinished: progress.unfinished.len(),
            parked: facts.parked().len(),
            live,
        })
    }

    /// How many events are not finished, and when the first of them was recorded.
    async fn lag(
        &self,
        id: &GroupId,
        settings: &Settings,
        progress: &Progress,
    ) -> Result<(Lag, Option<Timestamp>), GroupError> {
        let held = progress.unfinished.len() as u64;
        let source = (id.source(), &settings.filter);
        let (next, to) = feed::read(self.ledger(), source, progress.taken, COUNT_MAX).await?;
        let rest = self.rest(source, to).await?;
        let lag = held + next.len() as u64 + rest;
        let first = match progress.unfinished.first() {
            Some(unfinished) => feed::load(self.ledger(), &[unfinished.0]).await?,
            None => next,
        };
        let is_exact = rest == 0 || matches!(id.source(), Source::Stream(_)) && is_all(source.1);
        let lag = if is_exact { Lag::Exactly(lag) } else { Lag::AtMost(lag) };
        Ok((lag, first.first().map(|event: &Event| event.recorded)))
    }

    /// How many events there are at most after those that were counted.
    async fn rest(
        &self,
        (source, filter): (&Source, &Filter),
        to: Mark,
    ) -> Result<u64, LedgerError> {
        let (_, next) = feed::read(self.ledger(), (source, filter), to, 1).await?;
        if next == to {
            return Ok(0);
        }
        let behind = |head: u64, at: u64| head.saturating_sub(at);
        Ok(match source {
            Source::Stream(stream) => {
                behind(self.ledger().stream_version(stream).await?.0, to.version.0)
            }
            Source::All | Source::Category(_) => {
                behind(self.ledger().head().await?.0, to.position.0)
            }
        })
    }
}

fn is_all(filter: &Filter) -> bool {
    *filter == Filter::all()
}
