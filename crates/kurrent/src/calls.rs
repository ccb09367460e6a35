//! The four forms of a gRPC call over functions, and the deadline that a caller sets.

use crate::{
    codec::{Incoming, Messages},
    faults::Faults,
    room::{Load, Room, Weighed},
};
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use http::{HeaderMap, Request as HttpRequest, Response as HttpResponse};
use http_body::Body as HttpBody;
use prost::Message;
use std::{convert::identity, future::Future, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    server::{
        ClientStreamingService, Grpc, ServerStreamingService, StreamingService, UnaryService,
    },
};

/// Answers of a call that has many.
pub(crate) type Answers<A> = BoxStream<'static, Result<A, Status>>;
type Answering<A> = BoxFuture<'static, Result<Response<A>, Status>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the body of a request has to be.
pub trait RequestBody: HttpBody<Error: Into<BoxError> + Send> + Send + 'static {}
impl<B: HttpBody<Error: Into<BoxError> + Send> + Send + 'static> RequestBody for B {}

/// One message, one answer.
pub(crate) async fn unary<Q: Incoming, A: Message + 'static, T>(
    request: HttpRequest<impl RequestBody>,
    host: Host,
    call: impl FnMut(Q) -> T,
) -> HttpResponse<Body>
where
    T: Future<Output = Result<A, Status>> + Send + 'static,
{
    let (handler, request) = host.take(request, call);
    let messages: Messages<A, Q> = Messages::kept();
    grpc(messages).unary(handler, request).await
}

/// One message, many answers.
pub(crate) async fn server_streaming<Q: Incoming, A: Message + 'static, T>(
    request: HttpRequest<impl RequestBody>,
    host: Host,
    call: impl FnMut(Q) -> T,
) -> HttpResponse<Body>
where
    T: Future<Output = Result<Answers<A>, Status>> + Send + 'static,
{
    let (handler, request) = host.take(request, call);
    let messages: Messages<A, Q> = Messages::kept();
    grpc(messages).server_streaming(handler, request).await
}

/// Many messages, one answer.
pub(crate) async fn client_streaming<Q: Incoming, A: Message + 'static, T>(
    request: HttpRequest<impl RequestBody>,
    host: Host,
    call: impl FnMut(Streaming<Q>) -> T,
) -> HttpResponse<Body>
where
    T: Future<Output = Result<A, Status>> + Send + 'static,
{
    let (handler, request) = host.take(request, call);
    let messages: Messages<A, Q> = Messages::kept();
    grpc(messages).client_streaming(handler, request).await
}

/// Many messages, many answers.
pub(crate) async fn streaming<Q: Incoming, A: Message + 'static, T>(
    request: HttpRequest<impl RequestBody>,
    host: Host,
    call: impl FnMut(Streaming<Q>) -> T + Send,
) -> HttpResponse<Body>
where
    T: Future<Output = Result<Answers<A>, Status>> + Send + 'static,
{
    let (handler, request) = host.take(request, call);
    let messages: Messages<A, Q> = Messages::passing(handler.of.load.clone());
    grpc(messages).streaming(handler, request).await
}

fn grpc<A: Message + 'static, Q: Incoming>(messages: Messages<A, Q>) -> Grpc<Messages<A, Q>> {
    Grpc::new(messages).max_decoding_message_size(Q::BYTES_MAX)
}

/// What all calls share.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) end: End,
    pub(crate) room: Room,
    pub(crate) faults: Faults,
}

impl Host {
    /// A call, and the request whose bytes take up room.
    fn take<B: RequestBody, F>(
        self,
        request: HttpRequest<B>,
        call: F,
    ) -> (Handler<F>, HttpRequest<Weighed<B>>) {
        let load = Load::new(self.room.clone());
        let deadline = deadline(request.headers());
        let of = Of { host: self, deadline, load: load.clone() };
        (Handler { call, of }, request.map(|body| Weighed::new(body, load)))
    }
}

struct Handler<F> {
    call: F,
    of: Of,
}

/// What is known of one call besides what it does.
#[derive(Clone)]
struct Of {
    host: Host,
    deadline: Option<Instant>,
    load: Load,
}

/// Tells calls that go on for long that the server ends. Clones tell the same.
#[derive(Debug, Clone)]
pub(crate) struct End(watch::Sender<bool>);

