//! Finds out when a container is ready.

mod attempt;
mod http;
mod prober;

pub(crate) use prober::{Prober, Verdict};
