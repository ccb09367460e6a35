use crate::place::{Mounted, Place, append, events, numbers, stream};
use fairway_ledger::{
    AppendError, DecodeError, Event, Expected, Json, Key, Ledger, LedgerError, NewEvent, Position,
    Projection, Retention, Standing,
};
use std::{
    fs::File,
    path::Path,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

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

/// Waits until nobody has the ledger open: the last one removes what processes share, and then the
/// log.
async fn closed(disk: &Mounted) {
    let shared = ["ledger-shm", "ledger-wal"].map(|name| disk.dir().join(name));
    let deadline = Instant::now() + Duration::from_secs(10);
    while shared.iter().any(|file| file.exists()) {
        assert!(Instant::now() < deadline, "the ledger is not closed");
        tokio::task::yield_now().await;
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
    closed(&disk).await;
    let ballast = disk.path().with_extension("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap_err();
    let error = Ledger::open(&disk.path()).unwrap_err();
    assert!(matches!(error, LedgerError::DiskFull { .. }), "{error}");
    std::fs::remove_file(&ballast).unwrap();
    let ledger = Ledger::open(&disk.path()).unwrap();
    assert_eq!(numbers(&ledger).await, [0, 1, 2]);
}

#[tokio::test]
async fn hundreds_who_read_at_once_share_a_few_connections() {
    let place = Place::new();
    let ledger = place.open();
    append(&ledger, "a", 0..5_000).await;
    let mut readers = JoinSet::new();
    for _ in 0..300 {
        let ledger = ledger.clone();
        readers.spawn(async move { ledger.read_all(Position(0), 2_000).await.unwrap().len() });
    }
    let path = place.path();
    let open = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap();
        files.filter(|file| file.as_ref().unwrap().path().read_link().is_ok_and(|to| to == path))
    };
    let mut most = 0;
    while let Some(read) = readers.join_next().await {
        assert_eq!(read.unwrap(), 2_000);
        most = most.max(open().count());
    }
    assert!((2..=20).contains(&most), "{most} connections");
}

#[tokio::test]
async fn a_ledger_works_on_overlayfs() {
    let disk = Mounted::small_disk();
    let overlay = Mounted::overlay_of(disk.dir());
    let (one, two) =
        (Ledger::open(&overlay.path()).unwrap(), Ledger::open(&overlay.path()).unwrap());
    append(&one, "a", 0..10).await;
    append(&two, "a", 10..20).await;
    assert_eq!(numbers(&one).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_read_only_disk_is_named() {
    let disk = Mounted::small_disk();
    let ledger = Ledger::open(&disk.path()).unwrap();
    append(&ledger, "a", 0..3).await;
    drop(ledger);
    closed(&disk).await;
    disk.make_read_only();
    let error = Ledger::open(&disk.path()).unwrap_err();
    assert!(matches!(error, LedgerError::NotWritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_torn_last_write_takes_only_what_was_not_acknowledged() {
    let place = Place::new();
    let ledger = place.open();
    append(&ledger, "a", 0..20).await;
    let log = place.path().with_extension("").display().to_string() + "-wal";
    let whole = std::fs::read(&log).unwrap();
    append(&ledger, "a", 20..21).await;
    let longer = std::fs::read(&log).unwrap();
    for cut in [1, 24, 1_000, 4_096, longer.len() - whole.len() - 1] {
        // The page that was being written is partly old: zeros where there was no file yet.
        let mut bytes = longer[..whole.len() + cut].to_vec();
        bytes.resize(longer.len(), 0);
        let torn = Place::new();
        std::fs::copy(place.path(), torn.path()).unwrap();
        std::fs::write(torn.path().display().to_string() + "-wal", bytes).unwrap();
        assert_eq!(numbers(&torn.open()).await, (0..20).collect::<Vec<_>>(), "cut at {cut}");
    }
}

/// What is deleted lies between what stays, so that its removal writes all pages.
#[tokio::test]
async fn what_is_deleted_on_a_disk_that_is_nearly_full_is_deleted_and_swept_when_there_is_space() {
    let disk = Mounted::small_disk();
    let ledger = Ledger::open(&disk.path()).unwrap();
    let large = NewEvent::from_json("large", Json::of(&"a".repeat(1_800)).unwrap()).unwrap();
    let append = |name: &str| fairway_ledger::Append {
        stream: stream(name),
        expected: Expected::Any,
        events: vec![large.clone()],
    };
    let mut appends = JoinSet::new();
    for _ in 0..120 {
        let (ledger, pair) = (ledger.clone(), vec![append("a-1"), append("b-1")]);
        appends.spawn(async move { ledger.append_all(pair).await.unwrap() });
    }
    appends.join_all().await;
    let ballast = disk.path().with_extension("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap_err();
    let left = File::options().write(true).open(&ballast).unwrap();
    left.set_len(left.metadata().unwrap().len() - (64 << 10)).unwrap();
    drop(left);

    let deleted = ledger.retain(&stream("a-1"), Expected::Any, Retention::Deleted).await;
    deleted.unwrap();
    assert_eq!(ledger.stream(&stream("a-1")).await.unwrap().standing, Standing::Deleted);
    std::fs::remove_file(&ballast).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while ledger.read_all(Position(0), 1_000).await.unwrap().len() > 121 {
        assert!(Instant::now() < deadline, "it is swept");
        tokio::task::yield_now().await;
    }
}

/// What the system does with a disk that fails: it takes no more writes, also from those who have
/// files open.
#[tokio::test]
async fn a_disk_that_becomes_read_only_can_be_read_and_is_written_when_it_is_mounted_again() {
    let (disk, _dir) = Mounted::new_disk();
    let mounted = Mounted::disk(&disk);
    let ledger = Ledger::open(&mounted.path()).unwrap();
    append(&ledger, "a", 0..100).await;
    mounted.fail();
    for _ in 0..3 {
        let error = ledger.append(&stream("a"), Expected::Any, events([100])).await.unwrap_err();
        let AppendError::Ledger(error @ LedgerError::NotWritable { .. }) = error else {
            panic!("{error:?}")
        };
        assert!(error.to_string().ends_with("cannot be written"), "{error}");
        assert_eq!(numbers(&ledger).await, (0..100).collect::<Vec<_>>());
    }
    drop(ledger);
    nobody_has_open(mounted.dir());
    drop(mounted);

    let mounted = Mounted::disk(&disk);
    let ledger = Ledger::open(&mounted.path()).unwrap();
    append(&ledger, "a", [100]).await;
    assert_eq!(numbers(&ledger).await, (0..=100).collect::<Vec<_>>());
}

/// Waits until this process has no file open in a directory.
fn nobody_has_open(dir: &Path) {
    let is_open = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap();
        let mut links = files.filter_map(|file| file.ok()?.path().read_link().ok());
        links.any(|to| to.starts_with(dir))
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_open() {
        assert!(Instant::now() < deadline, "the ledger is closed");
        std::thread::yield_now();
    }
}
