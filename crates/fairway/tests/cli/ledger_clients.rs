//! KurrentDB's official clients and `curl` on one port of `fairway ledger serve`, as their registries
//! and Debian have them.

use crate::{
    certificate,
    packages::{KURRENT_FOR_NODE, KURRENT_FOR_PYTHON, node_with, python_with},
    served::Served,
    world::World,
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
/// How long a script may take, in seconds.
const PATIENCE: &str = "180";
/// What a server is given to serve those with tokens over TLS.
const GUARDED: [&str; 6] = ["--tokens", "tokens", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];

/// A script that runs beside a test and asks it for something.
struct Script {
    child: Child,
    asked: Lines<BufReader<ChildStdout>>,
    done: ChildStdin,
}

impl Script {
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let asked = BufReader::new(child.stdout.take().unwrap()).lines();
        let done = child.stdin.take().unwrap();
        Self { child, asked, done }
    }

    /// Waits until the script asks for something; fails if it ends.
    fn asks_for(&mut self, what: &str) -> bool {
        self.asked.next().is_some_and(|line| line.unwrap() == what)
    }

    /// Says that what it asked for is done.
    fn is_done(&mut self) {
        self.done.write_all(b"\n").unwrap();
    }

    /// Waits for its end, which has to be a good one.
    #[track_caller]
    fn passed(self) {
        drop(self.done);
        passed(self.child);
    }
}

/// Waits for the end of a program, which has to be a good one.
#[track_caller]
fn passed(child: Child) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}\n{said}", output.status);
}

/// A token of a new name with some rights.
fn token(world: &World, name: &str, rights: &[&str]) -> String {
    let new = ["ledger", "token", "new", name, "--tokens", "tokens"];
    world.fairway(&[&new[..], rights].concat()).passed().stdout.trim().to_owned()
}

/// A script of a language that is ended when it takes too long.
fn script(world: &World, program: &Path) -> Command {
    let mut command = world.command("timeout");
    command.arg(PATIENCE).arg(program);
    command
}

/// The port that a server listens on.
fn port(served: &Served) -> &str {
    served.address().rsplit_once(':').map(|(_, port)| port).unwrap()
}

/// What a request with a token as the password of a user is answered: the version of HTTP, the status
/// and the body.
fn get(world: &World, url: &str, (token, how): (&str, &str)) -> (String, Value) {
    let mut curl = world.command("curl");
    curl.args(["-s", how, "--cacert", "cert.pem", "-w", "\n%{http_version} %{http_code}"]);
    let output = curl.arg("-u").arg(format!("anybody:{token}")).arg(url).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (body, end) = said.rsplit_once('\n').unwrap();
    (end.to_owned(), serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn clients_of_kurrentdb_and_of_http_share_a_port_certificate_and_tokens_and_outlive_a_kill() {
    let world = World::empty();
    certificate::make(&world.fleet());
    let admin = token(&world, "ops", &["--admin"]);
    let orders = token(&world, "orders", &["--read", "order-", "--append", "order-"]);
    let expired = token(&world, "old", &["--admin", "--expires", "0m"]);
    let served = Served::ledger(&world, &GUARDED);
    let (url, address) = (served.url.clone(), served.address().to_owned());
    let mut python = script(&world, &python_with(KURRENT_FOR_PYTHON));
    python.arg("-B").arg(Path::new(SCRIPTS).join("served.py")).args([port(&served), "cert.pem"]);
    let mut python = Script::start(python.args([&admin, &orders, &expired]));
    if !python.asks_for("kill the server") {
        return python.passed();
    }
    drop(served);
    python.is_done();
    assert!(python.asks_for("start the server"));
    let serve = ["ledger", "serve", "--listen", &address];
    let served = Served::fairway(&mut world.program(&[&serve[..], &GUARDED].concat()));
    assert_eq!(served.url, url);
    python.is_done();
    python.passed();

    let events = format!("{url}/v1/categories/order?kind_prefix=Before");
    for (how, version) in [("--http1.1", "1.1 200"), ("--http2", "2 200")] {
        let (status, page) = get(&world, &events, (&admin, how));
        assert_eq!((status.as_str(), &page["events"][0]["kind"]), (version, &"Before".into()));
    }
    for token in ["forged", &expired] {
        assert_eq!(get(&world, &events, (token, "--http2")).0, "2 401");
    }
    let cart = format!("{url}/v1/categories/cart");
    let (status, page) = get(&world, &cart, (&orders, "--http2"));
    assert_eq!((status.as_str(), &page["events"]), ("2 200", &Value::Array(Vec::new())));
    assert_eq!(served.end(), Some(0));
}

/// Runs the script of Node with some connection strings.
pub fn node(world: &World, connections: &[String]) {
    let folder = node_with(KURRENT_FOR_NODE);
    // Modules are found from where a script is.
    let copy = folder.join("served.mjs");
    fs::copy(Path::new(SCRIPTS).join("served.mjs"), &copy).unwrap();
    let mut node = script(world, Path::new("node"));
    passed(node.arg(copy).args(connections).stderr(Stdio::piped()).spawn().unwrap());
}

#[test]
fn the_node_client_is_served_with_tokens_over_tls_and_without_either() {
    let world = World::empty();
    certificate::make(&world.fleet());
    let everybody = token(&world, "ops", &["--admin"]);
    let somebody = token(&world, "orders", &["--read", "order-", "--append", "order-"]);
    let guarded = Served::ledger(&world, &GUARDED);
    let connection = |token: &str| {
        let port = port(&guarded);
        format!("kurrentdb://me:{token}@localhost:{port}?tlsCAFile=cert.pem")
    };
    node(&world, &[connection(&everybody), connection(&somebody)]);
    assert_eq!(guarded.end(), Some(0));
    let open = Served::ledger(&world, &[]);
    node(&world, &[format!("kurrentdb://{}?tls=false", open.address())]);
    assert_eq!(open.end(), Some(0));
}
