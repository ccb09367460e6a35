//! From a declaration to what keeps it and what reads it.

use crate::{
    callback::CallbackTarget,
    declaration::Declaration,
    drive::is_shared,
    error::ReadModelError,
    plan::Plan,
    postgres::{self, PostgresTarget, Rival},
    registry::Built,
    sql::Dialect,
    sqlite::{self, Place, SqliteTarget},
    target::{Batch, Parked, ParkedOf, Replay, Standing, Target, TargetError},
};
use async_trait::async_trait;
use fairway_ledger::{Ledger, LedgerId};
use fairway_model::{
    SecretName,
    config::{ReadModelTarget, Template},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    sync::Arc,
};

/// Where read models are kept.
#[derive(Clone, Default)]
pub struct Places {
    /// The directory for SQLite files and the driver's lock; of this machine alone.
    pub dir: PathBuf,
    /// Values for what addresses refer to.
    pub secrets: BTreeMap<SecretName, String>,
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Places {
    /// An address with its secrets filled in.
    pub(crate) fn fill(&self, address: &Template) -> Result<String, ReadModelError> {
        let filled = address.fill(|name| self.secrets.get(name).cloned());
        filled.map_err(|name| ReadModelError::Secret(name.clone()))
    }
}

/// What keeps a build. What is wrong is told when it is used.
pub(crate) fn open_target(
    places: &Places,
    built: &Built,
    of: (&Ledger, Arc<BTreeSet<u64>>),
) -> Box<dyn Target> {
    match try_open(places, built, of) {
        Ok(target) => target,
        Err(why) => Box::new(Unusable(why)),
    }
}

fn try_open(
    places: &Places,
    built: &Built,
    (ledger, skipped): (&Ledger, Arc<BTreeSet<u64>>),
) -> Result<Box<dyn Target>, String> {
    let model = built.declaration.model();
    let rival = if is_shared(ledger) { Rival::Ended } else { Rival::Waited };
    let ledger = ledger_text(ledger.id());
    let plan = |dialect| Plan::new(model, dialect).map_err(|faults| faults[0].message.clone());
    match &model.target {
        ReadModelTarget::Sqlite => {
            let place = Place::of(&places.dir, built);
            let plan = plan(Dialect::Sqlite)?;
            Ok(Box::new(SqliteTarget::new(place, built.clone(), plan, (ledger, skipped))))
        }
        ReadModelTarget::Postgres(address) => {
            let address = places.fill(address).map_err(|error| error.to_string())?;
            let place = (postgres::Place::of(address, built), rival);
            let plan = plan(Dialect::Postgres)?;
            Ok(Box::new(PostgresTarget::new(place, built.clone(), plan, (ledger, skipped))))
        }
        ReadModelTarget::Callback(address) => {
            let address = places.fill(address).map_err(|error| error.to_string())?;
            let at = (Place::of(&places.dir, built), address);
            let plan = plan(Dialect::Sqlite)?;
            Ok(Box::new(CallbackTarget::new(at, built.clone(), plan, (ledger, skipped))))
        }
    }
}

/// The id of a ledger as targets keep it.
pub(crate) fn ledger_text(id: LedgerId) -> String {
    format!("{:016x}", id.0)
}

/// Checks a declaration's SQL with the database it is for.
pub(crate) async fn check(
    places: &Places,
    declaration: &Declaration,
) -> Result<(), ReadModelError> {
    let Some(dialect) = declaration.dialect() else { return Ok(()) };
    let model = declaration.model();
    let faults = match (Plan::new(model, dialect), &model.target) {
        (Err(faults), _) => faults,
        (Ok(plan), ReadModelTarget::Postgres(address)) => {
            postgres::check(&places.fill(address)?, model, &plan).await?
        }
        (Ok(plan), _) => {
            let model = model.clone();
            let checked = tokio::task::spawn_blocking(move || sqlite::check(&model, &plan)).await;
            checked.map_err(|error| TargetError::unusable("a thread ended", error))?
        }
    };
    if faults.is_empty() {
        return Ok(());
    }
    let source = declaration.source();
    let mut shown: Vec<_> = faults.iter().map(|fault| fault.diagnose(&source)).collect();
    shown.sort();
    Err(ReadModelError::Declaration(shown))
}

/// A target that cannot even be tried, with the reason.
struct Unusable(String);

impl Unusable {
    fn error(&self) -> TargetError {
        TargetError::Foreign(self.0.clone())
    }
}

#[async_trait]
impl Target for Unusable {
    async fn open(&mut self) -> Result<Standing, TargetError> {
        Err(self.error())
    }

    async fn apply(&mut self, _: Batch) -> Result<Standing, TargetError> {
        Err(self.error())
    }

    async fn parked(&mut self, _: ParkedOf, _: usize) -> Result<Vec<Parked>, TargetError> {
        Err(self.error())
    }

    async fn replay(&mut self, _: Replay) -> Result<Standing, TargetError> {
        Err(self.error())
    }

    async fn remove(&mut self) -> Result<(), TargetError> {
        Err(self.error())
    }
}
