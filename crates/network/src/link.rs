//! Links, addresses and routes, through netlink.

use crate::namespace::Namespace;
use futures_util::TryStreamExt as _;
use rtnetlink::{
    AddressMessageBuilder, Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder,
    packet_route::{
        link::{InfoData, InfoVeth},
        route::{RouteScope, RouteType},
    },
};
use std::{io, net::Ipv4Addr};

/// The links of the namespace in which this was opened.
#[derive(Debug, Clone)]
pub(crate) struct Links(Handle);

/// A pair of links; what goes in at one end comes out at the other.
pub(crate) struct Pair<'a> {
    /// The name of the end in this namespace.
    pub(crate) near: &'a str,
    /// The name of the end in the other namespace.
    pub(crate) far: &'a str,
    /// The other namespace.
    pub(crate) namespace: &'a Namespace,
    /// The MTU of both.
    pub(crate) mtu: u32,
}

impl Links {
    /// Opens the links of the namespace the calling thread is in now.
    pub(crate) fn open() -> io::Result<Self> {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        Ok(Self(handle))
    }

    /// Opens the links of a namespace.
    pub(crate) fn of(namespace: &Namespace) -> io::Result<Self> {
        namespace.enter(Self::open)?
    }

    /// Creates a pair, the near end up (the far end cannot be before there is a near one). A near end that exists is `AlreadyExists`.
    pub(crate) async fn add_pair(&self, pair: &Pair<'_>) -> io::Result<()> {
        let far = LinkMessageBuilder::<LinkUnspec>::default()
            .name(pair.far)
            .setns_by_fd(pair.namespace.raw())
            .mtu(pair.mtu)
            .build();
        let near = LinkMessageBuilder::<LinkVeth>::new(pair.near, pair.far)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(far)))
            .mtu(pair.mtu)
            .up()
            .build();
        self.0.link().add(near).execute().await.map_err(to_io)
    }

    /// The number of a link.
    pub(crate) async fn index(&self, name: &str) -> io::Result<u32> {
        let mut found = self.0.link().get().match_name(name).execute();
        match found.try_next().await.map_err(to_io)? {
            Some(link) => Ok(link.header.index),
            None => Err(io::Error::new(io::ErrorKind::NotFound, format!("no link `{name}`"))),
        }
    }

    /// Switches a link on.
    pub(crate) async fn up(&self, index: u32) -> io::Result<()> {
        let message = LinkUnspec::new_with_index(index).up().build();
        self.0.link().set(message).execute().await.map_err(to_io)
    }

    /// Gives a link an address; one it has already is fine.
    pub(crate) async fn add_address(
        &self,
        index: u32,
        address: Ipv4Addr,
        prefix: u8,
    ) -> io::Result<()> {
        let message =
            AddressMessageBuilder::<Ipv4Addr>::new().index(index).address(address, prefix).build();
        let mut request = self.0.address().add(index, address.into(), prefix);
        *request.message_mut() = message;
        request.replace().execute().await.map_err(to_io)
    }

    /// Routes one address over a link.
    pub(crate) async fn add_route(&self, to: Ipv4Addr, index: u32) -> io::Result<()> {
        let message = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(to, 32)
            .scope(RouteScope::Link)
            .output_interface(index)
            .build();
        self.0.route().add(message).replace().execute().await.map_err(to_io)
    }

    /// Refuses what goes to a block of addresses unless a longer route leads there.
    pub(crate) async fn add_dead_end(&self, to: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let message = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(to, prefix)
            .kind(RouteType::Unreachable)
            .build();
        self.0.route().add(message).replace().execute().await.map_err(to_io)
    }

    /// Routes everything else over a gateway at the other end of a link.
    pub(crate) async fn add_default(&self, gateway: Ipv4Addr, index: u32) -> io::Result<()> {
        let message = RouteMessageBuilder::<Ipv4Addr>::new()
            .gateway(gateway)
            .output_interface(index)
            .onlink()
            .build();
        self.0.route().add(message).replace().execute().await.map_err(to_io)
    }

    /// Removes a link and its other end; one that is gone is fine. Takes about 30 ms.
    pub(crate) async fn remove(&self, name: &str) -> io::Result<()> {
        let index = match self.index(name).await {
            Ok(index) => index,
            Err(error) if is_gone(&error) => return Ok(()),
            Err(other) => return Err(other),
        };
        match self.0.link().del(index).execute().await.map_err(to_io) {
            Err(error) if !is_gone(&error) => Err(error),
            _ => Ok(()),
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    const ENODEV: i32 = 19;
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ENODEV)
}

fn to_io(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        other => io::Error::other(other),
    }
}
