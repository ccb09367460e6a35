//! Machines that Fairway cannot work on, or not any more: it says why and what to do.

use crate::{
    outcome::{Outcome, assert_outcome},
    remains,
    web::get,
    world::{FAIRWAY, World},
};
use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

/// The user `nobody`.
const NOBODY: u32 = 65534;

/// A file system that is mounted for as long as the value lives.
struct Mounted(PathBuf);

impl Mounted {
    fn new(at: &Path, kind: &str, options: &str) -> Self {
        fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", kind, "-o", options, "none"]).arg(at);
        assert!(mount.status().unwrap().success());
        Self(at.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status().unwrap();
        assert!(unmounted.success() || std::thread::panicking());
    }
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    let place = World::empty();
    let _disk = Mounted::new(&place.dir().join("disk"), "tmpfs", "size=64m");
    let world = World::new().with_home(&place.dir().join("disk/home"));
    world.fairway(&["run", "hello"]).passed();
    let filler = place.dir().join("disk/filler");
    world.write("services/hello/version.txt", "two\n");
    world.commit();
    for spare in [0, 64 << 10, 256 << 10, 1 << 20] {
        fill(&filler, spare);
        let outcome = world.fairway(&["run", "hello"]);
        let is_named =
            ["No space left", "is full"].iter().any(|text| outcome.stderr.contains(text));
        assert!(outcome.code == 0 || is_named, "with {spare} bytes to spare: {outcome}");
        assert!(outcome.code == 1 || spare > 0, "{outcome}");
    }
    fs::remove_file(filler).unwrap();
    world.fairway(&["run", "hello"]).passed();
    let releases = world.fairway(&["releases", "hello", "--output", "json"]).passed().json();
    assert_eq!(releases.as_array().unwrap().len(), 2, "{releases}");
    remains::assert_gone(world.home());
    drop(world);
}

#[test]
fn an_environment_serves_on_a_full_disk() {
    let place = World::empty();
    let _disk = Mounted::new(&place.dir().join("disk"), "tmpfs", "size=64m");
    let world = World::new().with_home(&place.dir().join("disk/home"));
    world.fairway(&["run", "hello"]).passed();
    let live = world.fairway(&["promote", "hello", "staging", "--output", "json"]).passed().json();
    let page = format!("{}/hello/version.txt", live["gateway"].as_str().unwrap());
    world.write("services/hello/version.txt", "two\n");
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    let filler = place.dir().join("disk/filler");
    for pages in 0..6 {
        let spare = pages * 4096;
        fill(&filler, spare);
        let release = format!("hello@{}", 2 - pages % 2);
        let outcome = world.fairway(&["promote", &release, "staging"]);
        assert!(outcome.code == 0 || is_full(&outcome), "{spare} bytes to spare: {outcome}");
        assert_eq!(get(&page).0, 200, "{spare} bytes to spare: {outcome}");
    }
    fs::remove_file(filler).unwrap();
    world.fairway(&["promote", "hello@1", "staging"]).passed();
    world.fairway(&["promote", "hello@2", "staging"]).passed();
    assert_eq!(get(&page), (200, "two\n".to_owned()));
    drop(world);
}

/// Whether the error names what is wrong.
fn is_full(outcome: &Outcome) -> bool {
    ["No space left", "is full"].iter().any(|text| outcome.stderr.contains(text))
}

/// Takes all space that is left but for some bytes.
fn fill(path: &Path, spare: u64) {
    let of = format!("of={}", path.display());
    let full = Command::new("dd").args(["if=/dev/zero", "bs=4k", &of]).output().unwrap();
    assert!(!full.status.success(), "the disk is not full");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - spare).unwrap();
}

