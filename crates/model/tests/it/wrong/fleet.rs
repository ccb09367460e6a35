//! What is wrong in `fleet.yaml` by itself.

use super::fleet;
use expect_test::expect;

#[test]
fn a_fleet_is_checked_by_itself() {
    fleet(
        r#"fleet: Shop
services: []
bases:
  debian:bookworm: { debian: 'book worm', package: [a] }
  postgres:15: { dockerfile: /images, packages: [a] }
  'x y': {}
"#,
        &expect![[r#"
            error: `S` is not allowed in this name
             --> fleet.yaml:1:8
              |
            1 | fleet: Shop
              |        ^^^^ use lower-case letters, digits and `-`, starting with a letter and not ending with `-`

            error: the list is empty
             --> fleet.yaml:2:11
              |
            2 | services: []
              |           ^^

            error: `book worm` is not a suite of Debian
             --> fleet.yaml:4:30
              |
            4 |   debian:bookworm: { debian: 'book worm', package: [a] }
              |                              ^^^^^^^^^^^

            error: unknown key `package`
             --> fleet.yaml:4:43
              |
            4 |   debian:bookworm: { debian: 'book worm', package: [a] }
              |                                           ^^^^^^^ did you mean `packages`?

            error: `/images` cannot be used as a path
             --> fleet.yaml:5:30
              |
            5 |   postgres:15: { dockerfile: /images, packages: [a] }
              |                              ^^^^^^^ write it relative, without a leading `/`

            error: `packages` has a meaning only beside `debian`
             --> fleet.yaml:5:39
              |
            5 |   postgres:15: { dockerfile: /images, packages: [a] }
              |                                       ^^^^^^^^

            error: `x y` is not an image
             --> fleet.yaml:6:3
              |
            6 |   'x y': {}
              |   ^^^^^ an image is written like `postgres:15`

            error: one of `debian` or `dockerfile` is missing
             --> fleet.yaml:6:3
              |
            6 |   'x y': {}
              |   ^^^^^
        "#]],
    );
    fleet(
        r#"name: shop
"#,
        &expect![[r#"
            error: key `fleet` is missing
             --> fleet.yaml:1:1
              |
            1 | name: shop
              | ^^^^

            error: unknown key `name`
             --> fleet.yaml:1:1
              |
            1 | name: shop
              | ^^^^ known are `fleet`, `services`, `bases`, `environments`
        "#]],
    );
}

#[test]
fn engines_are_named() {
    fleet(
        r#"fleet: shop
environments:
  staging: { engine: docker }
  production: { engine: embeded }
"#,
        &expect![[r#"
            error: there is no engine `docker`
             --> fleet.yaml:3:22
              |
            3 |   staging: { engine: docker }
              |                      ^^^^^^ known: `embedded`

            error: there is no engine `embeded`
             --> fleet.yaml:4:25
              |
            4 |   production: { engine: embeded }
              |                         ^^^^^^^ did you mean `embedded`?
        "#]],
    );
}

#[test]
fn folders_of_services_are_patterns() {
    fleet(
        r#"fleet: shop
services: [services/a*, ../x, /abs]
"#,
        &expect![[r#"
            error: `services/a*` cannot be used as a path
             --> fleet.yaml:2:12
              |
            2 | services: [services/a*, ../x, /abs]
              |            ^^^^^^^^^^^ `*` stands for a whole path component, as in `services/*`

            error: `../x` cannot be used as a path
             --> fleet.yaml:2:25
              |
            2 | services: [services/a*, ../x, /abs]
              |                         ^^^^ it cannot leave its folder with `..`

            error: `/abs` cannot be used as a path
             --> fleet.yaml:2:31
              |
            2 | services: [services/a*, ../x, /abs]
              |                               ^^^^ write it relative, without a leading `/`
        "#]],
    );
}
