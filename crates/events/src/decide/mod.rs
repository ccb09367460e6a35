//! What a group decides, apart from what it does: a pure step from a state and an input to a state
//! and actions. It reads no clock and no ledger, so it is tested as a table and in a simulation.

mod due;
mod entry;
mod fate;
mod group;
mod holding;
mod lane;
mod lanes;
mod member;
#[cfg(test)]
mod model;
mod progress;
#[cfg(test)]
mod simulation;
mod step;
#[cfg(test)]
mod table;

pub use entry::Mark;
pub(crate) use entry::Taken;
pub use group::Counters;
pub(crate) use group::Group;
pub(crate) use member::{Demand, Member, MemberId};
pub(crate) use progress::Progress;
pub(crate) use step::{Action, Input, Verdict};
