//! Where read models are, and how they are opened, also by who serves their ledger.

use super::CommonArgs;
use crate::{
    app::App,
    failure::{Doing, Failure},
    ledgers,
    printer::Printer,
};
use fairway_ledger::Ledger;
use fairway_model::{Colour, Diagnostic, EnvironmentName, render_all};
use fairway_read_models::{
    Declaration, Following, Places, ReadModelError, ReadModels, Refused, Remark,
};
use std::{fs, path::Path};
use tokio::sync::mpsc;

/// Read models that are followed by this process.
pub struct Hosted {
    /// To ask them.
    pub models: ReadModels,
    /// Follows the ledger until it is stopped.
    pub following: Following,
}

/// Declares what is in a folder, and follows the ledger for all read models. A file that is not taken
/// is said and noted; what was declared before goes on.
pub async fn host(
    app: &App,
    ledger: &Ledger,
    (folder, secrets_of): (&Path, Option<&EnvironmentName>),
    printer: &mut Printer,
) -> Result<Hosted, Failure> {
    let (files, places) = (files(&app.directory.join(folder))?, places(app, ledger, secrets_of)?);
    let started = ReadModels::start(ledger.clone(), places);
    let (models, mut following) = started.map_err(|error| failed("follow the ledger", error))?;
    tell(&mut following, printer);
    let mut refused = Vec::new();
    for path in files {
        refused.extend(take(app, &models, path).await?);
    }
    for Refused { path, why, .. } in &refused {
        printer.talk(&format!("`{path}` was not taken, what was there goes on:\n{why}"));
    }
    let noted = models.note_refused(&refused).await;
    noted.map_err(|error| failed("note what was not taken", error))?;
    Ok(Hosted { models, following })
}

/// Says from now on when a read model begins to fail, and when it goes on.
fn tell(following: &mut Following, printer: &Printer) {
    let (_, none) = mpsc::channel(1);
    let mut remarks = std::mem::replace(&mut following.remarks, none);
    let mut printer = Printer { format: printer.format, audience: printer.audience };
    tokio::spawn(async move {
        while let Some(Remark { name, version, failing }) = remarks.recv().await {
            let now = failing.map_or("goes on".to_owned(), |why| format!("fails: {why}"));
            printer.talk(&format!("version {version} of read model `{name}` {now}\n"));
        }
    });
}

/// Declares what is in a file; or says why not, which is in the way of nothing else.
async fn take(app: &App, models: &ReadModels, path: String) -> Result<Option<Refused>, Failure> {
    let (name, refusal) = match read(app, &path) {
        Ok(declaration) => match models.apply(&declaration).await {
            Ok(_) => return Ok(None),
            Err(ReadModelError::Ledger(error)) => {
                return Err(ledgers::failed("declare read models", error));
            }
            Err(error) => (Some(declaration.name().clone()), refused(&declaration, error)),
        },
        Err(refusal) => (None, refusal),
    };
    Ok(Some(Refused { path, name, why: refusal.text() }))
}

/// The YAML files of a folder, by name.
fn files(folder: &Path) -> Result<Vec<String>, Failure> {
    let list = fs::read_dir(folder).doing(format!("read the folder `{}`", folder.display()))?;
    let mut found = Vec::new();
    for entry in list {
        let path = entry.doing(format!("read the folder `{}`", folder.display()))?.path();
        if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            found.push(path.display().to_string());
        }
    }
    found.sort();
    Ok(found)
}

/// Why a declaration is not taken.
pub(super) struct Refusal {
    /// What is wrong in the file.
    found: Vec<Diagnostic>,
    failure: Failure,
}

impl Refusal {
    /// Shows what is wrong in the file.
    pub(super) fn show(self, printer: &mut Printer) -> Failure {
        if !self.found.is_empty() {
            printer.diagnostics(&self.found);
        }
        self.failure
    }

