//! An ordinary user who may read the files of a ledger and write nothing beside them: this test binary
//! starts itself again as one.

use crate::{
    place::{Place, append, numbers},
    processes::given_path,
};
use fairway_ledger::{Ledger, Position};
use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Who may do nothing that is not allowed to everybody.
const NOBODY: u32 = 65534;
const OPENED: &str = "opened";

/// Starts this binary as an ordinary user, for a ledger in a folder that takes files only from others.
fn as_nobody(test: &str, path: &Path) -> Child {
    let folder = path.parent().unwrap();
    let program = folder.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(program);
    command.args([&format!("ordinary::{test}"), "--exact", "--ignored", "--nocapture"]);
    command.env("FAIRWAY_TEST_LEDGER", path).current_dir(folder).stdout(Stdio::piped());
    command.uid(NOBODY).gid(NOBODY).spawn().unwrap()
}

#[tokio::test]
async fn who_may_only_read_sees_what_is_appended_after_the_log_was_emptied() {
    let place = Place::new();
    let ledger = place.open();
    append(&ledger, "a", [0]).await;
    place.ask("PRAGMA wal_checkpoint(TRUNCATE)");
    let log = format!("{}-wal", place.path().display());
    assert_eq!(fs::metadata(log).unwrap().len(), 0);
    let mut reader = as_nobody("see_two_events", &place.path());
    let mut lines = BufReader::new(reader.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.ends_with(OPENED)), "the reader opens the ledger");
    append(&ledger, "a", [1]).await;
    assert!(reader.wait().unwrap().success(), "the reader sees the new event");
}

/// Not a test of its own: waits for the second event of a ledger.
#[tokio::test]
#[ignore = "started by another test"]
async fn see_two_events() {
    let Some(path) = given_path() else { return };
    let ledger = Ledger::open_existing(&path).unwrap();
    assert_eq!(numbers(&ledger).await, [0]);
    println!("{OPENED}");
    let second = async {
        while ledger.head().await.unwrap() < Position(2) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), second).await.unwrap();
    assert_eq!(numbers(&ledger).await, [0, 1]);
}
