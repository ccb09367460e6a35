//! A ledger in a temporary directory, and short ways to use it.

use fairway_ledger::{Expected, Ledger, NewEvent, Position, StreamName};
use std::{
    ffi::CString,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// The disk of a machine of its own: large enough for ext4 with a journal.
const DISK_BYTES: u64 = 64 << 20;

pub(crate) struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir_in("/var/tmp").unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    pub(crate) fn open(&self) -> Ledger {
        Ledger::open(&self.path()).unwrap()
    }

    /// Runs a statement past the ledger.
    pub(crate) fn ask(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.busy_timeout(Duration::from_secs(30)).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

pub(crate) fn stream(name: &str) -> StreamName {
    name.parse().unwrap()
}

pub(crate) fn events(numbers: impl IntoIterator<Item = u64>) -> Vec<NewEvent> {
    numbers.into_iter().map(|number| NewEvent::new("counted", &number).unwrap()).collect()
}

pub(crate) async fn append(ledger: &Ledger, name: &str, numbers: impl IntoIterator<Item = u64>) {
    ledger.append(&stream(name), Expected::Any, events(numbers)).await.unwrap();
}

/// All numbers of the ledger in order, after checking that positions and versions have no gap.
pub(crate) async fn numbers(ledger: &Ledger) -> Vec<u64> {
    let (mut after, mut numbers) = (Position(0), Vec::new());
    let mut versions = std::collections::HashMap::new();
    loop {
        let page = ledger.read_all(after, 1000).await.unwrap();
        if page.is_empty() {
            assert_eq!(ledger.head().await.unwrap(), after);
            return numbers;
        }
        for event in page {
            assert_eq!(event.position.0, after.0 + 1, "no gap in the ledger");
            after = event.position;
            let version = versions.entry(event.stream.clone()).or_insert(0);
            *version += 1;
            assert_eq!(event.version.0, *version, "no gap in `{}`", event.stream);
            numbers.push(event.decode().unwrap());
        }
    }
}

/// A file system of its own, unmounted on drop.
pub(crate) struct Mounted(tempfile::TempDir);

impl Mounted {
    pub(crate) fn small_disk() -> Self {
        let dir = tempfile::tempdir().unwrap();
        mount("tmpfs", dir.path(), "size=2m");
        Self(dir)
    }

    pub(crate) fn overlay_of(below: &Path) -> Self {
        let dirs = ["lower", "upper", "work"].map(|name| below.join(name));
        for dir in &dirs {
            std::fs::create_dir(dir).unwrap();
        }
        let [lower, upper, work] = dirs.map(|dir| dir.display().to_string());
        let dir = tempfile::tempdir().unwrap();
        mount("overlay", dir.path(), &format!("lowerdir={lower},upperdir={upper},workdir={work}"));
        Self(dir)
    }

    /// A disk that is a file; its file system is there already.
    pub(crate) fn disk(file: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).arg(file).arg(dir.path());
        assert!(mount.status().unwrap().success(), "a loop mount; this test needs root");
        Self(dir)
    }

    /// A disk that is a file, large enough for ext4 with a journal, and that file.
    pub(crate) fn new_disk() -> (PathBuf, tempfile::TempDir) {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let disk = dir.path().join("disk");
        File::create(&disk).unwrap().set_len(DISK_BYTES).unwrap();
        assert!(Command::new("mkfs.ext4").arg("-q").arg(&disk).status().unwrap().success());
        (disk, dir)
    }

    /// Lets ext4 find its journal broken: nothing can be written any more.
    pub(crate) fn fail(&self) {
        let mut abort = Command::new("mount");
        abort.args(["-o", "remount,abort"]).arg(self.dir());
        abort.status().unwrap();
    }

    pub(crate) fn make_read_only(&self) {
        let mut remount = Command::new("mount");
        remount.args(["-o", "remount,ro"]).arg(self.dir());
        assert!(remount.status().unwrap().success(), "a remount");
    }

    /// Where it is mounted.
    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Where a ledger on it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("ledger")
    }
}

fn mount(kind: &str, at: &Path, options: &str) {
    let options = CString::new(options).unwrap();
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount(kind, at, kind, flags, Some(options.as_c_str()))
        .expect("a mount; this test needs root");
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let flags = rustix::mount::UnmountFlags::DETACH;
        rustix::mount::unmount(self.0.path(), flags).expect("an unmount");
    }
}
