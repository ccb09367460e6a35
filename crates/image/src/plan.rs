//! Which stages of a Dockerfile a build needs, and which images from outside it. Pure.

use crate::{
    dockerfile::{Copy, Dockerfile, From, Instruction, Text},
    error::BuildError,
    scope::Globals,
};
use fairway_model::{ImageRef, Span, closest};
use std::collections::BTreeMap;

/// Where a stage starts, or what files are copied from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Without any file.
    Scratch,
    /// An earlier stage.
    Stage(usize),
    /// An image from outside the Dockerfile.
    Image(ImageRef, Span),
}

/// The stages to build, in order.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) stages: Vec<PlannedStage>,
    pub(crate) globals: Globals,
}

#[derive(Debug, Clone)]
pub(crate) struct PlannedStage {
    pub(crate) index: usize,
    pub(crate) origin: Origin,
}

impl Plan {
    /// Finds what the target needs; without one, the last stage is built.
    pub(crate) fn of(
        file: &Dockerfile,
        target: Option<&str>,
        mut globals: Globals,
    ) -> Result<Self, BuildError> {
        for (_, arg) in &file.globals {
            globals.declare(arg, file.escape).map_err(|(text, error)| {
                BuildError::at(file.diagnose(text.span, error.to_string()))
            })?;
        }
        let last = match target {
            Some(target) => target_stage(file, target)?,
            None => file.stages.len() - 1,
        };
        let mut found: BTreeMap<usize, Origin> = BTreeMap::new();
        let mut open = vec![last];
        while let Some(index) = open.pop() {
            if found.contains_key(&index) {
                continue;
            }
            let stage = &file.stages[index];
            let origin = origin_of(file, index, &stage.from, &globals)?;
            open.extend(origin.stage());
            for copy in stage.instructions.iter().filter_map(|one| one.instruction.copy()) {
                open.extend(copy_origin(file, index, copy)?.and_then(|origin| origin.stage()));
            }
            found.insert(index, origin);
        }
        let stages = found.into_iter().map(|(index, origin)| PlannedStage { index, origin });
        Ok(Self { stages: stages.collect(), globals })
    }

    /// The images from outside that the stages need.
    pub(crate) fn images(&self, file: &Dockerfile) -> Result<Vec<(ImageRef, Span)>, BuildError> {
        let mut images = Vec::new();
        for planned in &self.stages {
            images.extend(planned.origin.image());
            for one in &file.stages[planned.index].instructions {
                if let Some(copy) = one.instruction.copy() {
                    let origin = copy_origin(file, planned.index, copy)?;
                    images.extend(origin.as_ref().and_then(Origin::image));
                }
            }
        }
        Ok(images)
    }
}

impl Origin {
    fn stage(&self) -> Option<usize> {
        match self {
            Self::Stage(index) => Some(*index),
            Self::Scratch | Self::Image(..) => None,
        }
    }

    fn image(&self) -> Option<(ImageRef, Span)> {
        match self {
            Self::Image(name, span) => Some((name.clone(), *span)),
            Self::Scratch | Self::Stage(_) => None,
        }
    }
}

impl Instruction {
    fn copy(&self) -> Option<&Copy> {
        match self {
            Self::Copy(copy) => Some(copy),
            _ => None,
        }
    }
}

fn target_stage(file: &Dockerfile, target: &str) -> Result<usize, BuildError> {
    if let Some(index) = stage_named(file, file.stages.len(), target) {
        return Ok(index);
    }
    let names = file.stages.iter().filter_map(|stage| stage.from.name.as_deref());
    let diagnostic = file
        .diagnose(file.stages[0].from.span, format!("there is no stage `{target}`"))
        .suggest(closest(target, names));
    Err(BuildError::at(diagnostic))
}

/// A stage before `before`, by name or number.
fn stage_named(file: &Dockerfile, before: usize, name: &str) -> Option<usize> {
    let lower = name.to_lowercase();
    let named =
        file.stages[..before].iter().position(|stage| stage.from.name.as_ref() == Some(&lower));
    named.or_else(|| name.parse().ok().filter(|&index| index < before))
}

fn origin_of(
    file: &Dockerfile,
    index: usize,
    from: &From,
    globals: &Globals,
) -> Result<Origin, BuildError> {
    let filled_in = |text: &Text| {
        globals
            .expand(text, file.escape)
            .map_err(|(text, error)| BuildError::at(file.diagnose(text.span, error.to_string())))
    };
    if let Some(platform) = &from.platform {
        check_platform(file, platform, &filled_in(platform)?)?;
    }
    let name = filled_in(&from.image)?;
    if name == "scratch" {
        return Ok(Origin::Scratch);
    }
    // Unlike COPY, FROM knows stages by name only.
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    match stage_named(file, index, &name).filter(|_| !is_number) {
        Some(stage) => Ok(Origin::Stage(stage)),
        None => image(file, &from.image, &name),
    }
}

