//! How one service of an environment moves from one release to the next: pure decisions.
//!
//! New replicas come up one by one; each takes its share of traffic once it is ready. The old ones
//! stay as many as they were until all new ones are ready, then they drain, so capacity never falls
//! and going back is at once: if a new one fails, all new ones go.

use crate::Placement;
use serde::{Deserialize, Serialize};

/// Where a service of an environment stands. A state carries only what is true in that state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollout {
    /// Nothing runs.
    Absent,
    /// One release runs.
    Live(Placement),
    /// A candidate takes over, `up` of whose replicas have been asked for so far.
    Rolling {
        /// What ran before, if anything did.
        stable: Option<Placement>,
        /// What is to run.
        candidate: Placement,
        /// How many replicas of the candidate were asked for; at least one.
        up: u16,
    },
}

/// What a rollout hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Somebody wants this to run.
    Promote(Placement),
    /// This many replicas of the candidate are ready now.
    Ready(u16),
    /// A replica of the candidate ended or missed its readiness deadline.
    Failed(String),
    /// Somebody wants nothing to run.
    Down,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make the set of a placement have so many replicas.
    Ensure(Placement, u16),
    /// Direct traffic to these placements by weight; none means the service has no address.
    Share(Vec<(Placement, u16)>),
    /// Drain and remove the set of a placement.
    Remove(Placement),
    /// Record how a rollout ended.
    Record(Verdict),
}

/// How a rollout ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The candidate is live.
    Live(Placement),
    /// The candidate failed; the environment is as it was.
    Failed {
        /// What failed.
        candidate: Placement,
        /// Why.
        because: String,
    },
    /// Another promotion took its place before it was live.
    Superseded(Placement),
}

impl Rollout {
    /// Decides what comes next.
    #[must_use]
    pub fn step(self, input: Input) -> (Self, Vec<Action>) {
        match (self, input) {
            (state, Input::Down) => state.end(),
            (state, Input::Promote(candidate)) => state.promote(candidate),
            (Self::Rolling { stable, candidate, up }, Input::Ready(ready)) if ready >= up => {
                advance(stable, candidate, up)
            }
            (Self::Rolling { stable, candidate, .. }, Input::Failed(because)) => {
                back(stable, candidate, because)
            }
            (state, Input::Ready(_) | Input::Failed(_)) => (state, Vec::new()),
        }
    }

    fn promote(self, candidate: Placement) -> (Self, Vec<Action>) {
        match self {
            Self::Absent => begin(None, candidate, Vec::new()),
            Self::Live(stable) if stable.set == candidate.set => {
                let actions = vec![
                    Action::Ensure(candidate.clone(), candidate.replicas),
                    Action::Record(Verdict::Live(candidate.clone())),
                ];
                (Self::Live(candidate), actions)
            }
            Self::Live(stable) => begin(Some(stable), candidate, Vec::new()),
            Self::Rolling { stable, candidate: current, up } if current.set == candidate.set => {
                (Self::Rolling { stable, candidate: current, up }, Vec::new())
            }
            Self::Rolling { stable, candidate: old, .. } => {
                let mut actions = restore(stable.as_ref());
                actions.push(Action::Remove(old.clone()));
                actions.push(Action::Record(Verdict::Superseded(old)));
                match stable {
                    Some(stable) if stable.set == candidate.set => {
                        actions.push(Action::Record(Verdict::Live(candidate.clone())));
                        (Self::Live(candidate), actions)
                    }
                    stable => begin(stable, candidate, actions),
                }
            }
        }
    }

    fn end(self) -> (Self, Vec<Action>) {
        let gone = match self {
            Self::Absent => Vec::new(),
            Self::Live(live) => vec![live],
            Self::Rolling { stable, candidate, .. } => {
                stable.into_iter().chain([candidate]).collect()
            }
        };
        let mut actions = vec![Action::Share(Vec::new())];
        actions.extend(gone.into_iter().map(Action::Remove));
        (Self::Absent, actions)
    }
}

fn begin(
    stable: Option<Placement>,
    candidate: Placement,
    mut actions: Vec<Action>,
) -> (Rollout, Vec<Action>) {
    actions.push(Action::Ensure(candidate.clone(), 1));
    (Rollout::Rolling { stable, candidate, up: 1 }, actions)
}

/// All replicas asked for so far are ready: they take their share of traffic.
fn advance(stable: Option<Placement>, candidate: Placement, up: u16) -> (Rollout, Vec<Action>) {
    if up >= candidate.replicas {
        let mut actions = vec![Action::Share(vec![(candidate.clone(), up)])];
        actions.extend(stable.map(Action::Remove));
        actions.push(Action::Record(Verdict::Live(candidate.clone())));
        return (Rollout::Live(candidate), actions);
    }
    let mut shares = vec![(candidate.clone(), up)];
    shares.extend(stable.clone().map(|stable| (stable.clone(), stable.replicas)));
    let actions = vec![Action::Share(shares), Action::Ensure(candidate.clone(), up + 1)];
    (Rollout::Rolling { stable, candidate, up: up + 1 }, actions)
}

