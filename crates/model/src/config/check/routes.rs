//! Routes of which the gateway could not tell which one to take.

use crate::config::Route;
use std::collections::HashMap;

/// The routes of the services seen so far.
#[derive(Default)]
pub(super) struct RouteTable {
    owners: HashMap<(Option<String>, String), String>,
}

impl RouteTable {
    /// Adds a route of a file, and says which file has had the same one before.
    pub(super) fn add(&mut self, route: &Route, path: &str) -> Option<String> {
        let key = (route.host.clone(), route.path.clone());
        self.owners.insert(key, path.to_owned())
    }
}
