//! Remembers which digest a file had when it looked like this, so that an unchanged file need not
//! be read again. The idea, and its trap, are those of git's index (git's documentation,
//! `racy-git`): a file that changed in the same tick of the clock looks unchanged, so a file is only
//! remembered when its last change was clearly before it was read.

use crate::{
    codec::{Decoder, Encoder},
    error::BlobError,
};
use fairway_model::Digest;
use rustix::fs::Stat;
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process,
};

/// Most files that a cache remembers; beyond it, those not seen in the last capture are dropped.
pub const KNOWN_FILES_MAX: usize = 200_000;

const HEADER: &[u8] = b"fairway-stat 1\n";
const SECOND: i128 = 1_000_000_000;
/// The kernel's clock for time stamps ticks at least this often.
const FINE_TICK: i128 = SECOND / 20;
/// What a file system without parts of seconds may round to.
const COARSE_TICK: i128 = 2 * SECOND;

/// What was known of a root's files after the last capture.
#[derive(Debug, Default)]
pub struct StatCache {
    file: Option<PathBuf>,
    known: HashMap<Box<[u8]>, Known>,
    is_changed: bool,
}

#[derive(Debug)]
struct Known {
    look: Look,
    digest: Digest,
    is_seen: bool,
}

/// All that changes when a file's content does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    device: u64,
    inode: u64,
    size: u64,
    mode: u64,
    modified: i128,
    changed: i128,
}

