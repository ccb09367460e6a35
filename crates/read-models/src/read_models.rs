//! The read models of a ledger as the rest of Fairway sees them.

use crate::{
    declaration::Declaration,
    drive::{BuildKey, Driver, Failing, Progress, Remark, Setting, State, why_withheld},
    error::{ReadModelError, in_words},
    open::{self, Places},
    postgres::Links,
    reader::Reader,
    registry::{Built, Fact, Facts, ModelState, Registry, stream_of},
    status::{Building, Status},
    target::{Parked, ParkedOf, Standing},
};
use fairway_ledger::{AppendError, Expected, Ledger, Position};
use fairway_model::ReadModelName;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
};

/// The first pause between two looks at a build that somebody else drives, and the longest.
pub(crate) const LOOK: Duration = Duration::from_millis(1);
pub(crate) const LOOK_MAX: Duration = Duration::from_millis(50);
/// Most questions that are answered at once; others wait.
const QUESTIONS_MAX: usize = 16;

/// Most remarks that are kept for who listens.
const REMARKS_MAX: usize = 256;

/// The read models of a ledger: declares, reads and mends them; with a driver also follows the
/// ledger. Cheap to clone; its methods need a Tokio runtime.
#[derive(Debug, Clone)]
pub struct ReadModels {
    pub(crate) ledger: Ledger,
    places: Places,
    /// To ask what is in PostgreSQL.
    links: Links,
    pub(crate) facts: Arc<Facts>,
    /// What is known of builds that this process drives.
    pub(crate) known: watch::Receiver<Known>,
    /// Bounds how many questions are answered at once.
    pub(crate) answering: Arc<Semaphore>,
}

/// How far builds are, for those who wait for them.
type Known = HashMap<BuildKey, watch::Receiver<Progress>>;

/// Follows the ledger for its read models, or waits until it may, until it is stopped or dropped.
#[derive(Debug)]
pub struct Following {
    /// What people should know of builds, each said once: when one begins to fail, and when it does no
    /// more. Those that nobody hears are lost once there are many.
    pub remarks: mpsc::Receiver<Remark>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Following {
    /// Ends in order: what is taken in is stored with its checkpoint.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // Who panicked has ended, too.
        self.task.await.unwrap_or_default();
    }
}

/// How an apply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The declaration is new, and is now built.
    Declared,
    /// It was declared before.
    Unchanged,
}

impl ReadModels {
    /// The read models of a ledger, without following it: somebody else does, or nobody.
    pub fn open(ledger: Ledger, places: Places) -> Self {
        let (_, known) = watch::channel(HashMap::new());
        Self::of(ledger, places, known)
    }

    fn of(ledger: Ledger, places: Places, known: watch::Receiver<Known>) -> Self {
        let facts = Arc::new(Facts::of_ledger(ledger.clone()));
        let answering = Arc::new(Semaphore::new(QUESTIONS_MAX));
        Self { ledger, places, links: Links::default(), facts, known, answering }
    }

    /// The read models of a ledger, which follow it from now on. Fails if another process of this
    /// machine does. While one of another machine does, they wait, and go on when it is gone.
    pub fn start(ledger: Ledger, places: Places) -> Result<(Self, Following), ReadModelError> {
        let (known, known_of) = watch::channel(HashMap::new());
        let (stop, stop_of) = watch::channel(false);
        let (remarks, remarks_of) = mpsc::channel(REMARKS_MAX);
        let setting = Setting { ledger: ledger.clone(), places: places.clone(), known, remarks };
        let driver = Driver::new(setting)?;
        let task = tokio::spawn(driver.run(stop_of));
        Ok((Self::of(ledger, places, known_of), Following { remarks: remarks_of, stop, task }))
    }

