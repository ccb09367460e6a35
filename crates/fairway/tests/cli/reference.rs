//! Every verb has a page in `docs/cli` that holds its help text. `UPDATE_EXPECT=1` writes it anew.

use crate::world::World;
use expect_test::expect_file;
use std::{fs, path::PathBuf};

/// What comes before the help text on a page, and after it.
const FENCE: (&str, &str) = ("```text\n", "```\n");

/// The folder with a page for every verb.
fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli"))
}

/// The verbs that `fairway help` shows.
fn verbs(world: &World) -> Vec<String> {
    below(&world.fairway(&["--help"]).passed().stdout)
}

/// The verbs that a help text lists.
fn below(help: &str) -> Vec<String> {
    let shown = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = shown.take_while(|line| !line.is_empty());
    let names = names.filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
    names.filter(|name| name != "help").collect()
}

/// The help texts of a verb and of the verbs below it, however deep.
fn help(world: &World, verb: &str) -> String {
    let mut texts = Vec::new();
    add_help(world, &[verb], &mut texts);
    let lines = texts.iter().flat_map(|text| text.lines().chain([""]));
    lines.map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn add_help(world: &World, path: &[&str], texts: &mut Vec<String>) {
    let text = world.fairway(&[path, &["--help"]].concat()).passed().stdout;
    let below = below(&text);
    texts.push(text);
    for name in &below {
        add_help(world, &[path, &[name]].concat(), texts);
    }
}

#[test]
fn every_verb_has_a_page_with_its_help() {
    let world = World::empty();
    let verbs = verbs(&world);
    assert!(verbs.len() > 5, "{verbs:?}");
    let missing = verbs.iter().filter(|verb| !folder().join(format!("{verb}.md")).is_file());
    let missing: Vec<_> = missing.collect();
    for verb in verbs.iter().filter(|verb| !missing.contains(verb)) {
        let path = folder().join(format!("{verb}.md"));
        let page = fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(FENCE.0).expect("a page has a block of `text`");
        let (_, after) = rest.split_once(FENCE.1).expect("the block ends");
        let (open, close) = FENCE;
        let current = format!("{before}{open}{}\n{close}{after}", help(&world, verb));
        expect_file![path].assert_eq(&current);
    }
    assert!(missing.is_empty(), "no page in `docs/cli` for {missing:?}");
}

#[test]
fn the_list_of_verbs_links_every_page() {
    let world = World::empty();
    let list = fs::read_to_string(folder().join("index.md")).unwrap();
    for verb in verbs(&world) {
        assert!(list.contains(&format!("({verb}.md)")), "`{verb}` is not in the list");
    }
}
