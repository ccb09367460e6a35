//! Texts that are no YAML, or more than one file holds.

use super::service;
use expect_test::expect;

#[test]
fn brackets_and_quotes_are_closed() {
    service(
        r#"service: a
uses: {db
"#,
        &expect![[r#"
            error: not YAML: while parsing a flow mapping, did not find expected ',' or '}'
             --> fairway.yaml:3:1
              |
            3 |
              | ^ a brace is never closed
        "#]],
    );
    service(
        r#"a: 'b
"#,
        &expect![[r#"
            error: not YAML: while scanning a quoted scalar, found unexpected end of stream
             --> fairway.yaml:1:4
              |
            1 | a: 'b
              |    ^ its quote is never closed
        "#]],
    );
}

#[test]
fn text_with_a_colon_needs_quotes() {
    service(
        r#"service: a
port: b: c
"#,
        &expect![[r#"
            error: not YAML: mapping values are not allowed in this context
             --> fairway.yaml:2:8
              |
            2 | port: b: c
              |        ^ a value with `: ` in it needs quotes
        "#]],
    );
}

#[test]
fn an_empty_file_is_named() {
    service(
        "",
        &expect![[r#"
        error: the file is empty
         --> fairway.yaml:1:1
          |
        1 |
          | ^
    "#]],
    );
    service(
        r#"# only a comment
"#,
        &expect![[r#"
            error: the file is empty
             --> fairway.yaml:1:1
              |
            1 | # only a comment
              | ^
        "#]],
    );
}

#[test]
fn a_file_holds_one_document() {
    service(
        r#"service: a
---
service: b
"#,
        &expect![[r#"
            error: a second document begins; a file holds one
             --> fairway.yaml:2:1
              |
            2 | ---
              | ^^^
        "#]],
    );
}

#[test]
fn anchors_tags_and_keys_of_other_kinds_are_named() {
    service(
        r#"service: *nowhere
"#,
        &expect![[r#"
            error: not YAML: while parsing node, found unknown anchor
             --> fairway.yaml:1:10
              |
            1 | service: *nowhere
              |          ^ there is no `&` with this name before
        "#]],
    );
    service(
        r#"service: !secret x
"#,
        &expect![[r#"
            error: tags such as `!secret` have no meaning here
             --> fairway.yaml:1:10
              |
            1 | service: !secret x
              |          ^^^^^^^^^
        "#]],
    );
    service(
        r#"service: a
? [x]
: y
"#,
        &expect![[r#"
            error: a key is text, not a list
             --> fairway.yaml:2:3
              |
            2 | ? [x]
              |   ^^^
        "#]],
    );
}

#[test]
fn a_tab_indents_nothing() {
    service(
        "service: a\n\tport: 80\n",
        &expect![[r#"
            error: not YAML: a tab indents this line
             --> fairway.yaml:2:1
              |
            2 |     port: 80
              | ^^^^ indent with spaces
        "#]],
    );
}
