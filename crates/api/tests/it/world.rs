//! A server with a ledger of its own, and a client.

use crate::described;
use axum::body::Body;
use bytes::Bytes;
use fairway_api::{Api, Server};
use fairway_ledger::Ledger;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::{
    convert::identity,
    net::{SocketAddr, TcpListener},
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

/// A running server.
pub struct World {
    pub ledger: Ledger,
    pub address: SocketAddr,
    _folder: TempDir,
    client: Client<HttpConnector, Body>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

/// A response with its whole body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl World {
    pub fn start() -> Self {
        Self::start_with(Server::new)
    }

    /// Starts a server after something was changed of it.
    pub fn start_with(change: impl FnOnce(Api) -> Server) -> Self {
        Self::over(identity, change)
    }

    /// Starts a server of a ledger with something over it.
    pub fn over(over: impl FnOnce(Ledger) -> Ledger, change: impl FnOnce(Api) -> Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = over(Ledger::open(&folder.path().join("events.db")).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = change(Api::new(ledger.clone()));
        let server = tokio::spawn(server.serve(listener, async {
            drop(stopped.await);
        }));
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { ledger, address, _folder: folder, client, stop, server }
    }

    /// Sends a request and gives the response as it begins.
    pub async fn send(
        &self,
        request: http::request::Builder,
        body: impl Into<Body>,
    ) -> Response<Incoming> {
        let mut request: Request<Body> = request.body(body.into()).unwrap();
        let uri = format!("http://{}{}", self.address, request.uri());
        *request.uri_mut() = uri.parse().unwrap();
        self.client.request(request).await.unwrap()
    }

    /// Sends a request and takes the whole answer, which has to be one that the description has.
    pub async fn ask(&self, request: http::request::Builder, body: impl Into<Body>) -> Answer {
        let method = request.method_ref().unwrap().clone();
        let path = request.uri_ref().unwrap().path().to_owned();
        let response = self.send(request, body).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        described::check((&method, &path), &answer);
        answer
    }

    pub async fn get(&self, uri: &str) -> Answer {
        self.ask(Request::get(uri), Body::empty()).await
    }

    pub async fn post(&self, uri: &str, json: &Value) -> Answer {
        self.send_json(Method::POST, uri, json).await
    }

    pub async fn send_json(&self, method: Method, uri: &str, json: &Value) -> Answer {
        let request = Request::builder().method(method).uri(uri);
        self.ask(request.header("content-type", "application/json"), json.to_string()).await
    }

    /// Stops the server and waits for its end.
    pub async fn end(self) {
        drop(self.stop);
        drop(self.client);
        self.server.await.unwrap().unwrap();
    }
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Checks that this is a problem of a sort, with its status.
    #[track_caller]
    pub fn problem(self, status: u16, name: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["type"], format!("urn:fairway:problem:{name}"), "{problem}");
        assert_eq!(problem["status"], status);
        answer
    }
}
