//! Requests over HTTP, written as in the files of HTTP clients: a line `METHOD URI`, headers, an empty
//! line and the body; the next after a line `###`.

use crate::{
    Seed,
    served::{self, check},
};
use bytes::Bytes;
use http::{Request, request::Builder};
use http_body_util::Full;
use std::iter::successors;

/// Most requests of an input.
const REQUESTS_MAX: usize = 4;
/// Headers that say how a request is sent, which is not what is tried.
const OF_THE_WIRE: [&str; 7] =
    ["connection", "content-length", "expect", "host", "te", "transfer-encoding", "upgrade"];

/// Sends requests one after the other. No answer may be a fault; what says that it is JSON has to be,
/// and so have the events that were appended, in every form.
pub fn run(input: &[u8]) {
    let Some(requests) = requests(input) else { return };
    served::run(async |served| {
        for request in requests {
            if let Some(answer) = served.ask(request).await {
                check(&answer);
            }
        }
    });
}

/// The requests of an input, if they can be sent.
fn requests(input: &[u8]) -> Option<Vec<Request<Full<Bytes>>>> {
    let first = split(input, b"\n###\n");
    let all = successors(Some(first), |(_, rest)| rest.map(|rest| split(rest, b"\n###\n")));
    all.take(REQUESTS_MAX).map(|(text, _)| request(text)).collect()
}

fn request(text: &[u8]) -> Option<Request<Full<Bytes>>> {
    let (head, body) = split(text, b"\n\n");
    let mut lines = str::from_utf8(head).ok()?.lines();
    let (method, uri) = lines.next()?.split_once(' ')?;
    let begun = Request::builder().method(method).uri(uri).header("host", "localhost");
    let body = Bytes::copy_from_slice(body.unwrap_or_default());
    let request = lines.try_fold(begun, header)?.body(Full::new(body)).ok()?;
    request.uri().path().starts_with('/').then_some(request)
}

fn header(request: Builder, line: &str) -> Option<Builder> {
    let (name, value) = line.split_once(": ")?;
    let is_sent = !OF_THE_WIRE.iter().any(|other| name.eq_ignore_ascii_case(other));
    Some(if is_sent { request.header(name, value) } else { request })
}

/// What is before a separator, and what after it if there is one.
fn split<'a>(text: &'a [u8], separator: &[u8]) -> (&'a [u8], Option<&'a [u8]>) {
    match text.windows(separator.len()).position(|window| window == separator) {
        Some(at) => (&text[..at], Some(&text[at + separator.len()..])),
        None => (text, None),
    }
}

/// Requests of every sort, which are all done.
pub fn seeds() -> Vec<Seed> {
    let seeds = [
        ("append", include_str!("../seeds/append.http")),
        ("batches", include_str!("../seeds/batches.http")),
        ("cloud-events", include_str!("../seeds/cloud-events.http")),
        ("groups", include_str!("../seeds/groups.http")),
        ("personal", include_str!("../seeds/personal.http")),
        ("reads", include_str!("../seeds/reads.http")),
        ("snapshot", include_str!("../seeds/snapshot.http")),
        ("streams", include_str!("../seeds/streams.http")),
    ];
    seeds.map(|(name, text)| (name, text.as_bytes().to_vec())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_of_the_seeds_is_done() {
        for (name, seed) in seeds() {
            let requests = requests(&seed).unwrap();
            served::run(async |served| {
                for request in requests {
                    let (uri, limit) = (request.uri().clone(), served::LONGEST);
                    let answer = served.ask_within(limit, request).await;
                    let answer = answer.unwrap_or_else(|| panic!("{name} {uri} is not answered"));
                    assert!(answer.status().is_success(), "{name} {uri} {answer:?}");
                    check(&answer);
                }
            });
            run(&seed);
        }
    }

    #[test]
    fn what_cannot_be_sent_is_left_out() {
        for input in ["", "GET", "GET ", "GET http://", "GET /\nno header", "GET /a b\n\n"] {
            assert!(requests(input.as_bytes()).is_none(), "{input}");
        }
    }
}
