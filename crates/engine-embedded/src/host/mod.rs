//! Sets of replicas for environments, on the containers and networks of this engine.
//!
//! One task per group owns its sets: [`decide`] says what is to be done, [`drive`] does it. What
//! was asked for is on record in the runtime directory, so whoever opens the group next adopts its
//! replicas and goes on where the last one stopped.

mod balance;
mod decide;
mod drive;
mod embedded_host;
mod perform;
mod record;
mod replica;

pub use embedded_host::EmbeddedHost;
