//! Keys that are misspelt, missing, doubled or contradict each other.

use super::service;
use expect_test::expect;

#[test]
fn a_misspelt_key_is_named_with_what_was_meant() {
    service(
        r#"service: orders
port: 80
depliy: x
biuld: {}
"#,
        &expect![[r#"
            error: unknown key `depliy`
             --> fairway.yaml:3:1
              |
            3 | depliy: x
              | ^^^^^^ known are `service`, `build`, `inputs`, `port`, `ready`, `resources`, `env`, `uses`, `routes`, `replicas`, `environments`, `pipeline`

            error: unknown key `biuld`
             --> fairway.yaml:4:1
              |
            4 | biuld: {}
              | ^^^^^ did you mean `build`?
        "#]],
    );
    service(
        r#"service: a
uses:
  db: { imge: postgres }
"#,
        &expect![[r#"
            error: unknown key `imge`
             --> fairway.yaml:3:9
              |
            3 |   db: { imge: postgres }
              |         ^^^^ did you mean `image`?
        "#]],
    );
}

#[test]
fn every_error_of_a_file_comes_at_once() {
    service(
        r#"servce: orders
port: 0
replicas: many
env: [a]
routes:
  - { path: orders }
  - /x
"#,
        &expect![[r#"
            error: unknown key `servce`
             --> fairway.yaml:1:1
              |
            1 | servce: orders
              | ^^^^^^ did you mean `service`?

            error: `0` is not from 1 to 65535
             --> fairway.yaml:2:7
              |
            2 | port: 0
              |       ^

            error: `many` is not a number
             --> fairway.yaml:3:11
              |
            3 | replicas: many
              |           ^^^^ write a whole number

            error: expected a mapping, found a list
             --> fairway.yaml:4:6
              |
            4 | env: [a]
              |      ^^^ write it like `name: …`, indented

            error: `orders` is not the path of a route
             --> fairway.yaml:6:13
              |
            6 |   - { path: orders }
              |             ^^^^^^ write a plain prefix such as `/orders`

            error: expected a mapping, found text
             --> fairway.yaml:7:5
              |
            7 |   - /x
              |     ^^ such as `host: …`
        "#]],
    );
}

#[test]
fn a_missing_key_is_named_at_its_owner() {
    service(
        r#"port: 80
"#,
        &expect![[r#"
            error: key `service` is missing
             --> fairway.yaml:1:1
              |
            1 | port: 80
              | ^^^^
        "#]],
    );
    service(
        r#"service: a
pipeline:
  stages:
    unit:
      image: node
"#,
        &expect![[r#"
            error: key `steps` is missing
             --> fairway.yaml:4:5
              |
            4 |     unit:
              |     ^^^^
        "#]],
    );
    service(
        r#"service: a
uses:
  db: {}
"#,
        &expect![[r#"
            error: one of `image`, `service` or `external` is missing
             --> fairway.yaml:3:3
              |
            3 |   db: {}
              |   ^^
        "#]],
    );
}

#[test]
fn keys_that_exclude_each_other_are_named() {
    service(
        r#"service: a
uses:
  db: { image: postgres, service: b }
  c: { service: c, data: /x }
ready: { exec: x, log: y }
"#,
        &expect![[r#"
            error: `service` and `image` exclude each other
             --> fairway.yaml:3:26
              |
            3 |   db: { image: postgres, service: b }
              |                          ^^^^^^^

            error: `data` has a meaning only beside `image`
             --> fairway.yaml:4:20
              |
            4 |   c: { service: c, data: /x }
              |                    ^^^^

            error: `log` and `exec` exclude each other
             --> fairway.yaml:5:19
              |
            5 | ready: { exec: x, log: y }
              |                   ^^^
        "#]],
    );
}

#[test]
fn what_is_there_twice_is_named() {
    service(
        r#"service: a
port: 80
port: 81
env:
  A: 1
  A: 2
pipeline: { stages: { u: { image: n, steps: x, needs: [build, build] } } }
"#,
        &expect![[r#"
            error: key `port` is there twice
             --> fairway.yaml:3:1
              |
            3 | port: 81
              | ^^^^ it is already on line 2

            error: key `A` is there twice
             --> fairway.yaml:6:3
              |
            6 |   A: 2
              |   ^ it is already on line 5

            error: `build` is there twice
             --> fairway.yaml:7:63
              |
            7 | pipeline: { stages: { u: { image: n, steps: x, needs: [build, build] } } }
              |                                                               ^^^^^
        "#]],
    );
}

#[test]
fn merges_are_of_mappings() {
    service(
        r#"service: a
x-a: &a text
resources: { <<: *a }
env: { <<: [*a] }
"#,
        &expect![[r#"
            error: `<<` merges mappings, not text
             --> fairway.yaml:3:14
              |
            3 | resources: { <<: *a }
              |              ^^ write it like `<<: *name`

            error: `<<` merges mappings, not text
             --> fairway.yaml:4:8
              |
            4 | env: { <<: [*a] }
              |        ^^ write it like `<<: *name`
        "#]],
    );
    service(
        r#"x-a: &a { memory: nonsense }
service: a
resources: *a
environments:
  s: { resources: *a }
"#,
        &expect![[r#"
            error: `nonsense` is not a size
             --> fairway.yaml:1:19
              |
            1 | x-a: &a { memory: nonsense }
              |                   ^^^^^^^^ write it like `256Mi` or `1Gi`
        "#]],
    );
}
