//! Images and layers on a real file system. Needs root: layers hold owners and devices.

#![allow(clippy::unwrap_used, reason = "a failed setup is a failed test")]

use fairway_blobs::Blobs;
use fairway_layers::{Content, ImageConfig, Layer, LayerError, Layers, NewFile, Whiteouts, unpack};
use fairway_model::{Digest, ImageRef};
use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, XattrFlags};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink},
    path::{Path, PathBuf},
};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

fn store() -> (TempDir, Layers) {
    let dir = tempfile::tempdir_in("/var/tmp").expect("a temporary directory");
    let blobs = Blobs::open(dir.path().join("blobs")).expect("blobs");
    let layers = Layers::open(dir.path().join("layers"), blobs).expect("layers");
    (dir, layers)
}

/// An upper directory with one of everything.
fn fill(upper: &Path) {
    fs::create_dir_all(upper.join("dir/deep")).unwrap();
    fs::write(upper.join("dir/file"), "text").unwrap();
    fs::set_permissions(upper.join("dir/file"), Permissions::from_mode(0o4750)).unwrap();
    lchown(upper.join("dir"), Some(1000), Some(100_000)).unwrap();
    fs::hard_link(upper.join("dir/file"), upper.join("dir/other-name")).unwrap();
    symlink("../file//", upper.join("dir/deep/link")).unwrap();
    symlink("x".repeat(300), upper.join("dir/deep/long-link")).unwrap();
    let long = upper.join("long").join("n".repeat(200)).join("m".repeat(200));
    fs::create_dir_all(&long).unwrap();
    fs::write(long.join("file"), vec![7; 100_000]).unwrap();
    rustix::fs::lsetxattr(upper.join("dir/deep"), "user.note", b"kept", XattrFlags::empty())
        .unwrap();
    let opaque = "trusted.overlay.opaque";
    rustix::fs::lsetxattr(upper.join("dir"), opaque, b"y", XattrFlags::empty()).unwrap();
    mknod(&upper.join("dir/gone"), FileType::CharacterDevice, 0);
    mknod(&upper.join("null"), FileType::CharacterDevice, rustix::fs::makedev(1, 3));
    mknod(&upper.join("pipe"), FileType::Fifo, 0);
}

fn mknod(path: &Path, kind: FileType, device: u64) {
    rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), device).unwrap();
}

fn commit(layers: &Layers, fill: impl Fn(&Path)) -> Layer {
    let draft = layers.draft().unwrap();
    fill(&draft.upper());
    layers.commit(&draft.upper()).unwrap()
}

fn directory(layers: &Layers, layer: Layer) -> PathBuf {
    let image = layers.assemble(ImageConfig::empty(), &[layer]).unwrap();
    layers.image(&image).unwrap().lower_dirs[0].clone()
}

#[test]
fn a_layer_survives_the_way_through_its_tar() {
    let (_dir, layers) = store();
    let layer = commit(&layers, fill);
    let mut tar = Vec::new();
    layers.write_tar(&layer, &mut tar).unwrap();
    assert_eq!((Digest::of(&tar), tar.len() as u64), (layer.diff_id, layer.size));

    let (_elsewhere, other) = store();
    assert_eq!(other.import(&tar[..]).unwrap(), layer);
    let unpacked = directory(&other, layer);
    let meta = |path: &str| fs::symlink_metadata(unpacked.join(path)).unwrap();
    assert_eq!(meta("dir/file").mode() & 0o7777, 0o4750);
    assert_eq!(meta("dir/file").ino(), meta("dir/other-name").ino());
    assert_eq!((meta("dir").uid(), meta("dir").gid()), (1000, 100_000));
    assert_eq!(meta("null").rdev(), rustix::fs::makedev(1, 3));
    assert_eq!(meta("dir/gone").rdev(), 0);
    assert_eq!(fs::read_link(unpacked.join("dir/deep/link")).unwrap(), Path::new("../file//"));
}

#[test]
fn a_foreign_layer_is_unpacked_from_its_tar_when_it_is_first_used() {
    let (_dir, layers) = store();
    let layer = commit(&layers, fill);
    let mut tar = Vec::new();
    layers.write_tar(&layer, &mut tar).unwrap();

    let (_elsewhere, other) = store();
    let image = other.assemble(ImageConfig::empty(), &[layer]).unwrap();
    assert!(matches!(other.image(&image), Err(LayerError::NoLayer(_))));
    other.blobs().put(&tar).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| other.image(&image).unwrap());
        }
    });
    assert!(other.image(&image).unwrap().lower_dirs[0].join("dir/file").exists());
    assert_eq!(drafts(&other), 0);
}

#[test]
fn the_same_files_are_the_same_layer() {
    let (_dir, layers) = store();
    let make = |upper: &Path| {
        fs::write(upper.join("file"), "text").unwrap();
        let time = fs::File::open(upper.join("file")).unwrap();
        time.set_modified(std::time::UNIX_EPOCH).unwrap();
    };
    let first = commit(&layers, make);
    assert_eq!(commit(&layers, make), first);
    assert_eq!(drafts(&layers), 0);
}

#[test]
fn a_layer_whose_files_changed_is_not_handed_out_as_a_tar() {
    let (_dir, layers) = store();
    let layer = commit(&layers, fill);
    fs::write(directory(&layers, layer).join("dir/deep/new"), "").unwrap();
    let written = layers.write_tar(&layer, &mut std::io::sink());
    assert!(matches!(written, Err(LayerError::Damaged(_))));
}

