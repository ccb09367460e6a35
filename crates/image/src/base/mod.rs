//! Images made here under the names of images that others publish.

mod bases;
mod certificates;
mod debian;
mod maker;
mod packages;

pub use bases::{BaseSource, Bases};
pub(crate) use maker::Maker;
