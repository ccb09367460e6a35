//! `fairway init`: begins a service, and a fleet if there is none. Never writes over a file.

use crate::{
    app::App,
    checkout::{Checkout, FLEET_FILE, SERVICE_FILE},
    failure::{Doing, Exit, Failure},
    printer::{Format, Printer},
};
use fairway_model::{
    FleetName, ServiceName,
    config::{FILE_MAX, Fleet, ServiceFolder, init_fleet, init_service},
};
use serde_json::json;
use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
};

const DOCKERFILE: &str = "Dockerfile";
/// Most files of a folder that are looked at.
const FILES_MAX: usize = 10_000;

/// Begin a service in a folder with a Dockerfile
#[derive(clap::Args)]
pub struct Args {
    /// The service's name; that of its folder if none is given
    #[arg(long)]
    name: Option<ServiceName>,
}

/// Writes the files that are missing.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let folder = &app.directory;
    let folder = folder.canonicalize().doing(format!("find the folder `{}`", folder.display()))?;
    let service_file = folder.join(SERVICE_FILE);
    if service_file.exists() {
        return Err(Failure::usage(format!("`{}` is there already", service_file.display()))
            .hint("`fairway check` says whether it is right"));
    }
    let dockerfile = dockerfile(&folder)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => service_name(&folder)?,
    };
    let place = Place::of(&folder)?;
    refuse_second(&place, &name)?;
    let files = file_names(&folder)?;
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let text = init_service(&name, &ServiceFolder { dockerfile: &dockerfile, files: &files });
    write_new(&service_file, &text)?;
    let mut wrote = vec![service_file];
    if let Place::New { root, pattern } = &place {
        let path = root.join(FLEET_FILE);
        write_new(&path, &init_fleet(&fleet_name(root)?, pattern))?;
        wrote.push(path);
    }
    tell(&name, &wrote, place.missing_pattern(), printer);
    Ok(Exit::Done)
}

/// The fleet that a folder lies in.
enum Place {
    /// There is one.
    Known {
        /// Its folder.
        root: PathBuf,
        /// The service's folder in it, if `fleet.yaml` does not name it.
        missing: Option<String>,
    },
    /// There will be one.
    New {
        /// Its folder.
        root: PathBuf,
        /// What names the service's folder in it.
        pattern: String,
    },
}

impl Place {
    /// Finds the fleet above a folder; without one, a fleet at the root of its git repository, else
    /// in the folder itself.
    fn of(folder: &Path) -> Result<Self, Failure> {
        let above = |name: &str| folder.ancestors().find(|above| above.join(name).exists());
        if let Some(root) = above(FLEET_FILE) {
            let path = root.join(FLEET_FILE);
            let text = read(&path)?;
            let relative = relative(root, folder)?;
            let is_named =
                Fleet::service_patterns(&text).iter().any(|pattern| names(pattern, &relative));
            let missing = (!is_named).then_some(relative);
            return Ok(Self::Known { root: root.to_owned(), missing });
        }
        let root = above(".git").unwrap_or(folder);
        let relative = relative(root, folder)?;
        let pattern = match relative.rsplit_once('/') {
            Some((parent, _)) => format!("{parent}/*"),
            None => relative,
        };
        Ok(Self::New { root: root.to_owned(), pattern: quoted(&pattern) })
    }

    fn missing_pattern(&self) -> Option<&str> {
        match self {
            Self::Known { missing, .. } => missing.as_deref(),
            Self::New { .. } => None,
        }
    }
}

/// A fleet has one service of a name. If its files have errors, `fairway check` is for that.
fn refuse_second(place: &Place, name: &ServiceName) -> Result<(), Failure> {
    let Place::Known { root, .. } = place else { return Ok(()) };
    let Ok(config) = Checkout::find(root)?.load() else { return Ok(()) };
    match config.services.get(name) {
        None => Ok(()),
        Some(member) => {
            let found = format!("the fleet has a service `{name}` already, in `{}`", member.root);
            Err(Failure::usage(found).hint("take another name with `--name`"))
        }
    }
}

