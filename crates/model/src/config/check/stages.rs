//! What must hold among the stages of a pipeline.

use crate::config::reporter::Reporter;
use crate::config::yaml::Document;
use crate::config::{Service, Stage, StageUse};
use crate::{StageName, closest};
use std::collections::HashSet;

/// Reports names that do not exist and stages that wait for each other.
pub(super) fn check_stages(service: &Service, file: &Document, log: &mut Reporter) {
    let build = ["pipeline", "stages", Stage::BUILD];
    if file.find(&build).is_some() {
        let wrong = "a stage cannot be named `build`: that one is there by itself";
        let wrong = log.diagnose(file.key_span(&build), wrong);
        log.report(wrong.hint("what it does is said under `build:` at the top of the file"));
        return;
    }
    let stages: HashSet<&str> = file.keys(&["pipeline", "stages"]).chain([Stage::BUILD]).collect();
    check_needs(&service.build.needs, &["build", "needs"], &stages, file, log);
    for stage in &service.pipeline.stages {
        let path = |key| ["pipeline", "stages", stage.name.as_str(), key];
        check_needs(&stage.needs, &path("needs"), &stages, file, log);
        check_uses(&stage.uses, &path("uses"), file, log);
    }
    check_cycle(service, file, log);
}

fn check_needs(
    needs: &[StageName],
    path: &[&str],
    stages: &HashSet<&str>,
    file: &Document,
    log: &mut Reporter,
) {
    for (index, need) in needs.iter().enumerate() {
        if log.is_full() || stages.contains(need.as_str()) {
            continue;
        }
        let index = index.to_string();
        let span = file.value_span(&[path, &[&index]].concat());
        let wrong = log.diagnose(span, format!("there is no stage `{need}`"));
        let mut known: Vec<&str> = stages.iter().copied().collect();
        known.sort_unstable();
        let meant = closest(need.as_str(), known);
        log.report(wrong.label("name a stage of this pipeline").suggest(meant));
    }
}

fn check_uses(uses: &[StageUse], path: &[&str], file: &Document, log: &mut Reporter) {
    let declared: HashSet<&str> = file.keys(&["uses"]).collect();
    let mut seen = HashSet::new();
    for (index, one) in uses.iter().enumerate() {
        if log.is_full() {
            return;
        }
        let name = one.name().as_str();
        let index = index.to_string();
        let place = [path, &[&index]].concat();
        match one {
            StageUse::Named(_) if !declared.contains(name) => {
                let span = file.value_span(&place);
                let wrong = log.diagnose(span, format!("the service uses no `{name}`"));
                let wrong = wrong.label("declare it in the `uses` of the service, or inline");
                log.report(wrong.suggest(closest(name, file.keys(&["uses"]))));
            }
            StageUse::Inline(..) if seen.contains(name) => {
                let span = file.key_span(&[&place[..], &[name]].concat());
                log.error(span, format!("neighbour `{name}` is there twice"));
            }
            StageUse::Named(_) | StageUse::Inline(..) => {}
        }
        seen.insert(name);
    }
}

fn check_cycle(service: &Service, file: &Document, log: &mut Reporter) {
    let Err(cycle) = service.stage_order() else { return };
    // The place to break it is a stage in it that was written down.
    let written = cycle.0.iter().find(|name| name.as_str() != Stage::BUILD);
    let span = match written {
        Some(name) => file.key_span(&["pipeline", "stages", name.as_str(), "needs"]),
        None => file.key_span(&["build", "needs"]),
    };
    let mut wrong = log.diagnose(span, format!("stages wait for each other: {cycle}"));
    let in_cycle = |stage: &&Stage| cycle.0.contains(&stage.name);
    let implicit = |stage: &&Stage| {
        let build = Stage::build();
        cycle.0.contains(&build)
            && service.runs_in_built_image(stage)
            && !stage.needs.contains(&build)
    };
    if let Some(stage) = service.pipeline.stages.iter().filter(in_cycle).find(implicit) {
        let name = &stage.name;
        wrong = wrong.hint(format!(
            "`{name}` names no `image`, so it runs in the built one and waits for `build`"
        ));
    }
    log.report(wrong);
}
