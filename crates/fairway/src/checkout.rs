//! The fleet on disk: where it is and what its files say.

use crate::{
    app::App,
    failure::{Doing, Failure},
    printer::Printer,
};
use fairway_model::{
    Diagnostic,
    config::{FILE_MAX, Fleet, FleetConfig, SourceFile},
};
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The file that marks the root of a fleet.
pub const FLEET_FILE: &str = "fleet.yaml";
/// The file that marks the root of a service.
pub const SERVICE_FILE: &str = "fairway.yaml";

/// The fleet of the working folder; none if its files have errors, which are reported.
pub fn load(app: &App, printer: &mut Printer) -> Result<Option<(Checkout, FleetConfig)>, Failure> {
    let files = Checkout::find(&app.directory)?;
    match files.load() {
        Ok(config) => Ok(Some((files, config))),
        Err(diagnostics) => {
            printer.diagnostics(&diagnostics);
            Ok(None)
        }
    }
}

/// The texts of a fleet's files.
#[derive(Debug)]
pub struct Checkout {
    /// The folder of `fleet.yaml`.
    pub root: PathBuf,
    /// `fleet.yaml`.
    fleet: String,
    /// Each `fairway.yaml` with its path relative to the root.
    services: Vec<(String, String)>,
}

impl Checkout {
    /// Finds the fleet that `start` lies in and reads its files.
    pub fn find(start: &Path) -> Result<Self, Failure> {
        let start = start.canonicalize().doing(format!("find the folder `{}`", start.display()))?;
        let root = start
            .ancestors()
            .find(|folder| folder.join(FLEET_FILE).is_file())
            .ok_or_else(|| no_fleet(&start))?
            .to_owned();
        let fleet = read(&root.join(FLEET_FILE))?;
        let mut services = Vec::new();
        for folder in service_folders(&root, &fleet)? {
            let path = folder.join(SERVICE_FILE);
            let text = read(&root.join(&path))?;
            services.push((slashed(&path), text));
        }
        Ok(Self { root, fleet, services })
    }

    /// Decodes and checks all files; every error of every file comes at once.
    pub fn load(&self) -> Result<FleetConfig, Vec<Diagnostic>> {
        let fleet = SourceFile { path: FLEET_FILE, text: &self.fleet };
        let services: Vec<_> =
            self.services.iter().map(|(path, text)| SourceFile { path, text }).collect();
        FleetConfig::load(fleet, &services)
    }

    /// The text of the `fairway.yaml` in a folder relative to the root.
    pub fn service_text(&self, folder: &str) -> Option<&str> {
        let wanted = slashed(&Path::new(folder).join(SERVICE_FILE));
        let found = self.services.iter().find(|(path, _)| *path == wanted);
        found.map(|(_, text)| text.as_str())
    }
}

fn no_fleet(start: &Path) -> Failure {
    Failure::usage(format!("no `{FLEET_FILE}` in `{}` or above it", start.display())).hint(
        "write one that says where the services are: `{ fleet: shop, services: [services/*] }`",
    )
}

/// Folders with a service that the patterns of `fleet.yaml` name, sorted; also if something else in
/// it is wrong, so that the errors of all files come at once.
fn service_folders(root: &Path, fleet: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut folders = Vec::new();
    for pattern in Fleet::service_patterns(fleet) {
        let mut found = vec![PathBuf::new()];
        for part in pattern.split('/') {
            found = expand(root, &found, part)?;
        }
        folders.extend(
            found.into_iter().filter(|folder| root.join(folder).join(SERVICE_FILE).is_file()),
        );
    }
    folders.sort();
    folders.dedup();
    Ok(folders)
}

fn expand(root: &Path, folders: &[PathBuf], part: &str) -> Result<Vec<PathBuf>, Failure> {
    if part != "*" {
        return Ok(folders.iter().map(|folder| folder.join(part)).collect());
    }
    let mut found = Vec::new();
    for folder in folders {
        let path = root.join(folder);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.doing(format!("read the folder `{}`", path.display()))?,
        };
        for entry in entries {
            let entry = entry.doing(format!("read the folder `{}`", path.display()))?;
            found.push(folder.join(entry.file_name()));
        }
    }
    Ok(found)
}

/// Reads a file up to just over the limit, so that a larger one is refused by the decoder.
fn read(path: &Path) -> Result<String, Failure> {
    let doing = || format!("read `{}`", path.display());
    let file = fs::File::open(path).doing(doing())?;
    let mut bytes = Vec::new();
    file.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes).doing(doing())?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("`{}` is not text in UTF-8", path.display())))
}

fn slashed(path: &Path) -> String {
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.filter(|part| part != ".").collect::<Vec<_>>().join("/")
}
