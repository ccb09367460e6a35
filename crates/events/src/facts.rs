//! What was decided about a group, as events of its stream, and what they amount to.

use crate::{
    decide::Progress,
    error::GroupError,
    group_id::{GroupName, Source},
    settings::Settings,
};
use fairway_ledger::{
    Data, DecodeError, Event, EventId, Kind, Ledger, NewEvent, PAGE_EVENTS_MAX, Position,
    StreamName, Version,
};
use fairway_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Most events of a group that are parked at once. When there are so many, those that fail go on
/// being retried.
pub const PARKED_MAX: usize = 10_000;
/// Most events that one fact replays.
pub(crate) const REPLAY_MAX: usize = 1_000;
/// Longest reason in bytes; what is longer is cut.
pub const REASON_MAX: usize = 500;
/// A reader folds up to this many facts; if there are more, it saves a snapshot.
const FOLD_MAX: u64 = 500;
/// The kind of snapshots of facts.
const SNAPSHOT_KIND: &str = "group-facts-v1";

/// A fact about a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Fact {
    /// It exists from now on.
    Created { source: Source, name: GroupName, settings: Box<Settings> },
    /// It has other settings.
    Updated { settings: Box<Settings> },
    /// It does not exist any more.
    Removed,
    /// An event failed too often, or a consumer refused it.
    Parked(Failure),
    /// An event is not to be handed out any more.
    Skipped { position: Position, reason: String },
    /// Parked events are to be handed out again.
    Replayed { events: Vec<Replay> },
    /// How far it is. Progress is stored beside the ledger's events much more often; this is where a
    /// copy of the ledger goes on, which has only those.
    Progressed { progress: Progress },
}

/// An event that is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replay {
    pub(crate) position: Position,
    pub(crate) version: Version,
    /// A hash of what it is ordered by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<u64>,
}

/// What is recorded of an event that is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) position: Position,
    pub(crate) version: Version,
    pub(crate) stream: StreamName,
    pub(crate) id: EventId,
    /// A hash of what it is ordered by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<u64>,
    pub(crate) attempts: u32,
    pub(crate) reason: String,
    /// Whether it did not fail, but waits for an earlier one of its key that is parked.
    #[serde(default)]
    pub(crate) is_behind: bool,
}

/// A parked event, as far as decisions need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shelved {
    pub(crate) replay: Replay,
    pub(crate) is_behind: bool,
}

impl Failure {
    pub(crate) fn shelved(&self) -> Shelved {
        let Self { position, version, key, is_behind, .. } = *self;
        Shelved { replay: Replay { position, version, key }, is_behind }
    }
}

/// An event that is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Where it is in the ledger.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Where it is in its stream.
    pub version: Version,
    /// Its id.
    pub id: EventId,
    /// How often it was handed out.
    pub attempts: u32,
    /// Why it failed the last time; at most [`REASON_MAX`] bytes.
    pub reason: String,
    /// When it was parked.
    pub at: Timestamp,
    /// Whether it did not fail, but waits for an earlier one of its key that is parked; it is handed
    /// out by itself when that is done.
    #[serde(default)]
    pub is_behind: bool,
    /// A hash of what it is ordered by.
    pub(crate) key: Option<u64>,
}

impl Parked {
    pub(crate) fn replay(&self) -> Replay {
        Replay { position: self.position, version: self.version, key: self.key }
    }
}

impl Fact {
    fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "group-created",
            Self::Updated { .. } => "group-updated",
            Self::Removed => "group-removed",
            Self::Parked(_) => "group-event-parked",
            Self::Skipped { .. } => "group-event-skipped",
            Self::Replayed { .. } => "group-events-replayed",
            Self::Progressed { .. } => "group-progressed",
        }
    }

    pub(crate) fn event(&self) -> NewEvent {
        NewEvent::new(self.kind(), self).expect("facts are JSON and their kinds are plain")
    }
}

/// Cuts a reason to the longest there may be.
pub(crate) fn reason(text: &str) -> String {
    let end = (0..=REASON_MAX.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text[..end.unwrap_or(0)].to_owned()
}

/// What the facts about a group amount to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Up to which fact.
    pub(crate) version: Version,
    /// None if there is no such group now.
    pub(crate) group: Option<Standing>,
    /// How far it was, the last time that this was recorded.
    #[serde(default)]
    pub(crate) progress: Option<Progress>,
    /// By position.
    #[serde(with = "list")]
    parked: BTreeMap<Position, Parked>,
}

/// A group that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) source: Source,
    pub(crate) name: GroupName,
    pub(crate) settings: Settings,
    /// Which fact created it: what is known from before that is of another group.
    pub(crate) created: Version,
}

impl Facts {
    /// Reads the facts of a group's stream.
    pub(crate) async fn load(ledger: &Ledger, stream: &StreamName) -> Result<Self, GroupError> {
        let mut facts = Self::saved(ledger, stream).await?;
        let known = facts.version;
        loop {
            let page = ledger.read_stream(stream, facts.version, PAGE_EVENTS_MAX).await?;
            for event in &page {
                facts.apply(event).map_err(|error| unreadable(stream, error))?;
            }
            if page.is_empty() {
                break;
            }
        }
        if facts.version.0 - known.0 > FOLD_MAX {
            facts.save(ledger, stream).await?;
        }
        Ok(facts)
    }