fn tell(name: &ServiceName, wrote: &[PathBuf], missing: Option<&str>, printer: &mut Printer) {
    let paths: Vec<_> = wrote.iter().map(|path| path.display().to_string()).collect();
    if printer.format == Format::Json {
        return printer.json(&json!({ "service": name, "wrote": paths, "missing": missing }));
    }
    for path in &paths {
        printer.talk(&format!("wrote {path}\n"));
    }
    if let Some(folder) = missing {
        printer.talk(&format!("next: add `{folder}` to `services` in `{FLEET_FILE}`\n"));
    }
    printer
        .talk(&format!("next: look through it, then `fairway check` and `fairway run {name}`\n"));
}

fn dockerfile(folder: &Path) -> Result<String, Failure> {
    let path = folder.join(DOCKERFILE);
    if !path.is_file() {
        return Err(Failure::usage(format!(
            "there is no `{DOCKERFILE}` in `{}`",
            folder.display()
        ))
        .hint("a service is built from one; write it first, or name the folder with `-C`"));
    }
    read(&path)
}

/// Reads the beginning of a file, as far as files may be long here.
fn read(path: &Path) -> Result<String, Failure> {
    let doing = || format!("read `{}`", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).doing(doing())?;
    file.take(FILE_MAX as u64).read_to_end(&mut bytes).doing(doing())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn file_names(folder: &Path) -> Result<Vec<String>, Failure> {
    let doing = || format!("read the folder `{}`", folder.display());
    let entries = fs::read_dir(folder).doing(doing())?.take(FILES_MAX);
    let name = |entry: std::io::Result<fs::DirEntry>| {
        Ok(entry.doing(doing())?.file_name().to_string_lossy().into_owned())
    };
    entries.map(name).collect()
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.doing(format!("write `{}`", path.display()))
}

fn service_name(folder: &Path) -> Result<ServiceName, Failure> {
    named_like(folder).parse().map_err(|error| {
        Failure::usage(format!("no service can be named after `{}`", folder.display()))
            .because(error)
            .hint("name it with `--name`")
    })
}

/// A fleet has to have some name, which is easily changed.
fn fleet_name(root: &Path) -> Result<FleetName, Failure> {
    let name = named_like(root).parse().or_else(|_| "fleet".parse());
    name.doing("name the fleet")
}

/// The name of a folder as far as a name allows.
fn named_like(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let allowed = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let name: String = name.chars().map(allowed).collect();
    name.trim_matches('-').to_owned()
}

/// The path of a folder in another one, with `/`; `.` for that folder itself.
fn relative(root: &Path, folder: &Path) -> Result<String, Failure> {
    let path = folder.strip_prefix(root).doing("find the folder in the fleet")?;
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// Whether a pattern of `fleet.yaml` names a folder.
fn names(pattern: &str, folder: &str) -> bool {
    let (wanted, parts): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), folder.split('/').collect());
    wanted.len() == parts.len()
        && wanted.iter().zip(&parts).all(|(wanted, part)| *wanted == "*" || wanted == part)
}

/// A text that YAML takes as it is, in quotes if it has to be.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/*".contains(c);
    let starts_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.');
    if starts_plain && text.chars().all(is_plain) {
        return text.to_owned();
    }
    serde_json::to_string(text).expect("a text has a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_after_its_folder() {
        assert_eq!(named_like(Path::new("/src/Order_Service ")), "order-service");
        assert!(service_name(Path::new("/src/1st")).is_err());
    }

    #[test]
    fn a_pattern_names_folders_of_its_depth() {
        assert!(names("services/*", "services/orders") && names(".", "."));
        assert!(!names("services/*", "services/a/b") && !names("*", "a/b"));
    }

    #[test]
    fn only_what_yaml_would_misread_is_quoted() {
        assert_eq!(
            [quoted("services/*"), quoted("*"), quoted("a b")],
            ["services/*", "\"*\"", "\"a b\""]
        );
    }
}
