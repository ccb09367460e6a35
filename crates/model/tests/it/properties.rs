//! Whatever the text, it is decoded or explained, in bounded time.

use fairway_model::config::{DIAGNOSTICS_MAX, FILE_MAX, Fleet, FleetConfig, Service, SourceFile};
use fairway_model::{Colour, render_all};
use proptest::prelude::*;
use std::fmt::Write;

const VALID: &str = include_str!("valid.yaml");

/// Decodes a text as both files and shows what is wrong.
fn decode(text: &str) {
    let file = SourceFile { path: "services/a/fairway.yaml", text };
    let fleet = SourceFile { path: "fleet.yaml", text };
    let whole = FleetConfig::load(fleet, &[file, file]).map(drop);
    let service = Service::decode("fairway.yaml", text).map(drop);
    let fleet = Fleet::decode("fleet.yaml", text).map(drop);
    for found in [whole, service, fleet].into_iter().filter_map(Result::err) {
        assert!(!found.is_empty());
        assert!(found.len() <= 3 * DIAGNOSTICS_MAX);
        assert!(found.iter().all(|one| one.span.line > 0 && one.span.column > 0));
        assert!(!render_all(&found, Colour::On).is_empty());
    }
}

proptest! {
    #[test]
    fn any_text_is_decoded_or_explained(text in any::<String>()) {
        decode(&text);
    }

    #[test]
    fn any_text_that_looks_like_yaml_is_decoded_or_explained(
        text in "([a-z<*&!|>\"'?{}\\[\\],:#%@`~ \t\r\n-]|x-|<<|: |- |service|uses|env|&a|\\*a){0,80}",
    ) {
        decode(&text);
    }

    #[test]
    fn any_change_to_a_valid_file_is_decoded_or_explained(
        at in 0..VALID.len(),
        length in 0_usize..30,
        with in "([a-z0-9<*&!|>\"'?{}\\[\\],:#$~ \t\n-]){0,12}",
    ) {
        let boundary = |at: usize| (at..=VALID.len()).find(|&at| VALID.is_char_boundary(at));
        let start = boundary(at).unwrap();
        let end = boundary((start + length).min(VALID.len())).unwrap();
        decode(&format!("{}{with}{}", &VALID[..start], &VALID[end..]));
    }
}

#[test]
fn the_valid_file_is_valid() {
    let found = Service::decode("valid.yaml", VALID).err().unwrap_or_default();
    assert!(found.is_empty(), "{}", render_all(&found, Colour::Off));
}

fn message(text: &str) -> String {
    Service::decode("fairway.yaml", text).expect_err("the file is wrong")[0].message.clone()
}

#[test]
fn a_laugh_is_not_multiplied_a_billion_times() {
    let mut text = "x-a0: &a0 [ha, ha]\n".to_owned();
    for level in 1..30 {
        let before = level - 1;
        writeln!(text, "x-a{level}: &a{level} [*a{before}, *a{before}, *a{before}]").unwrap();
    }
    assert_eq!(message(&text), "more than 50000 values, with each alias spelled out");
    let merged = "x-a: &a { <<: *a }\n";
    assert_eq!(message(merged), "an alias inside of what it stands for");
}

#[test]
fn what_is_too_deep_too_long_or_too_much_is_refused() {
    assert_eq!(message(&"[".repeat(100)), "nested deeper than 40 levels");
    assert_eq!(message(&"- ".repeat(100)), "nested deeper than 40 levels");
    assert_eq!(message(&"[".repeat(FILE_MAX)), "not YAML: recursion limit exceeded");
    assert_eq!(message(&"a\n".repeat(FILE_MAX)), "the file has more than 1024 KiB");
    let many = "env:\n".to_owned() + &"  - a\n".repeat(60_000);
    assert_eq!(message(&many), "more than 50000 values, with each alias spelled out");
}

#[test]
fn of_very_many_errors_the_first_are_reported() {
    let mut text = String::new();
    for number in 0..20_000 {
        writeln!(text, "wrong{number}: 1").unwrap();
    }
    let found = Service::decode("fairway.yaml", &text).unwrap_err();
    assert_eq!(found.len(), DIAGNOSTICS_MAX);
}
