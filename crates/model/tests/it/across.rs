//! Fleets whose files contradict each other.

use expect_test::{Expect, expect};
use fairway_model::config::{FleetConfig, SourceFile};
use fairway_model::{Colour, render_all};

const FLEET: &str = "\
fleet: shop
bases:
  postgres:15: { dockerfile: images/postgres }
  node:18: { dockerfile: images/node }
environments:
  staging: {}
  production: { from: staging }
";

fn check_with(fleet: &str, files: &[(&str, &str)], expected: &Expect) {
    let files: Vec<_> = files.iter().map(|&(path, text)| SourceFile { path, text }).collect();
    let fleet = SourceFile { path: "fleet.yaml", text: fleet };
    let found = FleetConfig::load(fleet, &files).expect_err("the fleet is wrong");
    expected.assert_eq(&render_all(&found, Colour::Off));
}

fn check(files: &[(&str, &str)], expected: &Expect) {
    check_with(FLEET, files, expected);
}

#[test]
fn two_services_cannot_have_one_name() {
    check(
        &[
            ("services/a/fairway.yaml", "service: orders\n"),
            ("services/b/fairway.yaml", "\nservice: orders\n"),
        ],
        &expect![[r#"
            error: two services are named `orders`
             --> services/b/fairway.yaml:2:10
              |
            2 | service: orders
              |          ^^^^^^ the other one is in services/a/fairway.yaml
        "#]],
    );
}

#[test]
fn a_service_that_is_used_exists_and_can_be_reached() {
    check(
        &[
            ("services/catalog/fairway.yaml", "service: catalog\nport: 80\n"),
            ("services/mail/fairway.yaml", "service: mail\n"),
            (
                "services/orders/fairway.yaml",
                "service: orders\nuses:\n  catalog: { service: catalgo }\n  mail: { service: mail }\n\
                 environments:\n  staging: { uses: { mail: { service: nothing } } }\n",
            ),
        ],
        &expect![[r#"
            error: there is no service `catalgo` in the fleet
             --> services/orders/fairway.yaml:3:23
              |
            3 |   catalog: { service: catalgo }
              |                       ^^^^^^^ did you mean `catalog`?

            error: service `mail` has no `port`
             --> services/orders/fairway.yaml:4:20
              |
            4 |   mail: { service: mail }
              |                    ^^^^ so it cannot be reached

            error: there is no service `nothing` in the fleet
             --> services/orders/fairway.yaml:6:39
              |
            6 |   staging: { uses: { mail: { service: nothing } } }
              |                                       ^^^^^^^
        "#]],
    );
}

#[test]
fn a_service_whose_file_is_wrong_is_not_missed() {
    check(
        &[
            ("services/catalog/fairway.yaml", "service: catalog\nport: eighty\n"),
            (
                "services/orders/fairway.yaml",
                "service: orders\nuses: { catalog: { service: catalog } }\n",
            ),
        ],
        &expect![[r#"
            error: `eighty` is not a number
             --> services/catalog/fairway.yaml:2:7
              |
            2 | port: eighty
              |       ^^^^^^ write a whole number
        "#]],
    );
    check(
        &[
            ("services/catalog/fairway.yaml", "service: [\n"),
            (
                "services/orders/fairway.yaml",
                "service: orders\nuses: { catalog: { service: catalog } }\n",
            ),
        ],
        &expect![[r#"
            error: not YAML: while parsing a node, did not find expected node content
             --> services/catalog/fairway.yaml:2:1
              |
            2 |
              | ^
        "#]],
    );
}

#[test]
fn a_neighbour_cannot_hide_a_service() {
    check(
        &[
            ("services/catalog/fairway.yaml", "service: catalog\nport: 80\n"),
            (
                "services/orders/fairway.yaml",
                "service: orders\nuses:\n  catalog: { image: postgres:15 }\npipeline:\n  image: node:18\n  stages:\n    \
                 it: { steps: x, uses: [{ orders: { service: catalog } }] }\n    at: { steps: x, uses: { orders: { service: catalog } } }\n",
            ),
        ],
        &expect![[r#"
            error: neighbour `catalog` hides the service of that name
             --> services/orders/fairway.yaml:3:3
              |
            3 |   catalog: { image: postgres:15 }
              |   ^^^^^^^ write `service: catalog`, or choose another name

            error: neighbour `orders` hides the service of that name
             --> services/orders/fairway.yaml:7:30
              |
            7 |     it: { steps: x, uses: [{ orders: { service: catalog } }] }
              |                              ^^^^^^ write `service: orders`, or choose another name

            error: neighbour `orders` hides the service of that name
             --> services/orders/fairway.yaml:8:29
              |
            8 |     at: { steps: x, uses: { orders: { service: catalog } } }
              |                             ^^^^^^ write `service: orders`, or choose another name
        "#]],
    );
}

#[test]
fn environments_are_those_of_the_fleet() {
    check(
        &[(
            "services/a/fairway.yaml",
            "service: a\nenvironments:\n  prodution: { replicas: 2 }\n  qa: {}\n",
        )],
        &expect![[r#"
            error: there is no environment `prodution` in the fleet
             --> services/a/fairway.yaml:3:3
              |
            3 |   prodution: { replicas: 2 }
              |   ^^^^^^^^^ did you mean `production`?

            error: there is no environment `qa` in the fleet
             --> services/a/fairway.yaml:4:3
              |
            4 |   qa: {}
              |   ^^ declare it in `fleet.yaml`
        "#]],
    );
}

#[test]
fn environments_follow_each_other_without_a_circle() {
    check_with(
        "fleet: a\nservices: [x]\nenvironments:\n  a: { from: c, port: 80 }\n  b: { from: a }\n  c: { from: b, port: 80 }\n  \
         d: { from: e }\n",
        &[("x/fairway.yaml", "service: x\n")],
        &expect![[r#"
            error: environments follow each other in a circle: `a` -> `c` -> `b` -> `a`
             --> fleet.yaml:4:14
              |
            4 |   a: { from: c, port: 80 }
              |              ^

            error: port 80 is taken by environment `a`
             --> fleet.yaml:6:23
              |
            6 |   c: { from: b, port: 80 }
              |                       ^^

            error: there is no environment `e`
             --> fleet.yaml:7:14
              |
            7 |   d: { from: e }
              |              ^
        "#]],
    );
}

#[test]
fn images_are_among_the_bases() {
    check(
        &[(
            "services/a/fairway.yaml",
            "service: a\nuses:\n  db: { image: postgres:16 }\n  queue: { image: rabbitmq:3 }\npipeline:\n  image: nod:18\n  \
             stages:\n    unit: { image: node, steps: x, uses: [{ c: { image: postgres:15 } }, { d: { image: redis } }] }\n",
        )],
        &expect![[r#"
            error: image `postgres:16` is not among the bases
             --> services/a/fairway.yaml:3:16
              |
            3 |   db: { image: postgres:16 }
              |                ^^^^^^^^^^^ did you mean `postgres:15`?

            error: image `rabbitmq:3` is not among the bases
             --> services/a/fairway.yaml:4:19
              |
            4 |   queue: { image: rabbitmq:3 }
              |                   ^^^^^^^^^^ say how it is made in `bases` of `fleet.yaml`

            error: image `nod:18` is not among the bases
             --> services/a/fairway.yaml:6:10
              |
            6 |   image: nod:18
              |          ^^^^^^ did you mean `node:18`?

            error: image `node:latest` is not among the bases
             --> services/a/fairway.yaml:8:20
              |
            8 |     unit: { image: node, steps: x, uses: [{ c: { image: postgres:15 } }, { d: { image: redis } }] }
              |                    ^^^^ did you mean `node:18`?

            error: image `redis:latest` is not among the bases
             --> services/a/fairway.yaml:8:88
              |
            8 |     unit: { image: node, steps: x, uses: [{ c: { image: postgres:15 } }, { d: { image: redis } }] }
              |                                                                                        ^^^^^ say how it is made in `bases` of `fleet.yaml`
        "#]],
    );
}

#[test]
fn two_services_cannot_have_one_route() {
    check(
        &[
            (
                "services/a/fairway.yaml",
                "service: a\nport: 80\nroutes: [{ path: /x }, { path: /x/ }]\n",
            ),
            (
                "services/b/fairway.yaml",
                "service: b\nport: 80\nroutes: [{ path: /x }, { path: /x, host: b.example }]\n",
            ),
        ],
        &expect![[r#"
            error: the same route is there twice
             --> services/a/fairway.yaml:3:24
              |
            3 | routes: [{ path: /x }, { path: /x/ }]
              |                        ^^^^^^^^^^^^^ it is already in services/a/fairway.yaml

            error: the same route is there twice
             --> services/b/fairway.yaml:3:10
              |
            3 | routes: [{ path: /x }, { path: /x, host: b.example }]
              |          ^^^^^^^^^^^^ it is already in services/a/fairway.yaml
        "#]],
    );
}

#[test]
fn inputs_lie_within_the_fleet() {
    check(
        &[(
            "services/a/fairway.yaml",
            "service: a\ninputs: [., ../../proto, ../../../etc, a/../../../../b]\n",
        )],
        &expect![[r#"
            error: input `../../../etc` lies outside of the fleet
             --> services/a/fairway.yaml:2:26
              |
            2 | inputs: [., ../../proto, ../../../etc, a/../../../../b]
              |                          ^^^^^^^^^^^^ the folder of the service is `services/a`

            error: input `../../../b` lies outside of the fleet
             --> services/a/fairway.yaml:2:40
              |
            2 | inputs: [., ../../proto, ../../../etc, a/../../../../b]
              |                                        ^^^^^^^^^^^^^^^ the folder of the service is `services/a`
        "#]],
    );
}

#[test]
fn folders_that_hold_no_service_are_named() {
    check_with(
        "fleet: shop\nservices: [services/*, tools/report]\n",
        &[("services/a/fairway.yaml", "service: a\n")],
        &expect![[r#"
            error: no folder `tools/report` has a `fairway.yaml`
             --> fleet.yaml:2:24
              |
            2 | services: [services/*, tools/report]
              |                        ^^^^^^^^^^^^
              = hint: write one with `fairway init`
        "#]],
    );
}

#[test]
fn every_error_of_every_file_comes_at_once() {
    check_with(
        "fleet: shop\nbases: { 'node:18': { dockerfil: x } }\nenvironments: { staging: { engine: x } }\n",
        &[
            ("services/b/fairway.yaml", "service: b\nport: 0\nuses: { a: { service: aa } }\n"),
            (
                "services/a/fairway.yaml",
                "service: a\nprot: 80\nenvironments: { staging: {}, live: {} }\npipeline: { image: node:18 }\n",
            ),
        ],
        &expect![[r#"
            error: unknown key `dockerfil`
             --> fleet.yaml:2:23
              |
            2 | bases: { 'node:18': { dockerfil: x } }
              |                       ^^^^^^^^^ did you mean `dockerfile`?

            error: there is no engine `x`
             --> fleet.yaml:3:36
              |
            3 | environments: { staging: { engine: x } }
              |                                    ^ known: `embedded`

            error: unknown key `prot`
             --> services/a/fairway.yaml:2:1
              |
            2 | prot: 80
              | ^^^^ did you mean `port`?

            error: there is no environment `live` in the fleet
             --> services/a/fairway.yaml:3:30
              |
            3 | environments: { staging: {}, live: {} }
              |                              ^^^^ declare it in `fleet.yaml`

            error: `0` is not from 1 to 65535
             --> services/b/fairway.yaml:2:7
              |
            2 | port: 0
              |       ^

            error: there is no service `aa` in the fleet
             --> services/b/fairway.yaml:3:23
              |
            3 | uses: { a: { service: aa } }
              |                       ^^
        "#]],
    );
}
