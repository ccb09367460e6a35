//! `fairway help` and wrong usage.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn a_verb_that_does_not_exist_is_answered_with_a_similar_one() {
    assert_outcome!(World::empty().fairway(&["promte"]), @r"
    exit 2
    --- stderr
    error: unrecognized subcommand 'promte'

      tip: a similar subcommand exists: 'promote'

    Usage: fairway [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn nothing_to_do_is_wrong_usage() {
    let outcome = World::empty().fairway(&[]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("Usage: fairway"), "{outcome}");
}

#[test]
fn the_version_is_told() {
    assert_outcome!(World::empty().fairway(&["--version"]), @r"
    exit 0
    --- stdout
    fairway 0.1.0
    ");
}

#[test]
fn manual_pages_are_written_for_every_verb() {
    let world = World::empty();
    std::fs::create_dir(world.fleet().join("pages")).unwrap();
    world.fairway(&["man", "pages"]).passed();
    for page in ["fairway.1", "fairway-run.1", "fairway-secret-set.1"] {
        let text = std::fs::read_to_string(world.fleet().join("pages").join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
}
