//! Power cuts: what a file system has not been told to sync is not on the disk that is left.

use crate::{
    place::Mounted,
    processes::{child, child_with},
};
use fairway_ledger::{
    Ledger,
    conformance::storm::{self, Watcher},
};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command},
};

/// How many operations end before the power is cut.
const TOLD: usize = 2_000;
/// Makes fsync do nothing, from Debian's package `eatmydata`.
const DROPS_SYNC: &str = "libeatmydata.so";

/// Writes on a disk whose power is cut, and checks what is left of it. What was told after the cut
/// began does not count: a file system that is shut down says yes to a sync under way, where a disk
/// without power says nothing.
async fn cut_power(start: impl FnOnce(&Path) -> Child) {
    let (disk, _dir) = Mounted::new_disk();
    let mounted = Mounted::disk(&disk);
    let mut child = start(&mounted.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let (mut said, mut told) = (Vec::new(), 0);
    while told < TOLD {
        let line = lines.next().expect("writers go on until they are killed");
        told += usize::from(storm::is_told(&line));
        said.push(line);
    }
    shut_down(mounted.dir());
    child.kill().unwrap();
    said.extend(lines.filter(|line| !storm::is_told(line)));
    child.wait().unwrap();
    drop(mounted);
    let mounted = Mounted::disk(&disk);
    let ledger = Ledger::open(&mounted.path()).unwrap();
    Watcher::default().check(&ledger, &said).await;
}

/// Lets the file system stop at once: nothing that it has only in memory gets to the disk any more.
fn shut_down(mounted: &Path) {
    let mut shutdown = Command::new("xfs_io");
    shutdown.args(["-x", "-c", "shutdown"]).arg(mounted);
    assert!(shutdown.status().unwrap().success(), "xfs_io, of Debian's package `xfsprogs`");
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_power_cut() {
    cut_power(|path| child("rage", path)).await;
}

#[tokio::test]
#[should_panic(expected = "was acknowledged and is lost")]
async fn a_layer_that_drops_syncs_loses_what_was_acknowledged() {
    let library = library();
    cut_power(|path| child_with("rage", path, &[("LD_PRELOAD", &library)])).await;
}

fn library() -> String {
    let dirs = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let found =
        dirs.iter().map(|dir| PathBuf::from(dir).join(DROPS_SYNC)).find(|path| path.exists());
    found.expect("Debian's package `eatmydata` is installed").display().to_string()
}
