//! What git says of a folder.

use crate::failure::{Doing, Failure};
use fairway_model::CommitId;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Most bytes of git's answers that are read.
const ANSWER_MAX: u64 = 64 << 20;

/// What git says of a folder: all paths are relative to it.
#[derive(Debug, Default)]
pub struct GitFacts {
    /// The commit that is checked out.
    pub commit: Option<CommitId>,
    /// Files that are tracked, or untracked and not ignored. Some may be deleted.
    pub files: BTreeSet<PathBuf>,
    /// Files that differ from the commit, untracked ones among them.
    pub changed: BTreeSet<PathBuf>,
}

impl GitFacts {
    /// Asks git; `None` if the folder is in no repository.
    pub fn of(folder: &Path) -> Result<Option<Self>, Failure> {
        let files =
            start(folder, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let status = start(
            folder,
            &[
                "status",
                "--porcelain=v2",
                "--branch",
                "-z",
                "--untracked-files=all",
                "--no-renames",
                ".",
            ],
        )?;
        let prefix = start(folder, &["rev-parse", "--show-prefix"])?;
        let (files, status, prefix) = (finish(files)?, finish(status)?, finish(prefix)?);
        let (Some(files), Some(status), Some(prefix)) = (files, status, prefix) else {
            return Ok(None);
        };
        let files = records(&files).map(path).collect();
        let prefix = path(prefix.trim_ascii_end());
        let mut facts = Self { files, ..Self::default() };
        for record in records(&status) {
            facts.take_in(record, &prefix)?;
        }
        Ok(Some(facts))
    }

    /// Takes in a record of `git status --porcelain=v2 -z`.
    fn take_in(&mut self, record: &[u8], prefix: &Path) -> Result<(), Failure> {
        if let Some(id) = record.strip_prefix(b"# branch.oid ") {
            let id = String::from_utf8_lossy(id);
            if id != "(initial)" {
                self.commit = Some(id.parse().doing("read the commit's id")?);
            }
            return Ok(());
        }
        let fields = match record.first() {
            Some(b'1') => 8,
            Some(b'u') => 10,
            Some(b'?') => 1,
            _ => return Ok(()),
        };
        let changed = record.splitn(fields + 1, |&byte| byte == b' ').nth(fields);
        let changed = path(changed.unwrap_or_default());
        self.changed.insert(changed.strip_prefix(prefix).unwrap_or(&changed).to_owned());
        Ok(())
    }
}

fn records(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    answer.split(|&byte| byte == 0).filter(|record| !record.is_empty())
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

fn start(folder: &Path, arguments: &[&str]) -> Result<Child, Failure> {
    Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.fsmonitor=false"])
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let failure = Failure::unreachable("could not run `git`").because(error);
            if missing { failure.hint("install it with `apt-get install git`") } else { failure }
        })
}

/// The answer, or `None` if there is no repository.
fn finish(mut child: Child) -> Result<Option<Vec<u8>>, Failure> {
    let mut answer = Vec::new();
    let stdout = child.stdout.take().expect("standard output is piped");
    stdout.take(ANSWER_MAX).read_to_end(&mut answer).doing("read what git answers")?;
    let ended = child.wait_with_output().doing("wait for git")?;
    if ended.status.success() {
        return Ok(Some(answer));
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    if said.contains("not a git repository") {
        return Ok(None);
    }
    Err(Failure::failed("git does not answer").because(said.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_names_the_commit_and_what_differs() {
        let id = "a".repeat(40);
        let status = format!(
            "# branch.oid {id}\0# branch.head main\0\
             1 .M N... 100644 100644 100644 {id} {id} sub/a b\0? sub/new\0"
        );
        let mut facts = GitFacts::default();
        for record in records(status.as_bytes()) {
            facts.take_in(record, Path::new("sub")).unwrap();
        }
        assert_eq!(facts.commit.map(String::from), Some(id));
        assert_eq!(facts.changed, ["a b", "new"].map(PathBuf::from).into());
    }
}