#[test]
fn a_data_directory_of_a_newer_version_is_left_alone() {
    let world = World::new();
    world.fairway(&["run", "hello"]).passed();
    let script =
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('pragma user_version=7')";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(world.home().join("ledger.db"));
    assert!(python.status().unwrap().success());
    assert_outcome!(world.fairway(&["run", "hello"]), @r"
    exit 1
    --- stderr
    error: could not open the ledger
      caused by: ledger `[DIR]/home/ledger.db` has schema 7, this Fairway knows up to 3; use a newer Fairway
    ");
    assert_outcome!(world.fairway(&["status"]), @r"
    exit 1
    --- stderr
    error: could not open the ledger
      caused by: ledger `[DIR]/home/ledger.db` has schema 7, this Fairway knows up to 3; use a newer Fairway
    ");
}

#[test]
fn a_data_directory_on_overlayfs_is_refused_with_what_to_do() {
    let place = World::empty();
    for folder in ["lower", "upper", "work"] {
        fs::create_dir(place.dir().join(folder)).unwrap();
    }
    let dir = place.dir().display();
    let options = format!("lowerdir={dir}/lower,upperdir={dir}/upper,workdir={dir}/work");
    let _overlay = Mounted::new(&place.dir().join("merged"), "overlay", &options);
    let world = World::new().with_home(&place.dir().join("merged/home"));
    assert_outcome!(world.fairway(&["run", "hello"]), @r"
    exit 3
    --- stderr
    error: could not open the embedded engine
      caused by: the embedded engine cannot run here: `[DIR]/merged/home/` lies on overlayfs, on which images cannot be stacked; set `FAIRWAY_HOME` to a directory on ext4, xfs or btrfs (in a container: on a volume)
    ");
}

#[test]
fn whoever_is_not_root_is_told_what_to_do() {
    let world = World::new();
    let program = world.dir().join("fairway");
    fs::copy(FAIRWAY, &program).unwrap();
    fs::set_permissions(world.dir(), fs::Permissions::from_mode(0o755)).unwrap();
    let fleet = world.dir().join("theirs");
    for (name, arguments) in [("cp", ["-r"]), ("chown", ["-R"])] {
        let mut command = Command::new(name);
        command.args(arguments);
        match name {
            "cp" => command.arg(world.fleet()),
            _ => command.arg("nobody"),
        };
        assert!(command.arg(&fleet).status().unwrap().success());
    }
    let as_nobody = |arguments: &[&str], home: &Path| {
        let mut command = world.command(&program.display().to_string());
        command
            .current_dir(&fleet)
            .args(arguments)
            .env("FAIRWAY_HOME", home)
            .uid(NOBODY)
            .gid(NOBODY);
        Outcome::of(&command.output().unwrap())
    };
    let own = fleet.join("home");
    assert_outcome!(as_nobody(&["check"], &own), @r"
    exit 0
    --- stderr
    fleet `tiny`: 2 services, no errors
    ");
    assert_outcome!(as_nobody(&["run", "hello"], &own), @r"
    exit 3
    --- stderr
    error: could not open the embedded engine
      caused by: the embedded engine cannot run here: it needs root; run the same command with `sudo`
    ");
    world.fairway(&["run", "hello"]).passed();
    assert_outcome!(as_nobody(&["run", "hello"], world.home()), @r"
    exit 3
    --- stderr
    error: could not make the folder `[DIR]/home/blobs`
      caused by: Permission denied (os error 13)
      hint: run it as a user who may do that, with `sudo` if that is root
    ");
    assert_outcome!(as_nobody(&["promote", "hello", "staging"], world.home()), @r"
    exit 3
    --- stderr
    error: could not open the ledger
      caused by: ledger `[DIR]/home/ledger.db` cannot be written
      caused by: unable to open database file: [DIR]/home/ledger.db
      caused by: Error code 14: unable to open database file
      hint: run it as a user who may do that, with `sudo` if that is root
    ");
}

#[test]
fn a_program_that_is_missing_is_named_with_its_package() {
    let world = World::new();
    let without = |missing: &str| {
        let programs = world.dir().join(format!("without-{missing}"));
        fs::create_dir(&programs).unwrap();
        for program in ["/usr/bin/git", "/usr/sbin/nft"].map(Path::new) {
            let name = program.file_name().unwrap();
            if name != missing {
                symlink(program, programs.join(name)).unwrap();
            }
        }
        let mut command = world.program(&["run", "hello"]);
        Outcome::of(&command.env("PATH", programs).output().unwrap())
    };
    assert_outcome!(without("git"), @r"
    exit 3
    --- stderr
    error: could not run `git`
      caused by: No such file or directory (os error 2)
      hint: install it with `apt-get install git`
    ");
    assert_outcome!(without("nft"), @r"
    exit 1
    --- stderr
    error: could not remove what killed processes left
      caused by: the program `nft` is missing; install it with `apt-get install nftables`
    ");
}
