use crate::place::{Place, ack_all, append, id, name, next, quick, soon, until};
use fairway_events::{
    Ended, GroupError, GroupId, Groups, Lag, Nack, Settings, Source, Start, Take,
};
use fairway_ledger::{Filter, Position, Version};
use std::time::Duration;

#[tokio::test]
async fn groups_are_listed_with_their_settings_until_they_are_removed() {
    let place = Place::new();
    let groups = place.open();
    let (all, orders) = (id("$all"), id("$ce-order"));
    let filter = Filter { kinds: vec!["order-paid".to_owned()], ..Filter::all() };
    let settings = Settings { filter, ..quick() };
    groups.create(&all, settings.clone()).await.unwrap();
    groups.create(&orders, quick()).await.unwrap();
    let again = groups.create(&all, quick()).await;
    assert!(matches!(again, Err(GroupError::Exists(_))));
    let list = groups.list().await.unwrap();
    let found: Vec<_> = list.iter().map(|group| (&group.id, &group.settings)).collect();
    assert_eq!(found, [(&all, &settings), (&orders, &quick())]);
    groups.remove(&all).await.unwrap();
    assert!(matches!(groups.remove(&all).await, Err(GroupError::Unknown(_))));
    assert!(matches!(groups.info(&all).await, Err(GroupError::Unknown(_))));
    assert_eq!(groups.list().await.unwrap().len(), 1);
    let none = groups.connect(&all, &name("a"), 1).await;
    assert!(matches!(none, Err(GroupError::Unknown(_))));
    groups.create(&all, quick()).await.unwrap();
    let facts = groups.ledger().read_stream(all.stream(), Version(0), 10).await.unwrap();
    let kinds: Vec<&str> = facts.iter().map(|fact| fact.kind.as_str()).collect();
    assert_eq!(kinds, ["group-created", "group-removed", "group-created"]);
}

#[tokio::test]
async fn a_group_that_is_not_there_leaves_nothing_behind() {
    let place = Place::new();
    let groups = place.open();
    let take = Take { consumer: name("a"), most: 1, wait: Duration::ZERO };
    let none = groups.take(&id("$all"), take).await;
    assert!(matches!(none, Err(GroupError::Unknown(_))));
    assert_eq!(groups.ledger().head().await.unwrap(), Position(0));
    let mut locks = place.path().into_os_string();
    locks.push("-groups");
    assert!(!std::path::Path::new(&locks).exists());
}

#[tokio::test]
async fn an_update_disconnects_and_keeps_progress_filter_and_start() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$all");
    let filter = Filter::category("order");
    groups.create(&id, Settings { filter: filter.clone(), ..quick() }).await.unwrap();
    append(groups.ledger(), "other", [9]).await;
    append(groups.ledger(), "order-1", [1, 2]).await;
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    assert_eq!(ack_all(&mut consumer, 1).await, [1]);
    let settings = Settings { consumers_max: 1, start: Start::End, ..quick() };
    groups.update(&id, settings).await.unwrap();
    let ended = soon(consumer.next()).await.unwrap_err();
    assert!(matches!(ended, GroupError::Ended { why: Ended::Updated, .. }), "{ended}");
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    assert_eq!(ack_all(&mut consumer, 1).await, [2]);
    let other = groups.connect(&id, &name("b"), 1).await;
    assert!(matches!(other, Err(GroupError::ConsumersMax { most: 1, .. })));
    let settings = groups.settings(&id).await.unwrap();
    assert_eq!((settings.filter, settings.start), (filter, Start::Beginning));
}

#[tokio::test]
async fn a_removed_group_that_is_created_anew_starts_anew() {
    let place = Place::new();
    let groups = place.open();
    let id = id("order-1");
    groups.create(&id, quick()).await.unwrap();
    append(groups.ledger(), "order-1", [1, 2]).await;
    let mut consumer = groups.connect(&id, &name("a"), 5).await.unwrap();
    assert_eq!(ack_all(&mut consumer, 1).await, [1]);
    let delivery = next(&mut consumer).await;
    consumer.nack([delivery.token()], Nack::Park, "no").await.unwrap();
    until(&groups, &id, |info| info.parked == 1).await;
    groups.remove(&id).await.unwrap();
    let ended = soon(consumer.next()).await.unwrap_err();
    assert!(matches!(ended, GroupError::Ended { why: Ended::Removed, .. }), "{ended}");
    groups.create(&id, quick()).await.unwrap();
    assert_eq!(groups.info(&id).await.unwrap().parked, 0);
    let mut consumer = groups.connect(&id, &name("a"), 5).await.unwrap();
    assert_eq!(ack_all(&mut consumer, 2).await, [1, 2]);
}

