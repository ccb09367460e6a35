//! COPY and ADD.

use super::{
    archive::{self, Archive},
    builder::{Builder, Recalled, blocking},
    placement::{self, Source},
    stage::StageState,
    workdir::absolute,
};
use crate::{
    cache::Key,
    dockerfile::{Copy, CopyKind, Located, Text},
    error::BuildError,
    event::Outcome,
    view::{Ownership, Views, Writer, find, owner, with_views},
};
use fairway_blobs::{Blobs, Node};
use fairway_layers::{Draft, Layer, LayerError, Whiteouts, unpack};
use fairway_model::Digest;
use rustix::fs::{FileType, Gid, Uid};
use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

/// A COPY with its variables filled in.
#[derive(Debug, Clone)]
struct Job {
    kind: CopyKind,
    /// Absolute.
    destination: PathBuf,
    target: Target,
    owner: Option<String>,
    mode: Option<u32>,
    from: From,
}

/// What the destination of a COPY is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// A directory, made if it is not there.
    Directory,
    /// A directory if there is one, else the new name of the one file.
    Either,
}

/// Where the files come from.
#[derive(Debug, Clone)]
enum From {
    Context(Vec<Source>),
    /// Patterns with their places, and the directories of an image's layers.
    Image {
        patterns: Vec<Text>,
        layers: Vec<Layer>,
    },
}

/// Why files could not be copied: an error that has no place yet.
enum CopyError {
    /// A source or name that is not there.
    Wrong(String),
    Other(BuildError),
}

impl Builder<'_> {
    pub(super) async fn copy(
        &mut self,
        state: &mut StageState,
        located: &Located,
        copy: &Copy,
    ) -> Result<Outcome, BuildError> {
        let job = self.prepare(state, copy)?;
        let key = job.key(&state.layers);
        if self.recall(state, located, &key)? == Recalled::Found {
            return Ok(Outcome::Cached);
        }
        let layers = self.layers().clone();
        let lower_dirs = state.lower_dirs(&layers)?;
        let done = blocking(move || {
            let draft = layers.draft()?;
            let source_dirs = match &job.from {
                From::Context(_) => None,
                From::Image { layers: below, .. } => Some(layers.lower_dirs(below)?),
            };
            let work = |views: &Views| Ok(job.perform(views, layers.blobs()));
            let done = with_views(&layers, &draft, &lower_dirs, source_dirs.as_deref(), work)?;
            Ok((draft, done))
        });
        let (draft, done): (Draft, Result<(), CopyError>) = done.await?;
        done.map_err(|error| match error {
            CopyError::Wrong(message) => {
                BuildError::at(self.file().diagnose(located.span, message))
            }
            CopyError::Other(error) => error,
        })?;
        let effect = self.commit(draft).await?;
        self.cache().keep(&key, effect)?;
        state.record(&located.text, effect);
        Ok(Outcome::Made)
    }

    fn prepare(&self, state: &StageState, copy: &Copy) -> Result<Job, BuildError> {
        let wrong =
            |(span, message): (_, String)| BuildError::at(self.file().diagnose(span, message));
        let expand = |text: &Text| state.settings.expand(text).map_err(wrong);
        let to = expand(&copy.destination)?;
        let mut patterns = Vec::new();
        for source in &copy.sources {
            patterns.push(Text { raw: expand(source)?, span: source.span });
        }
        let from = match self.copy_layers(copy)? {
            Some(layers) => From::Image { patterns, layers },
            None => From::Context(self.context_sources(&patterns)?),
        };
        let count = match &from {
            From::Context(found) => found.len(),
            From::Image { patterns, .. } => patterns.len(),
        };
        let is_directory = to.ends_with('/') || to == "." || to.ends_with("/.");
        if count > 1 && !is_directory {
            let message = "a destination of several files ends with `/`".to_owned();
            return Err(wrong((copy.destination.span, message)));
        }
        let mode = copy.mode.as_ref().map(|mode| {
            let text = expand(mode)?;
            let bits = u32::from_str_radix(&text, 8).ok().filter(|bits| *bits <= 0o7777);
            bits.ok_or_else(|| wrong((mode.span, format!("`{text}` is not an octal mode"))))
        });
        Ok(Job {
            kind: copy.kind,
            destination: absolute(&state.settings.execution.working_dir, &to),
            target: if is_directory { Target::Directory } else { Target::Either },
            owner: copy.owner.as_ref().map(expand).transpose()?,
            mode: mode.transpose()?,
            from,
        })
    }

    fn context_sources(&self, patterns: &[Text]) -> Result<Vec<Source>, BuildError> {
        let mut sources = Vec::new();
        for pattern in patterns {
            let wrong = |message: String| {
                let label = self.context().absence(&pattern.raw);
                BuildError::at(self.file().diagnose(pattern.span, message).label(label))
            };
            let found = placement::find(&self.context().files, &pattern.raw).map_err(wrong)?;
            if found.is_empty() {
                return Err(wrong(format!("`{}` is not in the build context", pattern.raw)));
            }
            sources.extend(found);
        }
        Ok(sources)
    }
}

