//! What the page says is what happens: every request on it is sent, in order, to one server.

use crate::world::{Answer, World};
use http::Request;

const PAGE: &str = include_str!("../../../../docs/events/http.md");

/// The blocks of the page in a language, with what follows each.
fn blocks(language: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let fence = format!("```{language}\n");
    let parts: Vec<&str> = PAGE.split(fence.as_str()).skip(1).collect();
    parts.into_iter().map(|part| part.split_once("\n```").expect("a block ends"))
}

/// The head of a message line by line, and its body.
fn message(block: &str) -> (Vec<&str>, &str) {
    let (head, body) = block.split_once("\n\n").unwrap_or((block, ""));
    (head.lines().collect(), body)
}

async fn send(world: &World, block: &str) -> Answer {
    let (head, body) = message(block);
    let (method, uri) = head[0].split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(uri);
    for header in &head[1..] {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    world.ask(request, body.to_owned()).await
}

/// Whether a text is as said; `[..]` stands for anything.
fn is_said(said: &str, text: &str) -> bool {
    let mut parts = said.split("[..]");
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

#[tokio::test]
async fn every_example_of_the_page_is_true() {
    let world = World::start();
    let mut count = 0;
    for (request, after) in blocks("http") {
        let said = after.split_once("```text\n").and_then(|(_, rest)| rest.split_once("\n```"));
        let (said, _) = said.expect("a request is followed by its answer");
        let answer = send(&world, request).await;
        let (head, body) = message(said);
        assert_eq!(answer.status.to_string(), head[0], "{request}\n{answer:?}");
        for header in &head[1..] {
            let (name, value) = header.split_once(": ").unwrap();
            assert_eq!(answer.headers[name], value, "{request}");
        }
        let text = String::from_utf8_lossy(&answer.body);
        let is_right = body.is_empty() || is_said(body.trim_end(), text.trim_end());
        assert!(is_right, "{request}\n--- the page says\n{body}\n--- what happens\n{text}");
        count += 1;
    }
    assert!(count > 8, "{count} examples");
    world.end().await;
}
