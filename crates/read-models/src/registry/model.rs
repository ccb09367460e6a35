//! What the facts about one read model amount to.

use super::Fact;
use crate::declaration::Declaration;
use fairway_ledger::Version;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Most asks that are kept for builds that have not yet seen them.
const ASKS_MAX: usize = 1_000;
/// Most positions that a declaration skips.
const SKIPPED_MAX: usize = 10_000;

/// Identifies a build of a read model: the version of the fact that asked for it.
pub type BuildId = u64;

/// A declaration that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The build.
    pub id: BuildId,
    /// What is built.
    pub declaration: Arc<Declaration>,
}

/// What is to be done with parked events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// They are tried again: those with a key, or all.
    Retry(Option<String>),
    /// One is left out.
    Skip(u64),
}

/// A read model as its facts say it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelState {
    /// How many facts there are.
    pub version: Version,
    /// What is wanted; none if the read model was removed.
    pub wanted: Option<Built>,
    /// What is read; none before the first build is done.
    pub live: Option<Built>,
    /// The last build that was withheld.
    pub withheld: Option<BuildId>,
    /// The last build that is to be read whatever it parked.
    pub accepted: Option<BuildId>,
    /// What is read no more and not yet removed.
    pub retired: Vec<Built>,
    /// What was asked, by the version of the fact.
    pub asks: BTreeMap<u64, Ask>,
    /// Positions that the wanted declaration leaves out.
    pub skipped: Arc<BTreeSet<u64>>,
}

impl ModelState {
    /// Folds in the next fact. A text that is no declaration changes nothing: who wrote it knew
    /// another language.
    pub(super) fn apply(&mut self, version: Version, fact: Fact) {
        self.version = version;
        match fact {
            Fact::Declared { path, text } => {
                if let Ok(declaration) = Declaration::read(&path, &text) {
                    let is_same = self.wanted.as_ref().is_some_and(|wanted| {
                        wanted.declaration.model().version == declaration.model().version
                    });
                    if !is_same {
                        self.skipped = Arc::default();
                    }
                    self.want(version.0, Arc::new(declaration));
                }
            }
            Fact::RebuildAsked => {
                if let Some(wanted) = &self.wanted {
                    let declaration = wanted.declaration.clone();
                    self.want(version.0, declaration);
                }
            }
            Fact::Live { build } => self.go_live(build),
            Fact::Withheld { build } => self.withheld = Some(build),
            Fact::Accepted { build } => self.accepted = Some(build),
            Fact::BuildRemoved { build } => self.retired.retain(|built| built.id != build),
            Fact::RetryAsked { key } => self.ask(version, Ask::Retry(key)),
            Fact::SkipAsked { position } => {
                if self.is_of_wanted() && self.skipped.len() < SKIPPED_MAX {
                    Arc::make_mut(&mut self.skipped).insert(position);
                }
                self.ask(version, Ask::Skip(position));
            }
            Fact::Removed => {
                self.retire_wanted();
                self.retired.extend(self.live.take());
                self.wanted = None;
            }
        }
    }

    /// What is wanted and not yet read.
    pub fn candidate(&self) -> Option<&Built> {
        let live = self.live.as_ref().map(|live| live.id);
        self.wanted.as_ref().filter(|wanted| Some(wanted.id) != live)
    }

    /// What is wanted and has all there is, and is not read because it parked more.
    pub fn withheld(&self) -> Option<&Built> {
        self.candidate().filter(|built| self.withheld == Some(built.id))
    }

    /// Whether what is asked is asked of the declaration that is wanted, not of one that it replaces
    /// because it could not take an event in. One that is withheld waits to be asked.
    fn is_of_wanted(&self) -> bool {
        let version = |built: &Built| built.declaration.model().version;
        match (&self.live, &self.wanted) {
            (Some(live), Some(wanted)) => {
                version(live) == version(wanted) || self.withheld().is_some()
            }
            (Some(_) | None, _) => true,
        }
    }

    fn want(&mut self, id: BuildId, declaration: Arc<Declaration>) {
        self.retire_wanted();
        self.wanted = Some(Built { id, declaration });
    }

    fn retire_wanted(&mut self) {
        let candidate = self.candidate().cloned();
        self.retired.extend(candidate);
    }

    fn go_live(&mut self, build: BuildId) {
        if let Some(built) = self.wanted.clone().filter(|wanted| wanted.id == build) {
            let before = self.live.replace(built);
            self.retired.extend(before.filter(|before| before.id != build));
        }
    }

    fn ask(&mut self, version: Version, ask: Ask) {
        self.asks.insert(version.0, ask);
        if self.asks.len() > ASKS_MAX {
            self.asks.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(number: u32) -> Fact {
        let text = format!(
            "read-model: orders\nversion: {number}\ntables: CREATE TABLE a (b)\non:\n  c: DELETE FROM a\n"
        );
        Fact::Declared { path: "orders.yaml".to_owned(), text }
    }

    fn model(facts: impl IntoIterator<Item = Fact>) -> ModelState {
        let mut model = ModelState::default();
        for (version, fact) in (1..).zip(facts) {
            model.apply(Version(version), fact);
        }
        model
    }

    #[test]
    fn what_a_declaration_skips_it_skips_when_it_is_built_anew_and_the_next_one_does_not() {
        let skip = |position| Fact::SkipAsked { position };
        let of = |facts: Vec<Fact>| model(facts).skipped.iter().copied().collect::<Vec<_>>();
        let live = || vec![declared(1), Fact::Live { build: 1 }];
        let then = |more: Vec<Fact>| of(live().into_iter().chain(more).collect());
        assert_eq!(then(vec![skip(7), Fact::RebuildAsked]), [7]);
        assert_eq!(then(vec![Fact::RebuildAsked, skip(7)]), [7]);
        assert_eq!(then(vec![skip(7), declared(2)]), [0; 0]);
        assert_eq!(then(vec![declared(2), skip(7)]), [0; 0], "the second takes it in");
        assert_eq!(of(vec![declared(1), skip(7)]), [7], "the first build skips as well");
    }

    #[test]
    fn what_is_skipped_of_a_withheld_build_is_skipped_when_it_is_built_anew() {
        let first = [declared(1), Fact::Live { build: 1 }, declared(2)];
        let withheld = [Fact::Withheld { build: 3 }, Fact::SkipAsked { position: 7 }];
        let built = model(
            first.into_iter().chain(withheld).chain([Fact::Live { build: 3 }, Fact::RebuildAsked]),
        );
        assert_eq!(built.skipped.iter().copied().collect::<Vec<_>>(), [7]);
        assert_eq!(built.candidate().map(|built| built.id), Some(7));
    }

    #[test]
    fn builds_that_are_not_wanted_any_more_are_to_be_removed() {
        let ids =
            |model: &ModelState| model.retired.iter().map(|built| built.id).collect::<Vec<_>>();
        let built = model([declared(1), Fact::Live { build: 1 }, declared(2), declared(3)]);
        assert_eq!((ids(&built), built.candidate().map(|built| built.id)), (vec![3], Some(4)));
        let live = Fact::Live { build: 4 };
        let facts = [declared(1), Fact::Live { build: 1 }, declared(2), declared(3), live];
        assert_eq!(ids(&model(facts)), [3, 1]);
        let gone = model([declared(1), Fact::Live { build: 1 }, Fact::RebuildAsked, Fact::Removed]);
        assert_eq!((ids(&gone), gone.wanted, gone.live), (vec![3, 1], None, None));
    }
}
