//! Ledger files that an ordinary user may only read.

use crate::{
    ledger::fill,
    outcome::{Outcome, assert_outcome},
    world::{FAIRWAY, World},
};
use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
};

/// Who may do nothing that is not allowed to everybody.
const NOBODY: u32 = 65534;

/// A world with a folder that takes no files, and what an ordinary user needs to work there.
struct Shelf {
    world: World,
    program: PathBuf,
    folder: PathBuf,
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

impl Shelf {
    /// A backup with 62 positions, which nobody may write.
    fn with_backup() -> Self {
        let world = World::empty();
        let (program, folder) = (world.dir().join("fairway"), world.dir().join("shelf"));
        fs::copy(FAIRWAY, &program).unwrap();
        allow(world.dir(), 0o755);
        for own in [&folder, &world.dir().join("own")] {
            fs::create_dir(own).unwrap();
            std::os::unix::fs::chown(own, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fill(&world.fleet().join("one.db").display().to_string());
        let backup = folder.join("it.backup").display().to_string();
        world.fairway(&["ledger", "backup", &backup, "--ledger", "one.db"]).passed();
        allow(backup.as_ref(), 0o444);
        allow(&folder, 0o555);
        Self { world, program, folder }
    }

    fn backup(&self) -> String {
        self.folder.join("it.backup").display().to_string()
    }

    fn as_nobody(&self, arguments: &[&str]) -> Outcome {
        let own = self.world.dir().join("own");
        let mut command = self.world.command(&self.program.display().to_string());
        command.current_dir(&own).args(arguments).env("FAIRWAY_HOME", own.join("home"));
        Outcome::of(&command.uid(NOBODY).gid(NOBODY).output().unwrap())
    }
}

#[test]
fn a_backup_that_may_only_be_read_is_read_checked_copied_and_restored() {
    let shelf = Shelf::with_backup();
    let backup = shelf.backup();
    let read = shelf.as_nobody(&["events", "read", "kept-1", "--ledger", &backup]).passed();
    assert_eq!(read.stdout.lines().count(), 9, "{read}");
    assert_outcome!(shelf.as_nobody(&["ledger", "check", &backup]), @r"
    exit 0
    --- stderr
    nothing is wrong up to position 62
    ");
    for arguments in [
        &["ledger", "restore", &backup, "--to", "restored.db"][..],
        &["ledger", "copy", &backup, "copied.db"],
        &["ledger", "backup", "again.backup", "--ledger", &backup],
    ] {
        shelf.as_nobody(arguments).passed();
    }
    shelf.as_nobody(&["events", "append", "a-1", "b", "--ledger", "restored.db"]).passed();
    let left: Vec<_> = fs::read_dir(&shelf.folder).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn who_may_only_read_a_ledger_is_told_that_it_cannot_be_written() {
    let shelf = Shelf::with_backup();
    let backup = shelf.backup();
    let refused = |arguments: &[&str]| {
        let outcome = shelf.as_nobody(&[arguments, &["--ledger", &backup]].concat());
        assert_eq!(outcome.code, 3, "{outcome}");
        assert!(outcome.stderr.contains("it.backup` cannot be written"), "{outcome}");
        assert!(!outcome.stderr.contains("Fairway needs root"), "{outcome}");
    };
    refused(&["events", "append", "a-1", "b"]);
    refused(&["events", "delete", "kept-1", "--yes"]);
}

#[test]
fn a_file_with_a_log_beside_it_is_not_read_in_part() {
    let shelf = Shelf::with_backup();
    fs::write(shelf.folder.join("it.backup-wal"), "what only SQLite knows").unwrap();
    let checked = shelf.as_nobody(&["ledger", "check", &shelf.backup()]);
    let why = "it.backup-wal` has events that are not in the file yet; copy both to where";
    assert!(checked.code != 0 && checked.stderr.contains(why), "{checked}");
}
