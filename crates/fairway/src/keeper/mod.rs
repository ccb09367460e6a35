//! The keeper as a process: one per data directory, started by the first verb that needs it, with a
//! socket that other verbs speak to. What it decides is in `delivery`.

mod access_log;
mod contact;
mod gateways;
mod lock;
mod places;
mod protocol;
mod serve;

pub use contact::Contact;
pub use protocol::{Replica, ReplicaStanding};
pub use serve::serve;
