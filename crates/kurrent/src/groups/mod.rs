//! Persistent subscriptions: groups of consumers, as KurrentDB's clients create, change and use them.

mod consume;
mod failure;
mod info;
mod manage;
mod remembered;
pub(crate) mod target;

pub(crate) use consume::consume;
pub(crate) use manage::{create, delete, get_info, list, replay_parked, restart, update};

#[cfg(test)]
pub(crate) use manage::check;
