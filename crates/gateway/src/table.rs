//! The table a gateway serves by: routes, the services they lead to, and where these are reached.

use crate::{
    host::HostPattern,
    path::PathPrefix,
    router::{Found, RouteIndex, Router},
};
use fairway_model::ServiceName;
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

/// A match and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The hosts it answers for; all of them if `None`.
    pub host: Option<HostPattern>,
    /// The start of the paths it answers for.
    pub path: PathPrefix,
    /// The service that answers.
    pub service: ServiceName,
    /// Takes the matched prefix off the path that the service sees.
    pub strip_prefix: bool,
    /// How long the service may take until its response begins; the gateway's own limit if `None`.
    pub timeout: Option<Duration>,
}

/// One address at which a service is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Backend {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its share of the service's requests against the other weights; 0 gets none.
    pub weight: u32,
}

/// Why routes and services do not make a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A route leads to a service that has no entry, not even an empty one.
    #[error("route `{route}` leads to the unknown service `{service}`")]
    UnknownService {
        /// The route's host and path.
        route: String,
        /// The service.
        service: ServiceName,
    },
    /// Two routes have the same host and path.
    #[error("route `{0}` is given twice")]
    DuplicateRoute(String),
}

/// What a gateway serves by; immutable, replaced as a whole.
#[derive(Debug, Default)]
pub struct Table {
    router: Router,
    targets: Vec<Target>,
    services: Vec<Service>,
}

/// Where a route leads.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) service: ServiceIndex,
    pub(crate) strip_prefix: bool,
    pub(crate) timeout: Option<Duration>,
}

/// The number of a service in its table.
pub(crate) type ServiceIndex = usize;

/// A service and its ready backends.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: Arc<ServiceName>,
    pub(crate) backends: Vec<Backend>,
}

impl Table {
    /// Arranges routes and services. A service without a ready backend has an empty list.
    pub fn new(
        routes: Vec<Route>,
        services: BTreeMap<ServiceName, Vec<Backend>>,
    ) -> Result<Self, TableError> {
        let numbers: BTreeMap<_, ServiceIndex> = services.keys().cloned().zip(0..).collect();
        let mut table =
            Self { services: services.into_iter().map(Service::new).collect(), ..Self::default() };
        for (index, route) in routes.into_iter().enumerate() {
            let Some(&service) = numbers.get(&route.service) else {
                return Err(TableError::UnknownService {
                    route: text(&route),
                    service: route.service,
                });
            };
            table.add(index, service, &route)?;
        }
        Ok(table)
    }

    fn add(
        &mut self,
        index: RouteIndex,
        service: ServiceIndex,
        route: &Route,
    ) -> Result<(), TableError> {
        if self.router.add(route.host.as_ref(), &route.path, index).is_some() {
            return Err(TableError::DuplicateRoute(text(route)));
        }
        let (strip_prefix, timeout) = (route.strip_prefix, route.timeout);
        self.targets.push(Target { service, strip_prefix, timeout });
        Ok(())
    }

    /// Finds where a normal host and a checked path lead.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<(&Target, usize)> {
        let Found { route, end } = self.router.find(host, path)?;
        Some((&self.targets[route], end))
    }

    pub(crate) fn services(&self) -> &[Service] {
        &self.services
    }
}

impl Service {
    fn new((name, backends): (ServiceName, Vec<Backend>)) -> Self {
        Self { name: Arc::new(name), backends }
    }
}

fn text(route: &Route) -> String {
    match &route.host {
        Some(host) => format!("{host}{}", route.path),
        None => route.path.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(host: Option<&str>, path: &str) -> Route {
        Route {
            host: host.map(|host| host.parse().unwrap()),
            path: path.parse().unwrap(),
            service: "orders".parse().unwrap(),
            strip_prefix: false,
            timeout: None,
        }
    }

    fn services() -> BTreeMap<ServiceName, Vec<Backend>> {
        BTreeMap::from([("orders".parse().unwrap(), Vec::new())])
    }

    #[test]
    fn the_same_host_and_path_twice_is_an_error() {
        let routes = vec![
            route(Some("a.example"), "/x"),
            route(None, "/x"),
            route(Some("A.example"), "/x/"),
        ];
        let error = Table::new(routes, services()).unwrap_err();
        assert_eq!(error.to_string(), "route `a.example/x/` is given twice");
    }

    #[test]
    fn a_route_to_an_unknown_service_is_an_error() {
        let error = Table::new(vec![route(None, "/x")], BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "route `/x` leads to the unknown service `orders`");
    }

    #[test]
    fn five_thousand_routes_are_found() {
        let routes = (0..5000).map(|i| route(None, &format!("/service{i}/v1"))).collect();
        let table = Table::new(routes, services()).unwrap();
        assert!((0..5000).all(|i| table.find("h", &format!("/service{i}/v1/x")).is_some()));
        assert!(table.find("h", "/service5000/v1").is_none());
    }
}
