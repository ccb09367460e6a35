//! The example fleet is right.

use fairway_model::config::{FleetConfig, SourceFile};
use fairway_model::{Colour, render_all};
use std::{fs, path::Path};

#[test]
fn the_files_of_the_shop_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
    let fleet = fs::read_to_string(root.join("fleet.yaml")).unwrap();
    let mut files = Vec::new();
    for folder in fs::read_dir(root.join("services")).unwrap() {
        let folder = folder.unwrap();
        let Ok(text) = fs::read_to_string(folder.path().join("fairway.yaml")) else { continue };
        let name = folder.file_name();
        files.push((format!("services/{}/fairway.yaml", name.to_str().unwrap()), text));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| SourceFile { path, text }).collect();
    let fleet = SourceFile { path: "fleet.yaml", text: &fleet };
    let config = FleetConfig::load(fleet, &files)
        .unwrap_or_else(|found| panic!("{}", render_all(&found, Colour::Off)));
    assert_eq!(config.services.len(), files.len());
}