impl Look {
    pub(crate) fn of(stat: &Stat) -> Self {
        let time = |seconds: i64, nanos: u64| i128::from(seconds) * SECOND + i128::from(nanos);
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size.cast_unsigned(),
            mode: stat.st_mode.into(),
            modified: time(stat.st_mtime, stat.st_mtime_nsec),
            changed: time(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// The number of bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// When the file was last changed, in nanoseconds since 1970.
    pub(crate) fn last_change(&self) -> i128 {
        self.modified.max(self.changed)
    }

    /// Whether a change after `now` is sure to look different.
    fn is_settled(&self, now: i128) -> bool {
        let is_coarse = self.modified % SECOND == 0 && self.changed % SECOND == 0;
        let tick = if is_coarse { COARSE_TICK } else { FINE_TICK };
        self.last_change() + tick < now
    }
}

impl StatCache {
    /// Opens the cache for a root; caches of different roots share a directory. One that is missing,
    /// damaged or of another version is empty.
    pub fn open(dir: &Path, root: &Path) -> Result<Self, BlobError> {
        fs::create_dir_all(dir).map_err(|error| BlobError::io("create", dir, error))?;
        let file = dir.join(Digest::of(root.as_os_str().as_bytes()).hex());
        let known = match fs::read(&file) {
            Ok(bytes) => decode(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
            Err(error) => return Err(BlobError::io("read", &file, error)),
        };
        Ok(Self { file: Some(file), known, is_changed: false })
    }

    /// A cache that is not kept, for a root that is captured once.
    pub fn forgetful() -> Self {
        Self::default()
    }

    /// Writes the cache to disk, if a capture changed it. Of several processes, the last wins.
    pub fn save(&mut self) -> Result<(), BlobError> {
        let Some(file) = self.file.as_deref().filter(|_| self.is_changed) else {
            return Ok(());
        };
        if self.known.len() > KNOWN_FILES_MAX {
            self.known.retain(|_, known| known.is_seen);
        }
        let new = file.with_extension(process::id().to_string());
        let written = fs::write(&new, encode(&self.known)).and_then(|()| fs::rename(&new, file));
        written.map_err(|error| {
            let failure = BlobError::io("write", file, error);
            match fs::remove_file(&new) {
                Ok(()) => failure,
                Err(error) if error.kind() == io::ErrorKind::NotFound => failure,
                Err(error) => BlobError::io("remove", &new, error),
            }
        })?;
        self.is_changed = false;
        Ok(())
    }

    /// The digest of a file that looks as it did.
    pub(crate) fn find(&mut self, path: &Path, look: &Look) -> Option<Digest> {
        let known = self.known.get_mut(path.as_os_str().as_bytes())?;
        known.is_seen = true;
        (known.look == *look).then_some(known.digest)
    }

    /// Remembers a file that was read at `now`, if it is safe to.
    pub(crate) fn remember(&mut self, path: &Path, look: Look, digest: Digest, now: i128) {
        let key = path.as_os_str().as_bytes();
        if look.is_settled(now) {
            self.known.insert(key.into(), Known { look, digest, is_seen: true });
            self.is_changed = true;
        } else if self.known.remove(key).is_some() {
            self.is_changed = true;
        }
    }
}

fn encode(known: &HashMap<Box<[u8]>, Known>) -> Vec<u8> {
    let mut out = Encoder::default();
    out.raw(HEADER);
    for (path, Known { look, digest, .. }) in known {
        out.field(path);
        for number in [look.device, look.inode, look.size, look.mode] {
            out.u64(number);
        }
        out.raw(&look.modified.to_le_bytes());
        out.raw(&look.changed.to_le_bytes());
        out.raw(digest.as_bytes());
    }
    let end = Digest::of(&out.0);
    out.raw(end.as_bytes());
    out.0
}

fn decode(bytes: &[u8]) -> Option<HashMap<Box<[u8]>, Known>> {
    let (body, end) = bytes.split_last_chunk()?;
    if Digest::of(body) != Digest::from_bytes(*end) {
        return None;
    }
    let mut fields = Decoder(body.strip_prefix(HEADER)?);
    let mut known = HashMap::new();
    while !fields.is_empty() {
        let path = OsStr::from_bytes(fields.field()?).as_bytes().into();
        let look = Look {
            device: fields.u64()?,
            inode: fields.u64()?,
            size: fields.u64()?,
            mode: fields.u64()?,
            modified: fields.array().map(i128::from_le_bytes)?,
            changed: fields.array().map(i128::from_le_bytes)?,
        };
        let digest = Digest::from_bytes(fields.array()?);
        known.insert(path, Known { look, digest, is_seen: false });
    }
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(changed: i128) -> Look {
        Look { device: 1, inode: 2, size: 3, mode: 4, modified: 5, changed }
    }

    #[test]
    fn a_file_that_changed_just_now_is_not_remembered() {
        let mut cache = StatCache::forgetful();
        let (path, digest) = (Path::new("a"), Digest::of("a"));
        let now = 1000 * SECOND;
        cache.remember(path, look(now - 1), digest, now);
        assert_eq!(cache.find(path, &look(now - 1)), None);
        let settled = look(now - FINE_TICK - 1);
        cache.remember(path, settled, digest, now);
        assert_eq!(cache.find(path, &settled), Some(digest));
        let coarse = Look { modified: 0, ..look(999 * SECOND) };
        cache.remember(path, coarse, digest, now);
        assert_eq!(cache.find(path, &coarse), None);
    }

    #[test]
    fn a_saved_cache_is_read_back_and_a_damaged_one_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let root = Path::new("/somewhere");
        let mut cache = StatCache::open(dir.path(), root).unwrap();
        cache.remember(Path::new("a/b"), look(1), Digest::of("a"), SECOND);
        cache.save().unwrap();
        let mut again = StatCache::open(dir.path(), root).unwrap();
        assert_eq!(again.find(Path::new("a/b"), &look(1)), Some(Digest::of("a")));
        let mut other = StatCache::open(dir.path(), Path::new("/elsewhere")).unwrap();
        assert_eq!(other.find(Path::new("a/b"), &look(1)), None);

        let file = cache.file.unwrap();
        let mut bytes = fs::read(&file).unwrap();
        bytes[20] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert!(StatCache::open(dir.path(), root).unwrap().known.is_empty());
    }
}
