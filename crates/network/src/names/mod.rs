//! The name server of a network: it answers its own names by who asks, and passes every other
//! question on to the host's name servers.

mod answer;
mod forward;
mod server;
mod zone;

pub(crate) use server::NameServer;
pub(crate) use zone::{Entry, Found, Zone, canonical};
