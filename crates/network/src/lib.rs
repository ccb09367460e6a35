//! Networks of runs and environments: each is a network namespace of its own with links to its
//! containers, rules, a name server and one uplink to the host.
//!
//! Nothing is bridged in the host's namespace, so a host with Docker, a VPN or a firewall is left
//! as it was. Each network is served by one helper process (the same program under a hidden
//! subcommand, see [`network_main`]); the kernel carries the traffic, so connections, new ones
//! too, go on while the helper is dead, and it is started again at once. A network ends with its processes: no namespace is bound
//! to a file. Inside there is IPv4 only.
//!
//! - [`Networks`] are all of one runtime directory; [`Network`] is one of them.
//! - A [`Member`] is a container with an address and names; a service ([`Target`]) is a name with
//!   a stable address behind which endpoints are balanced.

mod addresses;
mod dial;
mod error;
mod files;
mod helper;
mod host_rules;
mod inner_rules;
mod link;
mod names;
mod namespace;
mod network;
mod networks;
mod nft;
mod process;
mod protocol;
mod state;
mod sweep;

pub use error::NetworkError;
pub use helper::{SUBCOMMAND, network_main};
pub use network::Network;
pub use networks::Networks;
pub use process::Process;
pub use protocol::{Attachment, Description, Endpoint, Member, Target};
