//! Events that are parked, and events that are left out by hand.

use crate::{
    error::GroupError,
    facts::{Fact, Facts, Parked, REPLAY_MAX, Standing, reason},
    group_id::GroupId,
    groups::Groups,
    progress_row,
};
use fairway_ledger::Position;

impl Groups {
    /// Events that are parked, after a position, by position; at most `limit`.
    pub async fn parked(
        &self,
        id: &GroupId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Parked>, GroupError> {
        let (_, facts) = self.standing(id).await?;
        let parked = facts.parked().values().filter(|parked| parked.position > after);
        Ok(parked.take(limit).cloned().collect())
    }

    /// Hands out again what is parked: the first `limit` events. Says how many these are.
    pub async fn replay_parked(&self, id: &GroupId, limit: usize) -> Result<usize, GroupError> {
        let parked = self.parked(id, Position(0), limit).await?;
        let positions: Vec<Position> = parked.iter().map(|parked| parked.position).collect();
        self.replay(id, &positions).await
    }

    /// Hands out again those of these events that are parked. Says how many these are.
    pub async fn replay(&self, id: &GroupId, positions: &[Position]) -> Result<usize, GroupError> {
        let mut count = 0;
        for some in positions.chunks(REPLAY_MAX) {
            let mut events = Vec::new();
            self.decide(id, |facts| {
                facts.group.as_ref().ok_or_else(|| GroupError::Unknown(id.clone()))?;
                let parked = some.iter().filter_map(|position| facts.parked().get(position));
                events = parked.map(Parked::replay).collect();
                let fact = Fact::Replayed { events: events.clone() };
                Ok((!events.is_empty()).then_some(fact))
            })
            .await?;
            count += events.len();
        }
        Ok(count)
    }

    /// Leaves out an event: one that is parked, or one that the group has not finished. A consumer
    /// that has it may still be at work with it.
    pub async fn skip(
        &self,
        id: &GroupId,
        position: Position,
        why: &str,
    ) -> Result<(), GroupError> {
        let (group, facts) = self.standing(id).await?;
        let progress = progress_row::last(self.ledger(), id, (&group, &facts)).await?;
        let is_ahead = position > progress.checkpoint.position
            && position <= self.ledger().head().await?
            || progress.unfinished.iter().any(|unfinished| unfinished.0 == position);
        self.decide(id, |facts| {
            facts.group.as_ref().ok_or_else(|| GroupError::Unknown(id.clone()))?;
            if is_ahead || facts.parked().contains_key(&position) {
                Ok(Some(Fact::Skipped { position, reason: reason(why) }))
            } else {
                Err(GroupError::NotHeld { group: id.clone(), position })
            }
        })
        .await
    }

    /// What is decided about a group that there is.
    pub(crate) async fn standing(&self, id: &GroupId) -> Result<(Standing, Facts), GroupError> {
        let facts = Facts::load(self.ledger(), id.stream()).await?;
        let group = facts.group.clone().ok_or_else(|| GroupError::Unknown(id.clone()))?;
        Ok((group, facts))
    }
}
