//! How clients set a group, and what that means for it. What has no equal is kept in the group's notes,
//! so that clients read what they have set.

use crate::{
    filter::EventFilter,
    status,
    wire::{
        persistent::{CheckpointAfter, ConsumerStrategy, MessageTimeout, Settings as Wire},
        shared::{FilterOptions, filter_options},
    },
};
use fairway_events::{
    BUFFER_MAX, Backoff, CONSUMERS_MAX, OrderBy, Save, Settings, Source, Start, Strategy, WAIT_MAX,
};
use fairway_ledger::Position;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tonic::Status;

/// The name of the note.
const NOTE: &str = "kurrentdb";
/// Ticks of 100 nanoseconds in a millisecond.
const TICKS: i64 = 10_000;

/// What a client set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub(crate) resolve_links: bool,
    pub(crate) extra_statistics: bool,
    pub(crate) max_retry_count: i32,
    pub(crate) min_checkpoint_count: i32,
    pub(crate) max_checkpoint_count: i32,
    pub(crate) max_subscriber_count: i32,
    pub(crate) live_buffer_size: i32,
    pub(crate) read_batch_size: i32,
    pub(crate) history_buffer_size: i32,
    pub(crate) message_timeout_ms: i32,
    pub(crate) checkpoint_after_ms: i32,
    pub(crate) strategy: String,
    pub(crate) start_from: String,
    pub(crate) filter: Option<Expression>,
}

/// A filter, which the consumers' side applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expression {
    is_on_stream: bool,
    regex: String,
    prefixes: Vec<String>,
}

impl Remembered {
    pub(crate) fn set(wire: &Wire, start_from: String, filter: Option<Expression>) -> Self {
        let ticks = |ticks: i64| i32::try_from(ticks / TICKS).unwrap_or(i32::MAX);
        let strategy = match wire.consumer_strategy.as_str() {
            "" => strategy_name(wire.named_consumer_strategy()).to_owned(),
            name => name.to_owned(),
        };
        Self {
            resolve_links: wire.resolve_links,
            extra_statistics: wire.extra_statistics,
            max_retry_count: wire.max_retry_count,
            min_checkpoint_count: wire.min_checkpoint_count,
            max_checkpoint_count: wire.max_checkpoint_count,
            max_subscriber_count: wire.max_subscriber_count,
            live_buffer_size: wire.live_buffer_size,
            read_batch_size: wire.read_batch_size,
            history_buffer_size: wire.history_buffer_size,
            message_timeout_ms: match wire.message_timeout {
                Some(MessageTimeout::Millis(millis)) => millis,
                Some(MessageTimeout::Ticks(count)) => ticks(count),
                None => 0,
            },
            checkpoint_after_ms: match wire.checkpoint_after {
                Some(CheckpointAfter::Millis(millis)) => millis,
                Some(CheckpointAfter::Ticks(count)) => ticks(count),
                None => 0,
            },
            strategy,
            start_from,
            filter,
        }
    }

    /// What is known of a group, whoever set it.
    pub(crate) fn of(settings: &Settings, source: &Source) -> Self {
        let note = settings.notes.get(NOTE).and_then(|note| serde_json::from_str(note).ok());
        let known: Self = note.unwrap_or_else(|| Self::seen(settings, source));
        // What was changed by other means since then is told as it is now.
        let still = |millis, unlimited, now| waited(millis, unlimited) == now;
        let Settings { ack_timeout, save, retries_max, .. } = settings;
        let is_timeout = still(known.message_timeout_ms, WAIT_MAX, *ack_timeout);
        let is_save = still(known.checkpoint_after_ms, Save::default().after, save.after);
        Self {
            max_retry_count: number(*retries_max),
            message_timeout_ms: if is_timeout {
                known.message_timeout_ms
            } else {
                millis(*ack_timeout)
            },
            checkpoint_after_ms: if is_save {
                known.checkpoint_after_ms
            } else {
                millis(save.after)
            },
            ..known
        }
    }

    /// A group that was set by other means.
    fn seen(settings: &Settings, source: &Source) -> Self {
        let buffer = number(settings.buffer);
        Self {
            start_from: start_from(settings.start, source),
            min_checkpoint_count: number(settings.save.min),
            max_checkpoint_count: number(settings.save.max),
            max_subscriber_count: number(settings.consumers_max),
            live_buffer_size: buffer,
            read_batch_size: buffer,
            history_buffer_size: buffer,
            strategy: format!("{:?}", settings.strategy),
            ..Self::default()
        }
    }

    /// What a group is to do, apart from where it starts and what is not said here.
    pub(crate) fn settings(&self, before: Settings) -> Result<Settings, Status> {
        let mut notes = before.notes.clone();
        notes.insert(NOTE.to_owned(), serde_json::to_string(self).expect("plain fields are JSON"));
        let settings = Settings {
            strategy: self.strategy()?,
            ack_timeout: waited(self.message_timeout_ms, WAIT_MAX),
            retries_max: u32::try_from(self.max_retry_count).unwrap_or(0),
            consumers_max: counted(self.max_subscriber_count, CONSUMERS_MAX),
            buffer: counted(self.live_buffer_size.max(self.history_buffer_size), BUFFER_MAX),
            save: Save {
                after: waited(self.checkpoint_after_ms, Save::default().after),
                min: counted(self.min_checkpoint_count, BUFFER_MAX).min(BUFFER_MAX),
                max: counted(self.max_checkpoint_count, BUFFER_MAX),
            },
            notes,
            ..before
        };
        settings.check().map_err(status::invalid)?;
        Ok(settings)
    }

