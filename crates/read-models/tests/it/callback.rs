//! Somebody is told of events over HTTP.

use crate::place::{Place, at_least, declaration, name, order, until};
use fairway_read_models::State;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What a server was told: the positions of events, in the order of their coming.
type Told = Arc<Mutex<Vec<u64>>>;

/// A server that refuses events with a word in them for ever, and every third request for a while.
fn serve(told: &Told) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/events", listener.local_addr().unwrap());
    let told = told.clone();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            answer(stream.unwrap(), number, &told);
        }
    });
    address
}

/// A server that sends everybody to itself, at another path.
fn redirect() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut seen = [0; 4096];
            let read = stream.read(&mut seen).unwrap();
            assert!(seen[..read].starts_with(b"POST /events "), "nobody goes elsewhere");
            let head = "HTTP/1.1 307 Temporary Redirect\r\nconnection: close";
            let answer = format!("{head}\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}/events")
}

/// A declaration of which an address is told.
fn told_at(address: &str) -> String {
    format!(
        "read-model: orders\nversion: 1\ninto: {{ callback: \"{address}\" }}\nfrom: {{ category: order }}\n"
    )
}

fn answer(stream: TcpStream, number: usize, told: &Told) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let events: Vec<Value> = serde_json::from_slice(&body).unwrap();
    let is_bad = |event: &Value| event["data"]["total"] == "many";
    let status = if number.is_multiple_of(3) {
        "503 Service Unavailable"
    } else if events.iter().any(is_bad) {
        "422 Unprocessable Content"
    } else {
        let positions = events.iter().map(|event| event["position"].as_u64().unwrap());
        told.lock().unwrap().extend(positions);
        "204 No Content"
    };
    let mut stream = stream;
    let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_callback_that_hangs_is_not_waited_for_at_the_end() {
    let place = Place::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/events", listener.local_addr().unwrap());
    let ledger = place.ledger();
    order(&ledger, 1, "order-created", json!({"total": 1})).await;
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(&told_at(&address))).await.unwrap();
    let (_silent, _) = listener.accept().await.unwrap();
    tokio::time::timeout(Duration::from_secs(15), following.stop()).await.expect("it ends");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_is_told_as_it_is() {
    let place = Place::new();
    let address = redirect();
    let ledger = place.ledger();
    order(&ledger, 1, "order-created", json!({"total": 1})).await;
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(&told_at(&address))).await.unwrap();
    let why = until(async || {
        let status = models.status(&name("orders")).await.unwrap();
        match status.candidate.unwrap().state {
            Some(State::Failing(why)) => Some(why),
            _ => None,
        }
    })
    .await;
    assert!(why.contains("307"), "{why}");
    assert_eq!(models.parked(&name("orders"), 10).await.unwrap(), []);
    following.stop().await;
}

#[tokio::test]
async fn a_callback_is_told_everything_in_order_and_what_it_refuses_is_parked() {
    let (place, told) = (Place::new(), Told::default());
    let address = serve(&told);
    let ledger = place.ledger();
    let mut positions = Vec::new();
    for id in 0..40 {
        positions.push(order(&ledger, id, "order-created", json!({"total": 1})).await.0);
    }
    let bad = order(&ledger, 77, "order-created", json!({"total": "many"})).await;
    let behind = order(&ledger, 77, "order-paid", json!({})).await;
    let last = order(&ledger, 5, "order-paid", json!({})).await;
    positions.push(last.0);
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(&told_at(&address))).await.unwrap();
    models.wait(&name("orders"), at_least(last)).await.unwrap();
    let parked = models.parked(&name("orders"), 10).await.unwrap();
    let shown: Vec<_> = parked.iter().map(|one| one.position).collect();
    assert_eq!(shown, [bad.0, behind.0]);
    assert!(parked[0].error.as_ref().unwrap().starts_with("422"), "{parked:?}");
    models.skip(&name("orders"), bad).await.unwrap();
    until(async || models.parked(&name("orders"), 10).await.unwrap().is_empty().then_some(()))
        .await;
    positions.push(behind.0);
    let mut seen = told.lock().unwrap().clone();
    seen.dedup();
    assert_eq!(seen, positions);
    following.stop().await;
}
