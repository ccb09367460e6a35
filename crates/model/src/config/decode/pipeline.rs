//! `pipeline`: the graph of stages.

use crate::config::form::{
    CachePath, Definitions, Form, InnerPath, List, Map, Named, OneOrMore, Schema, Text, Unique,
    VariableName, Wait, read_key, record,
};
use crate::config::reporter::Reporter;
use crate::config::yaml::{Kind, Node};
use crate::config::{Neighbour, Pipeline, Resources, Stage, StageUse, Template};
use crate::{ImageRef, NeighbourName, StageName};

record! {
    /// The graph of stages that turns a revision into images and evidence.
    Pipeline {
        /// The image of stages that name none; without it, the service's built image.
        image: ImageRef, optional;
        /// The stages by name. The stage `build` is there without being named.
        stages: Named<StageName, Stage>, default "{}";
    }
}

record! {
    /// One container that runs its steps in order.
    Stage given name: StageName {
        /// Stages that must pass first and whose artifacts it gets; `build` may be among them.
        needs: Unique<StageName>, default "[]";
        /// What is started beside it: a list of names from the service's `uses` and of
        /// `name: { image: … }` for this stage only, or a mapping of the latter.
        uses: StageUses, default "[]";
        /// Its image, if not the pipeline's.
        image: ImageRef, optional;
        /// Shell commands, run in one session; the first that fails ends the stage. One alone can
        /// stand without the list.
        steps: OneOrMore<Text>, required;
        /// JUnit files below the source, as globs.
        reports: List<InnerPath>, default "[]";
        /// Files and folders below the source that later stages get, as globs.
        artifacts: List<InnerPath>, default "[]";
        /// Folders kept from one run to the next; `~/` is the home of the container's user.
        cache: List<CachePath>, default "[]";
        /// Environment variables beyond those of the service.
        env: Map<VariableName, Template>, default "{}";
        /// The longest time it may take.
        timeout: Wait, default "30m";
        /// Its limits.
        resources: Resources, default "{}";
    }
}

/// `uses` of a stage: a list, or a mapping if all are for this stage only.
struct StageUses;

impl Form for StageUses {
    type Value = Vec<StageUse>;

    fn schema(definitions: &mut Definitions) -> Schema {
        let list = Unique::<StageUse>::schema(definitions);
        Schema::any(vec![list, Map::<NeighbourName, Neighbour>::schema(definitions)])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Vec<StageUse>> {
        match &node.kind {
            Kind::Mapping(_) => {
                let uses = Map::<NeighbourName, Neighbour>::read(node, log)?;
                Some(uses.into_iter().map(|(name, one)| StageUse::Inline(name, one)).collect())
            }
            Kind::Sequence(_) | Kind::Scalar(_) => Unique::<StageUse>::read(node, log),
        }
    }
}

impl Form for StageUse {
    type Value = StageUse;

    fn schema(definitions: &mut Definitions) -> Schema {
        let name = NeighbourName::schema(definitions);
        let inline = Schema::map(name.clone(), Neighbour::schema(definitions));
        let one = Schema { min_properties: Some(1), max_properties: Some(1), ..inline };
        Schema::any(vec![name, one])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<StageUse> {
        match &node.kind {
            Kind::Scalar(_) => NeighbourName::read(node, log).map(StageUse::Named),
            Kind::Sequence(_) | Kind::Mapping(_) => {
                let [entry] = node.entries() else {
                    let wrong = log.diagnose(node.span, "expected a name or one inline neighbour");
                    log.report(wrong.label("write it like `db` or `db: { image: … }`"));
                    return None;
                };
                let name = read_key::<NeighbourName>(entry, log);
                let neighbour = Neighbour::read(&entry.value, log);
                Some(StageUse::Inline(name?, neighbour?))
            }
        }
    }
}
