//! OCI images on this machine, their layers kept as directories that overlayfs mounts.
//!
//! A layer is named by the digest of its uncompressed tar (`diff_id`), but what is kept is the
//! directory: its tar can be made again, byte by byte, from the directory when a registry wants it.
//! Manifests and configurations are blobs; an image is the digest of its manifest. All calls block.

mod commit;
mod config;
mod draft;
mod error;
mod files;
mod image;
mod names;
mod overlay;
mod pack;
mod set;
mod store;
mod trust;
mod unpack;
mod unpack_entry;

pub use config::{Execution, Healthcheck, History, ImageConfig, RootFs};
pub use draft::Draft;
pub use error::LayerError;
pub use files::{Content, NewFile};
pub use image::{Image, LAYERS_MAX, Layer};
pub use names::{ImageNames, NamedImage};
pub use store::Layers;
pub use unpack::{ENTRIES_MAX, UNPACKED_MAX, Whiteouts, unpack};
