//! The engine itself.

use crate::{
    copy::make_whole,
    group::{self, Ownership},
    place::Places,
    process::boot_id,
    remains,
    requirements::{self, is_memory},
};
use fairway_engine::{EngineError, GroupId};
use fairway_layers::Layers;
use fairway_network::Networks;
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

/// What the engine needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Fairway's data directory; it is made if it is not there.
    pub data_dir: PathBuf,
    /// A directory of this data directory alone, on tmpfs; see [`Settings::runtime_dir_of`].
    pub runtime_dir: PathBuf,
    /// The executable whose `main` begins with [`crate::become_helper_if_asked`].
    pub helper: PathBuf,
    /// The images.
    pub layers: Layers,
}

impl Settings {
    /// The usual runtime directory of a data directory: `/run/fairway/<hash>`, or below `/dev/shm`
    /// on a machine whose `/run` is on a disk.
    pub fn runtime_dir_of(data_dir: &Path) -> PathBuf {
        let canonical = data_dir.canonicalize().unwrap_or_else(|_| data_dir.to_owned());
        let memory = ["/run", "/dev/shm"].map(Path::new).into_iter().find(|dir| is_memory(dir));
        memory.unwrap_or(Path::new("/run")).join("fairway").join(crate::place::tag(&canonical))
    }
}

/// The embedded engine of one data directory. Cheap to clone; several processes may use one data
/// directory at once.
#[derive(Debug, Clone)]
pub struct Embedded {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    places: Places,
    helper: PathBuf,
    layers: Layers,
    networks: Networks,
    /// Groups that end with this process.
    owned: Mutex<BTreeMap<GroupId, Ownership>>,
}

impl Embedded {
    /// Opens the engine. Says why and what to do if it cannot run here.
    pub fn open(settings: Settings) -> Result<Self, EngineError> {
        requirements::check_rights()?;
        make_directory(&settings.data_dir, 0o755)?;
        requirements::check_machine(&settings.data_dir)?;
        make_directory(&settings.runtime_dir, 0o700)?;
        requirements::check_private(&settings.runtime_dir)?;
        let data_dir = settings
            .data_dir
            .canonicalize()
            .map_err(EngineError::io(format!("find `{}`", settings.data_dir.display())))?;
        let places = Places::of(&data_dir, &settings.runtime_dir);
        forget_other_boots(&places)?;
        for directory in [places.groups(), places.files(), places.trees()] {
            make_directory(&directory, 0o700)?;
        }
        make_skeleton(&places)?;
        let Settings { helper, layers, .. } = settings;
        let networks = Networks::open(&places.runtime, helper.clone());
        let inner = Inner { places, helper, layers, networks, owned: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(crate) fn places(&self) -> &Places {
        &self.inner.places
    }

    pub(crate) fn helper(&self) -> &Path {
        &self.inner.helper
    }

    pub(crate) fn layers(&self) -> &Layers {
        &self.inner.layers
    }

    pub(crate) fn networks(&self) -> &Networks {
        &self.inner.networks
    }

    pub(crate) fn owned(&self) -> MutexGuard<'_, BTreeMap<GroupId, Ownership>> {
        self.inner.owned.lock().expect("no holder of this lock panics")
    }

    /// Refuses a group that nobody opened.
    pub(crate) fn check_open(&self, group: &GroupId) -> Result<(), EngineError> {
        if group::is_open(&self.inner.places, group) {
            return Ok(());
        }
        Err(EngineError::NoGroup(group.clone()))
    }
}

fn make_directory(path: &Path, mode: u32) -> Result<(), EngineError> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(EngineError::io(format!("make `{}`", path.display())))
}

/// Makes the layer of mount points, so that mounting leaves no trace in the changes of a container.
fn make_skeleton(places: &Places) -> Result<(), EngineError> {
    let path = places.skeleton();
    if path.is_dir() {
        return Ok(());
    }
    make_whole(&path, |fresh| {
        for directory in ["dev", "etc", "proc", "sys"] {
            fs::create_dir(fresh.join(directory))?;
        }
        ["hostname", "hosts", "resolv.conf"]
            .iter()
            .try_for_each(|file| fs::write(fresh.join("etc").join(file), ""))
    })
    .map_err(EngineError::io(format!("make `{}`", path.display())))
}

/// Removes what an earlier boot left in the runtime directory: none of it runs.
fn forget_other_boots(places: &Places) -> Result<(), EngineError> {
    let (path, boot) = (places.runtime.join("boot"), boot_id()?);
    match fs::read_to_string(&path) {
        Ok(known) if known == boot => return Ok(()),
        Ok(_) => remains::remove_directory(&places.groups())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(EngineError::io(format!("read `{}`", path.display()))(error)),
    }
    fs::write(&path, boot).map_err(EngineError::io(format!("write `{}`", path.display())))
}