    /// What is wrong, as lines.
    fn text(&self) -> String {
        match self.found.as_slice() {
            [] => self.failure.render(),
            found => render_all(found, Colour::Off),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { found: Vec::new(), failure }
    }
}

/// Reads a declaration.
pub(super) fn read(app: &App, path: &str) -> Result<Declaration, Refusal> {
    let text = fs::read_to_string(app.directory.join(path)).doing(format!("read `{path}`"))?;
    Declaration::read(path, &text).map_err(|found| wrong(path, found))
}

fn wrong(path: &str, found: Vec<Diagnostic>) -> Refusal {
    let message = format!("`{path}` is not a right declaration of a read model");
    Refusal { found, failure: Failure::usage(message) }
}

/// Why a declaration was not taken.
pub(super) fn refused(declaration: &Declaration, error: ReadModelError) -> Refusal {
    let path = declaration.path();
    match error {
        ReadModelError::Declaration(found) => wrong(path, found),
        ReadModelError::SameVersion { version, .. } => {
            let hint = format!("raise `version` in `{path}` to {}", version + 1);
            Failure::usage(error.to_string()).hint(hint).into()
        }
        ReadModelError::LowerVersion { .. } => Failure::usage(error.to_string()).into(),
        error => failed(format!("declare read model `{}`", declaration.name()), error).into(),
    }
}

/// Where the read models of a ledger are: beside its file, else in the data directory.
pub(super) fn places(
    app: &App,
    ledger: &Ledger,
    secrets_of: Option<&EnvironmentName>,
) -> Result<Places, Failure> {
    let place = ledger.place();
    let dir = if Path::new(&place).is_file() {
        // Whoever comes by another path to the same file meets the same lock.
        let file = Path::new(&place).canonicalize().doing(format!("find `{place}`"))?;
        format!("{}-read-models", file.display()).into()
    } else {
        app.data("read-models")?.join(format!("{:016x}", ledger.id().0))
    };
    let mut places = Places { dir, ..Places::default() };
    if let Some(environment) = secrets_of {
        let secrets = app.secrets()?;
        for info in secrets.list(environment).doing("list the secrets")? {
            let value = secrets.get(environment, &info.name).doing("read a secret")?;
            let value = value.map(|(value, _)| (info.name, value.expose().to_owned()));
            places.secrets.extend(value);
        }
    }
    Ok(places)
}

/// The read models of a ledger, without following it.
pub(super) async fn open(common: &CommonArgs, app: &App) -> Result<ReadModels, Failure> {
    let ledger = ledgers::open_to_read(app, &common.ledger).await?;
    let places = places(app, &ledger, common.secrets_of.as_ref())?;
    Ok(ReadModels::open(ledger, places))
}

/// The failure of something that was done with read models.
pub(super) fn failed(what: impl Into<String>, error: ReadModelError) -> Failure {
    match error {
        ReadModelError::Ledger(error) => ledgers::failed(what, error),
        error => {
            let hint = hint(&error);
            let failure = Failure::failed(format!("could not {}", what.into())).because(error);
            match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
    }
}

/// What to do about an error.
fn hint(error: &ReadModelError) -> Option<String> {
    let hint = match error {
        ReadModelError::Missing(_) => "`fairway read-models list` shows all",
        ReadModelError::NotParked { name, .. } => {
            return Some(format!("`fairway read-models parked {name}` shows what is"));
        }
        ReadModelError::MissingParameter { parameter, .. } => {
            return Some(format!("give it with `-p {parameter}=VALUE`"));
        }
        ReadModelError::Building { .. } | ReadModelError::Behind { .. } => {
            "`fairway ledger serve --read-models DIR` keeps read models up to date"
        }
        ReadModelError::Secret(_) => "name its environment with `--secrets-of`",
        ReadModelError::DrivenElsewhere(_) => "one process at a time does; end the other first",
        _ => return None,
    };
    Some(hint.to_owned())
}
