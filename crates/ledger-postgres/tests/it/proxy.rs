//! Stands between a ledger and its server, and can stop forwarding at a certain message.

use crate::server::Server;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::Notify,
    task::JoinHandle,
};

/// Which way nothing goes any more, from a message with a text in it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// To the server.
    Requests(&'static str),
    /// Back from it; the message itself gets there.
    Answers(&'static str),
}

/// What all connections share.
#[derive(Default)]
struct Shared {
    hold: Mutex<Option<Hold>>,
    held: AtomicUsize,
    go_on: Notify,
}

pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (shared, socket) = (Arc::new(Shared::default()), server.socket());
        let accepting = tokio::spawn(accept(listener, socket, shared.clone()));
        Self { port, shared, accepting }
    }

    /// The address of a ledger, through the proxy.
    pub(crate) fn url(&self, schema: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?schema={schema}", self.port)
    }

    /// Stops the next connection that sends a message with a text.
    pub(crate) fn hold(&self, hold: Hold) {
        *self.shared.hold.lock().unwrap() = Some(hold);
    }

    /// How many connections were stopped.
    pub(crate) fn held(&self) -> usize {
        self.shared.held.load(Ordering::SeqCst)
    }

    /// Forwards what stopped connections held back.
    pub(crate) fn go_on(&self) {
        self.shared.go_on.notify_waiters();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, shared: Arc<Shared>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = UnixStream::connect(&socket).await.unwrap();
        tokio::spawn(forward(client, server, shared.clone()));
    }
}

async fn forward(client: TcpStream, server: UnixStream, shared: Arc<Shared>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let answers = Arc::new(tokio::sync::RwLock::new(()));
    let requests = tokio::spawn(requests(from_client, to_server, shared, answers.clone()));
    copy(from_server, to_client, &answers).await;
    requests.abort();
}

async fn requests(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: Arc<Shared>,
    answers: Arc<tokio::sync::RwLock<()>>,
) {
    let mut chunk = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        let hold = shared.hold.lock().unwrap().take_if(|hold| {
            let (Hold::Requests(text) | Hold::Answers(text)) = *hold;
            chunk[..length].windows(text.len()).any(|part| part == text.as_bytes())
        });
        let go_on = shared.go_on.notified();
        match hold {
            None => {}
            Some(Hold::Requests(_)) => {
                shared.held.fetch_add(1, Ordering::SeqCst);
                go_on.await;
            }
            Some(Hold::Answers(_)) => {
                let silence = answers.write().await;
                if to.write_all(&chunk[..length]).await.is_err() {
                    return;
                }
                shared.held.fetch_add(1, Ordering::SeqCst);
                go_on.await;
                drop(silence);
                continue;
            }
        }
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    silence: &tokio::sync::RwLock<()>,
) {
    let mut chunk = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        let _not_silent = silence.read().await;
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}