/// The candidate failed: what ran before runs again as it did.
fn back(
    stable: Option<Placement>,
    candidate: Placement,
    because: String,
) -> (Rollout, Vec<Action>) {
    let mut actions = restore(stable.as_ref());
    actions.push(Action::Remove(candidate.clone()));
    actions.push(Action::Record(Verdict::Failed { candidate, because }));
    (stable.map_or(Rollout::Absent, Rollout::Live), actions)
}

fn restore(stable: Option<&Placement>) -> Vec<Action> {
    let shares = stable.map(|stable| (stable.clone(), stable.replicas));
    vec![Action::Share(shares.into_iter().collect())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(number: u64, replicas: u16) -> Placement {
        Placement {
            release: format!("orders@{number}").parse().unwrap(),
            set: format!("orders-{number}"),
            replicas,
        }
    }

    fn live(number: u64, replicas: u16) -> Rollout {
        Rollout::Live(placed(number, replicas))
    }

    fn run(state: Rollout, inputs: impl IntoIterator<Item = Input>) -> (Rollout, Vec<Action>) {
        inputs.into_iter().fold((state, Vec::new()), |(state, mut all), input| {
            let (state, actions) = state.step(input);
            all.extend(actions);
            (state, all)
        })
    }

    #[test]
    fn the_first_release_takes_traffic_when_it_is_ready() {
        let one = placed(1, 1);
        let (state, actions) = run(Rollout::Absent, [Input::Promote(one.clone()), Input::Ready(1)]);
        assert_eq!(state, Rollout::Live(one.clone()));
        assert_eq!(
            actions,
            [
                Action::Ensure(one.clone(), 1),
                Action::Share(vec![(one.clone(), 1)]),
                Action::Record(Verdict::Live(one)),
            ]
        );
    }

    #[test]
    fn old_replicas_stay_until_all_new_ones_are_ready() {
        let (old, new) = (placed(1, 2), placed(2, 2));
        let inputs =
            [Input::Promote(new.clone()), Input::Ready(0), Input::Ready(1), Input::Ready(2)];
        let (state, actions) = run(live(1, 2), inputs);
        assert_eq!(state, live(2, 2));
        assert_eq!(
            actions,
            [
                Action::Ensure(new.clone(), 1),
                Action::Share(vec![(new.clone(), 1), (old.clone(), 2)]),
                Action::Ensure(new.clone(), 2),
                Action::Share(vec![(new.clone(), 2)]),
                Action::Remove(old),
                Action::Record(Verdict::Live(new)),
            ]
        );
    }

    #[test]
    fn a_failed_candidate_leaves_the_environment_as_it_was() {
        let (old, new) = (placed(1, 2), placed(2, 2));
        let inputs =
            [Input::Promote(new.clone()), Input::Ready(1), Input::Failed("exited".to_owned())];
        let (state, actions) = run(live(1, 2), inputs);
        assert_eq!(state, live(1, 2));
        assert_eq!(
            actions[3..],
            [
                Action::Share(vec![(old, 2)]),
                Action::Remove(new.clone()),
                Action::Record(Verdict::Failed { candidate: new, because: "exited".to_owned() }),
            ]
        );
    }

    #[test]
    fn a_candidate_takes_no_traffic_before_it_is_ready() {
        let (_, actions) = run(live(1, 1), [Input::Promote(placed(2, 1)), Input::Ready(0)]);
        assert!(!actions.iter().any(|action| matches!(action, Action::Share(_))));
    }

    #[test]
    fn a_newer_promotion_takes_the_place_of_one_under_way() {
        let inputs = [Input::Promote(placed(2, 1)), Input::Promote(placed(3, 1)), Input::Ready(1)];
        let (state, actions) = run(live(1, 1), inputs);
        assert_eq!(state, live(3, 1));
        assert!(actions.contains(&Action::Record(Verdict::Superseded(placed(2, 1)))));
        assert!(actions.contains(&Action::Remove(placed(1, 1))));
    }

    #[test]
    fn promoting_what_is_live_only_adjusts_its_size() {
        let (state, actions) = run(live(1, 1), [Input::Promote(placed(1, 3))]);
        assert_eq!(state, live(1, 3));
        assert_eq!(actions[0], Action::Ensure(placed(1, 3), 3));
    }

    #[test]
    fn down_removes_both_sides_of_a_rollout() {
        let (state, actions) = run(live(1, 1), [Input::Promote(placed(2, 1)), Input::Down]);
        assert_eq!(state, Rollout::Absent);
        assert!(actions.contains(&Action::Remove(placed(1, 1))));
        assert!(actions.contains(&Action::Remove(placed(2, 1))));
    }
}
