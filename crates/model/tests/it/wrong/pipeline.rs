//! Stages and neighbours that do not fit together.

use super::service;
use expect_test::expect;

#[test]
fn stages_that_do_not_exist_are_named() {
    service(
        r#"service: a
build: { needs: [lint] }
pipeline:
  image: node
  stages:
    unit: { steps: x }
    contract: { needs: [unti, build], steps: x }
"#,
        &expect![[r#"
            error: there is no stage `lint`
             --> fairway.yaml:2:18
              |
            2 | build: { needs: [lint] }
              |                  ^^^^ name a stage of this pipeline

            error: there is no stage `unti`
             --> fairway.yaml:7:25
              |
            7 |     contract: { needs: [unti, build], steps: x }
              |                         ^^^^ did you mean `unit`?
        "#]],
    );
}

#[test]
fn stages_that_wait_for_each_other_are_shown() {
    service(
        r#"service: a
pipeline:
  image: node
  stages:
    a: { needs: [c], steps: x }
    b: { needs: [a], steps: x }
    c: { needs: [b], steps: x }
    d: { needs: [a], steps: x }
"#,
        &expect![[r#"
            error: stages wait for each other: `a` -> `c` -> `b` -> `a`
             --> fairway.yaml:5:10
              |
            5 |     a: { needs: [c], steps: x }
              |          ^^^^^
        "#]],
    );
    service(
        r#"service: a
build: { needs: [unit] }
pipeline:
  stages:
    unit: { steps: x }
"#,
        &expect![[r#"
            error: stages wait for each other: `build` -> `unit` -> `build`
             --> fairway.yaml:5:5
              |
            5 |     unit: { steps: x }
              |     ^^^^
              = hint: `unit` names no `image`, so it runs in the built one and waits for `build`
        "#]],
    );
    service(
        r#"service: a
pipeline:
  stages:
    unit: { image: n, needs: [unit], steps: x }
"#,
        &expect![[r#"
            error: stages wait for each other: `unit` -> `unit`
             --> fairway.yaml:4:23
              |
            4 |     unit: { image: n, needs: [unit], steps: x }
              |                       ^^^^^
        "#]],
    );
}

#[test]
fn the_stage_build_cannot_be_written() {
    service(
        r#"service: a
pipeline:
  stages:
    build: { steps: make }
"#,
        &expect![[r#"
            error: a stage cannot be named `build`: that one is there by itself
             --> fairway.yaml:4:5
              |
            4 |     build: { steps: make }
              |     ^^^^^
              = hint: what it does is said under `build:` at the top of the file
        "#]],
    );
}

#[test]
fn neighbours_of_a_stage_are_declared() {
    service(
        r#"service: a
uses:
  db: { image: postgres }
pipeline:
  stages:
    unit: { image: n, steps: x, uses: [bd, db, db] }
    it: { image: n, steps: x, uses: [{ a: { image: x }, b: { image: y } }, { db: { imag: x } }] }
"#,
        &expect![[r#"
            error: the service uses no `bd`
             --> fairway.yaml:6:40
              |
            6 |     unit: { image: n, steps: x, uses: [bd, db, db] }
              |                                        ^^ did you mean `db`?

            error: `db` is there twice
             --> fairway.yaml:6:48
              |
            6 |     unit: { image: n, steps: x, uses: [bd, db, db] }
              |                                                ^^

            error: expected a name or one inline neighbour
             --> fairway.yaml:7:38
              |
            7 |     it: { image: n, steps: x, uses: [{ a: { image: x }, b: { image: y } }, { db: { imag: x } }] }
              |                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ write it like `db` or `db: { image: … }`

            error: unknown key `imag`
             --> fairway.yaml:7:84
              |
            7 |     it: { image: n, steps: x, uses: [{ a: { image: x }, b: { image: y } }, { db: { imag: x } }] }
              |                                                                                    ^^^^ did you mean `image`?
        "#]],
    );
}

#[test]
fn overlays_replace_only_what_is_there() {
    service(
        r#"service: a
uses:
  db: { image: postgres }
environments:
  production: { uses: { dbs: { external: host } }, replica: 2 }
"#,
        &expect![[r#"
            error: there is no neighbour `dbs` to replace
             --> fairway.yaml:5:25
              |
            5 |   production: { uses: { dbs: { external: host } }, replica: 2 }
              |                         ^^^ did you mean `db`?

            error: unknown key `replica`
             --> fairway.yaml:5:52
              |
            5 |   production: { uses: { dbs: { external: host } }, replica: 2 }
              |                                                    ^^^^^^^ did you mean `replicas`?
        "#]],
    );
}
