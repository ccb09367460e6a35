//! Every method of every route is sent what is almost right: all of it is answered as the description
//! says, nothing is a fault.

#[path = "../../src/damage.rs"]
mod damage;

use crate::{described, world::World};
use http::{Method, Request};
use proptest::{
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

/// Requests to each method of each route.
const ROUNDS: usize = 12;

const MEDIA: &[&str] = &[
    "application/json",
    "application/json",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/yaml",
    "text/plain; charset=latin1",
    "application/json;;charset",
    "",
];

const QUERIES: &[&str] = &[
    "",
    "",
    "",
    "limit=0",
    "limit=18446744073709551615",
    "limit=-1",
    "after=9",
    "after=end",
    "before=end",
    "before=0",
    "as_of=0",
    "as_of_time=2026-01-01T00:00:00Z",
    "as_of_time=x",
    "expected=none",
    "expected=99999999999999999999",
    "at_least=9&wait=1ms",
    "wait=1h",
    "system=true",
    "system=maybe",
    "category=a&category=b",
    "stream_prefix=%ff",
    "kind_prefix=%00",
    "format=cloudevents",
    "format=xml",
    "consumer=c",
    "consumer=c&limit=0",
    "up_to=0",
    "tombstone=true",
    "at=now",
    "at=9999-12-31T23:59:59Z",
    "%",
    "&&&=",
    "a=1&a=2",
    "prefix=%2F..%2F",
];

const NAMES: &[&str] = &[
    "a-1",
    "a-1",
    "a-1",
    "$ce-a",
    "$all",
    "1",
    "0",
    "18446744073709551615",
    "..%2Fb",
    "%2e%2e",
    "a%2Fb",
    "%ff",
    "%00",
    "$$a-1",
    "$$$$a",
    "$",
    "none",
    "%F0%9F%98%80",
    "a%20b",
    ".",
];

/// Bodies that are right somewhere.
fn bodies() -> Vec<Vec<u8>> {
    let bodies: &[&str] = &[
        r#"{"kind":"a","data":{"sum":1.10},"metadata":{"by":"ann"}}"#,
        r#"[{"kind":"a"},{"kind":"b","data_base64":"AP8="}]"#,
        r#"[{"stream":"a-1","expected":"any","events":[{"kind":"a"}]},{"stream":"b","events":[]}]"#,
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1}"#,
        r#"[{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1}]"#,
        r#"{"version":1,"kind":"s","data":1}"#,
        r#"{"up_to":1}"#,
        r#"{"retries_max":1,"order_by":{"field":"a"},"start":"beginning"}"#,
        r#"{"consumer":"c","events":[1],"action":"park","reason":"no"}"#,
        r#"{"events":[1]}"#,
        r#"{"event":1,"reason":"no"}"#,
        r#"{"sql":"SELECT 1","parameters":{}}"#,
        "read-model: a-1\nversion: 1\nfrom: { category: a }\n",
    ];
    bodies.iter().map(|body| body.as_bytes().to_vec()).collect()
}

#[derive(Debug)]
struct Sent {
    names: Vec<&'static str>,
    query: &'static str,
    accept: &'static str,
    media: &'static str,
    body: Vec<u8>,
}

fn sent() -> impl Strategy<Value = Sent> {
    let accept =
        ["*/*", "*/*", "application/x-ndjson", "application/cloudevents+json", "q=;,", "a/b"];
    let body = damage::damaged(bodies());
    let parts = (prop::collection::vec(select(NAMES), 3), select(QUERIES), select(MEDIA));
    (parts, select(accept.to_vec()), body).prop_map(|((names, query, media), accept, body)| Sent {
        names,
        query,
        accept,
        media,
        body,
    })
}

impl Sent {
    /// The address of a path with something in its holes.
    fn uri(&self, path: &str) -> String {
        let mut names = self.names.iter();
        let parts = path.split('/').map(|part| match part {
            hole if hole.starts_with('{') => names.next().unwrap(),
            part => part,
        });
        format!("{}?{}", parts.collect::<Vec<_>>().join("/"), self.query)
    }
}

#[tokio::test]
async fn what_is_almost_right_is_answered_and_never_a_fault() {
    let world = World::start();
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..ROUNDS {
        for (path, operations) in described::paths() {
            for method in operations.as_object().unwrap().keys() {
                let sent = sent().new_tree(&mut runner).unwrap().current();
                let method: Method = method.to_ascii_uppercase().parse().unwrap();
                let request = Request::builder().method(method).uri(sent.uri(path));
                let request = request.header("accept", sent.accept);
                let request = request.header("content-type", sent.media);
                let answer = world.ask(request, sent.body.clone()).await;
                assert_ne!(answer.status, 500, "{path} {sent:?} {answer:?}");
            }
        }
    }
    world.get("/healthz").await.is(200);
    world.end().await;
}
