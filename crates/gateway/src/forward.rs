//! Takes one request to a backend and brings its response back: performs what [`crate::plan`],
//! [`crate::balance`] and [`crate::retry`] decide.

use crate::{
    access::Ending,
    answer::Answer,
    client::Client,
    exchange::Exchange,
    forwarding::{X_REQUEST_ID, strip_hop_by_hop, takes_trailers, wanted_upgrade},
    live::{BackendId, LiveBackend, LiveService},
    plan::Plan,
    problem::Problem,
    retry::{self, Attempt, Failure, Link, Repeat, RequestFault, Verdict, judge},
    tunnel::Tunnel,
    upload::{Upload, UploadBody},
    upstream::{Rejected, Upstream, Watch},
};
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONNECTION, HOST, TE, UPGRADE},
};
use http_body::Body;
use hyper::{
    body::Incoming,
    upgrade::{self, OnUpgrade},
};
use std::{convert::Infallible, sync::Arc, time::Duration, time::Instant};

const CONNECTION_UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");
const CONNECTION_TE: HeaderValue = HeaderValue::from_static("te");
const TE_TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

type Reply = (Box<Upstream>, Response<Incoming>);

/// A request on its way, with what is left to try.
struct Journey<'a> {
    exchange: &'a mut Exchange,
    service: &'a LiveService,
    head: Option<Request<()>>,
    repeat: Repeat,
    timeout: Duration,
    tried: Vec<BackendId>,
    link: Link,
    left: u32,
}

