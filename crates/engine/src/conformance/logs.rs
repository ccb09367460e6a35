//! What containers print.

use super::{Subject, cases};
use crate::{ContainerSpec, LogEvent, LogFrom, LogStream};
use fairway_model::ByteSize;
use futures_util::StreamExt;
use std::time::{Duration, Instant};

cases![
    lines_come_with_their_stream_and_time,
    following_gives_a_line_when_it_is_printed,
    the_last_lines_can_be_read,
    an_ended_container_can_be_read,
    output_beyond_the_limit_is_counted_and_the_container_goes_on,
    a_gigabyte_is_printed_fast,
];

async fn lines_come_with_their_stream_and_time(subject: Subject) {
    subject.open().await;
    let script = "echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three";
    let id = subject.start("a", &subject.shell(script)).await;
    let lines = subject.lines(&id).await;
    let texts: Vec<_> = lines.iter().map(|line| (line.stream, &line.text[..])).collect();
    let wanted: [(LogStream, &[u8]); 3] =
        [(LogStream::Stdout, b"one"), (LogStream::Stderr, b"two"), (LogStream::Stdout, b"three")];
    assert_eq!(texts, wanted);
    let between = lines[1].at.since(lines[0].at);
    assert!(between >= Duration::from_millis(150), "{between:?}");
    subject.close().await;
}

async fn following_gives_a_line_when_it_is_printed(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("echo now; sleep 600")).await;
    let mut events =
        subject.sandbox.logs(&id, LogFrom::StartAndFollow).await.expect("the log is read");
    let first = tokio::time::timeout(super::subject::PATIENCE, events.next()).await;
    let first = first.expect("it is printed").expect("it is there").expect("it is whole");
    assert!(matches!(first, LogEvent::Line(line) if line.text == b"now"));
    subject.close().await;
}

async fn the_last_lines_can_be_read(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("seq 1 1000")).await;
    subject.exit(&id).await;
    let last = subject.events(&id, LogFrom::Last(2)).await;
    let last: Vec<_> = last
        .iter()
        .map(|event| match event {
            LogEvent::Line(line) => line.text.clone(),
            LogEvent::Cut { .. } => Vec::new(),
        })
        .collect();
    assert_eq!(last, [b"999".to_vec(), b"1000".to_vec()]);
    subject.close().await;
}

async fn an_ended_container_can_be_read(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("echo before the end")).await;
    subject.exit(&id).await;
    assert_eq!(subject.events(&id, LogFrom::Start).await.len(), 1);
    assert_eq!(subject.output(&id).await, "before the end");
    subject.close().await;
}

async fn output_beyond_the_limit_is_counted_and_the_container_goes_on(subject: Subject) {
    subject.open().await;
    let spec = ContainerSpec {
        log_limit: ByteSize(10_000),
        ..subject.shell("seq 1 100000; echo the end > /tmp/end; exit 6")
    };
    let id = subject.start("a", &spec).await;
    assert_eq!(subject.exit(&id).await.status, crate::ExitStatus::Code(6));
    let events = subject.events(&id, LogFrom::Start).await;
    let printed: u64 = (1..=100_000_u64).map(|number| number.to_string().len() as u64 + 1).sum();
    let mut kept = 0;
    for event in &events[..events.len() - 1] {
        let LogEvent::Line(line) = event else { panic!("a cut in the middle") };
        kept += line.text.len() as u64 + 1;
    }
    assert!(kept <= 10_000);
    let LogEvent::Cut { dropped } = events[events.len() - 1] else { panic!("no cut") };
    assert!(dropped + kept <= printed && dropped + kept + 20 >= printed, "{dropped} {kept}");
    subject.close().await;
}

async fn a_gigabyte_is_printed_fast(subject: Subject) {
    subject.open().await;
    let spec = ContainerSpec {
        log_limit: ByteSize(1 << 20),
        ..subject.shell("dd if=/dev/zero bs=1M count=1024 2>/dev/null")
    };
    let begin = Instant::now();
    let id = subject.start("a", &spec).await;
    assert!(subject.exit(&id).await.is_success());
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    subject.close().await;
}
