//! What is asked of a helper and what it answers: one line of JSON each, over a Unix socket.

use crate::error::Fault;
use fairway_engine::GroupId;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The version of the protocol and of the state file.
pub(crate) const VERSION: u32 = 1;

/// Longest line in bytes.
pub(crate) const LINE_LIMIT: u64 = 1 << 20;

/// A container that joins a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Unique in the network.
    pub name: String,
    /// A process in the container's own, fresh network namespace.
    pub pid: u32,
    /// Names that all in the network know it by.
    pub own: Vec<String>,
    /// Names only it knows, each for a name of the network, an IPv4 address or a host outside.
    pub private: BTreeMap<String, String>,
}

/// Where a member is in its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its address on `eth0`.
    pub address: Ipv4Addr,
    /// Its gateway, which is its name server too.
    pub gateway: Ipv4Addr,
    /// The MTU of `eth0`.
    pub mtu: u32,
}

/// What the name of a service stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A stable address; new connections go to these by weight. With none, or none with a
    /// weight, they are refused at once.
    Endpoints(Vec<Endpoint>),
    /// A host outside, looked up by the host's name servers.
    Host(String),
}

/// One place behind a service's address: a member, or an address outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Where.
    pub address: Ipv4Addr,
    /// Its weight relative to the others; 0 gets nothing.
    pub weight: u16,
}

/// How a network stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Which network.
    pub id: GroupId,
    /// Its helper.
    pub helper: crate::Process,
    /// Who owns it, if somebody does.
    pub owner: Option<crate::Process>,
    /// Its gateway and name server.
    pub gateway: Ipv4Addr,
    /// The name of its uplink on the host.
    pub uplink: String,
    /// Its members by name.
    pub members: BTreeMap<String, Ipv4Addr>,
    /// Its services by name, with their addresses.
    pub services: BTreeMap<String, Ipv4Addr>,
    /// Ports of the host that lead in.
    pub published: Vec<SocketAddr>,
}

/// A request with the version of who asks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) version: u32,
    pub(crate) request: Request,
}

/// What can be asked. Each may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Request {
    Attach(Member),
    Detach(String),
    SetService { name: String, target: Target },
    RemoveService(String),
    Publish { listen: SocketAddr, name: String, port: u16 },
    Unpublish(SocketAddr),
    Describe,
    Remove,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Attached(Attachment),
    Address(Ipv4Addr),
    Listening(SocketAddr),
    Description(Box<Description>),
    Done,
}

/// The outcome of a request.
pub(crate) type Outcome = Result<Reply, Fault>;

/// Writes one message and its line feed.
pub(crate) async fn send<T: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line).await
}

/// Reads one message; `None` at the end.
pub(crate) async fn receive<T: for<'a> Deserialize<'a>>(
    from: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    if from.take(LINE_LIMIT).read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long or cut off"));
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> io::Result<Option<Envelope>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(receive(&mut &bytes[..]))
    }

    #[test]
    fn a_message_that_is_cut_off_or_too_long_is_an_error() {
        assert!(read(b"{\"version\":1").is_err());
        assert!(read(&b" ".repeat(usize::try_from(LINE_LIMIT).unwrap() + 1)).is_err());
        assert!(read(b"").unwrap().is_none());
        let good = b"{\"version\":1,\"request\":\"Describe\"}\n";
        assert_eq!(read(good).unwrap().unwrap().request, Request::Describe);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_an_error(bytes: Vec<u8>) {
            drop(read(&bytes));
        }
    }
}
