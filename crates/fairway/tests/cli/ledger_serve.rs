//! `fairway ledger serve` and `fairway ledger token`.

use crate::world::World;
use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a test waits.
const LONG: Duration = Duration::from_mins(1);

/// A server that is ended with the value.
struct Serving {
    child: Child,
    said: BufReader<ChildStderr>,
    url: String,
}

impl Serving {
    /// Serves a world's ledger, and waits until it says where.
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut command = world.program(&["ledger", "serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut serving = Self { child, said, url: String::new() };
        let line = serving.line();
        line.split_whitespace().last().unwrap().clone_into(&mut serving.url);
        assert!(serving.url.starts_with("http"), "{line}");
        serving
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line
    }

    /// The status of a request with a token.
    fn status(&self, token: &str, path: &str) -> String {
        let url = format!("{}{path}", self.url);
        let header = format!("authorization: Bearer {token}");
        let mut curl = Command::new("curl");
        curl.args(["-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", &header, &url]);
        String::from_utf8(curl.output().unwrap().stdout).unwrap()
    }

    /// Asks it to end, and gives its exit code.
    fn end(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_ledger_is_served_until_somebody_asks_to_stop() {
    let world = World::empty();
    world.fairway(&["events", "append", "orders-1", "order-created"]).passed();
    let serving = Serving::start(&world, &[]);
    assert_eq!(serving.status("", "/v1/streams/orders-1"), "200");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn other_machines_are_served_with_tokens_only() {
    let world = World::empty();
    let refused = world.fairway(&["ledger", "serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("without tokens"), "{refused}");
}

#[test]
fn a_token_is_valid_from_when_it_is_in_the_file_until_it_is_taken_out() {
    let world = World::empty();
    let new = |name: &str, rights: &[&str]| {
        let new = ["ledger", "token", "new", name, "--tokens", "tokens"];
        world.fairway(&[&new[..], rights].concat())
    };
    let reader = new("reader", &["--read", "order-"]).passed().stdout;
    assert_eq!(new("reader", &["--admin"]).code, 1);
    assert_eq!(new("nobody", &[]).code, 2);
    let mut serving = Serving::start(&world, &["--tokens", "tokens"]);
    assert_eq!(serving.status(reader.trim(), "/v1/head"), "200");
    assert_eq!(serving.status(reader.trim(), "/v1/streams/cart-1"), "403");
    assert_eq!(serving.status("none", "/v1/head"), "401");
    let admin = new("ops", &["--admin", "--expires", "never"]).passed().stdout;
    assert_eq!(serving.line(), "the tokens were read again\n");
    assert_eq!(serving.status(admin.trim(), "/v1/streams/cart-1"), "404");
    world.write("tokens", "");
    let start = Instant::now();
    while serving.status(admin.trim(), "/v1/head") != "401" {
        assert!(start.elapsed() < LONG, "the token is still valid");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_file_that_has_no_tokens_is_shown_line_by_line() {
    let world = World::empty();
    world.write("tokens", "# ours\norders read=order-\n");
    let refused = world.fairway(&["ledger", "serve", "--tokens", "tokens"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("line 2: token `orders` needs `sha256="), "{refused}");
}