    /// What a group does that clients of KurrentDB create: nothing is held back for what is before
    /// it, and what failed comes again at once.
    pub(crate) fn basis() -> Settings {
        Settings {
            order_by: OrderBy::Nothing,
            backoff: Backoff { initial: Duration::ZERO, ..Backoff::default() },
            consumer_in_flight_max: BUFFER_MAX,
            ..Settings::default()
        }
    }

    fn strategy(&self) -> Result<Strategy, Status> {
        Ok(match self.strategy.as_str() {
            "DispatchToSingle" => Strategy::DispatchToSingle,
            "RoundRobin" => Strategy::RoundRobin,
            "Pinned" => Strategy::Pinned,
            "PinnedByCorrelation" => Strategy::PinnedByCorrelation,
            other => {
                return Err(status::invalid(format!("`{other}` is not a consumer strategy")));
            }
        })
    }
}

impl Expression {
    /// Reads a filter, which has to be a good one.
    pub(crate) fn parse(options: FilterOptions) -> Result<Self, Status> {
        EventFilter::parse(options.clone())?;
        let (is_on_stream, expression) = match options.filter {
            Some(filter_options::Filter::StreamIdentifier(expression)) => (true, expression),
            Some(filter_options::Filter::EventType(expression)) => (false, expression),
            None => return Err(status::invalid("a filter has no expression")),
        };
        let filter_options::Expression { regex, prefix } = expression;
        Ok(Self { is_on_stream, regex, prefixes: prefix })
    }

    pub(crate) fn filter(self) -> Result<EventFilter, Status> {
        let expression = filter_options::Expression { regex: self.regex, prefix: self.prefixes };
        let filter = if self.is_on_stream {
            filter_options::Filter::StreamIdentifier(expression)
        } else {
            filter_options::Filter::EventType(expression)
        };
        EventFilter::parse(FilterOptions { filter: Some(filter), ..FilterOptions::default() })
    }
}

/// The first event of a group, as clients read it.
fn start_from(start: Start, source: &Source) -> String {
    match (start, source) {
        (Start::AfterVersion(version), _) => version.to_string(),
        (Start::AfterPosition(Position(after)), _) => format!("C:{0}/P:{0}", after + 1),
        (Start::Beginning, Source::Stream(_)) => "0".to_owned(),
        (Start::Beginning, Source::All | Source::Category(_)) => "C:0/P:0".to_owned(),
        (Start::End, Source::Stream(_)) => "-1".to_owned(),
        (Start::End, Source::All | Source::Category(_)) => "C:-1/P:-1".to_owned(),
    }
}

fn strategy_name(strategy: ConsumerStrategy) -> &'static str {
    match strategy {
        ConsumerStrategy::DispatchToSingle => "DispatchToSingle",
        ConsumerStrategy::RoundRobin => "RoundRobin",
        ConsumerStrategy::Pinned => "Pinned",
    }
}

/// A time; none is as long as may be.
fn waited(millis: i32, unlimited: Duration) -> Duration {
    match u64::try_from(millis) {
        Ok(millis) if millis > 0 => Duration::from_millis(millis).min(WAIT_MAX),
        _ => unlimited,
    }
}

/// A number; zero is as many as may be.
fn counted(number: i32, most: u32) -> u32 {
    match u32::try_from(number) {
        Ok(number) if number > 0 => number.min(most),
        _ => most,
    }
}

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire() -> Wire {
        Wire {
            max_retry_count: 3,
            max_subscriber_count: 0,
            live_buffer_size: 100,
            history_buffer_size: 200,
            named_consumer_strategy: ConsumerStrategy::Pinned.into(),
            message_timeout: Some(MessageTimeout::Ticks(50_000_000)),
            ..Wire::default()
        }
    }

    #[test]
    fn what_clients_set_is_what_groups_do_and_clients_read() {
        let set = Remembered::set(&wire(), "7".to_owned(), None);
        let settings = set.settings(Remembered::basis()).unwrap();
        assert_eq!((settings.strategy, settings.retries_max), (Strategy::Pinned, 3));
        assert_eq!((settings.consumers_max, settings.buffer), (CONSUMERS_MAX, 200));
        assert_eq!(settings.ack_timeout, Duration::from_secs(5));
        assert_eq!(settings.order_by, OrderBy::Nothing);
        let read = Remembered::of(&settings, &Source::All);
        assert_eq!((read.max_subscriber_count, read.live_buffer_size), (0, 100));
        assert_eq!((read.message_timeout_ms, read.start_from.as_str()), (5_000, "7"));
    }

    #[test]
    fn groups_that_others_made_can_be_read_and_changed() {
        let settings = Settings { start: Start::AfterPosition(Position(6)), ..Settings::default() };
        let read = Remembered::of(&settings, &Source::All);
        assert_eq!((read.start_from.as_str(), read.strategy.as_str()), ("C:7/P:7", "RoundRobin"));
        let changed = Remembered { max_retry_count: 1, ..read }.settings(settings.clone()).unwrap();
        assert_eq!((changed.retries_max, &changed.order_by), (1, &settings.order_by));
        let wrong = Wire { consumer_strategy: "Loudest".to_owned(), ..wire() };
        assert!(Remembered::set(&wrong, String::new(), None).settings(settings).is_err());
    }
}
