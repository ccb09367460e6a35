//! How a group hands out its events.

use fairway_ledger::{FILTER_TEXTS_MAX, Filter, Position, System, Version};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Longest time a consumer may have for an event, and longest wait before a retry.
pub const WAIT_MAX: Duration = Duration::from_hours(7 * 24);
/// Most unfinished events that a group holds.
pub const BUFFER_MAX: u32 = 10_000;
/// Most consumers of a group.
pub const CONSUMERS_MAX: u32 = 1_000;
/// Most bytes of all notes of a group.
pub const NOTES_BYTES_MAX: usize = 16 << 10;

/// How a group hands out its events. What is left out of its JSON has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which events of the source; of all by default. Not changed by an update.
    #[serde(with = "FilterForm")]
    pub filter: Filter,
    /// Where the group starts. Not changed by an update.
    pub start: Start,
    /// Which events are handed out one after another.
    pub order_by: OrderBy,
    /// What becomes of the rest of a key while an event of it is parked.
    pub after_park: AfterPark,
    /// Which consumer gets an event.
    pub strategy: Strategy,
    /// How long a consumer has for an event before that counts as failed.
    #[serde(rename = "ack_timeout_ms", with = "millis")]
    pub ack_timeout: Duration,
    /// How often an event that failed is handed out again before it is parked.
    pub retries_max: u32,
    /// How long an event that failed waits.
    pub backoff: Backoff,
    /// Most events with all consumers at once.
    pub in_flight_max: u32,
    /// Most events with one consumer at once, whatever credit it asks for.
    pub consumer_in_flight_max: u32,
    /// Most consumers at once.
    pub consumers_max: u32,
    /// Most unfinished events that the group holds. While so many wait for a consumer, an
    /// acknowledgement or a retry, nothing more is read.
    pub buffer: u32,
    /// How often progress is stored.
    pub save: Save,
    /// What an edge wants to remember of the group. Nothing here reads it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

/// Where a new group starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// With the first event.
    #[default]
    Beginning,
    /// With what is appended after the group is created.
    End,
    /// After a position; not for a group of one stream.
    AfterPosition(Position),
    /// After a version; only for a group of one stream.
    AfterVersion(Version),
}

/// What events have in common that are handed out one after another: no event is, while an earlier
/// one with the same key is with a consumer or waits for a retry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderBy {
    /// Nothing: all are handed out as they come, and again as they fail.
    Nothing,
    /// Their stream.
    #[default]
    Stream,
    /// The correlation in their metadata; of those without one, their stream.
    Correlation,
    /// The text, number or boolean in a field of their data's object; of those without one, their
    /// stream.
    Field(String),
}

/// What becomes of the rest of a key while an event of it is parked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterPark {
    /// It goes on.
    #[default]
    KeyGoesOn,
    /// It waits until the parked event is replayed and acknowledged, or skipped. It is parked behind
    /// it meanwhile, so that other keys go on.
    KeyWaits,
}

/// Which consumer gets an event, of those that have room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The next in turn.
    #[default]
    RoundRobin,
    /// The same as long as it has room.
    DispatchToSingle,
    /// Always the same for one key (one stream, if they are ordered by nothing), for as long as
    /// it is connected. While that has no room, the event waits.
    Pinned,
    /// Always the same for one correlation, for as long as it is connected.
    PinnedByCorrelation,
}

/// How long an event that failed waits: `initial`, then each time `factor` as long, at most `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// The first wait; zero for none at all.
    #[serde(rename = "initial_ms", with = "millis")]
    pub initial: Duration,
    /// By how much waits grow; 1 for not.
    pub factor: u32,
    /// The longest wait.
    #[serde(rename = "max_ms", with = "millis")]
    pub max: Duration,
}

/// How often progress is stored: at least every so many finished events, and every so often if as
/// many as `min` are, or none is left to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Save {
    /// How often.
    #[serde(rename = "after_ms", with = "millis")]
    pub after: Duration,
    /// For fewer it waits for more.
    pub min: u32,
    /// For so many it does not wait.
    pub max: u32,
}

/// Why settings cannot be those of a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A number is too low or too high.
    #[error("`{name}` of a group is {found}, it has to be from {least} to {most}")]
    Number {
        /// The setting.
        name: &'static str,
        /// What was given.
        found: u64,
        /// The lowest.
        least: u64,
        /// The highest.
        most: u64,
    },
    /// A start that the source does not know.
    #[error("a group of one stream starts after a version, one of many streams after a position")]
    Start,
    /// The filter has too many texts.
    #[error("the filter of a group has more than {FILTER_TEXTS_MAX} texts")]
    Filter,
    /// The notes are too long.
    #[error("the notes of a group have more than {NOTES_BYTES_MAX} bytes")]
    Notes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            filter: Filter::all(),
            start: Start::default(),
            order_by: OrderBy::default(),
            after_park: AfterPark::default(),
            strategy: Strategy::default(),
            ack_timeout: Duration::from_secs(30),
            retries_max: 10,
            backoff: Backoff::default(),
            in_flight_max: BUFFER_MAX,
            consumer_in_flight_max: 1_000,
            consumers_max: CONSUMERS_MAX,
            buffer: 500,
            save: Save::default(),
            notes: BTreeMap::new(),
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        let (initial, max) = (Duration::from_millis(200), Duration::from_secs(30));
        Self { initial, factor: 2, max }
    }
}