    /// What was saved before; a snapshot of another kind is as good as none.
    async fn saved(ledger: &Ledger, stream: &StreamName) -> Result<Self, GroupError> {
        let snapshot = ledger.snapshot(stream, Version::END).await?;
        let known = snapshot.filter(|snapshot| snapshot.kind == SNAPSHOT_KIND);
        let facts = known.map(|known| serde_json::from_slice(known.data.as_bytes()));
        Ok(facts.and_then(Result::ok).unwrap_or_default())
    }

    async fn save(&self, ledger: &Ledger, stream: &StreamName) -> Result<(), GroupError> {
        let text = serde_json::to_string(self).expect("facts are JSON");
        let snapshot = (Kind::trusted(SNAPSHOT_KIND), Data::trusted_json(text));
        ledger.save_snapshot(stream, self.version, snapshot).await?;
        Ok(())
    }

    /// Takes in the next fact.
    fn apply(&mut self, event: &Event) -> Result<(), DecodeError> {
        let fact: Fact = event.decode()?;
        self.version = event.version;
        match fact {
            Fact::Created { source, name, settings } => {
                let created = event.version;
                self.group = Some(Standing { source, name, settings: *settings, created });
                (self.parked, self.progress) = (BTreeMap::new(), None);
            }
            Fact::Updated { settings } => {
                if let Some(group) = &mut self.group {
                    group.settings = *settings;
                }
            }
            Fact::Removed => *self = Self { version: event.version, ..Self::default() },
            Fact::Parked(failure) => self.park(failure, event.recorded),
            Fact::Progressed { progress } => self.progress = Some(progress),
            Fact::Skipped { position, .. } => drop(self.parked.remove(&position)),
            Fact::Replayed { events } => {
                for event in events {
                    self.parked.remove(&event.position);
                }
            }
        }
        Ok(())
    }

    fn park(&mut self, failure: Failure, at: Timestamp) {
        let Failure { position, version, stream, id, key, attempts, reason, is_behind } = failure;
        let parked = Parked { position, stream, version, id, attempts, reason, at, is_behind, key };
        self.parked.insert(position, parked);
    }

    /// The events that are parked, by position.
    pub(crate) fn parked(&self) -> &BTreeMap<Position, Parked> {
        &self.parked
    }

    /// The same, as far as decisions need it.
    pub(crate) fn shelved(&self) -> Vec<Shelved> {
        let shelved =
            |parked: &Parked| Shelved { replay: parked.replay(), is_behind: parked.is_behind };
        self.parked.values().map(shelved).collect()
    }
}

/// A fact that cannot be read.
pub(crate) fn unreadable(stream: &StreamName, error: DecodeError) -> GroupError {
    GroupError::Fact { stream: stream.clone(), source: Arc::new(error) }
}

/// A map as a list of its values, each with its position.
mod list {
    use super::{BTreeMap, Parked, Position};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        parked: &BTreeMap<Position, Parked>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(parked.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Position, Parked>, D::Error> {
        let list = Vec::<Parked>::deserialize(from)?;
        Ok(list.into_iter().map(|parked| (parked.position, parked)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_reason_is_cut_between_characters(text in "\\PC{0,600}") {
            let cut = reason(&text);
            prop_assert!(cut.len() <= REASON_MAX && text.starts_with(&cut));
            prop_assert!(text.len() <= REASON_MAX + 3 || cut.len() + 4 > REASON_MAX);
        }

        #[test]
        fn any_text_is_a_fact_or_refused(
            text in r#"\{"type":"(parked|skipped|replayed|removed|x)"(,"position":[0-9]{1,3})?\}|\PC{0,40}"#,
        ) {
            if let Ok(fact) = serde_json::from_str::<Fact>(&text) {
                let again = serde_json::to_string(&fact).unwrap();
                prop_assert_eq!(serde_json::from_str::<Fact>(&again).unwrap(), fact);
            }
        }
    }

    fn fact(version: u64, fact: &Fact) -> Event {
        let new = fact.event();
        Event {
            position: Position(version),
            stream: "$group-all:mails".parse().unwrap(),
            version: Version(version),
            id: EventId([0; 16]),
            kind: new.kind,
            recorded: Timestamp(version),
            data: new.data,
            metadata: new.metadata,
        }
    }

    fn parked(position: u64) -> Fact {
        Fact::Parked(Failure {
            position: Position(position),
            version: Version(position),
            stream: "order-1".parse().unwrap(),
            id: EventId([0; 16]),
            key: None,
            attempts: 3,
            reason: "no".to_owned(),
            is_behind: false,
        })
    }

    #[test]
    fn facts_amount_to_what_is_parked_since_the_group_was_created() {
        let created = Fact::Created {
            source: Source::All,
            name: "mails".parse().unwrap(),
            settings: Box::default(),
        };
        let skipped = Fact::Skipped { position: Position(2), reason: String::new() };
        let replay = Replay { position: Position(3), version: Version(3), key: None };
        let replayed = Fact::Replayed { events: vec![replay] };
        let all = [&created, &parked(1), &parked(2), &parked(3), &skipped, &replayed];
        let mut facts = Facts::default();
        for (version, next) in (1..).zip(all) {
            facts.apply(&fact(version, next)).unwrap();
        }
        let positions = |facts: &Facts| facts.parked().keys().map(|p| p.0).collect::<Vec<_>>();
        assert_eq!(positions(&facts), [1]);
        let again: Facts = serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();
        assert_eq!(again, facts, "a snapshot is as good");
        facts.apply(&fact(7, &Fact::Removed)).unwrap();
        assert_eq!((facts.group.is_some(), facts.version), (false, Version(7)));
        facts.apply(&fact(8, &created)).unwrap();
        assert_eq!((positions(&facts), facts.group.unwrap().created), (vec![], Version(8)));
    }
}
