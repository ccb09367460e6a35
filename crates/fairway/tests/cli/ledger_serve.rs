//! `fairway ledger serve` and `fairway ledger token`.

use crate::{
    certificate,
    outcome::assert_outcome,
    served::Served,
    web::ask,
    world::{World, until},
};
use serde_json::json;
use std::process::Command;

/// The status of a request with a token.
fn status(served: &Served, token: &str, path: &str) -> String {
    let url = format!("{}{path}", served.url);
    let header = format!("authorization: Bearer {token}");
    let mut curl = Command::new("curl");
    curl.args(["-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", &header, &url]);
    String::from_utf8(curl.output().unwrap().stdout).unwrap()
}

#[test]
fn a_ledger_is_served_until_somebody_asks_to_stop() {
    let world = World::empty();
    world.fairway(&["events", "append", "orders-1", "order-created"]).passed();
    let serving = Served::ledger(&world, &[]);
    assert_eq!(status(&serving, "", "/v1/streams/orders-1"), "200");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn who_appends_to_a_ledger_that_was_moved_is_told_so_and_the_operator_once_in_a_while() {
    let world = World::empty();
    world.fairway(&["events", "append", "a-1", "b", "--ledger", "one.db"]).passed();
    let mut serving = Served::ledger(&world, &["--ledger", "one.db"]);
    world.fairway(&["ledger", "copy", "one.db", "two.db", "--switch"]).passed();
    let stream = format!("{}/v1/streams/a-1", serving.url);
    for _ in 0..20 {
        let (status, problem) = ask("POST", &stream, &json!({ "kind": "b" }));
        assert_eq!((status, &problem["type"]), (421, &json!("urn:fairway:problem:moved")));
        assert!(!problem.to_string().contains("two.db"), "{problem}");
    }
    assert_eq!(status(&serving, "", "/v1/streams/a-1"), "200");
    assert!(serving.line().ends_with("two.db`"));
    assert!(serving.line().ends_with("two.db` (19 more times in 10 s)"));
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
    let reader = new("reader", &["--read", "order-"]).passed();
    assert!(reader.stderr.starts_with("token `reader` is valid until 20"), "{reader}");
    let reader = reader.stdout;
    assert_eq!(new("reader", &["--admin"]).code, 1);
    assert_eq!(new("nobody", &[]).code, 2);
    let mut serving = Served::ledger(&world, &["--tokens", "tokens"]);
    assert_eq!(status(&serving, reader.trim(), "/v1/head"), "200");
    assert_eq!(status(&serving, reader.trim(), "/v1/streams/cart-1"), "403");
    assert_eq!(status(&serving, "none", "/v1/head"), "401");
    let admin = new("ops", &["--admin", "--expires", "never"]).passed();
    assert_eq!(admin.stderr, "token `ops` is valid for ever\n");
    let admin = admin.stdout;
    assert_eq!(serving.line(), "the tokens were read again");
    assert_eq!(status(&serving, admin.trim(), "/v1/streams/cart-1"), "404");
    world.write("tokens", "");
    until("the end of the token", || {
        (status(&serving, admin.trim(), "/v1/head") == "401").then_some(())
    });
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

#[test]
fn a_key_that_is_none_is_not_served_with() {
    let world = World::empty();
    certificate::make(&world.fleet());
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "cert.pem"];
    assert_outcome!(world.fairway(&[&["ledger", "serve"][..], &tls].concat()), @r"
    exit 2
    --- stderr
    error: TLS cannot be used
      caused by: the key is not in PEM
      caused by: no items found
    ");
    let alone = world.fairway(&["ledger", "serve", "--tls-cert", "cert.pem"]);
    assert_eq!(alone.code, 2, "{alone}");
}