impl Default for Save {
    fn default() -> Self {
        Self { after: Duration::from_secs(1), min: 1, max: 1_000 }
    }
}

impl Backoff {
    /// How long an event waits that failed for the nth time, counted from 1.
    pub fn wait(&self, failures: u32) -> Duration {
        let growth = u64::from(self.factor).saturating_pow(failures.saturating_sub(1));
        let initial = u64::try_from(self.initial.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(initial.saturating_mul(growth)).min(self.max)
    }
}

impl Settings {
    /// Refuses what is over a limit.
    pub fn check(&self) -> Result<(), SettingsError> {
        let hours = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let most = hours(WAIT_MAX);
        let buffer = u64::from(BUFFER_MAX);
        let numbers = [
            ("ack_timeout_ms", hours(self.ack_timeout), 1, most),
            ("backoff.initial_ms", hours(self.backoff.initial), 0, most),
            ("backoff.max_ms", hours(self.backoff.max), 0, most),
            ("backoff.factor", self.backoff.factor.into(), 1, 1_000),
            ("in_flight_max", self.in_flight_max.into(), 1, buffer),
            ("consumer_in_flight_max", self.consumer_in_flight_max.into(), 1, buffer),
            ("consumers_max", self.consumers_max.into(), 1, CONSUMERS_MAX.into()),
            ("buffer", self.buffer.into(), 1, buffer),
            ("save.after_ms", hours(self.save.after), 1, most),
            ("save.min", self.save.min.into(), 1, u32::MAX.into()),
            ("save.max", self.save.max.into(), 1, u32::MAX.into()),
        ];
        for (name, found, least, most) in numbers {
            if !(least..=most).contains(&found) {
                return Err(SettingsError::Number { name, found, least, most });
            }
        }
        let Filter { categories, streams, kinds, .. } = &self.filter;
        if categories.len() + streams.len() + kinds.len() > FILTER_TEXTS_MAX {
            return Err(SettingsError::Filter);
        }
        let bytes: usize = self.notes.iter().map(|(name, text)| name.len() + text.len()).sum();
        if bytes > NOTES_BYTES_MAX { Err(SettingsError::Notes) } else { Ok(()) }
    }
}

/// The JSON of a [`Filter`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Filter", default, deny_unknown_fields)]
struct FilterForm {
    categories: Vec<String>,
    streams: Vec<String>,
    kinds: Vec<String>,
    #[serde(with = "SystemForm")]
    system: System,
}

impl Default for FilterForm {
    fn default() -> Self {
        let Filter { categories, streams, kinds, system } = Filter::all();
        Self { categories, streams, kinds, system }
    }
}

impl From<FilterForm> for Filter {
    fn from(FilterForm { categories, streams, kinds, system }: FilterForm) -> Self {
        Self { categories, streams, kinds, system }
    }
}

/// The JSON of [`System`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "System", rename_all = "snake_case")]
enum SystemForm {
    Included,
    Left,
}

/// Durations as whole milliseconds.
mod millis {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_json_is_settings_within_limits_or_refused(
            name in "buffer|ack_timeout_ms|retries_max|start|order_by|save|notes|[a-z]{1,3}",
            value in r#"[0-9]{1,20}|-1|"end"|"stream"|\{"field":"a"\}|\{"after_ms":[0-9]{1,9}\}|\[\]"#,
        ) {
            let json = format!("{{\"{name}\": {value}}}");
            if let Ok(settings) = serde_json::from_str::<Settings>(&json)
                && settings.check().is_ok()
            {
                prop_assert!(settings.buffer >= 1 && settings.buffer <= BUFFER_MAX);
                prop_assert!(settings.ack_timeout <= WAIT_MAX && !settings.ack_timeout.is_zero());
                let again = serde_json::to_string(&settings).unwrap();
                prop_assert_eq!(serde_json::from_str::<Settings>(&again).unwrap(), settings);
            }
        }
    }

    #[test]
    fn settings_are_the_same_after_json() {
        let settings = Settings {
            filter: Filter { system: System::Left, ..Filter::category("order") },
            start: Start::AfterPosition(Position(7)),
            order_by: OrderBy::Field("customer".to_owned()),
            ..Settings::default()
        };
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), settings, "{json}");
        assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::default());
        assert!(serde_json::from_str::<Settings>(r#"{"retries": 1}"#).is_err());
    }

    #[test]
    fn waits_grow_up_to_the_longest() {
        let waits: Vec<u128> =
            [1, 2, 3, 9, 90].map(|n| Backoff::default().wait(n).as_millis()).into();
        assert_eq!(waits, [200, 400, 800, 30_000, 30_000]);
        let none = Backoff { initial: Duration::ZERO, ..Backoff::default() };
        assert_eq!(none.wait(u32::MAX), Duration::ZERO);
    }

    #[test]
    fn what_is_over_a_limit_is_refused() {
        assert_eq!(Settings::default().check(), Ok(()));
        let none = Settings { buffer: 0, ..Settings::default() };
        assert!(matches!(none.check(), Err(SettingsError::Number { name: "buffer", .. })));
        let long = Settings { ack_timeout: Duration::MAX, ..Settings::default() };
        assert!(matches!(long.check(), Err(SettingsError::Number { .. })));
        let filter = Filter { kinds: vec![String::new(); 101], ..Filter::all() };
        assert_eq!(Settings { filter, ..Settings::default() }.check(), Err(SettingsError::Filter));
    }
}