#[test]
fn an_image_of_files_runs_as_its_configuration_says() {
    let (_dir, layers) = store();
    let mut config = ImageConfig::empty();
    config.config.cmd = Some(vec!["/bin/sh".to_owned()]);
    let files = [
        NewFile::new("/bin/busybox", Content::Copy("/usr/bin/busybox".into())),
        NewFile::new("/bin/sh", Content::Link("busybox".into())),
        NewFile::new("tmp", Content::Directory(0o1777)),
    ];
    let digest = layers.image_of_files(config.clone(), &files).unwrap();
    let image = layers.image(&digest).unwrap();
    assert_eq!(image.config.config, config.config);
    let root = &image.lower_dirs[0];
    assert!(root.join("bin/sh").exists());
    assert_eq!(fs::metadata(root.join("tmp")).unwrap().mode() & 0o7777, 0o1777);
    assert_eq!(layers.image(&digest).unwrap(), image);
}

#[test]
fn a_name_stands_for_the_image_it_was_last_given() {
    let (_dir, layers) = store();
    let name: ImageRef = "node:18".parse().unwrap();
    let (one, two) = (Digest::of("1"), Digest::of("2"));
    assert_eq!(layers.resolve(&name).unwrap(), None);
    layers.names().set(&name, &one).unwrap();
    layers.names().set(&name, &two).unwrap();
    assert_eq!(layers.resolve(&name).unwrap(), Some(two));
    assert_eq!(layers.names().list().unwrap().len(), 1);
    assert!(layers.names().remove(&name).unwrap());
    assert!(!layers.names().remove(&name).unwrap());
}

#[test]
fn a_draft_of_a_killed_process_is_swept_and_a_living_one_is_not() {
    let (_dir, layers) = store();
    let living = layers.draft().unwrap();
    let left = layers.dir().join("drafts/1-0");
    fs::create_dir_all(left.join("upper/x")).unwrap();
    layers.sweep().unwrap();
    assert!(!left.exists());
    assert!(living.upper().exists());
}

fn drafts(layers: &Layers) -> usize {
    fs::read_dir(layers.dir().join("drafts")).unwrap().count()
}

/// One entry of an archive that nobody should trust.
#[derive(Debug, Clone)]
struct Hostile {
    path: String,
    kind: EntryType,
    target: String,
}

fn hostile() -> impl Strategy<Value = Hostile> {
    let part = prop::sample::select(vec!["a", "b", "..", ".", "", "/", ".wh.a", ".wh..wh..opq"]);
    let path = prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"));
    let kind = prop::sample::select(vec![
        EntryType::Regular,
        EntryType::Directory,
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Fifo,
    ]);
    let target = prop::sample::select(vec!["..", "/", "../..", "../canary", "a", "b/a", "/canary"]);
    (path, kind, target).prop_map(|(path, kind, target)| Hostile {
        path,
        kind,
        target: target.to_owned(),
    })
}

/// Writes names as they are; `tar` itself would refuse most of these.
fn archive(entries: &[Hostile]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(entry.kind);
        header.set_mode(0o777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        header.set_size(0);
        header.as_old_mut().name[..entry.path.len()].copy_from_slice(entry.path.as_bytes());
        header.as_old_mut().linkname[..entry.target.len()].copy_from_slice(entry.target.as_bytes());
        header.set_cksum();
        tar.append(&header, std::io::empty()).unwrap();
    }
    tar.into_inner().unwrap()
}

proptest! {
    #[test]
    fn nothing_is_written_outside(entries in prop::collection::vec(hostile(), 1..12)) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(dir.path().join("canary"), "alive").unwrap();
        let before = fs::metadata(dir.path().join("canary")).unwrap();
        // Whether it is refused does not matter here.
        drop(unpack(&archive(&entries)[..], &root, Whiteouts::Overlay));
        let after = fs::metadata(dir.path().join("canary")).unwrap();
        prop_assert_eq!((before.ctime_nsec(), before.nlink()), (after.ctime_nsec(), after.nlink()));
        prop_assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn arbitrary_bytes_are_no_archive_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        let dir = tempfile::tempdir().unwrap();
        drop(unpack(&bytes[..], dir.path(), Whiteouts::Ignored));
    }
}

#[test]
fn equal_layers_are_mounted_once() {
    let (_dir, layers) = store();
    let (one, two) = (commit(&layers, fill), commit(&layers, |_| ()));
    let image = layers.assemble(ImageConfig::empty(), &[two, one, two]).unwrap();
    let image = layers.image(&image).unwrap();
    assert_eq!((image.layers.len(), image.lower_dirs.len()), (3, 2));
    assert_eq!(image.lower_dirs[0], directory(&layers, two));
}

#[test]
fn a_layer_that_a_power_failure_damaged_is_not_used() {
    let (_dir, layers) = store();
    let (whole, damaged) = (
        commit(&layers, fill),
        commit(&layers, |upper| {
            fs::write(upper.join("file"), "text").unwrap();
        }),
    );
    fs::write(directory(&layers, damaged).join("file"), "").unwrap();
    for mark in fs::read_dir(layers.dir().join("marks")).unwrap() {
        fs::write(mark.unwrap().path(), "another boot").unwrap();
    }
    assert!(layers.contains(&whole.diff_id));
    assert!(!layers.contains(&damaged.diff_id));
    let image = layers.assemble(ImageConfig::empty(), &[damaged]).unwrap();
    assert!(matches!(layers.image(&image), Err(LayerError::NoLayer(_))));
    assert_eq!(fs::read_dir(layers.dir().join("marks")).unwrap().count(), 0);
}

#[test]
fn an_image_has_a_highest_number_of_layers() {
    let (_dir, layers) = store();
    let layer = commit(&layers, fill);
    let refused = layers.assemble(ImageConfig::empty(), &[layer; fairway_layers::LAYERS_MAX + 1]);
    assert!(matches!(refused, Err(LayerError::TooManyLayers { .. })));
}
