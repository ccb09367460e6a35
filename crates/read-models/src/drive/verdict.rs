//! Whether a build that has all there is takes the place of the one that is read. Pure.

use super::progress::{Progress, State};
use crate::target::Standing;

/// What is done with a build that has all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It takes the place of the one that is read.
    Swap,
    /// The one that is read is looked at again when it is as far.
    Wait,
    /// It parked more than the one that is read, which a person has to accept.
    Withhold,
}

/// Decides on a build by what is known of the one that is read, if one is.
pub(super) fn judge(candidate: Standing, live: Option<&Progress>) -> Verdict {
    let Some(Progress { standing, state }) = live else { return Verdict::Swap };
    let live = standing.unwrap_or_default();
    let goes_on = match state {
        State::CatchingUp | State::Following | State::Withheld(_) => true,
        State::Failing(_) => false,
    };
    if why_withheld(candidate, live).is_none() {
        Verdict::Swap
    } else if goes_on && live.position < candidate.position {
        Verdict::Wait
    } else {
        Verdict::Withhold
    }
}

/// Why a build is not read in place of another; none if nothing is against it.
pub(crate) fn why_withheld(candidate: Standing, live: Standing) -> Option<String> {
    let (parked, before) = (candidate.parked, live.parked);
    (parked > before).then(|| format!("it parked {parked}, and the build that is read {before}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_ledger::Position;

    #[test]
    fn a_build_that_parked_more_is_withheld_once_the_one_that_is_read_is_as_far() {
        let standing = |(position, parked)| Standing {
            position: Position(position),
            parked,
            ..Standing::default()
        };
        let failing = || State::Failing("away".to_owned());
        for (candidate, live, verdict) in [
            ((9, 3), None, Verdict::Swap),
            ((9, 0), Some((Some((9, 0)), State::Following)), Verdict::Swap),
            ((9, 1), Some((Some((9, 3)), State::Following)), Verdict::Swap),
            ((8, 3), Some((Some((9, 3)), State::Following)), Verdict::Swap),
            ((9, 1), Some((Some((9, 0)), State::Following)), Verdict::Withhold),
            ((8, 1), Some((Some((9, 0)), State::Following)), Verdict::Withhold),
            ((9, 1), Some((Some((8, 0)), State::CatchingUp)), Verdict::Wait),
            ((9, 1), Some((None, State::CatchingUp)), Verdict::Wait),
            ((9, 1), Some((Some((8, 0)), failing())), Verdict::Withhold),
            ((9, 1), Some((None, failing())), Verdict::Withhold),
            ((9, 0), Some((None, failing())), Verdict::Swap),
        ] {
            let live = live.map(|(at, state)| Progress { standing: at.map(standing), state });
            assert_eq!(
                judge(standing(candidate), live.as_ref()),
                verdict,
                "{candidate:?} {live:?}"
            );
        }
    }
}
