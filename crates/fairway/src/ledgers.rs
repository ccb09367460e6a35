//! The ledgers of services' events: where they are, and how they are opened.

use crate::{
    addresses::without_password,
    app::App,
    failure::{Doing, Failure},
    printer::Printer,
};
use fairway_ledger::{AppendError, Clock, Ledger, LedgerError, Portable};
use fairway_ledger_postgres::Postgres;
use fairway_subjects::{KeptError, Subjects};
use std::{
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The ledger of services' events in the data directory.
const DEFAULT: &str = "events.db";
/// The keys of subjects in the data directory.
const SUBJECTS: &str = "subjects.db";
/// How addresses of ledgers in PostgreSQL begin.
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];
/// Begins the name of a file that holds an address, so that its password is in no command line.
const IN_FILE: char = '@';
/// Longest file with an address.
const ADDRESS_BYTES_MAX: u64 = 4096;

/// Where a ledger is.
#[derive(clap::Args)]
pub struct PlaceArgs {
    /// The ledger: a path, the `postgres://` address of a database, or `@FILE` for an address in a
    /// file [default: `events.db` in the data directory]
    #[arg(long, value_name = "PLACE")]
    pub ledger: Option<String>,
}

/// Which ledger a verb works on, and the keys that open what is personal in it.
#[derive(clap::Args)]
pub struct LedgerArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The keys of subjects: a path, the `postgres://` address of a database, or `@FILE` for an
    /// address in a file [default: `subjects.db` in the data directory]
    #[arg(long, value_name = "PLACE")]
    subjects: Option<String>,
}

/// Where a ledger is. Shown without the password of an address.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In a database of PostgreSQL.
    Server(String),
}

impl Place {
    /// Fails if it is a file that is not there. Of a server that is known when it is opened.
    pub fn assert_there(&self) -> Result<(), Failure> {
        let Self::File(path) = self else { return Ok(()) };
        let found = path.try_exists().doing(format!("look for `{self}`"))?;
        if found { Ok(()) } else { Err(missing(self)) }
    }

    /// What a text stands for.
    pub fn of(text: &str) -> Self {
        if POSTGRES.iter().any(|start| text.starts_with(start)) {
            Self::Server(text.to_owned())
        } else {
            Self::File(text.into())
        }
    }

    /// The place of a ledger that is named, else the file in the data directory.
    pub fn or_default(app: &App, place: Option<&str>) -> Result<Self, Failure> {
        Self::or_in_data(app, place, DEFAULT)
    }

    /// The place that is named, else a file in the data directory. A path is one below the folder
    /// that the verb works in.
    fn or_in_data(app: &App, place: Option<&str>, file: &str) -> Result<Self, Failure> {
        let Some(place) = place else { return Ok(Self::File(app.data("")?.join(file))) };
        let place = match place.strip_prefix(IN_FILE) {
            Some(file) => match Self::of(in_file(&app.directory.join(file))?.trim_ascii()) {
                server @ Self::Server(_) => server,
                // It may be a password: what it is instead is not shown.
                Self::File(_) => {
                    let none = format!("`{file}` has no address that begins with `postgres://`");
                    return Err(Failure::usage(none));
                }
            },
            None => Self::of(place),
        };
        match &place {
            Self::File(path) => {
                let path = app.directory.join(path);
                // Others are told of this place, wherever they work.
                let path = std::path::absolute(&path).doing("find the working folder")?;
                Ok(Self::File(path))
            }
            Self::Server(_) => Ok(place),
        }
    }
}

