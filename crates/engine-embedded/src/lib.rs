//! The embedded engine: containers on this machine without a daemon.
//!
//! Every container has a helper process of its own: this program, re-executed under a hidden
//! subcommand. It mounts the image's layers as an overlay in a mount namespace of its own, creates
//! the container by the library `libcontainer`, writes its output and its end to files, and lives
//! until the container is removed. So containers outlive whoever started them, and whoever comes
//! next adopts them.

mod build_root;
mod contact;
mod copy;
mod embedded;
mod exec;
mod exec_plan;
mod group;
mod helper;
mod host;
mod launch;
mod log;
mod logs;
mod network;
mod place;
mod plan;
mod probe;
mod process;
mod process_plan;
mod remains;
mod requirements;
mod sandbox;
mod start;
mod state;
mod sweep;
mod take;
mod text;
mod watch;
mod wire;

pub use build_root::{BuildNetwork, BuildRoot, BuildStep};
pub use embedded::{Embedded, Settings};
pub use helper::become_helper_if_asked;
pub use host::EmbeddedHost;
