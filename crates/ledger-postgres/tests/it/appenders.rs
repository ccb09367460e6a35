use crate::{
    place::{Place, append, events, numbers, open, stream},
    proxy::{Hold, Proxy},
    server::{Server, until},
};
use fairway_ledger::{AppendError, Expected, LedgerError, NewEvent, Version};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

fn text(text: &str) -> NewEvent {
    NewEvent::new("said", &text).unwrap()
}

/// One appender is stopped in the middle of a batch until another has taken over.
#[tokio::test]
async fn of_two_appenders_at_once_the_fenced_one_loses() {
    let server = Server::shared();
    let (place, proxy) = (Place::new(), Proxy::before(server).await);
    let first = open(&proxy.url(&place.schema)).await;
    let second = place.open().await;
    append(&first, "a", [0]).await;

    proxy.hold(Hold::Requests("from the fenced"));
    let fenced = {
        let first = first.clone();
        tokio::spawn(async move {
            let events = vec![text("from the fenced"); 3];
            first.append(&stream("a"), Expected::Exact(Version(1)), events).await
        })
    };
    until("the batch is on its way", async || proxy.held() == 1).await;
    let expire = format!("UPDATE {}.appender SET expires = now()", place.schema);
    server.ask(&expire).await;
    append(&second, "a", [1]).await;
    proxy.go_on();

    let error = fenced.await.unwrap().unwrap_err();
    assert!(matches!(error, AppendError::Ledger(LedgerError::Fenced(_))), "{error}");
    assert_eq!(numbers(&second).await, [0, 1], "nothing of the batch is stored");
    append(&first, "a", [2]).await;
    append(&second, "a", [3]).await;
    let late = first.append(&stream("a"), Expected::Exact(Version(2)), events([9])).await;
    assert!(matches!(late, Err(AppendError::Conflict { actual: Version(4), .. })), "{late:?}");
    assert_eq!(numbers(&first).await, [0, 1, 2, 3]);
}

/// What a fenced appender remembers of streams is no ground for a refusal either.
#[tokio::test]
async fn a_fenced_appender_answers_nothing_from_memory() {
    let server = Server::shared();
    let place = Place::new();
    let (first, second) = (place.open().await, place.open().await);
    append(&first, "a", [0]).await;
    let schema = &place.schema;
    server.ask(&format!("UPDATE {schema}.appender SET expires = now()")).await;
    append(&second, "a", [1]).await;
    let known = first.append(&stream("a"), Expected::Exact(Version(2)), events([2])).await;
    match known {
        Ok(appended) => assert_eq!(appended.version, Version(3)),
        Err(AppendError::Ledger(LedgerError::Fenced(_))) => {}
        Err(error) => panic!("{error}"),
    }
    numbers(&first).await;
}

#[tokio::test]
async fn an_idle_appender_hands_over_at_once() {
    let place = Place::new();
    let (first, second) = (place.open().await, place.open().await);
    append(&first, "a", [0]).await;
    append(&second, "a", [1]).await;
    let start = Instant::now();
    for number in (2..60).step_by(2) {
        append(&first, "a", [number]).await;
        append(&second, "a", [number + 1]).await;
    }
    println!("58 hand-overs took {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(numbers(&first).await, (0..60).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_busy_appender_hands_over_as_well() {
    let place = Place::new();
    let (busy, other) = (place.open().await, place.open().await);
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let busy = busy.clone();
        writers.spawn(async move {
            for number in 0.. {
                append(&busy, &format!("busy-{writer}"), [number]).await;
            }
        });
    }
    until("the other has its turn", async || busy.head().await.unwrap().0 > 50).await;
    let mut slowest = Duration::ZERO;
    for number in 0..20 {
        let start = Instant::now();
        append(&other, "other", [number]).await;
        slowest = slowest.max(start.elapsed());
    }
    println!("an append beside a busy process took at most {slowest:?}");
    assert!(slowest < Duration::from_secs(5));
    writers.shutdown().await;
    append(&busy, "last", [0]).await;
    numbers(&other).await;
}

#[tokio::test]
async fn an_appender_that_died_is_replaced_before_its_lease_expires() {
    let server = Server::shared();
    let (place, proxy) = (Place::new(), Proxy::before(server).await);
    let first = open(&proxy.url(&place.schema)).await;
    let second = place.open().await;
    append(&first, "a", [0]).await;
    // Its process is gone without a word, and the server has noticed.
    proxy.hold(Hold::Requests("last words"));
    let lost = tokio::spawn(async move {
        let events = vec![text("last words")];
        drop(first.append(&stream("a"), Expected::Any, events).await);
    });
    until("it hangs", async || proxy.held() == 1).await;
    lost.abort();
    drop(proxy);
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_locks, {}.appender
         WHERE locktype = 'advisory' AND objid::bigint = token
         AND classid = (hashtext('{}')::bigint & 4294967295)::oid",
        place.schema, place.schema
    );
    assert_eq!(server.ask(&end).await.as_deref(), Some("t"));
    let start = Instant::now();
    append(&second, "a", [1]).await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(numbers(&second).await, [0, 1]);
}

/// While somebody dumps the database, all versions of a row are kept and stepped over.
#[tokio::test]
async fn no_row_is_changed_by_every_append() {
    let server = Server::shared();
    let place = Place::new();
    let ledger = place.open().await;
    for number in 0..300 {
        append(&ledger, "a", [number]).await;
    }
    drop(ledger);
    let count = async |column: &str| {
        let sql = format!(
            "SELECT sum({column}) FROM pg_stat_user_tables WHERE schemaname = '{}'",
            place.schema
        );
        server.ask(&sql).await.and_then(|sum| sum.parse::<u64>().ok()).unwrap_or(0)
    };
    until("all appends are counted", async || count("n_tup_ins").await >= 600).await;
    let updated = count("n_tup_upd").await;
    assert!(updated < 100, "{updated} rows were updated");
}
