//! What can go wrong with making an image.

use fairway_blobs::TreeError;
use fairway_engine::{EngineError, Exit};
use fairway_layers::LayerError;
use fairway_model::{Diagnostic, ImageRef};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why an image could not be made. Nothing of it is kept then, but for finished layers.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The Dockerfile or `.dockerignore` is wrong in these places.
    #[error("{}", summary(.0))]
    Invalid(Vec<Diagnostic>),
    /// The context has no Dockerfile.
    #[error("there is no `{dockerfile}`")]
    NoDockerfile {
        /// The path that was looked for.
        dockerfile: String,
    },
    /// A command of RUN failed.
    #[error("`{command}` {exit}")]
    Failed {
        /// Where it stands.
        at: Box<Diagnostic>,
        /// As it was written.
        command: String,
        /// How it ended.
        exit: Exit,
    },
    /// An image that is used is not here.
    #[error("image `{name}` is not here")]
    NoImage {
        /// The image.
        name: ImageRef,
        /// Where it is used, if in a Dockerfile.
        at: Option<Box<Diagnostic>>,
        /// The images that can be made here.
        known: Vec<ImageRef>,
    },
    /// Bases are made of each other.
    #[error("bases are made of each other: {}", chain(.0))]
    Cycle(Vec<ImageRef>),
    /// A program of the machine that is needed is not installed.
    #[error("`{program}` is not installed; install it with `{install}`")]
    NoProgram {
        /// The program.
        program: &'static str,
        /// The command that installs it.
        install: &'static str,
    },
    /// The packages of a base could not be had.
    #[error("could not make a Debian base of suite `{suite}`: {said}")]
    Packages {
        /// The suite.
        suite: String,
        /// The last thing that the package tools said.
        said: String,
    },
    /// An image or layer could not be read or kept.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A file tree could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A command could not be run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No space is left.
    #[error("the disk that holds `{}` is full", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another failure of the machine.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// The verb of what failed.
        action: &'static str,
        /// What it failed on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl BuildError {
    /// Whether what watched a step of the build was killed, so that doing it again may help.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Engine(EngineError::Lost(_)))
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, source }
            }
            _ => Self::Io { action, path, source },
        }
    }

    pub(crate) fn at(diagnostic: Diagnostic) -> Self {
        Self::Invalid(vec![diagnostic])
    }

    /// What to do about it, if that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoImage { name, known, .. } => {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                let known = match known.len() {
                    0 => "there are none".to_owned(),
                    _ => format!("there are {}", known.join(", ")),
                };
                Some(format!("add `{name}` to `bases` in `fleet.yaml`; {known}"))
            }
            Self::Packages { .. } => {
                Some("a base is made from the packages of `deb.debian.org`; is it reached?".into())
            }
            _ => None,
        }
    }

    /// The places in a file that it speaks of.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Invalid(all) => all,
            Self::Failed { at, .. } | Self::NoImage { at: Some(at), .. } => {
                std::slice::from_ref(at)
            }
            _ => &[],
        }
    }
}

fn summary(all: &[Diagnostic]) -> String {
    match all {
        [one] => format!("{} in `{}` on line {}", one.message, one.path, one.span.line),
        [first, ..] => format!("`{}` has {} errors", first.path, all.len()),
        [] => "the Dockerfile is wrong".to_owned(),
    }
}

fn chain(names: &[ImageRef]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" from ")
}
