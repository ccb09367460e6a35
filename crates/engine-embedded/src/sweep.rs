//! Removes what nobody answers for: groups whose owner ended, containers whose helper was killed,
//! control groups and files that no container has. What is alive is not touched.
//!
//! A container claims its runtime directory before anything else is made for it, and gives it up
//! last. So what is found first and has no runtime directory afterwards belongs to nobody.

use crate::{
    contact,
    embedded::Embedded,
    group::{self, Ownership, names_in},
    helper::{Cgroup, Hierarchies},
    launch::blocking,
    network,
    place::Places,
    plan::Plan,
    process::ProcessId,
    remains,
};
use fairway_engine::{ContainerId, EngineError, GroupId, Keep, Mount};
use std::{
    collections::BTreeSet,
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

/// How long an unpacked file tree is kept after it was used last.
const TREE_KEPT: Duration = Duration::from_hours(24);
/// How long a group may take from its directory to its record.
const OPENS_WITHIN: Duration = Duration::from_secs(30);

impl Embedded {
    /// Removes what nobody answers for; gives the groups that were removed. To be called before
    /// work begins, and whenever something was killed.
    pub async fn sweep(&self) -> Result<Vec<GroupId>, EngineError> {
        let mut removed = Vec::new();
        for group in group::all(self.places())? {
            match abandoned(self.places(), &group)? {
                Some(_lock) => {
                    self.remove_group(&group).await?;
                    removed.push(group);
                }
                None => self.settle(&group).await?,
            }
        }
        let places = self.places().clone();
        let files = blocking(move || sweep_files(&places));
        let (networks, files) = tokio::join!(self.networks().sweep(), files);
        networks.map_err(network::failed)?;
        files.map(|()| removed)
    }

    /// Ends what is left of containers whose helper was killed. They stay listed as lost until
    /// they are removed.
    async fn settle(&self, group: &GroupId) -> Result<(), EngineError> {
        for name in names_in(&self.places().containers(group))? {
            let id = ContainerId { group: group.clone(), name };
            match contact::find(self, &id).await {
                Ok(_) | Err(EngineError::NoContainer(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The lock of a group that nobody owns any more.
fn abandoned(places: &Places, group: &GroupId) -> Result<Option<Ownership>, EngineError> {
    match group::load(places, group) {
        Ok(known) if known.keep == Keep::UntilClosed => Ok(None),
        Ok(_) => group::try_lock(places, group),
        Err(EngineError::NoGroup(_)) if is_older(&places.group(group), OPENS_WITHIN) => {
            group::try_lock(places, group)
        }
        Err(EngineError::NoGroup(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn sweep_files(places: &Places) -> Result<(), EngineError> {
    sweep_cgroups(places)?;
    sweep_containers(places)?;
    sweep_trees(places)?;
    for scope in names_in(&places.data.join("volumes"))? {
        remove_unfinished(&places.volumes(&scope))?;
    }
    Ok(())
}

fn sweep_cgroups(places: &Places) -> Result<(), EngineError> {
    let hierarchies = Hierarchies::here()?;
    let found = hierarchies.named(&places.cgroup_prefix());
    let known: BTreeSet<_> = containers(places)?.iter().map(|id| places.cgroup(id)).collect();
    let unknown = found.iter().map(|name| format!("/{name}")).filter(|path| !known.contains(path));
    unknown.into_iter().try_for_each(|path| Cgroup::new(&hierarchies, &path).remove())
}

fn containers(places: &Places) -> Result<Vec<ContainerId>, EngineError> {
    let mut all = Vec::new();
    for group in group::all(places)? {
        let names = names_in(&places.containers(&group))?;
        all.extend(names.into_iter().map(|name| ContainerId { group: group.clone(), name }));
    }
    Ok(all)
}

fn sweep_containers(places: &Places) -> Result<(), EngineError> {
    for group in names_in(&places.files())?.iter().filter_map(|name| name.parse().ok()) {
        for name in names_in(&places.group_files(&group))? {
            let id = ContainerId { group: group.clone(), name };
            let files = places.container_files(&id);
            if !places.container(&id).exists() {
                remains::remove_directory(&files)?;
            }
        }
        remains::remove_if_empty(&places.group_files(&group))?;
    }
    Ok(())
}

/// Removes unpacked file trees that no container has and that were not used for long.
fn sweep_trees(places: &Places) -> Result<(), EngineError> {
    remove_unfinished(&places.trees())?;
    let old: Vec<_> = names_in(&places.trees())?
        .into_iter()
        .filter(|name| is_older(&places.trees().join(name), TREE_KEPT))
        .collect();
    let used = used_trees(places)?;
    for name in old.iter().filter(|name| !used.iter().any(|used| name.starts_with(used))) {
        remains::remove_directory(&places.trees().join(name))?;
    }
    Ok(())
}

fn used_trees(places: &Places) -> Result<BTreeSet<String>, EngineError> {
    let mut used = BTreeSet::new();
    for id in containers(places)? {
        // One without a plan yet has marked its trees as used just now.
        let Ok(plan) = Plan::load(&Plan::path(&places.container(&id))) else { continue };
        used.extend(plan.mounts.iter().filter_map(|mount| match mount {
            Mount::Tree { tree, .. } => Some(tree.0.hex()),
            Mount::Volume { .. } | Mount::Tmpfs { .. } => None,
        }));
    }
    Ok(used)
}

/// Removes directories that a process did not live to finish: `.name-pid-number`.
fn remove_unfinished(directory: &Path) -> Result<(), EngineError> {
    for name in names_in(directory)?.iter().filter(|name| name.starts_with('.')) {
        let maker = name.rsplit('-').nth(1).and_then(|pid| pid.parse().ok());
        if maker.and_then(ProcessId::of).is_none() {
            remains::remove_directory(&directory.join(name))?;
        }
    }
    Ok(())
}

fn is_older(path: &Path, age: Duration) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| elapsed(modified).is_ok_and(|elapsed| elapsed > age))
}

fn elapsed(since: SystemTime) -> io::Result<Duration> {
    since.elapsed().map_err(io::Error::other)
}