async fn first_number(groups: &Groups, id: &GroupId, start: Start) -> Option<u64> {
    groups.create(id, Settings { start, ..quick() }).await.unwrap();
    if start == Start::End {
        append(groups.ledger(), "order-1", [100]).await;
    }
    let take = Take { consumer: name("a"), most: 1, wait: Duration::from_secs(20) };
    let taken = groups.take(id, take).await.unwrap();
    groups.remove(id).await.unwrap();
    taken.first().map(crate::place::number)
}

#[tokio::test]
async fn a_group_starts_where_it_was_told_to() {
    let place = Place::new();
    let groups = place.open();
    append(groups.ledger(), "order-1", 1..=3).await;
    let (all, one) = (id("$all"), id("order-1"));
    assert_eq!(first_number(&groups, &all, Start::Beginning).await, Some(1));
    assert_eq!(first_number(&groups, &all, Start::AfterPosition(Position(2))).await, Some(3));
    assert_eq!(first_number(&groups, &one, Start::AfterVersion(Version(1))).await, Some(2));
    assert_eq!(first_number(&groups, &one, Start::End).await, Some(100));
    let of_many = Settings { start: Start::AfterVersion(Version(1)), ..quick() };
    assert!(matches!(groups.create(&all, of_many).await, Err(GroupError::Settings(_))));
    let of_one = Settings { start: Start::AfterPosition(Position(1)), ..quick() };
    assert!(matches!(groups.create(&one, of_one).await, Err(GroupError::Settings(_))));
}

#[tokio::test]
async fn the_lag_counts_what_passes_the_filter() {
    let place = Place::new();
    let groups = place.open();
    let (orders, all) = (id("$ce-order"), id("$all"));
    groups.create(&orders, quick()).await.unwrap();
    groups.create(&all, Settings { filter: Filter::category("order"), ..quick() }).await.unwrap();
    append(groups.ledger(), "order-1", 1..=5).await;
    append(groups.ledger(), "other", 1..=5).await;
    for id in [&orders, &all] {
        let info = groups.info(id).await.unwrap();
        assert_eq!(info.lag, Lag::Exactly(5));
        assert!(info.oldest.is_some() && info.live.is_none());
    }
    let mut consumer = groups.connect(&all, &name("a"), 1).await.unwrap();
    ack_all(&mut consumer, 2).await;
    next(&mut consumer).await;
    let info = until(&groups, &all, |info| info.lag == Lag::Exactly(3)).await;
    let live = info.live.unwrap();
    let consumer = &live.consumers[0];
    assert_eq!((live.in_flight, consumer.in_flight, consumer.acked), (1, 1, 2));
}

#[tokio::test]
async fn an_event_can_be_skipped_wherever_it_waits() {
    let place = Place::new();
    let groups = place.open();
    let id = id("order-1");
    groups.create(&id, quick()).await.unwrap();
    append(groups.ledger(), "order-1", 1..=4).await;
    groups.skip(&id, Position(3), "not yet read").await.unwrap();
    let mut consumer = groups.connect(&id, &name("a"), 5).await.unwrap();
    next(&mut consumer).await;
    groups.skip(&id, Position(2), "it hangs").await.unwrap();
    let parked = next(&mut consumer).await;
    consumer.nack([parked.token()], Nack::Park, "no").await.unwrap();
    assert_eq!(ack_all(&mut consumer, 1).await, [4]);
    until(&groups, &id, |info| info.parked == 1 && info.unfinished == 0).await;
    groups.skip(&id, parked.event.position, "for good").await.unwrap();
    until(&groups, &id, |info| info.parked == 0).await;
    assert_eq!(groups.replay_parked(&id, 9).await.unwrap(), 0);
    let done = async {
        while groups.skip(&id, Position(2), "again").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(done).await;
    let skipped = groups.skip(&id, Position(99), "never there").await;
    assert!(matches!(skipped, Err(GroupError::NotHeld { .. })));
    assert_eq!(*id.source(), Source::Stream("order-1".parse().unwrap()));
}