/// The address in a file.
fn in_file(path: &Path) -> Result<String, Failure> {
    let doing = format!("read an address from `{}`", path.display());
    let mut text = String::new();
    let read =
        File::open(path).and_then(|file| file.take(ADDRESS_BYTES_MAX).read_to_string(&mut text));
    read.doing(doing)?;
    Ok(text)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(address) => f.write_str(&without_password(address)),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Opens the ledger at a place, else that of the data directory; makes it if it is not there. What is
/// personal in it is sealed as it is appended and opened as it is read.
pub async fn open(app: &App, place: &LedgerArgs) -> Result<Ledger, Failure> {
    Ok(fairway_subjects::over(&open_sealed(app, place).await?, subjects(app, place)?))
}

/// The keys of those whose personal data are in a ledger: those that are named, else those of the
/// data directory.
pub fn subjects(app: &App, place: &LedgerArgs) -> Result<Subjects, Failure> {
    match Place::or_in_data(app, place.subjects.as_deref(), SUBJECTS)? {
        Place::File(path) => Ok(Subjects::new(&path)),
        Place::Server(url) => Subjects::in_postgres(&url).doing("use the keys of subjects"),
    }
}

/// Tells a person who reads a ledger that the keys to what is personal in it are not here.
pub async fn say_if_kept_elsewhere(
    ledger: &Ledger,
    app: &App,
    place: &LedgerArgs,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let subjects = subjects(app, place)?;
    let elsewhere = fairway_subjects::is_kept_by_others(ledger, &subjects).await;
    if elsewhere.map_err(|error| kept_failed("find the keys of the ledger", error))? {
        let (ledger, keys) = (ledger.place(), subjects.place());
        printer.talk(&format!(
            "what is personal in `{ledger}` is sealed with keys that are not in `{keys}`; \
             `--subjects` names their place\n"
        ));
    }
    Ok(())
}

/// Opens the ledger at a place, with what is personal as it is kept: sealed. Makes it if it is not
/// there.
async fn open_sealed(app: &App, place: &LedgerArgs) -> Result<Ledger, Failure> {
    let place = Place::or_default(app, place.place.ledger.as_deref())?;
    let opened = match &place {
        Place::File(path) => Ledger::open(path),
        Place::Server(url) => fairway_ledger_postgres::open(url, Clock::system()).await,
    };
    opened.map_err(|error| unusable(&place, error))
}

/// Opens the ledger at a place as one that can be a copy; makes it if it is not there.
pub async fn open_portable(place: &Place) -> Result<Arc<dyn Portable>, Failure> {
    let opened = match place {
        Place::File(path) => fairway_ledger::open_portable(path, Clock::system()),
        Place::Server(url) => {
            let opened = Postgres::open(url, Clock::system()).await;
            opened.map(|opened| Arc::new(opened) as Arc<dyn Portable>)
        }
    };
    opened.map_err(|error| unusable(place, error))
}

/// Opens the ledger at a place as one that can be copied and checked. It has to be there.
pub async fn open_existing(place: &Place) -> Result<Arc<dyn Portable>, Failure> {
    let opened = match place {
        Place::File(path) => fairway_ledger::open_existing(path, Clock::system()),
        Place::Server(url) => {
            let opened = Postgres::open_existing(url, Clock::system()).await;
            opened.map(|opened| Arc::new(opened) as Arc<dyn Portable>)
        }
    };
    opened.map_err(|error| unusable(place, error))
}

/// Opens a ledger to read it: one that is named has to be there.
pub async fn open_to_read(app: &App, place: &LedgerArgs) -> Result<Ledger, Failure> {
    Ok(fairway_subjects::over(&open_to_copy(app, place).await?, subjects(app, place)?))
}

/// Opens a ledger to work with what it has, with what is personal as it is kept; one that is named
/// has to be there.
pub async fn open_to_copy(app: &App, place: &LedgerArgs) -> Result<Ledger, Failure> {
    let named = place.place.ledger.as_deref();
    let at = Place::or_default(app, named)?;
    let opened = match &at {
        Place::File(path) => Ledger::open_existing(path),
        Place::Server(url) => fairway_ledger_postgres::open_existing(url, Clock::system()).await,
    };
    match opened {
        Err(LedgerError::Missing(_)) if named.is_none() => open_sealed(app, place).await,
        opened => opened.map_err(|error| unusable(&at, error)),
    }
}

/// The failure of a ledger that cannot be opened.
fn unusable(place: &Place, error: LedgerError) -> Failure {
    match (&error, place) {
        (LedgerError::Missing(_), Place::File(path)) if path.exists() => {
            missing(place).because("the file is empty: what was to make a ledger of it did not")
        }
        (LedgerError::Missing(_), _) => missing(place),
        _ => failed(format!("open the ledger `{place}`"), error),
    }
}

fn missing(place: &Place) -> Failure {
    Failure::failed(format!("there is no ledger at `{place}`"))
}

/// The failure of something that was done with a ledger.
pub fn failed(what: impl Into<String>, error: LedgerError) -> Failure {
    let message = format!("could not {}", what.into());
    match &error {
        LedgerError::Unreachable { .. } => Failure::unreachable(message).because(error),
        LedgerError::Moved { to, .. } => {
            let who = match Place::of(to) {
                Place::File(_) => "",
                Place::Server(_) => ", with a user who may append there",
            };
            let hint = format!("go on there: `--ledger {to}`{who}");
            Failure::failed(message).because(error).hint(hint)
        }
        _ => Failure::failed(message).because(error),
    }
}

/// The failure of something that needed the right keys to a ledger.
pub fn kept_failed(what: &str, error: KeptError) -> Failure {
    match error {
        KeptError::Ledger(AppendError::Ledger(error)) => failed(what, error),
        KeptError::Ledger(error) => Failure::failed(format!("could not {what}")).because(error),
        KeptError::Subject(error) => Failure::failed(format!("could not {what}")).because(error),
    }
}
