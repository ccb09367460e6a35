//! How a group does, as clients are told.

use crate::{
    expected::Revision,
    groups::remembered::Remembered,
    wire::persistent::{ConnectionInfo, SubscriptionInfo},
};
use fairway_events::{ConsumerInfo, GroupInfo, Live, Mark, Source};
use fairway_ledger::{Position, Version};
use fairway_model::Timestamp;

/// All that is known of a group.
pub(crate) fn of(group: GroupInfo, now: Timestamp) -> SubscriptionInfo {
    let source = group.id.source();
    let remembered = Remembered::of(&group.settings, source);
    let is_live = group.lag.events() == 0;
    let mut info = SubscriptionInfo {
        event_source: source.to_string(),
        group_name: group.id.name().to_string(),
        status: if is_live { "Live" } else { "Behind" }.to_owned(),
        last_checkpointed_event_position: place(source, group.checkpoint),
        last_known_event_position: place(source, group.taken),
        resolve_link_tos: remembered.resolve_links,
        start_from: remembered.start_from,
        message_timeout_milliseconds: remembered.message_timeout_ms,
        extra_statistics: remembered.extra_statistics,
        max_retry_count: remembered.max_retry_count,
        live_buffer_size: remembered.live_buffer_size,
        buffer_size: remembered.history_buffer_size,
        read_batch_size: remembered.read_batch_size,
        check_point_after_milliseconds: remembered.checkpoint_after_ms,
        min_check_point_count: remembered.min_checkpoint_count,
        max_check_point_count: remembered.max_checkpoint_count,
        outstanding_messages_count: count(group.unfinished),
        named_consumer_strategy: remembered.strategy,
        max_subscriber_count: remembered.max_subscriber_count,
        parked_message_count: i64::try_from(group.parked).unwrap_or(i64::MAX),
        ..SubscriptionInfo::default()
    };
    if let Some(live) = group.live {
        let left = group.unfinished.saturating_sub(live.in_flight + live.waiting);
        info.read_buffer_count = count(left);
        tell(&mut info, &live, now);
    }
    info
}

/// What only who hands out the events knows.
fn tell(info: &mut SubscriptionInfo, live: &Live, now: Timestamp) {
    info.average_per_second = rate(live.counters.delivered, live.since, now);
    info.total_items = i64::try_from(live.counters.delivered).unwrap_or(i64::MAX);
    info.retry_buffer_count = count(live.waiting);
    info.total_in_flight_messages = count(live.in_flight);
    info.connections = live.consumers.iter().map(|consumer| connection(consumer, now)).collect();
}

fn connection(consumer: &ConsumerInfo, now: Timestamp) -> ConnectionInfo {
    let credit = i32::try_from(consumer.credit).unwrap_or(i32::MAX);
    ConnectionInfo {
        average_items_per_second: rate(consumer.delivered, consumer.since, now),
        total_items: i64::try_from(consumer.delivered).unwrap_or(i64::MAX),
        available_slots: credit.saturating_sub(count(consumer.in_flight)),
        in_flight_messages: count(consumer.in_flight),
        connection_name: consumer.name.to_string(),
    }
}

/// Where a group is in its source; empty if nowhere yet.
fn place(source: &Source, Mark { position, version }: Mark) -> String {
    match source {
        Source::Stream(_) if version == Version(0) => String::new(),
        Source::Stream(_) => Revision::last_of(version).to_signed().to_string(),
        Source::All | Source::Category(_) if position == Position(0) => String::new(),
        Source::All | Source::Category(_) => format!("C:{position}/P:{position}"),
    }
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// So many in a second since a moment.
fn rate(number: u64, since: Timestamp, now: Timestamp) -> i32 {
    let millis = now.0.saturating_sub(since.0).max(1);
    i32::try_from(number.saturating_mul(1000) / millis).unwrap_or(i32::MAX)
}
