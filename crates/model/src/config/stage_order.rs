//! The order in which stages can run.

use super::{Service, Stage};
use crate::StageName;
use std::{collections::HashMap, fmt};

/// Stages that wait for each other, in the order in which they do. The first is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct StageCycle(pub Vec<StageName>);

impl Service {
    /// The stages that must pass before a stage: those it names, and `build` if it runs in the
    /// built image. The name `build` stands for the implicit stage.
    pub fn stage_needs(&self, stage: &StageName) -> Vec<StageName> {
        if stage.as_str() == Stage::BUILD {
            return self.build.needs.clone();
        }
        let named = self.pipeline.stages.iter().find(|one| &one.name == stage);
        named.map_or_else(Vec::new, |stage| self.needs_of(stage))
    }

    fn needs_of(&self, stage: &Stage) -> Vec<StageName> {
        let mut needs = stage.needs.clone();
        let build = Stage::build();
        if self.runs_in_built_image(stage) && !needs.contains(&build) {
            needs.push(build);
        }
        needs
    }

    /// Whether neither the stage nor the pipeline names an image.
    pub fn runs_in_built_image(&self, stage: &Stage) -> bool {
        stage.image.is_none() && self.pipeline.image.is_none()
    }

    /// All stages with `build`, each after those it needs and otherwise in the order of the file.
    /// Needs that do not exist are left out.
    pub fn stage_order(&self) -> Result<Vec<StageName>, StageCycle> {
        let mut names = vec![Stage::build()];
        names.extend(self.pipeline.stages.iter().map(|stage| stage.name.clone()));
        let places: HashMap<_, _> =
            names.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect();
        let stages = self.pipeline.stages.iter().map(|stage| self.needs_of(stage));
        let needs: Vec<Vec<usize>> = std::iter::once(self.build.needs.clone())
            .chain(stages)
            .map(|needs| needs.iter().filter_map(|need| places.get(need).copied()).collect())
            .collect();
        let spell = |places: Vec<usize>| places.into_iter().map(|at| names[at].clone()).collect();
        order(&needs).map(spell).map_err(|cycle| StageCycle(spell(cycle)))
    }
}

impl Stage {
    /// The name of the implicit stage that builds the image.
    pub const BUILD: &'static str = "build";

    /// [`Stage::BUILD`] as a name.
    pub fn build() -> StageName {
        Self::BUILD.parse().expect("`build` is a name")
    }
}

impl fmt::Display for StageCycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.0 {
            write!(f, "`{name}` -> ")?;
        }
        match self.0.first() {
            Some(first) => write!(f, "`{first}`"),
            None => Ok(()),
        }
    }
}

/// Places in an order in which each comes after its needs, or a cycle among them.
pub(super) fn order(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (place, needs) in needs.iter().enumerate() {
        for &need in needs {
            waiting[need].push(place);
        }
    }
    let mut ready: std::collections::VecDeque<usize> =
        (0..needs.len()).filter(|&place| missing[place] == 0).collect();
    let mut ordered = Vec::with_capacity(needs.len());
    while let Some(place) = ready.pop_front() {
        ordered.push(place);
        for &next in &waiting[place] {
            missing[next] -= 1;
            if missing[next] == 0 {
                ready.push_back(next);
            }
        }
    }
    match missing.iter().position(|&count| count > 0) {
        None => Ok(ordered),
        Some(stuck) => Err(cycle(needs, &missing, stuck)),
    }
}

/// Follows needs that were never met until one comes again.
fn cycle(needs: &[Vec<usize>], missing: &[usize], stuck: usize) -> Vec<usize> {
    let mut path = vec![stuck];
    let mut seen = HashMap::from([(stuck, 0)]);
    let mut place = stuck;
    loop {
        let next = needs[place].iter().copied().find(|&need| missing[need] > 0);
        place = next.expect("a place that is stuck needs one that is stuck");
        if let Some(&start) = seen.get(&place) {
            return path.split_off(start);
        }
        seen.insert(place, path.len());
        path.push(place);
    }
}
