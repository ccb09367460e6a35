//! `fairway logs`.

use crate::{outcome::assert_outcome, web::get, world::World};
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

#[test]
fn stages_of_a_run_are_shown_with_secrets_masked() {
    let world = World::new();
    world.write(
        "services/hello/fairway.yaml",
        "service: hello\nport: 8080\npipeline:\n  stages:\n    unit:\n      needs: [build]\n      \
         env: { TOKEN: '${secret:token}' }\n      steps: [echo token is $TOKEN; echo bad >&2]\n",
    );
    let value = "correct horse battery staple";
    world.fairway_with(&["secret", "set", "staging", "token"], value).passed();
    world.fairway(&["run", "hello", "--target", "staging"]).passed();
    assert_outcome!(world.fairway(&["logs", "1", "unit"]), @r"
    exit 0
    --- stdout
    token is ***
    bad
    ");
    assert_outcome!(world.fairway(&["logs", "1", "unit", "--output", "json"]), @r#"
    exit 0
    --- stdout
    {"at":"[MOMENT]","stage":"unit","stream":"stdout","text":"token is ***"}
    {"at":"[MOMENT]","stage":"unit","stream":"stderr","text":"bad"}
    "#);
}

#[test]
fn of_a_cached_stage_the_first_log_is_shown() {
    let world = World::new();
    let config = "service: hello\npipeline: { stages: { unit: { steps: [echo I ran] } } }\n";
    world.write("services/hello/fairway.yaml", config);
    world.write("services/greeter/fairway.yaml", "service: greeter\n");
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["run", "hello"]).passed();
    let log = world.fairway(&["logs", "2", "unit"]).passed().stdout;
    assert!(log.ends_with("I ran\n"), "{log}");
}

#[test]
fn services_and_gateways_of_an_environment_are_shown() {
    let world = World::new();
    let dockerfile = "FROM busybox\nCOPY version.txt /www/\nSTOPSIGNAL SIGKILL\n\
                      CMD [\"sh\", \"-c\", \"echo here I am; httpd -f -p 8080 -h /www\"]\n";
    world.write("services/hello/Dockerfile", dockerfile);
    let config = "service: hello\nport: 8080\nroutes: [{ path: / }]\n";
    world.write("services/hello/fairway.yaml", config);
    world.write("services/greeter/fairway.yaml", "service: greeter\n");
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    let live = world.fairway(&["promote", "hello", "staging", "--output", "json"]).passed().json();
    assert_outcome!(world.fairway(&["logs", "staging", "hello"]), @r"
    exit 0
    --- stdout
    here I am
    ");
    assert_outcome!(world.fairway(&["logs", "staging", "gateway"]), @r"
    exit 0
    --- stderr
    the gateway of staging has had no requests
    ");
    get(&format!("{}/version.txt", live["gateway"].as_str().unwrap()));
    let requests = world.fairway(&["logs", "staging", "gateway"]).passed();
    let request: serde_json::Value = serde_json::from_str(&requests.stdout).unwrap();
    assert_eq!(request["status"], 200, "{request}");
    assert_outcome!(world.fairway(&["logs", "staging", "nobody"]), @r"
    exit 1
    --- stderr
    error: nothing named `nobody` runs in `staging`
      hint: there are `hello`
    ");
    assert_outcome!(world.fairway(&["logs", "staging"]), @r"
    exit 2
    --- stderr
    error: which service of `staging`?
      hint: `fairway status staging` names them
    ");
}

#[test]
fn lines_are_followed_as_they_are_written() {
    let world = World::new();
    let dockerfile = "FROM busybox\nRUN mkfifo /say\nSTOPSIGNAL SIGKILL\n\
                      CMD [\"sh\", \"-c\", \"exec 3<>/say; echo ready; cat <&3\"]\n";
    world.write("services/hello/Dockerfile", dockerfile);
    let config = "service: hello\nready: { log: ready }\n";
    world.write("services/hello/fairway.yaml", config);
    world.write("services/greeter/fairway.yaml", "service: greeter\n");
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["promote", "hello", "staging"]).passed();
    let mut follow = world.program(&["logs", "staging", "hello", "--follow"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "ready");
    let say = "echo one >/say; echo two >/say";
    world.fairway(&["exec", "staging", "hello", "--", "sh", "-c", say]).passed();
    assert_eq!([lines.next().unwrap(), lines.next().unwrap()], ["one", "two"]);
    follow.kill().unwrap();
    follow.wait().unwrap();
    assert_eq!(world.fairway(&["logs", "staging", "hello", "-n", "1"]).stdout, "two\n");
}

#[test]
fn what_has_no_log_is_named() {
    let world = World::new();
    assert_outcome!(world.fairway(&["logs", "7"]), @r"
    exit 1
    --- stderr
    error: there is no run 7
      hint: `fairway runs` lists them
    ");
    assert_outcome!(world.fairway(&["logs", "7up"]), @r"
    exit 2
    --- stderr
    error: invalid value '7up' for '<RUN|ENVIRONMENT>': a run is named by its number

    For more information, try '--help'.
    ");
    assert_outcome!(world.fairway(&["logs", "staging", "hello"]), @r"
    exit 1
    --- stderr
    error: `staging` is not up
      hint: `fairway promote SERVICE staging` brings it up
    ");
}
