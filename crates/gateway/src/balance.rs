//! Chooses a backend: two are drawn by weight and the one with less in flight for its weight takes
//! the request ("power of two choices"). Pure; the caller supplies chance and what was measured.

/// The weights of a service's backends as running sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shares(Vec<u64>);

/// What is known of a backend when one is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It can be asked; so many requests are in flight.
    Open(usize),
    /// It could, but did not accept a connection lately.
    Resting(usize),
    /// This request failed to connect to it already.
    Tried,
}

impl Shares {
    pub(crate) fn new(weights: impl Iterator<Item = u32>) -> Self {
        let sums = weights.scan(0, |sum, weight| {
            *sum += u64::from(weight);
            Some(*sum)
        });
        Self(sums.collect())
    }

    /// Chooses the number of a backend; none if no untried one has a weight.
    pub(crate) fn choose(
        &self,
        chance: u64,
        standing: impl Fn(usize) -> Standing,
    ) -> Option<usize> {
        let total = *self.0.last()?;
        if total == 0 {
            return None;
        }
        let first = self.owner(u64::from(low(chance)) % total);
        let second = self.owner(u64::from(low(chance >> 32)) % total);
        match (standing(first), standing(second)) {
            (Standing::Open(a), Standing::Open(b)) => {
                let lighter = self.pressure(b, first) < self.pressure(a, second);
                Some(if lighter { second } else { first })
            }
            (Standing::Open(_), Standing::Resting(_) | Standing::Tried) => Some(first),
            (Standing::Resting(_) | Standing::Tried, Standing::Open(_)) => Some(second),
            (Standing::Resting(_) | Standing::Tried, Standing::Resting(_) | Standing::Tried) => {
                self.least_loaded(standing)
            }
        }
    }

    fn least_loaded(&self, standing: impl Fn(usize) -> Standing) -> Option<usize> {
        let open = (0..self.0.len()).filter(|&index| self.weight(index) > 0).filter_map(|index| {
            match standing(index) {
                Standing::Open(load) => Some((false, load, index)),
                Standing::Resting(load) => Some((true, load, index)),
                Standing::Tried => None,
            }
        });
        open.min().map(|(.., index)| index)
    }

    /// Load times the other's weight: comparing these compares load per weight.
    fn pressure(&self, load: usize, other: usize) -> u64 {
        (load as u64).saturating_mul(self.weight(other))
    }

    fn owner(&self, point: u64) -> usize {
        self.0.partition_point(|&sum| sum <= point)
    }

    fn weight(&self, index: usize) -> u64 {
        self.0[index] - index.checked_sub(1).map_or(0, |before| self.0[before])
    }
}

fn low(chance: u64) -> u32 {
    u32::try_from(chance & u64::from(u32::MAX)).expect("the mask leaves 32 bits")
}

#[cfg(test)]
mod tests {
    use super::Standing::{Open, Resting, Tried};
    use super::*;
    use proptest::prelude::*;

    fn draws(weights: &[u32], standing: &[Standing]) -> Vec<usize> {
        let shares = Shares::new(weights.iter().copied());
        let mut counts = vec![0; weights.len()];
        for i in 0..10_000_u64 {
            let chance = (i % 100) | (i / 100) << 32;
            if let Some(index) = shares.choose(chance, |index| standing[index]) {
                counts[index] += 1;
            }
        }
        counts
    }

    #[test]
    fn idle_backends_get_their_weights_share() {
        assert_eq!(draws(&[95, 5], &[Open(0), Open(0)]), [9500, 500]);
        assert_eq!(draws(&[1, 1, 2], &[Open(0); 3]), [2500, 2500, 5000]);
    }

    #[test]
    fn the_one_with_less_in_flight_for_its_weight_gets_more() {
        assert_eq!(draws(&[1, 1], &[Open(5), Open(1)]), [2500, 7500]);
        assert_eq!(draws(&[1, 3], &[Open(2), Open(6)]), [2500, 7500], "equal pressure");
    }

    #[test]
    fn a_tried_backend_and_one_without_weight_get_nothing() {
        assert_eq!(draws(&[1, 1, 0], &[Tried, Open(9), Open(0)]), [0, 10_000, 0]);
        assert_eq!(draws(&[1, 0], &[Tried, Open(0)]), [0, 0]);
        assert_eq!(draws(&[0], &[Open(0)]), [0]);
        assert_eq!(draws(&[], &[]), [0; 0]);
    }

    #[test]
    fn a_resting_backend_is_chosen_only_when_no_other_is_left() {
        assert_eq!(draws(&[1, 1], &[Resting(0), Open(9)]), [0, 10_000]);
        assert_eq!(draws(&[1, 1, 0], &[Resting(0), Tried, Open(0)]), [10_000, 0, 0]);
    }

    proptest! {
        #[test]
        fn an_open_backend_with_weight_is_always_found(
            backends in prop::collection::vec((0..3_u32, any::<bool>(), 0..9_usize), 0..12),
            chance in any::<u64>(),
        ) {
            let shares = Shares::new(backends.iter().map(|b| b.0));
            let chosen = shares.choose(chance, |i| if backends[i].1 { Open(backends[i].2) } else { Tried });
            let possible = backends.iter().any(|b| b.0 > 0 && b.1);
            prop_assert_eq!(chosen.is_some(), possible);
            prop_assert!(chosen.is_none_or(|i| backends[i].0 > 0 && backends[i].1));
        }
    }
}
