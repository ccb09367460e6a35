//! `fairway.yaml`.

use crate::config::form::{
    InnerPath, InputPath, List, Map, NonEmpty, Port, Replicas, Text, Unique, VariableName, record,
};
use crate::config::{
    Build, Neighbour, Overlay, Pipeline, Readiness, Resources, Route, Service, Template,
};
use crate::{EnvironmentName, NeighbourName, ServiceName, StageName};

record! {
    /// One unit that is built, tested and deployed on its own.
    Service {
        /// The service's name, unique in the fleet.
        name as "service": ServiceName, required;
        /// How its image is built: the stage `build`.
        build: Build, default "{}";
        /// Files and folders that a revision and a cache key cover, relative to this file; they
        /// lie within the fleet.
        inputs: NonEmpty<InputPath>, default "[.]";
        /// The port it listens on.
        port: Port, optional;
        /// When it is ready; without it, the image's HEALTHCHECK, else when its port accepts.
        ready: Readiness, optional;
        /// Its limits.
        resources: Resources, default "{}";
        /// Its environment variables; `${secret:NAME}` is filled in. Values keep the text they
        /// are written with.
        env: Map<VariableName, Template>, default "{}";
        /// The real parts it uses, by the name it reaches them at: the same in tests, on a laptop
        /// and deployed.
        uses: Map<NeighbourName, Neighbour>, default "{}";
        /// Which requests the gateway sends to it.
        routes: List<Route>, default "[]";
        /// How many of it run in an environment.
        replicas: Replicas, default "1";
        /// What differs per environment.
        environments: Map<EnvironmentName, Overlay>, default "{}";
        /// What is tested before a release.
        pipeline: Pipeline, default "{}";
    }
}

record! {
    /// How an image is built.
    Build {
        /// The Dockerfile, relative to this file; its folder is the build context.
        dockerfile: InnerPath, default "Dockerfile";
        /// The stage of the Dockerfile to build, if not its last.
        target: Text, optional;
        /// Values for `ARG`.
        args: Map<VariableName, Text>, default "{}";
        /// Stages whose artifacts the build context gets.
        needs: Unique<StageName>, default "[]";
    }
}

record! {
    /// What differs in one environment.
    Overlay {
        /// How many run here.
        replicas: Replicas, optional;
        /// Variables added or replaced.
        env: Map<VariableName, Template>, default "{}";
        /// Neighbours replaced, as a whole.
        uses: Map<NeighbourName, Neighbour>, default "{}";
        /// Limits replaced, as a whole.
        resources: Resources, optional;
    }
}
