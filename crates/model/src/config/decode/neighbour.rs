//! `uses`: the real parts beside a stage or service.

use super::command::Command;
use crate::config::form::{
    AbsolutePath, Definitions, Form, Map, Pids, Port, Record, Schema, VariableName, record, refuse,
    short,
};
use crate::config::reporter::Reporter;
use crate::config::yaml::Node;
use crate::config::{ImageNeighbour, Neighbour, Readiness, Resources, Template};
use crate::{ByteSize, Cpus, ImageRef, ServiceName};
use std::collections::BTreeMap;

record! {
    /// Limits of one container; what is absent is not limited, but for `pids`.
    Resources {
        /// Memory, such as `256Mi`; a container that needs more is ended by the kernel.
        memory: Memory, optional;
        /// Processors, such as `0.5` or `250m`.
        cpus: Cpus, optional;
        /// Processes and threads.
        pids: Pids, optional;
    }
}

/// The keys of a neighbour as they stand in the file.
struct NeighbourKeys {
    image: Option<ImageRef>,
    service: Option<ServiceName>,
    external: Option<Template>,
    command: Option<Vec<String>>,
    data: Option<String>,
    env: BTreeMap<String, Template>,
    port: Option<u16>,
    ready: Option<Readiness>,
    resources: Resources,
}

record! {
    /// A real part that is started beside its consumer: exactly one of `image`, `service` and
    /// `external`.
    NeighbourKeys as "Neighbour", one of ["image", "service", "external"] {
        /// A database, queue or other image, private to its consumer.
        image: ImageRef, optional;
        /// A colleague's service, with its own neighbours.
        service: ServiceName, optional;
        /// Something that exists and is not started: `host` or `host:port`.
        external: Address, optional;
        /// Arguments instead of the image's: a list, or a text that `sh -c` runs.
        command: Command, optional, with "image";
        /// The folder in the container that a named volume keeps, in environments.
        data: AbsolutePath, optional, with "image";
        /// Its environment variables; `${secret:NAME}` is filled in.
        env: Map<VariableName, Template>, default "{}", with "image";
        /// The port others reach it at; without one, the image's first exposed port.
        port: Port, optional, with "image";
        /// When it is ready; without it, the image's HEALTHCHECK, else when its port accepts.
        ready: Readiness, optional, with "image";
        /// Its limits.
        resources: Resources, default "{}", with "image";
    }
}

impl Form for Neighbour {
    type Value = Neighbour;

    fn schema(definitions: &mut Definitions) -> Schema {
        NeighbourKeys::reference(definitions)
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Neighbour> {
        let keys = NeighbourKeys::read_given((), node, log)?;
        let NeighbourKeys { image, service, external, command, data, env, .. } = keys;
        let (port, ready, resources) = (keys.port, keys.ready, keys.resources);
        let image = image.map(|image| {
            let neighbour = ImageNeighbour { image, command, data, env, port, ready, resources };
            Neighbour::Image(Box::new(neighbour))
        });
        image.or(service.map(Neighbour::Service)).or(external.map(Neighbour::External))
    }
}

/// The least memory with which a container can start.
const MEMORY_MIN: ByteSize = ByteSize(6 << 20);

/// A limit of memory.
struct Memory;

impl Form for Memory {
    type Value = ByteSize;

    fn schema(definitions: &mut Definitions) -> Schema {
        ByteSize::schema(definitions)
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<ByteSize> {
        let size = ByteSize::read(node, log)?;
        if size < MEMORY_MIN {
            log.error(node.span, format!("a container needs at least {MEMORY_MIN} of memory"));
            return None;
        }
        Some(size)
    }
}

/// `host` or `host:port`. Where a secret is part of it, only its value could tell.
struct Address;

impl Form for Address {
    type Value = Template;

    fn schema(definitions: &mut Definitions) -> Schema {
        Template::schema(definitions)
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Template> {
        let address = Template::read(node, log)?;
        let text = node.text().unwrap_or_default();
        if address.secrets().next().is_none() && !is_address(text) {
            let advice = "write `host` or `host:port`";
            refuse(node, log, &format!("`{}` is not an address; {advice}", short(text)));
            return None;
        }
        Some(address)
    }
}

fn is_address(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let is_ipv6 = |host: &str| {
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
    };
    let is_name = !host.is_empty() && host.bytes().all(is_part);
    let can_be_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    is_ipv6(text) || (is_name || is_ipv6(host)) && port.is_none_or(can_be_port)
}
