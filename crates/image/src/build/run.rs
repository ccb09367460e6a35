//! RUN.

use super::{
    builder::{Builder, Recalled},
    stage::StageState,
};
use crate::{
    cache::Key,
    dockerfile::{CommandForm, Located},
    error::BuildError,
    event::Outcome,
};
use fairway_engine_embedded::{BuildNetwork, BuildStep};
use fairway_model::config::Resources;

/// How much of a command is shown when it failed.
const SHOWN_MAX: usize = 200;

impl Builder<'_> {
    pub(super) async fn run(
        &mut self,
        state: &mut StageState,
        located: &Located,
        form: &CommandForm,
    ) -> Result<Outcome, BuildError> {
        let execution = &state.settings.execution;
        let args = state.settings.in_form(form);
        let mut env = state.settings.scope.variables(&execution.env);
        let working_dir = match execution.working_dir.as_str() {
            "" => "/".to_owned(),
            dir => dir.to_owned(),
        };
        let key = Key::new("run", &state.layers)
            .list(args.iter())
            .list(env.iter().map(|(name, value)| format!("{name}={value}")))
            .text(&execution.user)
            .text(&working_dir)
            .finish();
        if self.recall(state, located, &key)? == Recalled::Found {
            return Ok(Outcome::Cached);
        }
        if state.layers.is_empty() {
            let message = "there is nothing to run in an image without files";
            return Err(BuildError::at(self.file().diagnose(located.span, message)));
        }
        env.extend(state.settings.scope.proxies());
        let draft = self.layers().draft()?;
        let step = BuildStep {
            lower_dirs: state.lower_dirs(self.layers())?,
            upper: draft.upper(),
            work: draft.work(),
            args,
            env,
            user: state.settings.execution.user.clone(),
            working_dir,
            network: BuildNetwork::Uplink,
            limits: Resources::default(),
        };
        let events = self.events();
        let exit = self.root().run(step, &events).await?;
        if !exit.is_success() {
            let at = self.file().diagnose(located.span, format!("the command {exit}"));
            let command = located.text.chars().take(SHOWN_MAX).collect();
            return Err(BuildError::Failed { at: Box::new(at), command, exit });
        }
        let effect = self.commit(draft).await?;
        self.cache().keep(&key, effect)?;
        state.record(&located.text, effect);
        Ok(Outcome::Made)
    }
}
