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
    BUFFER_MAX, Backoff, CONSUMERS_MAX, OrderBy, Save, Settings, Strategy, WAIT_MAX,
};
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
    pub(crate) fn of(settings: &Settings) -> Self {
        let note = settings.notes.get(NOTE).and_then(|note| serde_json::from_str(note).ok());
        let known: Self = note.unwrap_or_else(|| Self::seen(settings));
        Self {
            max_retry_count: number(settings.retries_max),
            message_timeout_ms: millis(settings.ack_timeout),
            checkpoint_after_ms: millis(settings.save.after),
            ..known
        }
    }

    /// A group that was set by other means.
    fn seen(settings: &Settings) -> Self {
        let buffer = number(settings.buffer);
        Self {
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
