//! What a build says while it works, and what it gives.

use fairway_engine::LogEvent;
use fairway_model::{Digest, ImageRef};
use std::{sync::Arc, time::Duration};

/// What happens in a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEvent {
    /// A base is made of packages.
    Base(ImageRef),
    /// An instruction begins that changes files. One whose layer was made before does not.
    Instruction {
        /// The base it is of; none for the image that was asked for.
        base: Option<ImageRef>,
        /// Its count in the build, from 1.
        number: usize,
        /// How many instructions the build has.
        total: usize,
        /// As it was written, with the name of its stage.
        text: String,
    },
    /// A command printed a line.
    Output(LogEvent),
    /// The package tools, which make a Debian base, said a line.
    Packages(String),
    /// An instruction is done.
    Done {
        /// Its count in the build.
        number: usize,
        /// How it was done.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
    },
}

/// How an instruction was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its layer was made before.
    Cached,
    /// A layer was made.
    Made,
    /// It changes no file.
    Settings,
}

/// Where a build says what happens.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(BuildEvent) + Send + Sync>);

impl Events {
    /// Calls this with each event, in order. It must return at once.
    pub fn to(listener: impl Fn(BuildEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Nobody listens.
    pub fn none() -> Self {
        Self::to(|_| ())
    }

    pub(crate) fn send(&self, event: BuildEvent) {
        (self.0)(event);
    }
}

/// What a build gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The digest of the image's manifest.
    pub image: Digest,
    /// How each instruction was done, in the order of the build.
    pub instructions: Vec<Outcome>,
}

impl Built {
    /// Whether no layer had to be made.
    pub fn is_cached(&self) -> bool {
        !self.instructions.contains(&Outcome::Made)
    }
}
