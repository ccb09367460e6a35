//! Read models, for services that ask by HTTP.

mod ask;
mod failure;
mod mend;
mod show;
mod target;

pub(crate) use ask::{named, sql};
pub(crate) use mend::{apply, rebuild, remove, retry, skip};
pub(crate) use show::{list, parked, status};
