//! A gRPC client that sends whatever bytes it is given.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{convert::Infallible, net::SocketAddr};
use tokio::net::TcpStream;

/// How many bytes the client takes before they are read: as many as HTTP/2 has it unless said.
const WINDOW: u32 = (1 << 16) - 1;

/// What is sent, to its end or not.
type Sent = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) struct Raw {
    requests: SendRequest<Sent>,
    address: SocketAddr,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) trailers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = http2::Builder::new(TokioExecutor::new());
        client.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (requests, connection) = client.handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { requests, address }
    }

    /// Calls a method with a body as it is.
    pub(crate) async fn call(&self, path: &str, token: Option<&str>, body: Vec<u8>) -> Answer {
        self.call_within("1H", path, token, body).await
    }

    /// Calls a method, with the time in which it has to answer.
    pub(crate) async fn call_within(
        &self,
        deadline: &str,
        path: &str,
        token: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let response = self.open(deadline, path, token, body).await;
        let headers = response.headers().clone();
        Answer::of(headers, response.into_body()).await
    }

    /// Calls a method with the beginning of what it would take, and sends nothing more.
    pub(crate) async fn call_and_wait(&self, path: &str, begun: Vec<u8>) -> Answer {
        let response = self.open_and_wait(path, begun).await;
        let headers = response.headers().clone();
        Answer::of(headers, response.into_body()).await
    }

    /// The same, and gives the response as it begins.
    pub(crate) async fn open_and_wait(&self, path: &str, begun: Vec<u8>) -> Response<Incoming> {
        let begun = stream::iter([Ok(Frame::data(Bytes::from(begun)))]);
        let body = StreamBody::new(begun.chain(stream::pending())).boxed_unsync();
        self.send(("1H", path, None), body).await
    }

    /// Calls a method, and gives the response as it begins.
    pub(crate) async fn open(
        &self,
        deadline: &str,
        path: &str,
        token: Option<&str>,
        body: Vec<u8>,
    ) -> Response<Incoming> {
        self.send((deadline, path, token), Full::new(Bytes::from(body)).boxed_unsync()).await
    }

    async fn send(
        &self,
        (deadline, path, token): (&str, &str, Option<&str>),
        body: Sent,
    ) -> Response<Incoming> {
        let uri = format!("http://{}/event_store.client.{path}", self.address);
        let request = Request::post(uri).header("content-type", "application/grpc");
        let mut request = request.header("grpc-timeout", deadline);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body).unwrap();
        let response = self.requests.clone().send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response
    }

    /// Calls a method with one message.
    pub(crate) async fn message(&self, path: &str, token: Option<&str>, message: &[u8]) -> Answer {
        self.call(path, token, framed(message)).await
    }
}

impl Answer {
    /// The rest of a response that began with headers.
    pub(crate) async fn of(headers: HeaderMap, body: Incoming) -> Self {
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or(headers);
        let code = trailers["grpc-status"].to_str().unwrap().parse().unwrap();
        Self { code, trailers, body: collected.to_bytes() }
    }
}

/// A message as it is sent.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}

/// A field with bytes, of less than 16 tags and 16 KiB.
pub(crate) fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    assert!(tag < 16 && length < 1 << 14);
    let [high, low] = (length << 1).to_be_bytes();
    let length: &[u8] = if high == 0 { &[low >> 1] } else { &[low >> 1 | 0x80, high] };
    [&[tag << 3 | 2], length, bytes].concat()
}

/// A field with a small number.
pub(crate) fn number(tag: u8, number: u8) -> Vec<u8> {
    assert!(tag < 16 && number < 128);
    vec![tag << 3, number]
}
