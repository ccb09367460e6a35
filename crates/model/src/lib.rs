//! The words of Fairway as types: names, ids, digests, units and configuration.
//!
//! Pure: nothing here does I/O, knows the time or is async. Text from outside is parsed once into
//! a type that cannot be wrong.

pub mod config;
mod diagnosis;
mod digest;
mod id;
mod image_ref;
mod name;
mod revision;
mod unit;

pub use diagnosis::{
    Colour, Diagnostic, EXCERPT_MAX, Excerpt, SourceText, Span, closest, render_all,
};
pub use digest::{Digest, DigestError, Hasher, TreeDigest};
pub use id::{IdError, ReleaseId, RunId};
pub use image_ref::{IMAGE_REF_MAX, ImageRef, ImageRefError};
pub use name::{
    EnvironmentName, FleetName, NAME_MAX, NameError, NeighbourName, ReadModelName, SecretName,
    ServiceName, StageName,
};
pub use revision::{CommitId, CommitIdError, Revision, RevisionState};
pub use unit::{ByteSize, Cpus, Timestamp, UnitError, parse_duration};
