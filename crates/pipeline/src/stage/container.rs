//! The container in which a stage's steps run.

use super::{end::Stopped, prepare::Prepared, stage_run::StageRun};
use crate::{
    Cause, StageImage, StepsWork, Task,
    plan::{fill_env, private_names},
    session::{Nonce, SCRIPT_MAX, Session, script},
};
use fairway_engine::{Command, ContainerId, ContainerSpec, Env, GroupId, Mount, Names, Volume};
use fairway_model::{
    Digest, RunId, StageName,
    config::{Probe, Readiness},
};
use std::collections::BTreeMap;

/// Where the sources are and the steps begin.
pub(crate) const WORK: &str = "/work";
/// Steps run as root, so that they own the sources and can install what they need.
const USER: &str = "0:0";
const HOME: &str = "/root";
/// The name of the stage's container, which no service can have.
const NAME: &str = "0-stage";
/// Longest part of a stage's name in the id of its group.
const STAGE_IN_GROUP_MAX: usize = 12;

/// The group of a stage. Its id is short, so that long names of stages end in a digest.
pub(crate) fn group_id(run: RunId, stage: &StageName) -> GroupId {
    let name = stage.as_str();
    let name = if name.len() <= STAGE_IN_GROUP_MAX {
        name.to_owned()
    } else {
        let digest = Digest::of(name).hex();
        format!("{}-{}", &name[..STAGE_IN_GROUP_MAX - 7].trim_end_matches('-'), &digest[..6])
    };
    format!("run-{run}-{name}").parse().expect("a run and a short name make the id of a group")
}

impl StageRun {
    /// Starts the stage's container.
    pub(crate) async fn start_container(
        &mut self,
        group: &GroupId,
        work: &StepsWork,
        prepared: &Prepared,
    ) -> Result<(ContainerId, Session), Stopped> {
        let nonce = Nonce::random().map_err(|error| Cause::Engine {
            message: format!("the machine has no randomness: {error}"),
        })?;
        let (command, session) = self.command(&work.task, &nonce)?;
        let mut mounts = vec![Mount::Tree { at: WORK.to_owned(), tree: self.tree()? }];
        mounts.extend(work.cache.iter().map(|path| self.cache(path, &work.image)));
        let fill = |template: &_| self.ctx.secrets.fill(template);
        let private = private_names(&prepared.closure.links, &fill);
        let spec = ContainerSpec {
            command: Command::Process(command),
            env: self.env(work),
            user: Some(USER.to_owned()),
            working_dir: Some(WORK.to_owned()),
            mounts,
            limits: work.resources,
            names: Names { own: Vec::new(), private },
            // Nobody waits for this container, so its ports are not probed.
            ready: Some(Readiness::of(Probe::Log(String::new()))),
            ..ContainerSpec::of(prepared.image)
        };
        let id = ContainerId { group: group.clone(), name: NAME.to_owned() };
        self.ctx.tools.sandbox.start(&id, &spec).await?;
        Ok((id, session))
    }

    fn command(&self, task: &Task, nonce: &Nonce) -> Result<(Vec<String>, Session), Stopped> {
        match task {
            Task::Steps(steps) => {
                let script = script(steps, nonce).ok_or_else(|| Cause::Engine {
                    message: format!(
                        "the steps are too long: at most {SCRIPT_MAX} bytes together; \
                         put them into a file"
                    ),
                })?;
                let command = ["sh", "-c", &script].map(str::to_owned).to_vec();
                Ok((command, Session::new(steps, nonce)))
            }
            Task::Command(command) => {
                let now = self.ctx.tools.ledger.clock().now();
                Ok((command.clone(), Session::of_command(&command.join(" "), nonce, now)))
            }
        }
    }

    fn env(&self, work: &StepsWork) -> Env {
        let request = &self.ctx.request;
        let mut env: BTreeMap<String, String> = [
            ("HOME", HOME.to_owned()),
            ("CI", "true".to_owned()),
            ("FAIRWAY_RUN", self.ctx.run.to_string()),
            ("FAIRWAY_STAGE", self.stage.name.to_string()),
            ("FAIRWAY_SERVICE", request.checkout.service.name.to_string()),
            ("FAIRWAY_REVISION", request.checkout.revision.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let Env(own) = fill_env(&work.env, &|template| self.ctx.secrets.fill(template));
        env.extend(own);
        Env(env)
    }

    /// A folder that is kept from one run of the service to the next, for each image apart.
    fn cache(&self, path: &str, image: &StageImage) -> Mount {
        let at = match path.strip_prefix('~') {
            Some(rest) => format!("{HOME}{rest}"),
            None if path.starts_with('/') => path.to_owned(),
            None => format!("{WORK}/{path}"),
        };
        let image = match image {
            StageImage::Built => "built".to_owned(),
            StageImage::Named(image) => image.to_string(),
        };
        let volume = Volume {
            scope: format!("cache-{}", self.ctx.request.checkout.service.name),
            name: Digest::of(format!("{at}\0{image}")).short(),
        };
        Mount::Volume { at: at.trim_end_matches('/').to_owned(), volume }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stage_has_a_group_of_its_own() {
        let group = |run, stage: &str| group_id(RunId(run), &stage.parse().unwrap()).to_string();
        assert_eq!(group(7, "unit"), "run-7-unit");
        let (one, other) = ("a".repeat(60), format!("{}b", "a".repeat(59)));
        assert_ne!(group(1, &one), group(1, &other));
        assert!(group(u64::MAX, &one).len() <= 40);
    }
}
