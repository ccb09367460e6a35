//! The consumers of a group, and which of them gets an event.

use crate::{key::Key, settings::Strategy};
use fairway_ledger::Position;
use fairway_model::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    time::Duration,
};

/// A consumer that takes events by asking for them is forgotten when it did not for so long.
pub(super) const IDLE_MAX: Duration = Duration::from_mins(5);

/// Identifies a consumer for as long as its group is driven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MemberId(pub(crate) u64);

/// How events come to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Whenever it has room.
    Always,
    /// When it asks, at most so many more.
    Asked(u32),
}

/// A consumer.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Most events that it has at once.
    pub(crate) credit: u32,
    pub(crate) demand: Demand,
    pub(crate) in_flight: BTreeSet<Position>,
    /// When it was last heard of.
    pub(crate) seen: Timestamp,
    pub(crate) delivered: u64,
    pub(crate) acked: u64,
}

impl Member {
    fn has_room(&self) -> bool {
        let is_asking = self.demand != Demand::Asked(0);
        is_asking && self.in_flight.len() < self.credit as usize
    }

    /// Whether it is to be forgotten.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let takes_nothing = self.demand == Demand::Asked(0);
        takes_nothing && self.in_flight.is_empty() && now.since(self.seen) >= IDLE_MAX
    }
}

/// The consumers of a group.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    all: BTreeMap<MemberId, Member>,
    /// Who got the last event.
    turn: MemberId,
}

impl Members {
    pub(super) fn join(&mut self, id: MemberId, (credit, demand): (u32, Demand), now: Timestamp) {
        let in_flight = BTreeSet::new();
        let member = Member { credit, demand, in_flight, seen: now, delivered: 0, acked: 0 };
        self.all.insert(id, member);
    }

    pub(super) fn leave(&mut self, id: MemberId) -> Option<Member> {
        self.all.remove(&id)
    }

    pub(super) fn get(&self, id: MemberId) -> Option<&Member> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.all.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.all.iter()
    }

    pub(super) fn have_room(&self) -> bool {
        self.all.values().any(Member::has_room)
    }

    /// Who gets an event; none if it has to wait.
    pub(super) fn choose(&self, strategy: Strategy, pin: Option<Key>) -> Option<MemberId> {
        match (strategy, pin) {
            (Strategy::Pinned | Strategy::PinnedByCorrelation, Some(pin)) => self.pinned(pin),
            (Strategy::DispatchToSingle, _) => {
                let same = self.all.get(&self.turn).filter(|member| member.has_room());
                if same.is_some() { Some(self.turn) } else { self.next() }
            }
            _ => self.next(),
        }
    }

    fn next(&self) -> Option<MemberId> {
        let after = self.all.range((Excluded(self.turn), Unbounded));
        let mut in_turn = after.chain(self.all.range(..=self.turn));
        in_turn.find(|(_, member)| member.has_room()).map(|(&id, _)| id)
    }

    /// By rendezvous: who comes or goes changes nothing between the others.
    fn pinned(&self, pin: Key) -> Option<MemberId> {
        let weight = |id: &MemberId| mix(pin.0 ^ mix(id.0));
        let (&id, member) = self.all.iter().max_by_key(|(id, _)| weight(id))?;
        member.has_room().then_some(id)
    }

    pub(super) fn deliver(&mut self, id: MemberId, position: Position) {
        self.turn = id;
        if let Some(member) = self.all.get_mut(&id) {
            member.in_flight.insert(position);
            member.delivered += 1;
            if let Demand::Asked(more) = &mut member.demand {
                *more = more.saturating_sub(1);
            }
        }
    }
}

/// Spreads bits (the finalizer of SplitMix64).
fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(ids: impl IntoIterator<Item = u64>) -> Members {
        let mut members = Members::default();
        for id in ids {
            members.join(MemberId(id), (2, Demand::Always), Timestamp(0));
        }
        members
    }

    fn hand_out(members: &mut Members, strategy: Strategy, count: u64) -> Vec<u64> {
        let mut chosen = Vec::new();
        for position in 1..=count {
            let Some(id) = members.choose(strategy, Some(Key(position % 2))) else { break };
            members.deliver(id, Position(position));
            chosen.push(id.0);
        }
        chosen
    }

    #[test]
    fn each_strategy_hands_out_in_its_way() {
        let of = |strategy| hand_out(&mut members([1, 2, 3]), strategy, 9);
        assert_eq!(of(Strategy::RoundRobin), [1, 2, 3, 1, 2, 3]);
        assert_eq!(of(Strategy::DispatchToSingle), [1, 1, 2, 2, 3, 3]);
        let pinned = of(Strategy::Pinned);
        assert!(pinned.len() <= 4 && pinned.iter().step_by(2).all(|&id| id == pinned[0]));
    }

    #[test]
    fn a_consumer_that_leaves_changes_only_what_was_pinned_to_it() {
        let (all, fewer) = (members(1..=10), members((1..=10).filter(|&id| id != 4)));
        let mut moved = 0;
        for key in 0..1_000 {
            let (before, after) = (all.pinned(Key(key)).unwrap(), fewer.pinned(Key(key)).unwrap());
            moved += u32::from(before == MemberId(4));
            assert!(before == after || before == MemberId(4));
        }
        assert!((50..200).contains(&moved), "{moved} of 1000 keys were with one of ten");
    }

    #[test]
    fn who_asked_for_two_gets_two() {
        let mut members = members([]);
        members.join(MemberId(1), (9, Demand::Asked(2)), Timestamp(0));
        assert_eq!(hand_out(&mut members, Strategy::RoundRobin, 5), [1, 1]);
    }
}
