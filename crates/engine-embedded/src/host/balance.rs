//! How connections to a name are shared among replicas.

use fairway_network::Endpoint;
use std::net::Ipv4Addr;

/// Ready replicas of one set, and the set's weight.
pub(super) struct Crew {
    pub(super) weight: u16,
    pub(super) ready: Vec<Ipv4Addr>,
}

/// Gives each set its share and each of its replicas an equal part of that. A set without ready
/// replicas leaves its share to the others.
pub(super) fn endpoints(crews: &[Crew]) -> Vec<Endpoint> {
    let sizes = crews.iter().map(|crew| crew.ready.len().max(1) as u64);
    let parts = sizes.fold(1, least_multiple);
    let exact = crews.iter().flat_map(|crew| {
        let each = u64::from(crew.weight) * parts / crew.ready.len().max(1) as u64;
        crew.ready.iter().map(move |address| (*address, each))
    });
    let exact: Vec<(Ipv4Addr, u64)> = exact.collect();
    let highest = exact.iter().map(|(_, weight)| *weight).max().unwrap_or(0);
    let divisor = highest.div_ceil(u64::from(u16::MAX)).max(1);
    let fit = |(address, weight): (Ipv4Addr, u64)| Endpoint {
        address,
        weight: u16::try_from(weight.div_ceil(divisor)).unwrap_or(u16::MAX),
    };
    exact.into_iter().map(fit).collect()
}

fn least_multiple(a: u64, b: u64) -> u64 {
    (a / greatest_divisor(a, b)).saturating_mul(b).min(u64::from(u32::MAX))
}

fn greatest_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { greatest_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(crews: &[(u16, u8)]) -> Vec<u16> {
        let crew = |(index, (weight, count)): (usize, &(u16, u8))| {
            let group = u8::try_from(index).unwrap();
            let ready = (0..*count).map(|n| Ipv4Addr::new(10, 0, group, n)).collect();
            Crew { weight: *weight, ready }
        };
        let crews: Vec<Crew> = crews.iter().enumerate().map(crew).collect();
        endpoints(&crews).iter().map(|endpoint| endpoint.weight).collect()
    }

    #[test]
    fn a_share_is_divided_among_the_replicas_of_its_set() {
        assert_eq!(weights(&[(1, 3)]), [1, 1, 1]);
        assert_eq!(weights(&[(90, 3), (10, 1)]), [90, 90, 90, 30]);
        assert_eq!(weights(&[(1, 2), (1, 3)]), [3, 3, 2, 2, 2]);
        assert_eq!(weights(&[(1, 2), (0, 1)]), [1, 1, 0]);
        assert_eq!(weights(&[(5, 0), (1, 1)]), [1]);
        assert_eq!(weights(&[]), [0; 0]);
    }

    #[test]
    fn large_weights_fit() {
        assert_eq!(weights(&[(u16::MAX, 1), (1, 7)]), [65535, 1, 1, 1, 1, 1, 1, 1]);
    }
}
