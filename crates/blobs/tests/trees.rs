//! Trees on a real file system: capture, materialize, faults, hostile manifests.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use fairway_blobs::{
    BlobError, Blobs, CaptureRules, Entry, Kind, Mode, Modes, Node, PATH_MAX, Selection, StatCache,
    Tree, TreeError, TreePath, capture, materialize,
};
use fairway_model::{Digest, TreeDigest};
use proptest::prelude::*;
use std::{
    ffi::CString,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

struct Place {
    dir: tempfile::TempDir,
    blobs: Blobs,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").expect("a temporary directory");
        let blobs = Blobs::open(dir.path().join("blobs")).expect("a store");
        Self { dir, blobs }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn capture(&self, name: &str) -> TreeDigest {
        let rules = CaptureRules::all();
        let mut cache = StatCache::forgetful();
        capture(&self.blobs, &self.path(name), &rules, &mut cache).expect("a capture").digest
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, text).expect("a file");
}

fn sample(root: &Path) {
    write(&root.join("src/main.py"), "print(1)");
    write(&root.join("src/empty"), "");
    write(&root.join("run.sh"), "#!/bin/sh");
    fs::set_permissions(root.join("run.sh"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::create_dir_all(root.join("locked/empty")).unwrap();
    write(&root.join("locked/file"), "x");
    fs::set_permissions(root.join("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    symlink("../run.sh", root.join("src/link")).unwrap();
    symlink("/etc", root.join("out")).unwrap();
}

#[test]
fn a_tree_comes_out_as_it_went_in() {
    let place = Place::new();
    sample(&place.path("one"));
    let tree = place.capture("one");
    materialize(&place.blobs, &tree, &place.path("deep/two")).unwrap();
    assert_eq!(place.capture("deep/two"), tree);
    let mode = fs::metadata(place.path("deep/two/locked")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o555);
    assert_eq!(fs::read_link(place.path("deep/two/src/link")).unwrap(), Path::new("../run.sh"));
    assert!(Tree::load(&place.blobs, &tree).unwrap().is_complete(&place.blobs));
}

#[test]
fn a_tree_does_not_depend_on_place_time_or_umask() {
    let place = Place::new();
    let rules = CaptureRules { modes: Modes::Source, select: &|_, _| Selection::Take };
    let mut digests = Vec::new();
    for (name, mode) in [("one", 0o600), ("two", 0o664)] {
        let root = place.path(name);
        write(&root.join("a/b"), "text");
        fs::set_permissions(root.join("a/b"), fs::Permissions::from_mode(mode)).unwrap();
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(mode | 0o100)).unwrap();
        let captured = capture(&place.blobs, &root, &rules, &mut StatCache::forgetful()).unwrap();
        digests.push(captured.digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_selection_leaves_out_what_it_skips_and_enters_only_for_what_it_takes() {
    let place = Place::new();
    let root = place.path("fleet");
    for file in ["services/orders/a", "services/cart/b", "proto/c", "node_modules/d", "e"] {
        write(&root.join(file), file);
    }
    let select = |path: &Path, kind: Kind| match path {
        path if path.ends_with("node_modules") => Selection::Skip,
        path if path.starts_with("services/orders") || path.starts_with("proto") => Selection::Take,
        _ if kind == Kind::Directory => Selection::Enter,
        _ => Selection::Skip,
    };
    let rules = CaptureRules { modes: Modes::Source, select: &select };
    let tree = capture(&place.blobs, &root, &rules, &mut StatCache::forgetful()).unwrap().tree;
    let paths: Vec<_> = tree.entries().iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(paths, ["proto", "proto/c", "services", "services/orders", "services/orders/a"]);
}

/// Captures until no file has to be read; fresh files are settled only some milliseconds later.
fn settle(blobs: &Blobs, root: &Path, cache: &mut StatCache) -> TreeDigest {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let captured = capture(blobs, root, &CaptureRules::all(), cache).expect("a capture");
        if captured.files_read == 0 {
            return captured.digest;
        }
        assert!(Instant::now() < deadline, "{} files are read again", captured.files_read);
    }
}

#[test]
fn an_unchanged_root_is_not_read_again_and_a_changed_file_is() {
    let place = Place::new();
    let root = place.path("root");
    for number in 0..1000 {
        write(&root.join(format!("{}/{number}", number % 10)), &number.to_string());
    }
    let (caches, rules) = (place.path("stat"), CaptureRules::all());
    let mut cache = StatCache::open(&caches, &root).unwrap();
    let first = settle(&place.blobs, &root, &mut cache);
    cache.save().unwrap();

    let start = Instant::now();
    let mut cache = StatCache::open(&caches, &root).unwrap();
    let again = capture(&place.blobs, &root, &rules, &mut cache).unwrap();
    println!("an unchanged capture of 1000 files took {:?}", start.elapsed());
    assert_eq!((again.digest, again.files_read), (first, 0));

    fs::write(root.join("3/993"), "399").unwrap();
    let changed = capture(&place.blobs, &root, &rules, &mut cache).unwrap();
    assert_eq!(changed.files_read, 1);
    assert_ne!(changed.digest, first);
}

#[test]
fn a_change_in_the_same_tick_and_of_the_same_size_is_seen() {
    let place = Place::new();
    let (root, rules) = (place.path("root"), CaptureRules::all());
    let mut cache = StatCache::open(&place.path("stat"), &root).unwrap();
    write(&root.join("file"), "-");
    for round in 0..300_u32 {
        let text = format!("{round:05}");
        fs::write(root.join("file"), &text).unwrap();
        let tree = capture(&place.blobs, &root, &rules, &mut cache).unwrap().tree;
        let seen = tree.entries()[0].file().map(|(_, digest)| *digest);
        assert_eq!(seen, Some(Digest::of(&text)), "round {round}");
    }
}

#[test]
fn a_link_in_the_destination_is_not_followed() {
    let place = Place::new();
    write(&place.path("one/d/file"), "new");
    write(&place.path("one/plain"), "new");
    let tree = place.capture("one");
    let (dest, outside) = (place.path("dest"), place.path("outside"));
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(&dest).unwrap();
    write(&outside.join("kept"), "old");
    symlink(outside.join("kept"), dest.join("plain")).unwrap();
    symlink(&outside, dest.join("d")).unwrap();
    let error = materialize(&place.blobs, &tree, &dest).unwrap_err();
    assert_eq!(error.to_string(), format!("could not create `{}`", dest.join("d").display()));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);

    fs::remove_file(dest.join("d")).unwrap();
    materialize(&place.blobs, &tree, &dest).unwrap();
    assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "old");
    assert_eq!(fs::read_to_string(dest.join("plain")).unwrap(), "new");
}

#[test]
fn a_root_that_is_a_link_is_not_followed() {
    let place = Place::new();
    symlink("/etc", place.path("root")).unwrap();
    let captured = capture(
        &place.blobs,
        &place.path("root"),
        &CaptureRules::all(),
        &mut StatCache::forgetful(),
    );
    assert!(matches!(captured, Err(TreeError::Io { .. })));
}

#[test]
fn sockets_and_pipes_are_passed_over() {
    let place = Place::new();
    let root = place.path("root");
    write(&root.join("file"), "x");
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let tree = Tree::load(&place.blobs, &place.capture("root")).unwrap();
    assert_eq!(tree.entries().len(), 1);
}

#[test]
fn a_missing_or_shortened_blob_is_noticed() {
    let place = Place::new();
    write(&place.path("one/file"), "content");
    let tree = place.capture("one");
    let blob = place.blobs.path(&Digest::of("content"));
    fs::remove_file(&blob).unwrap();
    let error = materialize(&place.blobs, &tree, &place.path("two")).unwrap_err();
    assert!(matches!(error, TreeError::Blob(BlobError::Missing(_))), "{error}");
    fs::write(&blob, "con").unwrap();
    assert!(!Tree::load(&place.blobs, &tree).unwrap().is_complete(&place.blobs));
    let error = materialize(&place.blobs, &tree, &place.path("two")).unwrap_err();
    assert!(matches!(error, TreeError::Blob(BlobError::Damaged(_))), "{error}");
    assert_eq!(place.capture("one"), tree, "a capture mends it");
    assert!(Tree::load(&place.blobs, &tree).unwrap().is_complete(&place.blobs));
}

/// A file system of its own, unmounted on drop.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(kind: &str, options: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let options = CString::new(options).unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount(kind, dir.path(), kind, flags, Some(options.as_c_str()))
            .expect("a mount; this test needs root");
        Self(dir)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let flags = rustix::mount::UnmountFlags::DETACH;
        rustix::mount::unmount(self.0.path(), flags).expect("an unmount");
    }
}

#[test]
fn a_store_works_on_overlayfs() {
    let disk = Mounted::new("tmpfs", "size=1m");
    let [lower, upper, work] = ["lower", "upper", "work"].map(|name| disk.0.path().join(name));
    for dir in [&lower, &upper, &work] {
        fs::create_dir(dir).unwrap();
    }
    let (lower, upper, work) = (lower.display(), upper.display(), work.display());
    let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    let overlay = Mounted::new("overlay", &options);
    let blobs = Blobs::open(overlay.0.path().join("blobs")).unwrap();
    let digest = blobs.put(b"fairway").unwrap();
    assert_eq!(blobs.get(&digest, 7).unwrap(), b"fairway");
}

#[test]
fn a_full_disk_is_named_and_leaves_no_part_of_a_blob() {
    let disk = Mounted::new("tmpfs", "size=256k");
    let blobs = Blobs::open(disk.0.path().join("blobs")).unwrap();
    let kept = blobs.put(b"kept").unwrap();
    let big = vec![7; 1 << 20];
    let error = blobs.put(&big).unwrap_err();
    assert!(matches!(error, BlobError::DiskFull { .. }), "{error}");
    assert!(!blobs.contains(&Digest::of(&big)));
    blobs.put(vec![8; 100 << 10]).unwrap();
    assert_eq!(blobs.get(&kept, 10).unwrap(), b"kept");
}

fn load(place: &Place, manifest: &[u8]) -> Result<Tree, TreeError> {
    let digest = place.blobs.put(manifest).expect("a blob");
    Tree::load(&place.blobs, &TreeDigest(digest))
}

/// The bytes of a manifest of links, which this test writes by itself.
fn manifest(paths: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b"fairway-tree 1\n".to_vec();
    for path in paths {
        for field in [&[b'l'][..], &length(path), path, &[1, 0], b"t"] {
            bytes.extend_from_slice(field);
        }
    }
    bytes
}

fn length(path: &[u8]) -> [u8; 2] {
    u16::try_from(path.len()).expect("a short path").to_le_bytes()
}

#[test]
fn a_hostile_manifest_is_refused() {
    let place = Place::new();
    assert_eq!(load(&place, &manifest(&[b"a", b"b"])).unwrap().entries().len(), 2);
    let long = vec![b'a'; PATH_MAX + 1];
    let paths: [&[&[u8]]; 11] = [
        &[b"../a"],
        &[b"/etc/passwd"],
        &[b"a/../../b"],
        &[b"a\0"],
        &[b""],
        &[b"."],
        &[&long],
        &[b"b", b"a"],
        &[b"a", b"a"],
        &[b"a", b"a/b"],
        &[b"a/b"],
    ];
    for paths in paths {
        let error = load(&place, &manifest(paths)).unwrap_err();
        assert!(matches!(error, TreeError::Manifest { .. }), "{paths:?}: {error}");
    }
    let whole = manifest(&[b"a"]);
    for end in 0..whole.len() {
        let is_empty_tree = end == b"fairway-tree 1\n".len();
        assert_eq!(load(&place, &whole[..end]).is_ok(), is_empty_tree, "cut at {end}");
    }
}

fn any_path() -> impl Strategy<Value = Vec<u8>> {
    let component = prop_oneof![
        Just(b"a".to_vec()),
        Just(b"b".to_vec()),
        Just(b"..".to_vec()),
        Just(b".".to_vec()),
        Just(Vec::new()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(component, 0..4).prop_map(|parts| parts.join(&b'/'))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_manifest_writes_outside_its_destination(
        entries in prop::collection::vec((any_path(), 0_u8..4), 0..6),
    ) {
        let place = Place::new();
        let digest = place.blobs.put(b"content").unwrap();
        let mut bytes = b"fairway-tree 1\n".to_vec();
        for (path, kind) in &entries {
            bytes.push(b"dflx"[usize::from(*kind)]);
            bytes.extend(length(path));
            bytes.extend(path);
            match kind {
                0 => bytes.extend([0xed, 0x01]),
                1 => {
                    bytes.extend([0xa4, 0x01]);
                    bytes.extend(7_u64.to_le_bytes());
                    bytes.extend(digest.as_bytes());
                }
                _ => bytes.extend(b"\x05\x00../.."),
            }
        }
        let tree = TreeDigest(place.blobs.put(&bytes).unwrap());
        let dest = place.path("jail/dest");
        if materialize(&place.blobs, &tree, &dest).is_ok() {
            prop_assert_eq!(place.capture("jail/dest"), tree);
        }
        for left in fs::read_dir(place.path("jail")).into_iter().flatten() {
            prop_assert_eq!(left.unwrap().file_name(), "dest");
        }
        prop_assert!(fs::read_dir(place.dir.path()).unwrap().count() <= 2);
    }

    #[test]
    fn a_stored_tree_is_read_back_the_same(
        files in prop::collection::btree_map("[a-c]{1,3}", (any::<u64>(), 0_u32..0o1000), 0..8),
    ) {
        let place = Place::new();
        let entries = files.iter().map(|(path, (size, mode))| Entry {
            path: TreePath::new(path).unwrap(),
            node: Node::File { mode: Mode::of(*mode), size: *size, digest: Digest::of(path) },
        });
        let tree = Tree::from_entries(entries.collect()).unwrap();
        let digest = tree.store(&place.blobs).unwrap();
        prop_assert_eq!(digest, tree.digest());
        prop_assert_eq!(Tree::load(&place.blobs, &digest).unwrap(), tree);
    }
}
