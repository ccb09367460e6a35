use super::*;
use expect_test::{Expect, expect};

const ORDERS: &str = "
service: orders
port: 8080
env: { DATABASE_URL: 'postgres://${secret:pw}@db/orders' }
uses:
  db: { image: 'postgres:15' }
  catalog: { service: catalog }
pipeline:
  image: 'node:18'
  stages:
    unit: { steps: [npm test], artifacts: [dist/] }
    contract:
      needs: [unit]
      uses: [db, catalog]
      env: { A: b }
      steps: [npm run contract]
    smoke: { image: 'debian:bookworm', needs: [build], steps: ['true'] }
";

fn service(text: &str) -> Service {
    Service::decode("fairway.yaml", text).expect("a service")
}

fn fleet(texts: &[&str]) -> BTreeMap<ServiceName, Arc<Service>> {
    let services = texts.iter().map(|text| service(text));
    services.map(|service| (service.name.clone(), Arc::new(service))).collect()
}

fn name(text: &str) -> StageName {
    text.parse().unwrap()
}

fn check(texts: &[&str], selection: &Selection, expected: &Expect) {
    let shown = match Plan::new(&service(texts[0]), &fleet(texts), selection) {
        Ok(plan) => plan.stages.iter().map(shown).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

fn shown(stage: &PlannedStage) -> String {
    let needs: Vec<&str> = stage.needs.iter().map(StageName::as_str).collect();
    let work = match &stage.work {
        Work::Build(build) => format!("build {}", build.dockerfile),
        Work::Steps(work) => {
            let image = match &work.image {
                StageImage::Built => "built".to_owned(),
                StageImage::Named(image) => image.to_string(),
            };
            let uses: Vec<&str> = work.root.uses.iter().map(|u| u.fleet_wide.as_str()).collect();
            let env: Vec<&String> = work.env.keys().collect();
            format!("{image} {:?} uses {uses:?} env {env:?}", work.task)
        }
    };
    format!("{} {needs:?}: {work}", stage.name)
}

#[test]
fn a_whole_pipeline_has_the_stage_build() {
    check(
        &[ORDERS],
        &Selection::All,
        &expect![[r#"
        build []: build Dockerfile
        unit []: node:18 Steps(["npm test"]) uses [] env []
        contract ["unit"]: node:18 Steps(["npm run contract"]) uses ["db.orders", "catalog.orders"] env ["A", "DATABASE_URL"]
        smoke ["build"]: debian:bookworm Steps(["true"]) uses [] env []"#]],
    );
}

#[test]
fn one_stage_brings_what_it_needs() {
    check(
        &[ORDERS],
        &Selection::Stage(name("contract")),
        &expect![[r#"
        unit []: node:18 Steps(["npm test"]) uses [] env []
        contract ["unit"]: node:18 Steps(["npm run contract"]) uses ["db.orders", "catalog.orders"] env ["A", "DATABASE_URL"]"#]],
    );
    check(
        &[ORDERS],
        &Selection::Stage(name("nothing")),
        &expect!["`orders` has no stage `nothing`; it has `build`, `unit`, `contract`, `smoke`"],
    );
}

#[test]
fn a_command_stands_in_for_a_stage_or_has_all_neighbours() {
    let command = |stage: Option<&str>| Selection::Command {
        stage: stage.map(name),
        command: vec!["sh".to_owned()],
    };
    check(
        &[ORDERS],
        &command(Some("contract")),
        &expect![[r#"
        unit []: node:18 Steps(["npm test"]) uses [] env []
        contract ["unit"]: node:18 Command(["sh"]) uses ["db.orders", "catalog.orders"] env ["A", "DATABASE_URL"]"#]],
    );
    check(
        &[ORDERS],
        &command(None),
        &expect![[
            r#"command []: node:18 Command(["sh"]) uses ["catalog.orders", "db.orders"] env ["DATABASE_URL"]"#
        ]],
    );
    check(
        &[ORDERS],
        &command(Some("build")),
        &expect!["stage `build` builds the image; it has no steps that a command could replace"],
    );
}

#[test]
fn stages_without_an_image_run_in_the_built_one() {
    let text = "{service: a, pipeline: {stages: {unit: {steps: ['true']}}}}";
    check(
        &[text],
        &Selection::Stage(name("unit")),
        &expect![[r#"
        build []: build Dockerfile
        unit ["build"]: built Steps(["true"]) uses [] env []"#]],
    );
}

#[test]
fn a_neighbour_that_needs_the_service_itself_needs_its_build() {
    let a = "{service: a, port: 1, uses: {b: {service: b}},
        pipeline: {image: x, stages: {unit: {uses: [b], steps: ['true']}}}}";
    let b = "{service: b, port: 1, uses: {a: {service: a}}}";
    check(
        &[a, b],
        &Selection::Stage(name("unit")),
        &expect![[r#"
        build []: build Dockerfile
        unit ["build"]: x:latest Steps(["true"]) uses ["b.a"] env []"#]],
    );
    check(
        &[a],
        &Selection::Stage(name("unit")),
        &expect![[r#"unit []: x:latest Steps(["true"]) uses ["b.a"] env []"#]],
    );
}

#[test]
fn stages_that_wait_for_each_other_are_refused() {
    let a = "{service: a, port: 1, build: {needs: [unit]}, uses: {b: {service: b}},
        pipeline: {image: x, stages: {unit: {uses: [b], steps: ['true']}}}}";
    let b = "{service: b, port: 1, uses: {a: {service: a}}}";
    check(&[a, b], &Selection::All, &expect!["the stages `build`, `unit` of `a` need each other"]);
}
