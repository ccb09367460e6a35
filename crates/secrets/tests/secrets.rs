//! Secrets on a real file system.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use fairway_model::{EnvironmentName, SecretName, Timestamp};
use fairway_secrets::{SecretError, SecretInfo, SecretValue, SecretVersion, Secrets};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

struct Place {
    dir: tempfile::TempDir,
    secrets: Secrets,
    staging: EnvironmentName,
    production: EnvironmentName,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(dir.path().join("secrets")).unwrap();
        let [staging, production] = ["staging", "production"].map(|name| name.parse().unwrap());
        Self { dir, secrets, staging, production }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("secrets").join(name)
    }

    fn set(&self, environment: &EnvironmentName, name: &str, value: &str) -> u64 {
        let value: SecretValue = value.parse().unwrap();
        self.secrets.set(environment, &secret(name), &value, Timestamp(7)).unwrap().0
    }

    fn get(&self, environment: &EnvironmentName, name: &str) -> Option<(String, u64)> {
        let found = self.secrets.get(environment, &secret(name)).unwrap();
        found.map(|(value, version)| (value.expose().to_owned(), version.0))
    }
}

fn secret(name: &str) -> SecretName {
    name.parse().unwrap()
}

fn found(value: &str, version: u64) -> (String, u64) {
    (value.to_owned(), version)
}

#[test]
fn a_secret_belongs_to_one_environment_and_counts_its_versions() {
    let place = Place::new();
    assert_eq!(place.get(&place.staging, "db_password"), None);
    assert_eq!(place.set(&place.staging, "db_password", "hunter2"), 1);
    assert_eq!(place.set(&place.staging, "db_password", "hunter3"), 2);
    assert_eq!(place.set(&place.production, "db_password", "other"), 1);
    assert_eq!(place.get(&place.staging, "db_password"), Some(found("hunter3", 2)));
    assert_eq!(place.get(&place.production, "db_password"), Some(found("other", 1)));

    let info =
        SecretInfo { name: secret("db_password"), version: SecretVersion(2), set_at: Timestamp(7) };
    assert_eq!(place.secrets.list(&place.staging).unwrap(), [info]);
    let removed = place.secrets.remove(&place.staging, &secret("db_password")).unwrap();
    assert_eq!(removed, Some(SecretVersion(2)));
    assert_eq!(place.secrets.remove(&place.staging, &secret("db_password")).unwrap(), None);
    assert_eq!(place.get(&place.staging, "db_password"), None);
    assert_eq!(place.secrets.list(&place.staging).unwrap(), []);
    assert_eq!(
        place.set(&place.staging, "db_password", "again"),
        3,
        "a version is never used twice"
    );
}

#[test]
fn nothing_on_disk_shows_a_value_or_is_open_to_others() {
    let place = Place::new();
    place.set(&place.staging, "db_password", "correct horse battery");
    for entry in fs::read_dir(place.path("")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"correct"), "{}", path.display());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let mode = fs::metadata(place.path("")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_value_that_was_moved_or_changed_is_refused() {
    let place = Place::new();
    place.set(&place.staging, "one", "first value");
    place.set(&place.staging, "two", "other value");
    let file = place.path("staging.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(place.path("production.json"), &text).unwrap();
    let moved = place.secrets.get(&place.production, &secret("one")).unwrap_err();
    assert!(matches!(moved, SecretError::Undecryptable { .. }), "{moved}");

    fs::write(&file, text.replace("one", "zwo").replace("two", "one")).unwrap();
    let renamed = place.secrets.get(&place.staging, &secret("one")).unwrap_err();
    assert!(matches!(renamed, SecretError::Undecryptable { .. }), "{renamed}");

    fs::write(&file, text.replace("\"version\": 1", "\"version\": 2")).unwrap();
    assert!(place.secrets.get(&place.staging, &secret("one")).is_err(), "an old value is not new");
}

#[test]
fn a_lost_open_or_cut_key_is_named_and_not_replaced() {
    let place = Place::new();
    place.set(&place.staging, "one", "first value");
    let (key, aside) = (place.path("key"), place.dir.path().join("aside"));
    let value: SecretValue = "second".parse().unwrap();

    fs::rename(&key, &aside).unwrap();
    let lost = place.secrets.get(&place.staging, &secret("one")).unwrap_err();
    assert!(matches!(lost, SecretError::KeyMissing(_)), "{lost}");
    let lost = place.secrets.set(&place.production, &secret("one"), &value, Timestamp(0));
    assert!(matches!(lost, Err(SecretError::KeyMissing(_))), "{lost:?}");

    fs::copy(&aside, &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let open = place.secrets.get(&place.staging, &secret("one")).unwrap_err();
    assert!(matches!(open, SecretError::KeyExposed(_)), "{open}");

    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(place.get(&place.staging, "one"), Some(found("first value", 1)));
    fs::write(&key, "short").unwrap();
    let cut = place.secrets.get(&place.staging, &secret("one")).unwrap_err();
    assert!(matches!(cut, SecretError::KeyDamaged(_)), "{cut}");
}

#[test]
fn a_damaged_and_a_newer_file_are_told_apart() {
    let place = Place::new();
    fs::write(place.path("staging.json"), r#"{"schema": 1, "secrets": [}"#).unwrap();
    let damaged = place.secrets.list(&place.staging).unwrap_err();
    assert!(matches!(damaged, SecretError::Damaged { .. }), "{damaged}");
    fs::write(place.path("staging.json"), r#"{"schema": 2, "vaults": []}"#).unwrap();
    let newer = place.secrets.list(&place.staging).unwrap_err();
    assert!(matches!(newer, SecretError::Newer(_)), "{newer}");
}

#[test]
fn writers_at_once_lose_nothing() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let place = &place;
            scope.spawn(move || {
                let own = Secrets::open(place.path("")).unwrap();
                for round in 0..10 {
                    let value: SecretValue = format!("{writer}-{round}").parse().unwrap();
                    for name in ["shared".to_owned(), format!("own_{writer}")] {
                        own.set(&place.staging, &secret(&name), &value, Timestamp(0)).unwrap();
                    }
                }
            });
        }
    });
    let listed = place.secrets.list(&place.staging).unwrap();
    assert_eq!(listed.len(), 9);
    for SecretInfo { name, version, .. } in listed {
        let sets = if name.as_str() == "shared" { 80 } else { 10 };
        assert_eq!(version, SecretVersion(sets), "{name}");
    }
}
