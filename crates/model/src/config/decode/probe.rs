//! `ready`: when a container is ready.

use super::command::Command;
use super::route::RequestPath;
use crate::config::form::{Definitions, Form, Port, Record, Schema, Text, Wait, record};
use crate::config::reporter::Reporter;
use crate::config::yaml::{Kind, Node};
use crate::config::{Probe, Readiness};
use std::time::Duration;

/// The keys of `ready` as they stand in the file.
struct Ready {
    http: Option<Probe>,
    tcp: Option<Probe>,
    exec: Option<Vec<String>>,
    log: Option<String>,
    interval: Duration,
    timeout: Duration,
    deadline: Duration,
}

record! {
    /// When a container is ready: exactly one of `http`, `tcp`, `exec` and `log`.
    Ready, one of ["http", "tcp", "exec", "log"] {
        /// A `GET` of this path answers with a status from 200 to 399. With
        /// `{ path: /healthz, port: 9000 }` on another port than the container's.
        http: Http, optional;
        /// A TCP connection to this port is accepted; `true` is the container's port.
        tcp: Tcp, optional;
        /// A command in the container exits with 0: a list, or a text that `sh -c` runs.
        exec: Command, optional;
        /// A line of the log contains this text.
        log: Text, optional;
        /// The pause after one attempt before the next.
        interval: Wait, default "50ms";
        /// The longest time one attempt may take.
        timeout: Wait, default "2s";
        /// The longest time from the start of the container until it must be ready.
        deadline: Wait, default "1m";
    }
}

impl Form for Readiness {
    type Value = Readiness;

    fn schema(definitions: &mut Definitions) -> Schema {
        Ready::reference(definitions)
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Readiness> {
        let Ready { http, tcp, exec, log: line, interval, timeout, deadline } =
            Ready::read_given((), node, log)?;
        let probe = http.or(tcp).or(exec.map(Probe::Exec)).or(line.map(Probe::Log))?;
        Some(Readiness { probe, interval, timeout, deadline })
    }
}

/// The keys of `http` where a path alone is not enough.
struct HttpProbe {
    path: String,
    port: Option<u16>,
}

record! {
    /// An HTTP request on a port of its own.
    HttpProbe {
        /// An absolute path with an optional query.
        path: RequestPath, required;
        /// The port, if it is not the container's.
        port: Port, optional;
    }
}

struct Http;

impl Form for Http {
    type Value = Probe;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema::any(vec![RequestPath::schema(definitions), HttpProbe::reference(definitions)])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Probe> {
        if matches!(node.kind, Kind::Mapping(_)) {
            let HttpProbe { path, port } = HttpProbe::read_given((), node, log)?;
            return Some(Probe::Http { path, port });
        }
        RequestPath::read(node, log).map(|path| Probe::Http { path, port: None })
    }
}

struct Tcp;

impl Form for Tcp {
    type Value = Probe;

    fn schema(definitions: &mut Definitions) -> Schema {
        let own = Schema { constant: Some(true.into()), ..Schema::default() };
        Schema::any(vec![own, Port::schema(definitions)])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Probe> {
        if node.text() == Some("true") {
            return Some(Probe::Tcp { port: None });
        }
        Port::read(node, log).map(|port| Probe::Tcp { port: Some(port) })
    }
}