    /// Declares a read model, after its SQL was tried. What is new is built beside what is there.
    pub async fn apply(&self, declaration: &Declaration) -> Result<Applied, ReadModelError> {
        let (name, mut is_tried) = (declaration.name(), false);
        loop {
            let model = self.facts.of(name).await?;
            if let Some(wanted) = &model.wanted {
                // What was declared before is known to be right, also while its database is away.
                if wanted.declaration.says_the_same(declaration) {
                    return Ok(Applied::Unchanged);
                }
                check_version(name, &wanted.declaration, declaration)?;
            }
            if !is_tried {
                open::check(&self.places, declaration).await?;
                is_tried = true;
            }
            let (path, text) = (declaration.path().to_owned(), declaration.text().to_owned());
            if self.tell(name, &model, &Fact::Declared { path, text }).await? {
                return Ok(Applied::Declared);
            }
        }
    }

    /// Builds a read model once more beside the one that is there, which it then replaces.
    pub async fn rebuild(&self, name: &ReadModelName) -> Result<(), ReadModelError> {
        self.ask(name, |_| Fact::RebuildAsked).await
    }

    /// Has the build that is to take the place of another read, whatever it parked. Nothing changes if
    /// there is none.
    pub async fn accept(&self, name: &ReadModelName) -> Result<(), ReadModelError> {
        loop {
            let model = self.model(name).await?;
            let Some(Built { id, .. }) = model.candidate() else { return Ok(()) };
            if self.tell(name, &model, &Fact::Accepted { build: *id }).await? {
                return Ok(());
            }
        }
    }

    /// Removes a read model with all that it keeps.
    pub async fn remove(&self, name: &ReadModelName) -> Result<(), ReadModelError> {
        self.ask(name, |_| Fact::Removed).await
    }

    /// Has parked events tried again: those with a key, or all.
    pub async fn retry(
        &self,
        name: &ReadModelName,
        key: Option<String>,
    ) -> Result<(), ReadModelError> {
        self.ask(name, |_| Fact::RetryAsked { key: key.clone() }).await
    }

    /// Leaves a parked event out, so that the rest of its key goes on.
    pub async fn skip(&self, name: &ReadModelName, at: Position) -> Result<(), ReadModelError> {
        let model = self.model(name).await?;
        for built in model.withheld().into_iter().chain(&model.live).chain(model.candidate()) {
            if !self.parked_of(name, built, (ParkedOf::At(at.0), 1)).await?.is_empty() {
                return self.ask(name, |_| Fact::SkipAsked { position: at.0 }).await;
            }
        }
        Err(ReadModelError::NotParked { name: name.clone(), position: at.0 })
    }

    /// Events that wait, by position: of a build that is withheld, or else of the one that is read.
    pub async fn parked(
        &self,
        name: &ReadModelName,
        limit: usize,
    ) -> Result<Vec<Parked>, ReadModelError> {
        let model = self.model(name).await?;
        let built = model.withheld().or(model.live.as_ref()).or(model.candidate());
        let built = built.ok_or_else(|| ReadModelError::Missing(name.clone()))?;
        self.parked_of(name, built, (ParkedOf::All, limit)).await
    }

    /// All read models that there are.
    pub async fn list(&self) -> Result<Vec<Status>, ReadModelError> {
        let registry = Registry::load(&self.ledger).await?;
        let mut all = Vec::new();
        for (name, model) in registry.models().filter(|(_, model)| model.wanted.is_some()) {
            all.push(self.status_of(name, model).await?);
        }
        Ok(all)
    }

    /// How far a read model is.
    pub async fn status(&self, name: &ReadModelName) -> Result<Status, ReadModelError> {
        let model = self.model(name).await?;
        self.status_of(name, &model).await
    }

    pub(crate) async fn model(
        &self,
        name: &ReadModelName,
    ) -> Result<Arc<ModelState>, ReadModelError> {
        let model = self.facts.of(name).await?;
        if model.wanted.is_none() {
            return Err(ReadModelError::Missing(name.clone()));
        }
        Ok(model)
    }

    async fn parked_of(
        &self,
        name: &ReadModelName,
        built: &Built,
        (of, limit): (ParkedOf, usize),
    ) -> Result<Vec<Parked>, ReadModelError> {
        match self.reader(built)?.parked(of, limit).await? {
            Some(parked) => Ok(parked),
            None if self.is_elsewhere(name, built) => Err(self.no_tables(name, built)),
            None => Ok(Vec::new()),
        }
    }

