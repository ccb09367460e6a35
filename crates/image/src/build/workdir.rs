//! WORKDIR.

use super::{
    builder::{Builder, Recalled},
    placement::clean,
    stage::StageState,
};
use crate::{
    cache::{Effect, Key},
    dockerfile::{Located, Text},
    error::BuildError,
    event::Outcome,
    view::{Ownership, Views, Writer, owner, with_views},
};
use fairway_layers::Draft;
use rustix::fs::{Gid, Uid};
use std::path::{Path, PathBuf};

impl Builder<'_> {
    /// Sets the working directory and makes it, owned by the user that is set.
    pub(super) async fn workdir(
        &mut self,
        state: &mut StageState,
        located: &Located,
        path: &Text,
    ) -> Result<Outcome, BuildError> {
        let wrong = |message: String| BuildError::at(self.file().diagnose(path.span, message));
        let text = state.settings.expand(path).map_err(|(_, message)| wrong(message))?;
        if text.is_empty() {
            return Err(wrong(format!("`{}` is empty", path.raw)));
        }
        let execution = &mut state.settings.execution;
        let dir = absolute(&execution.working_dir, &text);
        execution.working_dir = dir.to_string_lossy().into_owned();
        let key = Key::new("workdir", &state.layers)
            .text(&execution.working_dir)
            .text(&execution.user)
            .finish();
        if self.recall(state, located, &key)? == Recalled::Found {
            return Ok(Outcome::Cached);
        }
        let effect = self.make_workdir(state, dir).await?;
        self.cache().keep(&key, effect)?;
        state.record(&located.text, effect);
        Ok(Outcome::Made)
    }

    async fn make_workdir(&self, state: &StageState, dir: PathBuf) -> Result<Effect, BuildError> {
        let layers = self.layers().clone();
        let lower_dirs = state.lower_dirs(&layers)?;
        let user = state.settings.execution.user.clone();
        let made = super::builder::blocking(move || {
            let draft = layers.draft()?;
            let work = |views: &Views| make(views, &dir, &user);
            let is_new = with_views(&layers, &draft, &lower_dirs, None, work)?;
            Ok(is_new.then_some(draft))
        });
        let draft: Option<Draft> = made.await?;
        match draft {
            Some(draft) => self.commit(draft).await,
            None => Ok(Effect::Nothing),
        }
    }
}

/// Makes the directory; false if it was there. A user that the image does not know owns nothing.
fn make(views: &Views, dir: &Path, user: &str) -> Result<bool, BuildError> {
    let (uid, gid) = match user {
        "" => (Uid::ROOT, Gid::ROOT),
        user => owner(&views.root, user).unwrap_or((Uid::ROOT, Gid::ROOT)),
    };
    let writer = Writer { root: &views.root, owner: Ownership::Of(uid, gid), mode: None };
    if writer.is_directory(dir) {
        return Ok(false);
    }
    writer.directory(dir).map_err(|error| BuildError::io("create", dir, error))?;
    Ok(true)
}

/// A path as seen from a working directory, absolute and without `.` and `..`.
pub(super) fn absolute(working_dir: &str, path: &str) -> PathBuf {
    Path::new("/").join(clean(&Path::new("/").join(working_dir).join(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_working_directory() {
        for (dir, path, expected) in [
            ("", "app", "/app"),
            ("/app", "x/./y", "/app/x/y"),
            ("/app", "/srv/", "/srv"),
            ("/app", "../..", "/"),
            ("/app", ".", "/app"),
        ] {
            assert_eq!(absolute(dir, path), Path::new(expected), "{dir} {path}");
        }
    }
}
