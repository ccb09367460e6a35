//! What is known of a group.

use crate::{
    consumer_name::ConsumerName,
    decide::{Counters, Mark},
    group_id::GroupId,
    settings::Settings,
};
use fairway_model::Timestamp;
use std::time::Duration;

/// A group and how it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSummary {
    /// Which group.
    pub id: GroupId,
    /// Its settings.
    pub settings: Settings,
}

/// How a group does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Which group.
    pub id: GroupId,
    /// Its settings.
    pub settings: Settings,
    /// Up to where all events are acknowledged, skipped or parked. In a process that does not drive
    /// the group: as it was stored last.
    pub checkpoint: Mark,
    /// Up to where events were taken from the source.
    pub taken: Mark,
    /// How many events are still to be finished.
    pub lag: Lag,
    /// How long ago the first event that is not finished was recorded; none if all are.
    pub oldest: Option<Duration>,
    /// How many events were taken and are not finished.
    pub unfinished: usize,
    /// How many events are parked.
    pub parked: usize,
    /// What only the process that drives the group knows; none in others, and while nobody does.
    pub live: Option<Live>,
}

/// A number of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// So many.
    Exactly(u64),
    /// At most so many: some of the last may not pass the filter.
    AtMost(u64),
}

impl Lag {
    /// The number.
    pub fn events(self) -> u64 {
        match self {
            Self::Exactly(events) | Self::AtMost(events) => events,
        }
    }
}

/// What the process that drives a group knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Since when it drives the group.
    pub since: Timestamp,
    /// Events that consumers have.
    pub in_flight: usize,
    /// Events that wait for their next try.
    pub waiting: usize,
    /// What was done since then.
    pub counters: Counters,
    /// The consumers, in the order in which they came.
    pub consumers: Vec<ConsumerInfo>,
}

/// How a consumer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerInfo {
    /// Its name.
    pub name: ConsumerName,
    /// How it gets events.
    pub way: Way,
    /// Since when it is connected.
    pub since: Timestamp,
    /// Most events that it has at once.
    pub credit: u32,
    /// Events that it has now.
    pub in_flight: usize,
    /// Events that it was given, each time counted.
    pub delivered: u64,
    /// Events that it acknowledged.
    pub acked: u64,
}

/// How a consumer gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They come to it as long as it has credit.
    Pushed,
    /// It takes them.
    Taken,
}
