//! Which addresses a network uses, inside and towards the host.

use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A block of 65,536 addresses, `a.b.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block(pub(crate) [u8; 2]);

/// Blocks for the inside of networks. Every network may use the same one.
const INNER: [Block; 4] = [Block([10, 211]), Block([10, 219]), Block([172, 29]), Block([100, 111])];

/// Blocks for uplinks; these are unique on the host.
const UPLINKS: [Block; 4] =
    [Block([10, 212]), Block([10, 220]), Block([172, 30]), Block([100, 112])];

/// How many uplinks a block has room for: four addresses each.
pub(crate) const UPLINK_COUNT: u16 = 1 << 14;

/// Length of an uplink's prefix.
pub(crate) const UPLINK_PREFIX: u8 = 30;

/// The first and the last container of a block: its lower half.
const MEMBERS: std::ops::RangeInclusive<u16> = 2..=0x7ffe;

/// The first and the last service of a block: its upper half.
const SERVICES: std::ops::RangeInclusive<u16> = 0x8001..=0xfffe;

/// The blocks of one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// For containers and services.
    pub(crate) inner: Block,
    /// For the uplink.
    pub(crate) uplinks: Block,
}

impl Plan {
    /// The first blocks that are not part of what the host already reaches; if all are, the first.
    pub(crate) fn beside(routes: &[Route]) -> Self {
        let free = |block: &&Block| !routes.iter().any(|route| route.overlaps(**block));
        let pick = |from: &[Block; 4]| from.iter().find(free).copied().unwrap_or(from[0]);
        Self { inner: pick(&INNER), uplinks: pick(&UPLINKS) }
    }
}

impl Block {
    /// An address of the block.
    pub(crate) fn address(self, host: u16) -> Ipv4Addr {
        let [high, low] = host.to_be_bytes();
        Ipv4Addr::new(self.0[0], self.0[1], high, low)
    }

    /// The address of the network itself: gateway and name server of its containers.
    pub(crate) fn gateway(self) -> Ipv4Addr {
        self.address(1)
    }

    /// The lower half: its first address and the length of its prefix.
    pub(crate) fn members(self) -> (Ipv4Addr, u8) {
        (self.address(0), 17)
    }

    /// The upper half, as nftables writes it.
    pub(crate) fn services(self) -> String {
        format!("{}/17", self.address(0x8000))
    }

    /// Both ends of an uplink: the host's and the network's.
    pub(crate) fn uplink(self, index: u16) -> (Ipv4Addr, Ipv4Addr) {
        let first = (index % UPLINK_COUNT) * 4;
        (self.address(first + 1), self.address(first + 2))
    }
}

/// The next address after `last` in the lower half that is not taken.
pub(crate) fn next_member(last: u16, taken: impl Fn(u16) -> bool) -> Option<u16> {
    next(MEMBERS, last, taken)
}

/// The next address after `last` in the upper half that is not taken.
pub(crate) fn next_service(last: u16, taken: impl Fn(u16) -> bool) -> Option<u16> {
    next(SERVICES, last, taken)
}

/// Goes round, so an address that was given back rests as long as possible.
fn next(
    range: std::ops::RangeInclusive<u16>,
    last: u16,
    taken: impl Fn(u16) -> bool,
) -> Option<u16> {
    let start = if range.contains(&last) { last + 1 } else { *range.start() };
    (start..=*range.end()).chain(*range.start()..start).find(|host| !taken(*host))
}

/// A route of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    destination: u32,
    mask: u32,
}

impl Route {
    fn overlaps(self, block: Block) -> bool {
        const BLOCK_MASK: u32 = 0xffff_0000;
        let mask = self.mask & BLOCK_MASK;
        self.mask != 0 && u32::from(block.address(0)) & mask == self.destination & mask
    }
}

/// Prefix of the names of uplinks on the host.
pub(crate) const UPLINK_NAME: &str = "fairway";

/// Reads `/proc/net/route` (addresses in the machine's byte order), without the uplinks of
/// networks. Gives the routes and the link of the default route.
pub(crate) fn parse_routes(text: &str) -> (Vec<Route>, Option<String>) {
    let mut default = None;
    let mut routes = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [link, destination, _, _, _, _, _, mask, ..] = fields[..] else { continue };
        let number = |field| u32::from_str_radix(field, 16).ok().map(u32::from_be);
        let (Some(destination), Some(mask)) = (number(destination), number(mask)) else { continue };
        if mask == 0 {
            default.get_or_insert_with(|| link.to_owned());
        } else if !link.starts_with(UPLINK_NAME) {
            routes.push(Route { destination, mask });
        }
    }
    (routes, default)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n\
        eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
        eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
        tun0\t0000D30A\t00000000\t0001\t0\t0\t0\t0000FEFF\t0\t0\t0\n\
        fairway7\t0000DC0A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0\n";

    #[test]
    fn blocks_the_host_reaches_are_left_alone() {
        let (routes, default) = parse_routes(TABLE);
        assert_eq!(default.as_deref(), Some("eth0"));
        assert_eq!(routes.len(), 2);
        let plan = Plan::beside(&routes);
        assert_eq!(plan.inner.0, [10, 219]);
        assert_eq!(plan.uplinks.0, [10, 212]);
        assert_eq!(Plan::beside(&[]).inner.gateway().to_string(), "10.211.0.1");
    }

    #[test]
    fn a_wide_route_covers_its_blocks() {
        let ten = Route { destination: u32::from(Ipv4Addr::new(10, 0, 0, 0)), mask: 0xff00_0000 };
        let plan = Plan::beside(&[ten]);
        assert_eq!((plan.inner.0, plan.uplinks.0), ([172, 29], [172, 30]));
    }

    #[test]
    fn addresses_go_round_before_they_are_used_again() {
        assert_eq!(next_member(0, |_| false), Some(2));
        assert_eq!(next_member(2, |_| false), Some(3));
        assert_eq!(next_member(0x7ffe, |host| host == 2), Some(3));
        assert_eq!(next_member(5, |_| true), None);
        assert_eq!(next_service(0, |_| false), Some(0x8001));
    }

    #[test]
    fn uplinks_do_not_overlap() {
        let block = Block([10, 212]);
        assert_eq!(block.uplink(0).0.to_string(), "10.212.0.1");
        assert_eq!(block.uplink(UPLINK_COUNT - 1).1.to_string(), "10.212.255.254");
        assert_eq!(block.services(), "10.212.128.0/17");
    }
}
