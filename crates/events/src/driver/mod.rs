//! The one that hands out the events of a group: an owner task that performs what its steps decide.

mod requests;
mod run;
mod seats;
mod start;
mod work;

pub(crate) use start::{Handle, start};