    pub(crate) fn reader(&self, built: &Built) -> Result<Reader, ReadModelError> {
        Reader::of(&self.places, &self.links, built)
    }

    /// What is known of a build that this process drives.
    pub(crate) fn progress(&self, name: &ReadModelName, built: &Built) -> Option<Progress> {
        let known = self.known.borrow().get(&(name.clone(), built.id)).cloned();
        known.map(|progress| progress.borrow().clone())
    }

    /// How far a build is, from who drives it or else from where it is kept.
    pub(crate) async fn standing(
        &self,
        name: &ReadModelName,
        built: &Built,
    ) -> Result<Option<Standing>, ReadModelError> {
        match self.progress(name, built).and_then(|progress| progress.standing) {
            Some(standing) => Ok(Some(standing)),
            None => self.reader(built)?.standing().await,
        }
    }

    async fn status_of(
        &self,
        name: &ReadModelName,
        model: &ModelState,
    ) -> Result<Status, ReadModelError> {
        let head = self.ledger.head().await?;
        let failing = Failing::load(&self.ledger).await?;
        let live = match &model.live {
            Some(built) => Some(self.building(name, built, &failing).await),
            None => None,
        };
        let mut candidate = match model.candidate() {
            Some(built) => Some(self.building(name, built, &failing).await),
            None => None,
        };
        if let (Some(_), Some(live), Some(candidate)) = (model.withheld(), &live, &mut candidate)
            && !matches!(candidate.state, Some(State::Failing(_)))
            && let Some(why) = why_withheld(candidate.standing, live.standing)
        {
            candidate.state = Some(State::Withheld(why));
        }
        Ok(Status { name: name.clone(), head, live, candidate })
    }

    /// How far a build is. That it cannot be looked at is a part of the answer, as others can.
    async fn building(&self, name: &ReadModelName, built: &Built, failing: &Failing) -> Building {
        let noted = || failing.of(name, built.id).cloned().map(State::Failing);
        let state = self.progress(name, built).map(|progress| progress.state).or_else(noted);
        let version = built.declaration.model().version;
        let (standing, state) = match self.standing(name, built).await {
            Ok(standing) => (standing.unwrap_or_default(), state),
            Err(error) => {
                let failing = || State::Failing(in_words(&error));
                (Standing::default(), state.or_else(|| Some(failing())))
            }
        };
        Building { build: built.id, version, standing, state }
    }

    /// Appends a fact about a read model that there is.
    async fn ask(
        &self,
        name: &ReadModelName,
        fact: impl Fn(&ModelState) -> Fact,
    ) -> Result<(), ReadModelError> {
        loop {
            let model = self.model(name).await?;
            if self.tell(name, &model, &fact(&model)).await? {
                return Ok(());
            }
        }
    }

    /// Appends a fact; false if another came first.
    async fn tell(
        &self,
        name: &ReadModelName,
        model: &ModelState,
        fact: &Fact,
    ) -> Result<bool, ReadModelError> {
        let failed = |error| ReadModelError::Append { name: name.clone(), source: Arc::new(error) };
        let event = fact.event().expect("facts about read models are JSON");
        let expected = Expected::Exact(model.version);
        match self.ledger.append(&stream_of(name), expected, vec![event]).await {
            Ok(_) => Ok(true),
            Err(AppendError::Conflict { .. }) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

fn check_version(
    name: &ReadModelName,
    known: &Declaration,
    given: &Declaration,
) -> Result<(), ReadModelError> {
    let (found, given) = (known.model().version, given.model().version);
    let name = name.clone();
    match given.cmp(&found) {
        std::cmp::Ordering::Less => Err(ReadModelError::LowerVersion { name, found, given }),
        std::cmp::Ordering::Equal => Err(ReadModelError::SameVersion { name, version: given }),
        std::cmp::Ordering::Greater => Ok(()),
    }
}
