//! The rules inside a network, as text for `nft`.

use crate::addresses::Block;
use crate::protocol::Endpoint;
use std::net::Ipv4Addr;

/// The name of the uplink inside a network.
pub(crate) const UPLINK: &str = "uplink";

/// Most places in the table of one service. Weights are reduced to fit.
const SLOTS: u32 = 256;

/// What every network has: addresses of services are translated, what goes out is masqueraded, a
/// container that reaches itself through its service sees the gateway, and a service without
/// endpoints is refused at once. May be applied again.
pub(crate) fn base(inner: Block) -> String {
    let services = inner.services();
    let gateway = inner.gateway();
    format!(
        r#"add table ip fairway
add map ip fairway services {{ type ipv4_addr : verdict; }}
add set ip fairway itself {{ type ipv4_addr . ipv4_addr; }}
add chain ip fairway prerouting {{ type nat hook prerouting priority -100; }}
add chain ip fairway output {{ type nat hook output priority -100; }}
add chain ip fairway postrouting {{ type nat hook postrouting priority 100; }}
add chain ip fairway forward {{ type filter hook forward priority 0; }}
add chain ip fairway local {{ type filter hook output priority 0; }}
add chain ip fairway refuse
flush chain ip fairway prerouting
flush chain ip fairway output
flush chain ip fairway postrouting
flush chain ip fairway forward
flush chain ip fairway local
flush chain ip fairway refuse
add rule ip fairway prerouting ip daddr vmap @services
add rule ip fairway output ip daddr vmap @services
add rule ip fairway postrouting oifname "{UPLINK}" masquerade
add rule ip fairway postrouting ip saddr . ip daddr @itself snat to {gateway}
add rule ip fairway refuse ip protocol tcp reject with tcp reset
add rule ip fairway refuse reject with icmp type port-unreachable
add rule ip fairway forward ip daddr {services} goto refuse
add rule ip fairway local ip daddr {services} goto refuse
"#
    )
}

/// A service: new connections to its address go to its endpoints in turn, by weight.
pub(crate) fn service(address: Ipv4Addr, endpoints: &[Endpoint]) -> String {
    let [_, _, high, low] = address.octets();
    let chain = format!("service-{high}-{low}");
    let mut rules =
        vec![format!("add chain ip fairway {chain}"), format!("flush chain ip fairway {chain}")];
    let slots = slots(endpoints);
    match slots.as_slice() {
        [] => {}
        [only] => rules.push(format!("add rule ip fairway {chain} dnat to {only}")),
        many => {
            let places = many.iter().enumerate().map(|(slot, to)| format!("{slot} : {to}"));
            let (count, places) = (many.len(), places.collect::<Vec<_>>().join(", "));
            rules.push(format!(
                "add rule ip fairway {chain} dnat to numgen inc mod {count} map {{ {places} }}"
            ));
        }
    }
    let itself = |endpoint: &Endpoint| {
        let to = endpoint.address;
        format!("add element ip fairway itself {{ {to} . {to} }}")
    };
    rules.extend(endpoints.iter().map(itself));
    rules.push(format!("add element ip fairway services {{ {address} : goto {chain} }}"));
    rules.join("\n") + "\n"
}

/// Spreads endpoints over a table in which each has as many places as its weight, mixed evenly
/// (smooth weighted round robin: the one furthest behind its due is next).
fn slots(endpoints: &[Endpoint]) -> Vec<Ipv4Addr> {
    let weights = reduced(endpoints.iter().map(|endpoint| u32::from(endpoint.weight)).collect());
    let total: i64 = weights.iter().map(|weight| i64::from(*weight)).sum();
    let mut due = vec![0_i64; weights.len()];
    let mut slots = Vec::new();
    for _ in 0..total {
        for (due, weight) in due.iter_mut().zip(&weights) {
            *due += i64::from(*weight);
        }
        let Some(next) = (0..due.len()).max_by_key(|index| (due[*index], usize::MAX - index))
        else {
            break;
        };
        due[next] -= total;
        slots.push(endpoints[next].address);
    }
    slots
}

/// The smallest weights of the same shares, scaled down if their sum is beyond the limit. A weight
/// that is not zero stays so.
fn reduced(mut weights: Vec<u32>) -> Vec<u32> {
    let divisor = weights.iter().copied().fold(0, greatest_divisor).max(1);
    for weight in &mut weights {
        *weight /= divisor;
    }
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    if total > u64::from(SLOTS) {
        for weight in weights.iter_mut().filter(|weight| **weight > 0) {
            let scaled = (u64::from(*weight) * u64::from(SLOTS)).div_ceil(total);
            *weight = u32::try_from(scaled).unwrap_or(SLOTS);
        }
    }
    weights
}

fn greatest_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn endpoints(weights: &[u16]) -> Vec<Endpoint> {
        let address = |n: usize| Block([10, 211]).address(u16::try_from(n).unwrap() + 2);
        let make = |(n, weight): (usize, &u16)| Endpoint { address: address(n), weight: *weight };
        weights.iter().enumerate().map(make).collect()
    }

    fn shares(weights: &[u16]) -> Vec<usize> {
        let endpoints = endpoints(weights);
        let slots = slots(&endpoints);
        endpoints.iter().map(|e| slots.iter().filter(|s| **s == e.address).count()).collect()
    }

    #[test]
    fn weights_become_places() {
        assert_eq!(shares(&[1, 1, 1]), [1, 1, 1]);
        assert_eq!(shares(&[50, 100]), [1, 2]);
        assert_eq!(shares(&[0, 7]), [0, 1]);
        assert_eq!(shares(&[0, 0]), [0, 0]);
        assert_eq!(shares(&[]), [0; 0]);
        assert_eq!(shares(&[1, 65535]), [1, 256]);
    }

    #[test]
    fn heavy_endpoints_do_not_get_their_turns_in_a_row() {
        let slots = slots(&endpoints(&[2, 1, 1]));
        assert_eq!(slots.iter().map(|a| a.octets()[3]).collect::<Vec<_>>(), [2, 3, 4, 2]);
    }

    #[test]
    fn a_service_is_one_chain_and_one_element() {
        expect![[r"
            add chain ip fairway service-128-1
            flush chain ip fairway service-128-1
            add rule ip fairway service-128-1 dnat to numgen inc mod 2 map { 0 : 10.211.0.2, 1 : 10.211.0.3 }
            add element ip fairway itself { 10.211.0.2 . 10.211.0.2 }
            add element ip fairway itself { 10.211.0.3 . 10.211.0.3 }
            add element ip fairway services { 10.211.128.1 : goto service-128-1 }
        "]]
        .assert_eq(&service(Block([10, 211]).address(0x8001), &endpoints(&[1, 1])));
    }
}