fn check_platform(file: &Dockerfile, text: &Text, platform: &str) -> Result<(), BuildError> {
    let ours = fairway_layers::ImageConfig::empty().architecture;
    if platform.split('/').nth(1) == Some(&ours) && platform.starts_with("linux/") {
        return Ok(());
    }
    let message = format!("`{platform}` is not this machine's platform");
    Err(BuildError::at(file.diagnose(text.span, message).label(format!("this is `linux/{ours}`"))))
}

/// Where the files of a COPY come from; `None` for the context.
pub(crate) fn copy_origin(
    file: &Dockerfile,
    index: usize,
    copy: &Copy,
) -> Result<Option<Origin>, BuildError> {
    let Some(from) = &copy.from else { return Ok(None) };
    let named = |origin| Ok(Some(origin));
    if from.raw == "scratch" {
        return named(Origin::Scratch);
    }
    if let Some(stage) = stage_named(file, index, &from.raw) {
        return named(Origin::Stage(stage));
    }
    let later = file
        .stages
        .iter()
        .skip(index)
        .find(|stage| stage.from.name.as_deref() == Some(from.raw.to_lowercase().as_str()));
    if let Some(later) = later {
        let line = later.from.span.line;
        let message = format!("stage `{}` starts on line {line}, after this", from.raw);
        return Err(BuildError::at(file.diagnose(from.span, message)));
    }
    image(file, from, &from.raw).map(Some)
}

fn image(file: &Dockerfile, text: &Text, name: &str) -> Result<Origin, BuildError> {
    if name.is_empty() {
        let message = format!("`{}` is empty: no `ARG` before the first `FROM` sets it", text.raw);
        return Err(BuildError::at(file.diagnose(text.span, message)));
    }
    match name.parse() {
        Ok(name) => Ok(Origin::Image(name, text.span)),
        Err(error) => Err(BuildError::at(file.diagnose(text.span, format!("{error}")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str, target: Option<&str>) -> Result<Vec<usize>, String> {
        let file = Dockerfile::parse("Dockerfile", text).expect("a Dockerfile");
        let plan = Plan::of(&file, target, Globals::new(BTreeMap::new(), "amd64"));
        let plan = plan.map_err(|error| error.to_string())?;
        Ok(plan.stages.iter().map(|stage| stage.index).collect())
    }

    const FILE: &str = "ARG V=18\nFROM node:$V AS deps\nFROM deps AS test\nRUN x\nFROM golang AS go\n\
                        FROM scratch\nCOPY --from=deps /a /a\nCOPY --from=2 /b /b\n";

    #[test]
    fn only_needed_stages_are_built() {
        assert_eq!(plan(FILE, None), Ok(vec![0, 2, 3]));
        assert_eq!(plan(FILE, Some("TEST")), Ok(vec![0, 1]));
        assert_eq!(plan(FILE, Some("2")), Ok(vec![2]));
        assert!(plan(FILE, Some("tset")).unwrap_err().contains("no stage `tset`"));
    }

    #[test]
    fn images_from_outside_are_listed_once_per_use() {
        let text = format!("{FILE}COPY --from=nginx:1 /etc /etc\n");
        let file = Dockerfile::parse("Dockerfile", &text).unwrap();
        let plan = Plan::of(&file, None, Globals::new(BTreeMap::new(), "amd64")).unwrap();
        let names: Vec<_> =
            plan.images(&file).unwrap().iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["node:18", "golang:latest", "nginx:1"]);
    }

    #[test]
    fn an_empty_or_later_name_is_refused_at_its_line() {
        for (text, expected) in [
            ("FROM $NONE", "`$NONE` is empty"),
            ("FROM A B", "takes one image"),
            ("FROM a\nCOPY --from=b / /\nFROM a AS b", "after this"),
            ("FROM --platform=linux/s390x a", "not this machine's platform"),
        ] {
            let Ok(file) = Dockerfile::parse("Dockerfile", text) else { continue };
            let plan = Plan::of(&file, Some("0"), Globals::new(BTreeMap::new(), "amd64"));
            assert!(plan.unwrap_err().to_string().contains(expected), "{text}");
        }
    }
}
