//! What pages show is what happens: every `console` block is run, page by page, in a tiny fleet of
//! its own.

use crate::{
    console::{Example, examples},
    world::World,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// The pages with examples to run, below the folder of all pages.
fn pages(folder: &Path, found: &mut Vec<(PathBuf, Vec<Example>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let examples = examples(&fs::read_to_string(&path).unwrap());
            if !examples.is_empty() {
                found.push((path, examples));
            }
        }
    }
}

/// What a terminal would show.
fn printed(world: &World, command: &str) -> String {
    let output = world.command("sh").arg("-c").arg(format!("exec 2>&1\n{command}")).output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

/// The first example that is not met, as text for people.
fn fault(examples: &[Example]) -> Option<String> {
    let world = World::new();
    examples.iter().find_map(|example| {
        let printed = printed(&world, &example.command);
        let said = example.expected.join("\n");
        let command = &example.command;
        (!example.is_met_by(&printed))
            .then(|| format!("$ {command}\n--- the page says\n{said}\n--- what happens\n{printed}"))
    })
}

#[test]
fn every_example_of_every_page_does_what_it_says() {
    let mut found = Vec::new();
    pages(Path::new(DOCS), &mut found);
    assert!(found.len() > 5, "{} pages", found.len());
    let faults = found
        .iter()
        .filter_map(|(path, examples)| Some(format!("{}: {}", path.display(), fault(examples)?)));
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn the_first_service_of_the_readme_is_right() {
    let readme = fs::read_to_string(Path::new(DOCS).join("../README.md")).unwrap();
    let mut files = readme.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let world = World::empty();
    world.write("fleet.yaml", files.next().unwrap());
    world.write("services/greeter/fairway.yaml", files.next().unwrap());
    world.write("services/greeter/Dockerfile", "FROM debian:bookworm\n");
    world.fairway(&["check"]).passed();
}
