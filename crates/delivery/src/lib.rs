//! Releases and the environments they run in.
//!
//! A green run makes a [`Release`]; a promotion asks for it in an environment; a [`Rollout`] decides
//! how it takes over from what ran before; the [`Keeper`] makes it so. What was decided and what
//! happened are events in the ledger, from which [`Environment`] is folded.

mod director;
mod driver;
mod edge;
mod environment;
mod environments;
mod group;
mod keeper;
mod last_words;
mod library;
mod manifest;
mod placement;
mod release;
mod releases;
mod rollout;

pub use director::{Director, Heard, Task};
pub use driver::{DriverError, Surroundings};
pub use edge::{Directions, Drained, Edge};
pub use environment::{Environment, EnvironmentEvent, LiveSince, ServiceState, Volumes};
pub use environments::Environments;
pub use group::group_of;
pub use keeper::{Keeper, KeeperError, Notice};
pub use library::{Library, LibraryError, MissingSecrets};
pub use manifest::{
    Manifest, ManifestError, SecretLookup, in_environment, secrets_of, volume_scope,
};
pub use placement::Placement;
pub use release::{Evidence, Release, ReleaseContent};
pub use releases::{DeliveryError, Releases};
pub use rollout::{Action, Input, Rollout, Verdict};
