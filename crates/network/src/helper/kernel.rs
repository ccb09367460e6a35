//! What a helper does to the kernel: links, addresses, routes and rules of one network.

use crate::addresses::{Block, UPLINK_COUNT, UPLINK_PREFIX};
use crate::error::Fault;
use crate::host_rules::{self, Firewall, uplink_name};
use crate::inner_rules::UPLINK;
use crate::link::{Links, Pair};
use crate::namespace::Namespace;
use crate::nft;
use crate::state::{Place, State};
use std::{fs, io, sync::Arc};

/// Switches of a network's namespace. It passes packets on and has no IPv6.
const INNER_SWITCHES: [(&str, &str); 4] = [
    ("ipv4/ip_forward", "1"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv6/conf/default/disable_ipv6", "1"),
];

/// Switches that are there once rules translate addresses. Packets that come late or twice are
/// translated too, and what is remembered of ended connections is forgotten soon enough for
/// thousands of new ones a second.
const TRANSLATION_SWITCHES: [(&str, &str); 2] = [
    ("netfilter/nf_conntrack_tcp_be_liberal", "1"),
    ("netfilter/nf_conntrack_tcp_timeout_time_wait", "10"),
];

/// Switches of a container's namespace: as Docker sets them, and no IPv6 but on `lo`.
const MEMBER_SWITCHES: [(&str, &str); 3] = [
    ("ipv4/ip_unprivileged_port_start", "0"),
    ("ipv4/ping_group_range", "0 2147483647"),
    ("ipv6/conf/default/disable_ipv6", "1"),
];

/// The name of a container's link, inside it.
const MEMBER_LINK: &str = "eth0";

/// The kernel's side of one network.
pub(super) struct Kernel {
    pub(super) host: Namespace,
    pub(super) inner: Arc<Namespace>,
    host_links: Links,
    inner_links: Links,
}

impl Kernel {
    /// Opens both sides of a network.
    pub(super) fn open(host: Namespace, inner: Namespace) -> io::Result<Self> {
        let host_links = Links::of(&host)?;
        let inner_links = Links::of(&inner)?;
        Ok(Self { host, inner: Arc::new(inner), host_links, inner_links })
    }

    /// Furnishes a new namespace: the network's own address and its uplink.
    pub(super) async fn furnish(&self, state: &mut State) -> Result<(), Fault> {
        self.inner
            .enter(|| switch(&INNER_SWITCHES))
            .and_then(|switched| switched)
            .map_err(Fault::doing("prepare the network's namespace"))?;
        self.own_address(state.plan.inner)
            .await
            .map_err(Fault::doing("give the network its address"))?;
        let index = self.add_uplink(state).await.map_err(Fault::doing("add the uplink"))?;
        state.uplink = Some(index);
        Ok(())
    }

    /// The route of a member that is gone is gone too; connections to it fail, they do not go to
    /// the world.
    async fn own_address(&self, inner: Block) -> io::Result<()> {
        let lo = self.inner_links.index("lo").await?;
        self.inner_links.up(lo).await?;
        self.inner_links.add_address(lo, inner.gateway(), 32).await?;
        let (members, prefix) = inner.members();
        self.inner_links.add_dead_end(members, prefix).await
    }

    /// The name of an uplink is what makes its addresses unique on the host: the first name that
    /// nobody has is taken.
    async fn add_uplink(&self, state: &State) -> io::Result<u16> {
        let first = u16::try_from(std::process::id() % u32::from(UPLINK_COUNT)).unwrap_or(0);
        for step in 0..UPLINK_COUNT {
            let index = (first + step) % UPLINK_COUNT;
            let near = uplink_name(index);
            let pair = Pair { near: &near, far: UPLINK, namespace: &self.inner, mtu: state.mtu };
            match self.host_links.add_pair(&pair).await {
                Ok(()) => return self.address_uplink(state, &near, index).await.map(|()| index),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(other) => return Err(other),
            }
        }
        Err(io::Error::other("no uplink is free"))
    }

    async fn address_uplink(&self, state: &State, near: &str, index: u16) -> io::Result<()> {
        let (host, inner) = state.plan.uplinks.uplink(index);
        let link = self.host_links.index(near).await?;
        self.host_links.add_address(link, host, UPLINK_PREFIX).await?;
        let link = self.inner_links.index(UPLINK).await?;
        self.inner_links.up(link).await?;
        self.inner_links.add_address(link, inner, UPLINK_PREFIX).await?;
        self.inner_links.add_default(host, link).await
    }

    /// Makes all rules as the state says, here and on the host.
    pub(super) async fn apply_all(&self, state: &State, uplink: u16) -> Result<Firewall, Fault> {
        let rules = state.rules();
        let (inner, host) = tokio::join!(
            nft::apply(&self.inner, &rules),
            host_rules::open(&self.host, state.plan.uplinks, uplink)
        );
        inner?;
        self.inner
            .enter(|| switch(&TRANSLATION_SWITCHES))
            .and_then(|switched| switched)
            .map_err(Fault::doing("prepare the translation of addresses"))?;
        host
    }

    /// Makes some rules inside.
    pub(super) async fn apply(&self, rules: &str) -> Result<(), Fault> {
        nft::apply(&self.inner, rules).await
    }

    /// Gives a container its link, address and routes.
    pub(super) async fn plug(&self, place: &Place, state: &State) -> Result<(), Fault> {
        let name = &place.member.name;
        let container = Namespace::of(place.process.pid)
            .map_err(Fault::doing(format!("open the namespace of `{name}`")))?;
        let id = container.id().ok();
        if id == self.host.id().ok() || id == self.inner.id().ok() {
            return Err(Fault::Refused(format!("`{name}` has no namespace of its own")));
        }
        self.connect(&container, place, state)
            .await
            .map_err(Fault::doing(format!("connect `{name}`")))
    }

    async fn connect(&self, container: &Namespace, place: &Place, state: &State) -> io::Result<()> {
        let address = state.plan.inner.address(place.host);
        let near = member_link(place.host);
        let inside =
            container.enter(|| switch(&MEMBER_SWITCHES).and_then(|()| Links::open()))??;
        let pair = Pair { near: &near, far: MEMBER_LINK, namespace: container, mtu: state.mtu };
        if let Err(error) = self.inner_links.add_pair(&pair).await {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(error);
            }
            // Left by a helper that was killed before it could record it.
            self.inner_links.remove(&near).await?;
            self.inner_links.add_pair(&pair).await?;
        }
        let lo = inside.index("lo").await?;
        inside.up(lo).await?;
        let link = inside.index(MEMBER_LINK).await?;
        inside.up(link).await?;
        inside.add_address(link, address, 32).await?;
        inside.add_default(state.plan.inner.gateway(), link).await?;
        let link = self.inner_links.index(&near).await?;
        self.inner_links.add_route(address, link).await
    }

    /// Takes a container's link away; it goes by itself with the container's namespace.
    pub(super) async fn unplug(&self, place: &Place) -> Result<(), Fault> {
        if !place.process.is_alive() {
            return Ok(());
        }
        let name = &place.member.name;
        self.inner_links
            .remove(&member_link(place.host))
            .await
            .map_err(Fault::doing(format!("disconnect `{name}`")))
    }

    /// Takes the network's rules off the host. Its links go with the namespace, some 30 ms after
    /// its last process: removing them takes as long, and all would wait.
    pub(super) async fn demolish(&self, uplink: u16, firewall: Firewall) -> Result<(), Fault> {
        host_rules::close(&self.host, &uplink_name(uplink), firewall).await
    }
}

/// The name of a container's link, in the network.
fn member_link(host: u16) -> String {
    format!("member{host}")
}

/// Sets switches under `/proc/sys/net` of the namespace the calling thread is in. What this kernel
/// does not have cannot be wrong.
fn switch(switches: &[(&str, &str)]) -> io::Result<()> {
    for (name, value) in switches {
        match fs::write(format!("/proc/sys/net/{name}"), value) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
