//! Backends: a listener on a free port that treats every connection as a test wants it.

use crate::wire::{Head, Wire};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running backend; ends when dropped.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Backend {
    /// Starts a backend that gives every connection and its number, from 0, to `treat`.
    pub(crate) async fn start<F>(treat: impl Fn(Wire, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(treat(Wire::new(stream), counted.fetch_add(1, SeqCst)));
            }
        });
        Self { address, connections, accepting }
    }

    /// Answers every request with the head it saw, so that a test can look at it.
    pub(crate) async fn mirror() -> Self {
        Self::start(|mut wire, _| async move {
            while let Some(head) = wire.try_head().await {
                wire.body(&head).await;
                let lines = head.fields.iter().map(|(name, value)| format!("\n{name}: {value}"));
                let seen = head.first.clone() + &lines.collect::<String>();
                wire.send(answer(&seen)).await;
            }
        })
        .await
    }

    /// Answers every request with a text.
    pub(crate) async fn answering(text: &'static str) -> Self {
        Self::start(move |wire, _| serve(wire, text)).await
    }

    /// Connections taken so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    /// An address at which nobody listens.
    pub(crate) async fn nowhere() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers every request on a connection with a text.
pub(crate) async fn serve(mut wire: Wire, text: &str) {
    while let Some(head) = wire.try_head().await {
        wire.body(&head).await;
        wire.send(answer(text)).await;
    }
}

/// Reads one request with its body.
pub(crate) async fn request(wire: &mut Wire) -> (Head, Vec<u8>) {
    let head = wire.head().await;
    let body = wire.body(&head).await;
    (head, body)
}

/// A plain response.
pub(crate) fn answer(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}