/// Answers one request. Whatever goes wrong becomes a response.
pub(crate) async fn handle(
    client: Arc<Client>,
    mut request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let wanted = wanted_upgrade(request.headers());
    let switch = wanted.is_some().then(|| upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let mut exchange = Exchange::begin(client, &head);
    let outcome = forward(&mut exchange, Request::from_parts(head, body), wanted).await;
    Ok(match outcome {
        Err(problem) => exchange.refuse(&problem),
        Ok((upstream, response)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            tunnel(exchange, upstream, response, switch)
        }
        Ok((upstream, response)) => exchange.relay(response, upstream),
    })
}

fn tunnel(
    mut exchange: Exchange,
    upstream: Box<Upstream>,
    response: Response<Incoming>,
    switch: Option<OnUpgrade>,
) -> Response<Answer> {
    let Some(switch) = switch else { return exchange.refuse(&Problem::BadResponse) };
    let response = exchange.switch(response);
    exchange.end(Ending::ClientGone);
    let client = exchange.client.clone();
    client.set_tunnel(Tunnel::new(exchange, upstream.into_parts(), switch));
    response
}

async fn forward(
    exchange: &mut Exchange,
    request: Request<Incoming>,
    wanted: Option<HeaderValue>,
) -> Result<Reply, Problem> {
    let client = exchange.client.clone();
    let live = client.worker.live();
    let (mut head, body) = request.into_parts();
    let planned = Plan::of(&live.table, &mut head);
    let timeout = planned.as_ref().ok().and_then(|plan| plan.timeout);
    let timeout = timeout.unwrap_or(client.settings().timeouts.response);
    accept_body(exchange, body, timeout)?;
    if client.is_ambiguous() {
        return Err(Problem::BadRequest("a request states its length once".to_owned()));
    }
    let plan = planned?;
    let service = live.service(plan.service);
    exchange.service = Some(service.name.clone());
    let repeat = Repeat::of(&head.method);
    head.uri = plan.uri;
    dress(&mut head, exchange, wanted);
    let journey = Journey {
        service,
        repeat,
        timeout,
        head: Some(Request::from_parts(head, ())),
        tried: Vec::new(),
        link: Link::Pooled,
        left: client.settings().limits.attempts.saturating_sub(1),
        exchange,
    };
    journey.run().await
}

/// Takes charge of the request's body; refuses one that says it is too long.
fn accept_body(exchange: &mut Exchange, body: Incoming, timeout: Duration) -> Result<(), Problem> {
    if body.is_end_stream() {
        return Ok(());
    }
    let length = body.size_hint().lower();
    exchange.upload = Some(Arc::new(Upload::new(exchange.client.clone(), body, timeout)));
    match exchange.client.settings().limits.body_bytes {
        Some(limit) if length > limit => Err(Problem::BodyTooLong),
        _ => Ok(()),
    }
}

/// Makes the headers of the client's request those of the gateway's.
fn dress(head: &mut http::request::Parts, exchange: &Exchange, wanted: Option<HeaderValue>) {
    let headers = &mut head.headers;
    let trailers = takes_trailers(headers);
    strip_hop_by_hop(headers);
    exchange.client.forwarder.sign(headers);
    headers.insert(X_REQUEST_ID, exchange.request_id.clone());
    if let Some(protocols) = wanted {
        headers.insert(CONNECTION, CONNECTION_UPGRADE);
        headers.insert(UPGRADE, protocols);
    } else if trailers {
        headers.insert(CONNECTION, CONNECTION_TE);
        headers.insert(TE, TE_TRAILERS);
    }
    if !headers.contains_key(HOST)
        && let Some(service) = &exchange.service
    {
        let name =
            HeaderValue::from_str(service.as_str()).expect("a service's name is a DNS label");
        headers.insert(HOST, name);
    }
    head.version = http::Version::HTTP_11;
    head.extensions.clear();
}

impl Journey<'_> {
    async fn run(mut self) -> Result<Reply, Problem> {
        let mut problem = Problem::NoBackend;
        loop {
            let chance = self.exchange.client.worker.chance.next();
            let Some(backend) = self.service.choose(chance, &self.tried) else {
                return Err(problem);
            };
            let backend = backend.clone();
            self.exchange.assign(backend.clone());
            let (link, rejected) = match self.attempt(&backend).await {
                Ok(reply) => return Ok(reply),
                Err(failed) => failed,
            };
            problem = problem_of(rejected.failure);
            self.recover(rejected.request);
            match judge(rejected.failure, self.describe(link)) {
                Verdict::GiveUp => return Err(problem),
                Verdict::NextBackend => {
                    self.tried.push(backend.id);
                    backend.rest(self.exchange.client.settings().timeouts.rest);
                }
                Verdict::FreshLink => self.link = Link::Fresh,
            }
            self.left -= 1;
            self.exchange.retries += 1;
        }
    }

    async fn attempt(&mut self, backend: &LiveBackend) -> Result<Reply, (Link, Rejected)> {
        let client = self.exchange.client.clone();
        let timeouts = &client.settings().timeouts;
        let (link, upstream) =
            self.reach(backend).await.map_err(|failure| (Link::Fresh, failure.into()))?;
        let request = self.request(link);
        let upload = self.exchange.upload.as_deref();
        client.progress.allow(if upload.is_some() { timeouts.body } else { self.timeout });
        let watch = Watch { progress: &client.progress, upload };
        upstream.send(request, watch).await.map_err(|rejected| (link, rejected))
    }

    /// Takes a kept connection or makes one.
    async fn reach(&self, backend: &LiveBackend) -> Result<(Link, Box<Upstream>), Failure> {
        let client = &self.exchange.client;
        let (worker, settings) = (&client.worker, client.settings());
        if self.link == Link::Pooled
            && let Some(upstream) = worker.pool.take(backend.id, Instant::now())
        {
            return Ok((Link::Pooled, upstream));
        }
        client.progress.allow(settings.timeouts.connect.saturating_add(self.timeout));
        let upstream = Upstream::open(worker.connector(), backend.address, settings).await?;
        Ok((Link::Fresh, upstream))
    }

    /// The request for one attempt. A copy stays behind if there may be another one.
    fn request(&mut self, link: Link) -> Request<UploadBody> {
        let may_repeat = link == Link::Pooled && self.repeat == Repeat::Harmless && self.left > 0;
        let head = if may_repeat { self.head.clone() } else { self.head.take() };
        let body = self.exchange.upload.as_ref().map_or_else(UploadBody::empty, Upload::body);
        head.expect("an attempt that may be followed by another one leaves the head").map(|()| body)
    }

    /// Takes back a request that was not sent, and its body.
    fn recover(&mut self, request: Option<Request<UploadBody>>) {
        if let Some(request) = request {
            self.head = Some(request.map(drop));
        }
    }

    fn describe(&self, link: Link) -> Attempt {
        let is_whole = self.exchange.upload.as_deref().is_none_or(Upload::is_whole);
        let body = if is_whole { retry::Body::Whole } else { retry::Body::Begun };
        Attempt { repeat: self.repeat, link, body, left: self.left }
    }
}

fn problem_of(failure: Failure) -> Problem {
    match failure {
        Failure::Connect | Failure::NotSent => Problem::Unreachable,
        Failure::ConnectTimeout | Failure::Timeout => Problem::ResponseTimeout,
        Failure::Silent | Failure::Broken => Problem::BadResponse,
        Failure::Request(RequestFault::Stalled) => Problem::RequestTimeout,
        Failure::Request(RequestFault::TooLong) => Problem::BodyTooLong,
        Failure::Request(RequestFault::Broken) => {
            Problem::BadRequest("the request's body broke off".to_owned())
        }
    }
}
