//! A server in this process, and a client of it.

use bytes::Bytes;
use fairway_api::{Api, Server};
use fairway_kurrent::{Kurrent, Open};
use fairway_ledger::{Ledger, Position};
use fairway_subjects::Subjects;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{
    cell::RefCell,
    future::pending,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpStream, runtime::Runtime, time::timeout};

/// How long an answer may take; what follows for ever ends by it.
const LONG: Duration = Duration::from_millis(20);
/// How long an answer may take that has to come.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);
/// Most inputs that share a ledger.
const INPUTS_MAX: usize = 1_000;
/// The forms in which events are read.
const FORMS: [&str; 3] =
    ["application/json", "application/x-ndjson", "application/cloudevents-batch+json"];

/// A ledger with all that is served of it.
pub(crate) struct Served {
    pub(crate) ledger: Ledger,
    pub(crate) kurrent: Kurrent,
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
    _folder: TempDir,
}

/// What some inputs share.
struct Shared {
    served: Served,
    runtime: Runtime,
    inputs: usize,
}

thread_local! {
    static SHARED: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// Runs an input, and reads in every form what it appended.
pub(crate) fn run(input: impl AsyncFnOnce(&mut Served)) {
    SHARED.with_borrow_mut(|shared| {
        if shared.as_ref().is_some_and(|shared| shared.inputs == INPUTS_MAX) {
            *shared = None;
        }
        let Shared { served, runtime, inputs } = shared.get_or_insert_with(Shared::start);
        *inputs += 1;
        runtime.block_on(async {
            let before = served.ledger.head().await.expect("a ledger has a head");
            input(served).await;
            served.read_again(before).await;
        });
    });
}

impl Shared {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let served = runtime.block_on(async { Served::start() });
        Self { served, runtime, inputs: 0 }
    }
}

impl Served {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let subjects = Subjects::new(&folder.path().join("subjects.db"));
        let ledger = Ledger::open(&folder.path().join("events.db")).expect("a ledger is made");
        let ledger = fairway_subjects::over(&ledger, subjects.clone());
        let api = Api::new(ledger.clone()).with_subjects(subjects);
        let kurrent = Kurrent::new(api.groups().clone(), Arc::new(Open));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        tokio::spawn(Server::new(api).serve(listener, pending()));
        Self { ledger, kurrent, address, connection: None, _folder: folder }
    }

    /// The whole answer to a request, unless that takes too long.
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> Option<Response<Bytes>> {
        self.ask_within(LONG, request).await
    }

    /// The whole answer to a request, unless that takes longer.
    pub(crate) async fn ask_within(
        &mut self,
        limit: Duration,
        request: Request<Full<Bytes>>,
    ) -> Option<Response<Bytes>> {
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => self.connect().await,
        };
        let answer = async {
            connection.ready().await.ok()?;
            let (head, body) = connection.send_request(request).await.ok()?.into_parts();
            Some(Response::from_parts(head, body.collect().await.ok()?.to_bytes()))
        };
        let answer = timeout(limit, answer).await.ok().flatten()?;
        self.connection = Some(connection);
        Some(answer)
    }

    async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.address).await.expect("the server listens");
        stream.set_nodelay(true).expect("sockets can be set so");
        let (connection, driver) =
            http1::handshake(TokioIo::new(stream)).await.expect("the server speaks HTTP/1.1");
        tokio::spawn(driver);
        connection
    }

    /// Reads events in every form; each has to be what its form is.
    async fn read_again(&mut self, before: Position) {
        if self.ledger.head().await.expect("a ledger has a head") == before {
            return;
        }
        for form in FORMS {
            let uri = format!("/v1/events?system=true&after={}", before.0);
            let request = Request::get(uri).header("host", "localhost").header("accept", form);
            let request = request.body(Full::default()).expect("it is a request");
            let answer = self.ask_within(LONGEST, request).await.expect("events can be read");
            assert_eq!(answer.status(), 200, "{answer:?}");
            check(&answer);
        }
    }
}

/// Checks that an answer is no fault, and that it is JSON where it says so.
pub(crate) fn check(answer: &Response<Bytes>) {
    assert_ne!(answer.status(), 500, "{answer:?}");
    let content = answer.headers().get("content-type").map(HeaderValue::as_bytes);
    let content = content.unwrap_or_default();
    // The body of a CloudEvent in binary mode is whatever was sent as one.
    if answer.body().is_empty() || answer.headers().contains_key("ce-id") {
        return;
    }
    let is_json = |text: &[u8]| serde_json::from_slice::<Value>(text).is_ok();
    let is_good = match content {
        b"application/x-ndjson" => answer.body().trim_ascii().split(|it| *it == b'\n').all(is_json),
        json if json.ends_with(b"json") => is_json(answer.body()),
        _ => true,
    };
    assert!(is_good, "{answer:?}");
}