impl End {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Ends all calls that have many answers.
    pub(crate) fn now(&self) {
        self.0.send_replace(true);
    }

    async fn comes(self) -> Status {
        // The sender is in `self`, so that this does not fail.
        drop(self.0.subscribe().wait_for(|ends| *ends).await);
        Status::unavailable("the server ends")
    }
}

impl<Q, A: 'static, F, T> UnaryService<Q> for Handler<F>
where
    F: FnMut(Q) -> T,
    T: Future<Output = Result<A, Status>> + Send + 'static,
{
    type Response = A;
    type Future = Answering<A>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        Box::pin(answer(self.of.clone(), (self.call)(request.into_inner())))
    }
}

impl<Q, A: 'static, F, T> ClientStreamingService<Q> for Handler<F>
where
    F: FnMut(Streaming<Q>) -> T,
    T: Future<Output = Result<A, Status>> + Send + 'static,
{
    type Response = A;
    type Future = Answering<A>;

    fn call(&mut self, request: Request<Streaming<Q>>) -> Self::Future {
        Box::pin(answer(self.of.clone(), (self.call)(request.into_inner())))
    }
}

impl<Q, A, F, T> ServerStreamingService<Q> for Handler<F>
where
    A: Send + 'static,
    F: FnMut(Q) -> T,
    T: Future<Output = Result<Answers<A>, Status>> + Send + 'static,
{
    type Response = A;
    type ResponseStream = Answers<A>;
    type Future = Answering<Answers<A>>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        Box::pin(answers(self.of.clone(), (self.call)(request.into_inner())))
    }
}

impl<Q, A, F, T> StreamingService<Q> for Handler<F>
where
    A: Send + 'static,
    F: FnMut(Streaming<Q>) -> T,
    T: Future<Output = Result<Answers<A>, Status>> + Send + 'static,
{
    type Response = A;
    type ResponseStream = Answers<A>;
    type Future = Answering<Answers<A>>;

    fn call(&mut self, request: Request<Streaming<Q>>) -> Self::Future {
        Box::pin(answers(self.of.clone(), (self.call)(request.into_inner())))
    }
}

async fn answer<A>(
    of: Of,
    call: impl Future<Output = Result<A, Status>>,
) -> Result<Response<A>, Status> {
    let answer = within(of.deadline, call).await.and_then(identity);
    of.host.faults.tell(answer.as_ref().err());
    answer.map(Response::new)
}

async fn answers<A: Send + 'static>(
    of: Of,
    call: impl Future<Output = Result<Answers<A>, Status>>,
) -> Result<Response<Answers<A>>, Status> {
    let Of { host: Host { end, room, faults }, deadline, load } = of;
    let taken = room.call()?;
    let answers = within(deadline, call).await.and_then(identity);
    faults.tell(answers.as_ref().err());
    drop(load);
    let end: BoxFuture<'static, Status> = Box::pin(async move {
        match within(deadline, end.comes()).await {
            Ok(ended) | Err(ended) => ended,
        }
    });
    let until = stream::unfold(Some((answers?, end, taken)), move |open| {
        let faults = faults.clone();
        async move {
            let (mut answers, mut end, taken) = open?;
            tokio::select! {
                biased;
                ended = &mut end => Some((Err(ended), None)),
                next = answers.next() => {
                    let next = next?;
                    faults.tell(next.as_ref().err());
                    Some((next, Some((answers, end, taken))))
                }
            }
        }
    });
    Ok(Response::new(until.boxed()))
}

async fn within<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Result<T, Status> {
    match deadline {
        None => Ok(work.await),
        Some(deadline) => timeout_at(deadline, work)
            .await
            .map_err(|_| Status::deadline_exceeded("the deadline of the call has passed")),
    }
}

fn deadline(headers: &HeaderMap) -> Option<Instant> {
    let timeout = parse_timeout(headers.get("grpc-timeout")?.to_str().ok()?)?;
    Instant::now().checked_add(timeout)
}

/// Up to eight digits and a unit (the gRPC protocol over HTTP/2, `Timeout`).
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn timeouts_have_a_unit() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("2H"), Some(Duration::from_hours(2)));
        for bad in ["", "S", "5", "123456789S", "5x", "5é", "-1S"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_timeout_is_read_or_ignored(text in "\\PC{0,12}") {
            parse_timeout(&text);
        }
    }
}
