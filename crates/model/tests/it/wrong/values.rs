//! Values that are not what their key takes.

use super::service;
use expect_test::expect;

#[test]
fn a_value_of_the_wrong_kind_is_named() {
    service(
        r#"service: [a]
port: eighty
build: Dockerfile
uses: [db]
"#,
        &expect![[r#"
            error: expected text, found a list
             --> fairway.yaml:1:10
              |
            1 | service: [a]
              |          ^^^

            error: `eighty` is not a number
             --> fairway.yaml:2:7
              |
            2 | port: eighty
              |       ^^^^^^ write a whole number

            error: expected a mapping, found text
             --> fairway.yaml:3:1
              |
            3 | build: Dockerfile
              | ^^^^^ such as `dockerfile: …`

            error: expected a mapping, found a list
             --> fairway.yaml:4:7
              |
            4 | uses: [db]
              |       ^^^^ write it like `name: …`, indented
        "#]],
    );
    service(
        r#"service: a
port: "80"
env:
  A: [1]
  B:
pipeline:
"#,
        &expect![[r#"
            error: `80` is not a number
             --> fairway.yaml:2:7
              |
            2 | port: "80"
              |       ^^^^ write it without quotes

            error: expected text, found a list
             --> fairway.yaml:4:6
              |
            4 |   A: [1]
              |      ^^^

            error: a value is missing
             --> fairway.yaml:5:3
              |
            5 |   B:
              |   ^ give it one, or leave the key out

            error: expected a mapping, found nothing
             --> fairway.yaml:6:1
              |
            6 | pipeline:
              | ^^^^^^^^ such as `image: …`
        "#]],
    );
}

#[test]
fn a_file_that_is_no_mapping_is_named() {
    service(
        r#"- a
- b
"#,
        &expect![[r#"
            error: expected a mapping, found a list
             --> fairway.yaml:1:1
              |
            1 | - a
              | ^ such as `service: …`
        "#]],
    );
    service(
        r#"just text"#,
        &expect![[r#"
        error: expected a mapping, found text
         --> fairway.yaml:1:1
          |
        1 | just text
          | ^^^^^^^^^ such as `service: …`
    "#]],
    );
}

#[test]
fn numbers_have_one_way_to_be_written() {
    service(
        r#"service: a
replicas: 007
port: -1
"#,
        &expect![[r#"
            error: `007` is not a number
             --> fairway.yaml:2:11
              |
            2 | replicas: 007
              |           ^^^ write a whole number

            error: `-1` is not a number
             --> fairway.yaml:3:7
              |
            3 | port: -1
              |       ^^ write a whole number
        "#]],
    );
}

#[test]
fn bounds_are_named() {
    service(
        r#"service: a
port: 70000
replicas: 101
resources: { pids: 0, memory: 0x, cpus: 0 }
pipeline:
  stages:
    unit: { steps: [], timeout: 0s, image: n }
    it: { steps: a, timeout: 25h, image: n }
    lint: { steps: a, timeout: 5, image: n }
"#,
        &expect![[r#"
            error: `70000` is not from 1 to 65535
             --> fairway.yaml:2:7
              |
            2 | port: 70000
              |       ^^^^^

            error: `101` is not from 1 to 100
             --> fairway.yaml:3:11
              |
            3 | replicas: 101
              |           ^^^

            error: `0` is not from 1 to 4194304
             --> fairway.yaml:4:20
              |
            4 | resources: { pids: 0, memory: 0x, cpus: 0 }
              |                    ^

            error: `0x` is not a size
             --> fairway.yaml:4:31
              |
            4 | resources: { pids: 0, memory: 0x, cpus: 0 }
              |                               ^^ write it like `256Mi` or `1Gi`

            error: `0` is not a number of processors
             --> fairway.yaml:4:41
              |
            4 | resources: { pids: 0, memory: 0x, cpus: 0 }
              |                                         ^ write it like `0.5`, `2` or `250m`

            error: the list is empty
             --> fairway.yaml:7:20
              |
            7 |     unit: { steps: [], timeout: 0s, image: n }
              |                    ^^

            error: `0s` is no time at all
             --> fairway.yaml:7:33
              |
            7 |     unit: { steps: [], timeout: 0s, image: n }
              |                                 ^^

            error: `25h` is longer than a day
             --> fairway.yaml:8:30
              |
            8 |     it: { steps: a, timeout: 25h, image: n }
              |                              ^^^

            error: `5` is not a duration
             --> fairway.yaml:9:32
              |
            9 |     lint: { steps: a, timeout: 5, image: n }
              |                                ^ write it like `10s`, `500ms` or `1m30s`
        "#]],
    );
}

#[test]
fn names_are_labels() {
    service(
        r#"service: Orders
uses:
  my_db: { image: postgres }
  db: { image: 'Not An Image' }
"#,
        &expect![[r#"
            error: `O` is not allowed in this name
             --> fairway.yaml:1:10
              |
            1 | service: Orders
              |          ^^^^^^ use lower-case letters, digits and `-`, starting with a letter and not ending with `-`

            error: `_` is not allowed in this name
             --> fairway.yaml:3:3
              |
            3 |   my_db: { image: postgres }
              |   ^^^^^ use lower-case letters, digits and `-`, starting with a letter and not ending with `-`

            error: `Not An Image` is not an image
             --> fairway.yaml:4:16
              |
            4 |   db: { image: 'Not An Image' }
              |                ^^^^^^^^^^^^^^^ an image is written like `postgres:15`
        "#]],
    );
}

#[test]
fn secrets_in_values_are_checked() {
    service(
        r#"service: a
env:
  A: ${HOME}
  B: ${secret:x
  C: ${secret:Bad}
  D: $${HOME}
  1X: y
"#,
        &expect![[r#"
            error: `${HOME}` is not known
             --> fairway.yaml:3:6
              |
            3 |   A: ${HOME}
              |      ^^^^^^^ only `${secret:NAME}` is filled in

            error: `${` is never closed
             --> fairway.yaml:4:6
              |
            4 |   B: ${secret:x
              |      ^^^^^^^^^^ write `$${` for a literal one

            error: `Bad` is not the name of a secret
             --> fairway.yaml:5:6
              |
            5 |   C: ${secret:Bad}
              |      ^^^^^^^^^^^^^

            error: `1X` is not a variable
             --> fairway.yaml:7:3
              |
            7 |   1X: y
              |   ^^ use letters, digits and `_`, not starting with a digit
        "#]],
    );
}

#[test]
fn paths_cannot_leave_their_folder() {
    service(
        r#"service: a
build: { dockerfile: ../Dockerfile }
inputs: [/etc]
uses:
  db: { image: x, data: data }
pipeline:
  stages:
    u: { steps: x, image: n, reports: [../r.xml], artifacts: [/dist], cache: [~joe/x, '~/../x'] }
"#,
        &expect![[r#"
            error: `../Dockerfile` cannot be used as a path
             --> fairway.yaml:2:22
              |
            2 | build: { dockerfile: ../Dockerfile }
              |                      ^^^^^^^^^^^^^ it cannot leave its folder with `..`

            error: `/etc` cannot be used as a path
             --> fairway.yaml:3:10
              |
            3 | inputs: [/etc]
              |          ^^^^ write it relative to the service, such as `../../proto`

            error: `data` cannot be used as a path
             --> fairway.yaml:5:25
              |
            5 |   db: { image: x, data: data }
              |                         ^^^^ write it absolute, with a leading `/`

            error: `../r.xml` cannot be used as a path
             --> fairway.yaml:8:40
              |
            8 |     u: { steps: x, image: n, reports: [../r.xml], artifacts: [/dist], cache: [~joe/x, '~/../x'] }
              |                                        ^^^^^^^^ it cannot leave its folder with `..`

            error: `/dist` cannot be used as a path
             --> fairway.yaml:8:63
              |
            8 |     u: { steps: x, image: n, reports: [../r.xml], artifacts: [/dist], cache: [~joe/x, '~/../x'] }
              |                                                               ^^^^^ write it relative, without a leading `/`

            error: `~joe/x` cannot be used as a path
             --> fairway.yaml:8:79
              |
            8 |     u: { steps: x, image: n, reports: [../r.xml], artifacts: [/dist], cache: [~joe/x, '~/../x'] }
              |                                                                               ^^^^^^ only `~/` stands for a home

            error: `~/../x` cannot be used as a path
             --> fairway.yaml:8:87
              |
            8 |     u: { steps: x, image: n, reports: [../r.xml], artifacts: [/dist], cache: [~joe/x, '~/../x'] }
              |                                                                                       ^^^^^^^^ it cannot leave its folder with `..`
        "#]],
    );
}

#[test]
fn probes_and_routes_are_checked() {
    service(
        r#"service: a
port: 80
ready: { http: healthz }
routes:
  - { path: '/a?b' }
  - { path: /a//b }
  - { host: 'a_b.example' }
  - { strip: yes }
"#,
        &expect![[r#"
            error: `healthz` is not a path
             --> fairway.yaml:3:16
              |
            3 | ready: { http: healthz }
              |                ^^^^^^^ write an absolute path such as `/healthz`

            error: `/a?b` is not the path of a route
             --> fairway.yaml:5:13
              |
            5 |   - { path: '/a?b' }
              |             ^^^^^^^ write a plain prefix such as `/orders`

            error: `/a//b` is not the path of a route
             --> fairway.yaml:6:13
              |
            6 |   - { path: /a//b }
              |             ^^^^^ write a plain prefix such as `/orders`

            error: `a_b.example` is not a host
             --> fairway.yaml:7:13
              |
            7 |   - { host: 'a_b.example' }
              |             ^^^^^^^^^^^^^^ write it like `shop.example` or `*.shop.example`

            error: `yes` is neither `true` nor `false`
             --> fairway.yaml:8:14
              |
            8 |   - { strip: yes }
              |              ^^^
        "#]],
    );
    service(
        r#"service: a
ready: { tcp: yes }
"#,
        &expect![[r#"
            error: `yes` is not a number
             --> fairway.yaml:2:15
              |
            2 | ready: { tcp: yes }
              |               ^^^ write a whole number
        "#]],
    );
    service(
        r#"service: a
ready: /healthz
"#,
        &expect![[r#"
            error: expected a mapping, found text
             --> fairway.yaml:2:1
              |
            2 | ready: /healthz
              | ^^^^^ such as `http: …`
        "#]],
    );
}

#[test]
fn a_port_is_needed_where_one_is_asked_for() {
    service(
        r#"service: a
ready: { http: /up }
routes:
  - { path: / }
"#,
        &expect![[r#"
            error: a port is probed, but the service has no `port`
             --> fairway.yaml:2:10
              |
            2 | ready: { http: /up }
              |          ^^^^ add `port: …` to the service

            error: the gateway sends requests, but the service has no `port`
             --> fairway.yaml:3:1
              |
            3 | routes:
              | ^^^^^^ add `port: …` to the service
        "#]],
    );
}

#[test]
fn addresses_and_memory_are_plausible() {
    service(
        "service: a\nresources: { memory: 1Ki }\nenv: { A: \"x\\0\" }\nuses:\n  a: { external: 'http://x' }\n  b: { external: 'x:0' }\n  c: { external: '[::1]:80' }\n  d: { external: '${secret:x}' }\n",
        &expect![[r#"
            error: a container needs at least 6Mi of memory
             --> fairway.yaml:2:22
              |
            2 | resources: { memory: 1Ki }
              |                      ^^^

            error: text cannot hold a NUL character
             --> fairway.yaml:3:11
              |
            3 | env: { A: "x\0" }
              |           ^^^^^^

            error: `http://x` is not an address
             --> fairway.yaml:5:18
              |
            5 |   a: { external: 'http://x' }
              |                  ^^^^^^^^^^^ write `host` or `host:port`

            error: `x:0` is not an address
             --> fairway.yaml:6:18
              |
            6 |   b: { external: 'x:0' }
              |                  ^^^^^^ write `host` or `host:port`
        "#]],
    );
}
