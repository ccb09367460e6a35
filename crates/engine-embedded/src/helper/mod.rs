//! The helper: this program, re-executed under a hidden subcommand, once per container. It is
//! single-threaded, because creating a container changes the working directory of its process; it
//! outlives whoever asked, holds the container's mounts in a mount namespace of its own, owns the
//! output and the exit status, and removes everything when told to or when its owner ends.

mod allowed;
mod cgroup;
mod entry;
mod exec;
mod executor;
mod in_root;
mod limits;
mod mounts;
mod overlay;
mod pump;
mod root_dir;
mod run;
mod seccomp;
mod spec;
mod supervise;
mod syscalls;
mod terminal;
mod user;
mod visitors;

pub(crate) use cgroup::{Cgroup, Hierarchies};
pub use entry::become_helper_if_asked;
pub(crate) use entry::{EXEC, RUN, SUBCOMMAND};
pub(crate) use in_root::{InRoot, path_of};
