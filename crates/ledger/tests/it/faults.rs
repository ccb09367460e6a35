use crate::place::{append, events, numbers, stream};
use fairway_ledger::{AppendError, Event, Expected, Json, Key, Ledger, LedgerError, NewEvent};
use fairway_ledger::{DecodeError, Projection};
use std::{
    ffi::CString,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A file system of its own, unmounted on drop.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn small_disk() -> Self {
        let dir = tempfile::tempdir().unwrap();
        mount("tmpfs", dir.path(), "size=2m");
        Self(dir)
    }

    fn overlay_of(below: &Path) -> Self {
        let dirs = ["lower", "upper", "work"].map(|name| below.join(name));
        for dir in &dirs {
            std::fs::create_dir(dir).unwrap();
        }
        let [lower, upper, work] = dirs.map(|dir| dir.display().to_string());
        let dir = tempfile::tempdir().unwrap();
        mount("overlay", dir.path(), &format!("lowerdir={lower},upperdir={upper},workdir={work}"));
        Self(dir)
    }

    fn path(&self) -> PathBuf {
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

struct Count;

impl Projection for Count {
    const NAME: &'static str = "count";
    const VERSION: u32 = 1;
    type Row = u64;

    fn key(_: &Event) -> Option<Key> {
        Some(Key::only())
    }

    fn apply(row: Option<u64>, _: &Event) -> Result<Option<u64>, DecodeError> {
        Ok(Some(row.unwrap_or(0) + 1))
    }
}

#[tokio::test]
async fn a_full_disk_is_named_and_the_ledger_can_still_be_read() {
    let disk = Mounted::small_disk();
    let ledger = Ledger::open(&disk.path()).unwrap();
    append(&ledger, "a", 0..600).await;
    let ballast = disk.path().with_extension("ballast");
    let full = std::fs::write(&ballast, vec![0; 2 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);

    let big = NewEvent::from_json("big", Json::of(&"a".repeat(500_000)).unwrap()).unwrap();
    let error = ledger.append(&stream("a"), Expected::Any, vec![big]).await.unwrap_err();
    let AppendError::Ledger(error @ LedgerError::DiskFull { .. }) = error else {
        panic!("{error}")
    };
    assert!(error.to_string().starts_with("the disk that holds ledger"), "{error}");
    assert_eq!(numbers(&ledger).await, (0..600).collect::<Vec<_>>());
    assert_eq!(ledger.project::<Count>().await.unwrap(), 600);

    std::fs::remove_file(&ballast).unwrap();
    ledger.append(&stream("a"), Expected::Any, events([600])).await.unwrap();
    assert_eq!(ledger.project::<Count>().await.unwrap(), 601);
}

#[tokio::test]
async fn a_ledger_on_a_full_disk_is_opened_when_there_is_space_again() {
    let disk = Mounted::small_disk();
    let before = Ledger::open(&disk.path()).unwrap();
    append(&before, "a", 0..3).await;
    drop(before);
    // The last one that closes a ledger removes what processes share.
    let shared = disk.0.path().join("ledger-shm");
    let deadline = Instant::now() + Duration::from_secs(10);
    while shared.exists() {
        assert!(Instant::now() < deadline, "the ledger is not closed");
        tokio::task::yield_now().await;
    }
    let ballast = disk.path().with_extension("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap_err();
    let error = Ledger::open(&disk.path()).unwrap_err();
    assert!(matches!(error, LedgerError::DiskFull { .. }), "{error}");
    std::fs::remove_file(&ballast).unwrap();
    let ledger = Ledger::open(&disk.path()).unwrap();
    assert_eq!(numbers(&ledger).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_ledger_works_on_overlayfs() {
    let disk = Mounted::small_disk();
    let overlay = Mounted::overlay_of(disk.0.path());
    let (one, two) =
        (Ledger::open(&overlay.path()).unwrap(), Ledger::open(&overlay.path()).unwrap());
    append(&one, "a", 0..10).await;
    append(&two, "a", 10..20).await;
    assert_eq!(numbers(&one).await, (0..20).collect::<Vec<_>>());
}
