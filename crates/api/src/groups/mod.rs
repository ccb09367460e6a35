//! Groups of consumers, for services that take events by HTTP.

mod consume;
mod failure;
mod manage;
mod parked;
mod target;

pub(crate) use consume::{ack, extend, nack, take};
pub(crate) use manage::{info, list, put, remove};
pub(crate) use parked::{parked, replay, skip};
