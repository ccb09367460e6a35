//! Finds the containers of a service or neighbour in an environment that is up.

use crate::{
    app::App,
    failure::{Doing, Failure},
    keeper::{Contact, Replica, ReplicaStanding},
};
use fairway_delivery::{Environment, Environments, ServiceState};
use fairway_model::EnvironmentName;

/// The replicas of what has this name in the environment: a service (`orders`), what is live of it
/// and what is coming, or a neighbour (`db.orders`). Never empty.
pub async fn residents(
    app: &App,
    environment: &EnvironmentName,
    name: &str,
) -> Result<Vec<Replica>, Failure> {
    let environments = Environments::new(app.ledger()?);
    let state = environments.get(environment).await;
    let state = state.doing(format!("read how `{environment}` stands"))?;
    if !state.is_up() {
        return Err(Failure::failed(format!("`{environment}` is not up"))
            .hint(format!("`fairway promote SERVICE {environment}` brings it up")));
    }
    let all = Contact::open(app).await?.replicas(environment).await?;
    let sets = sets_of(&state, name);
    let known = names(&state, &all);
    let found: Vec<Replica> =
        all.into_iter().filter(|replica| sets.contains(&replica.set)).collect();
    if found.is_empty() {
        return Err(Failure::failed(format!("nothing named `{name}` runs in `{environment}`"))
            .hint(format!("there are {}", known.join(", "))));
    }
    Ok(found)
}

/// The replica to run a command in: a ready one if there is any.
pub fn best(replicas: Vec<Replica>) -> Option<Replica> {
    replicas.into_iter().min_by_key(|replica| match replica.standing {
        ReplicaStanding::Ready => 0,
        ReplicaStanding::Starting | ReplicaStanding::Unready(_) => 1,
        ReplicaStanding::Ended(_) => 2,
    })
}

fn sets_of(state: &Environment, name: &str) -> Vec<String> {
    let service = state.services.iter().find(|(service, _)| service.as_str() == name);
    let Some((_, service)) = service else {
        return vec![name.to_owned()];
    };
    let live = service.live().map(|live| &live.placement);
    live.into_iter().chain(&service.wanted).map(|placement| placement.set.clone()).collect()
}

/// What runs, by the names that people use.
fn names(state: &Environment, replicas: &[Replica]) -> Vec<String> {
    let is_live = |service: &ServiceState| service.live().is_some() || service.wanted.is_some();
    let services = state.services.iter().filter(|(_, service)| is_live(service));
    let mut names: Vec<String> = services.map(|(name, _)| format!("`{name}`")).collect();
    let neighbours = replicas.iter().filter(|replica| replica.set.contains('.'));
    names.extend(neighbours.map(|replica| format!("`{}`", replica.set)));
    names.sort();
    names.dedup();
    names
}