impl Job {
    /// Files of a context count by content; those of another image by its layers and their paths.
    fn key(&self, below: &[Layer]) -> Digest {
        let key = Key::new("copy", below)
            .number(u64::from(self.kind == CopyKind::Add))
            .text(self.destination.as_os_str().as_encoded_bytes())
            .number(u64::from(self.target == Target::Directory))
            .list(self.owner.iter())
            .list(self.mode.iter().map(|mode| mode.to_le_bytes()));
        let key = match &self.from {
            From::Context(sources) => {
                sources.iter().fold(key.text("context"), |key, source| source.add_to(key))
            }
            From::Image { patterns, layers } => key
                .text("image")
                .list(layers.iter().map(|layer| layer.diff_id.as_bytes()))
                .list(patterns.iter().map(|pattern| &pattern.raw)),
        };
        key.finish()
    }

    fn perform(&self, views: &Views, blobs: &Blobs) -> Result<(), CopyError> {
        let given = match &self.owner {
            Some(text) => {
                let (uid, gid) = owner(&views.root, text).map_err(CopyError::Wrong)?;
                Some(Ownership::Of(uid, gid))
            }
            None => None,
        };
        let default = match &self.from {
            From::Context(_) => Ownership::Of(Uid::ROOT, Gid::ROOT),
            From::Image { .. } => Ownership::Kept,
        };
        let owner = given.unwrap_or(default);
        let writer = Writer { root: &views.root, owner, mode: self.mode };
        match (&self.from, &views.source) {
            (From::Image { patterns, .. }, Some(source)) => {
                self.copy_image(&writer, source, patterns)
            }
            (From::Context(sources), _) => {
                sources.iter().try_for_each(|source| self.copy_context(&writer, source, blobs))
            }
            (From::Image { .. }, None) => unreachable!("an image to copy from is mounted"),
        }
    }

    fn copy_context(
        &self,
        writer: &Writer<'_>,
        source: &Source,
        blobs: &Blobs,
    ) -> Result<(), CopyError> {
        match source {
            Source::Content(tree) => self.done(writer.tree(&self.destination, tree, blobs)),
            Source::File(_, Node::File { digest, .. })
                if self.kind == CopyKind::Add && self.archive(blobs, digest)?.is_some() =>
            {
                let dir = self.open(writer, &self.destination)?;
                self.unpack(&dir, blobs, digest)
            }
            Source::File(name, node) => {
                let (dir, name) = self.place(writer, Path::new(name))?;
                self.done(writer.node(&dir, name.as_os_str(), node, blobs))
            }
        }
    }

    fn copy_image(
        &self,
        writer: &Writer<'_>,
        source: &OwnedFd,
        patterns: &[Text],
    ) -> Result<(), CopyError> {
        for pattern in patterns {
            let found = self.done(find(source, &pattern.raw))?;
            if found.is_empty() {
                let message = format!("`{}` is not in the image it is copied from", pattern.raw);
                return Err(CopyError::Wrong(message));
            }
            if found.len() > 1 && self.target != Target::Directory {
                let message = "a destination of several files ends with `/`";
                return Err(CopyError::Wrong(message.to_owned()));
            }
            for one in found {
                if one.kind == FileType::Directory {
                    self.done(writer.transfer_content(&one.file, &self.destination))?;
                } else {
                    let name = one.name.expect("only a directory is the root");
                    let (dir, name) = self.place(writer, Path::new(&name))?;
                    self.done(writer.transfer_file(&one.file, &dir, name.as_os_str()))?;
                }
            }
        }
        Ok(())
    }

    /// Where a single file goes: the open directory and the name in it.
    fn place(&self, writer: &Writer<'_>, name: &Path) -> Result<(OwnedFd, PathBuf), CopyError> {
        let is_directory =
            self.target == Target::Directory || writer.is_directory(&self.destination);
        let own_name = self.destination.file_name().filter(|_| !is_directory);
        match own_name {
            None => Ok((self.open(writer, &self.destination)?, name.to_owned())),
            Some(own) => {
                let parent = self.destination.parent().unwrap_or(Path::new("/"));
                Ok((self.open(writer, parent)?, own.into()))
            }
        }
    }

    fn archive(&self, blobs: &Blobs, digest: &Digest) -> Result<Option<Archive>, CopyError> {
        self.done(archive::kind(blobs, digest))
    }

    fn unpack(&self, dir: &OwnedFd, blobs: &Blobs, digest: &Digest) -> Result<(), CopyError> {
        let file = blobs.open_blob(digest).map_err(LayerError::from);
        let file = file.map_err(|error| CopyError::Other(error.into()))?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd()));
        let unpacked = match self.archive(blobs, digest)? {
            Some(Archive::Gzip) => {
                unpack(flate2::read::MultiGzDecoder::new(file), &path, Whiteouts::Ignored)
            }
            Some(Archive::Other(kind)) => {
                let message =
                    format!("`ADD` does not unpack {kind}; do it in a `RUN`, or use gzip");
                return Err(CopyError::Wrong(message));
            }
            Some(Archive::Plain) | None => unpack(file, &path, Whiteouts::Ignored),
        };
        unpacked.map_err(|error| CopyError::Other(error.into()))
    }

    fn open(&self, writer: &Writer<'_>, path: &Path) -> Result<OwnedFd, CopyError> {
        self.done(writer.directory(path))
    }

    fn done<T>(&self, result: io::Result<T>) -> Result<T, CopyError> {
        let to = &self.destination;
        result.map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory => {
                CopyError::Wrong(format!("`{}` is not a directory", to.display()))
            }
            io::ErrorKind::IsADirectory => {
                CopyError::Wrong(format!("`{}` has a directory of the same name", to.display()))
            }
            _ => CopyError::Other(BuildError::io("copy to", to, error)),
        })
    }
}
