//! A disk that is full, and events of different sizes.

use crate::{
    place::{Place, append, events, numbers, stream},
    server::{Server, until},
};
use fairway_ledger::{AppendError, Expected, Json, LedgerError, NewEvent, Position};
use std::{path::Path, process::Command};

/// A small file system under the events of one ledger.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> Self {
        let dir = tempfile::Builder::new().tempdir_in("/var/tmp").unwrap();
        let disk = Self(dir);
        run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(disk.path()));
        run(Command::new("chown").arg("postgres").arg(disk.path()));
        disk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run(Command::new("umount").arg("-l").arg(self.path()));
    }
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}; this test needs root");
}

#[tokio::test]
async fn a_full_disk_is_named_and_the_ledger_can_still_be_read() {
    let server = Server::shared();
    let (place, disk) = (Place::new(), SmallDisk::new());
    let ledger = place.open().await;
    append(&ledger, "a", 0..100).await;
    drop(ledger);
    let schema = &place.schema;
    server.ask(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.path().display())).await;
    server.ask(&format!("ALTER TABLE {schema}.events SET TABLESPACE small")).await;
    let ledger = place.open().await;
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 7 << 20]).unwrap();

    // Numbers do not compress as letters do.
    let noise: Vec<u64> = (0..40_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let big = NewEvent::from_json("big", Json::of(&noise).unwrap()).unwrap();
    let error = ledger.append(&stream("b"), Expected::Any, vec![big; 4]).await.unwrap_err();
    let AppendError::Ledger(error @ LedgerError::DiskFull { .. }) = error else {
        panic!("{error:?}")
    };
    assert!(error.to_string().starts_with("the disk that holds ledger"), "{error}");
    assert_eq!(numbers(&ledger).await, (0..100).collect::<Vec<_>>());

    std::fs::remove_file(&ballast).unwrap();
    ledger.append(&stream("a"), Expected::Any, events([100])).await.unwrap();
    assert_eq!(numbers(&ledger).await, (0..=100).collect::<Vec<_>>());
    server.ask(&format!("ALTER TABLE {schema}.events SET TABLESPACE pg_default")).await;
    server.ask("DROP TABLESPACE small").await;
}

#[tokio::test]
async fn a_large_event_does_not_make_every_page_small() {
    let server = Server::shared();
    let place = Place::new();
    let ledger = place.open().await;
    let large = NewEvent::from_json("large", Json::of(&"a".repeat(1_000_000)).unwrap()).unwrap();
    ledger.append(&stream("a"), Expected::Any, vec![large.clone(); 2]).await.unwrap();
    append(&ledger, "a", 0..4_000).await;
    ledger.append(&stream("a"), Expected::Any, vec![large; 16]).await.unwrap();
    drop(ledger);
    let count = async |column: &str| {
        let sql = format!(
            "SELECT {column} FROM pg_stat_user_tables
             WHERE schemaname = '{}' AND relname = 'events'",
            place.schema
        );
        server.ask(&sql).await.and_then(|count| count.parse::<u64>().ok()).unwrap_or(0)
    };
    until("all appends are counted", async || count("n_tup_ins").await >= 4_018).await;
    let before = count("idx_scan").await;

    let ledger = place.open().await;
    let first = ledger.read_all(Position(0), 10_000).await.unwrap();
    assert_eq!(first.len(), 2 + 4_000 + 15, "16 MiB are reached by the last");
    let rest = ledger.read_all(Position(4_017), 10_000).await.unwrap();
    assert_eq!(rest.len(), 1);
    drop((ledger, first, rest));
    until("all reads are counted", async || count("idx_tup_fetch").await >= 4_018).await;
    let scans = count("idx_scan").await - before;
    assert!(scans < 20, "{scans} statements for two pages");
}
