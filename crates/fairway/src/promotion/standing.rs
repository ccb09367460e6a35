//! How a promotion stands, in a line for people.

use crate::keeper::{Replica, ReplicaStanding};
use fairway_delivery::Placement;
use fairway_model::EnvironmentName;

/// What the promotion waits for now.
pub(super) fn standing(
    placement: &Placement,
    environment: &EnvironmentName,
    replicas: &[Replica],
) -> String {
    let (release, wanted) = (&placement.release, placement.replicas);
    let is_ready = |replica: &&Replica| replica.standing == ReplicaStanding::Ready;
    let own: Vec<&Replica> = replicas.iter().filter(|one| one.set == placement.set).collect();
    if own.is_empty() {
        let ending = format!(".{}", release.service);
        let neighbours = replicas.iter().filter(|replica| replica.set.ends_with(&ending));
        let awaited: Vec<&str> = neighbours
            .filter(|replica| !is_ready(replica))
            .map(|replica| replica.set.as_str())
            .collect();
        return match awaited.as_slice() {
            [] => format!("{release} in {environment}: starting"),
            awaited => format!("{release} in {environment}: waiting for {}", awaited.join(", ")),
        };
    }
    let ready = own.into_iter().filter(is_ready).count();
    format!("{release} in {environment}: {ready} of {wanted} replicas ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(set: &str, standing: ReplicaStanding) -> Replica {
        let group = "env-staging".parse().unwrap();
        let container = fairway_engine::ContainerId { group, name: format!("{set}.0-0") };
        Replica { set: set.to_owned(), container, standing }
    }

    fn shown(replicas: &[Replica]) -> String {
        let release = "orders@7".parse().unwrap();
        let placement = Placement { release, set: "orders-7-abc".to_owned(), replicas: 2 };
        standing(&placement, &"staging".parse().unwrap(), replicas)
    }

    #[test]
    fn neighbours_are_awaited_first_and_then_replicas() {
        use ReplicaStanding::{Ready, Starting};
        let (db, queue) = (replica("db.orders", Ready), replica("queue.orders", Starting));
        assert_eq!(shown(&[]), "orders@7 in staging: starting");
        assert_eq!(shown(&[db, queue]), "orders@7 in staging: waiting for queue.orders");
        let own = [replica("orders-7-abc", Ready), replica("orders-7-abc", Starting)];
        assert_eq!(shown(&own), "orders@7 in staging: 1 of 2 replicas ready");
    }
}
