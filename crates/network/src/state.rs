//! What a network is, as its helper keeps it in a file. Changes here are pure; the helper makes
//! the kernel follow.

use crate::addresses::{Block, Plan, next_member, next_service};
use crate::error::Fault;
use crate::host_rules::Firewall;
use crate::names::{Entry, Zone, canonical};
use crate::process::Process;
use crate::protocol::{Endpoint, Member, Target};
use fairway_engine::GroupId;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

/// Most members a network has at a time.
const MEMBERS_MAX: usize = 4096;

/// Most services a network ever has.
const SERVICES_MAX: usize = 4096;

/// Most ports a network publishes.
const PUBLISHED_MAX: usize = 256;

/// Most names one member has or knows.
const NAMES_MAX: usize = 256;

/// Longest name in bytes (RFC 1035, section 3.1).
const NAME_MAX: usize = 253;

/// A network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    /// The version of this file's form.
    pub(crate) version: u32,
    /// The start of the machine it belongs to.
    pub(crate) boot: String,
    /// Its id.
    pub(crate) id: GroupId,
    /// Who owns it; without an owner it lasts until it is removed.
    pub(crate) owner: Option<Process>,
    /// Its addresses.
    pub(crate) plan: Plan,
    /// The MTU of all its links.
    pub(crate) mtu: u32,
    /// The number of its uplink, once it has one.
    pub(crate) uplink: Option<u16>,
    /// How its uplink gets through the host.
    pub(crate) firewall: Firewall,
    /// Its members by name.
    pub(crate) members: BTreeMap<String, Place>,
    /// The last address given to a member.
    pub(crate) last_member: u16,
    /// Its services by name. One that was removed keeps its address.
    pub(crate) services: BTreeMap<String, Service>,
    /// The ports of the host that lead in.
    pub(crate) published: Vec<Published>,
}

/// A member and where it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Its number in the lower half of the block.
    pub(crate) host: u16,
    /// The process whose namespace it is.
    pub(crate) process: Process,
    /// What it asked for.
    pub(crate) member: Member,
}

/// A service and its stable address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Service {
    /// Its number in the upper half of the block.
    pub(crate) host: u16,
    /// Where connections go; none once it was removed.
    pub(crate) target: Option<Target>,
}

/// A port of the host that leads to a name of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    /// Where it listens on the host.
    pub(crate) listen: SocketAddr,
    /// To which name.
    pub(crate) name: String,
    /// To which port.
    pub(crate) port: u16,
}

impl State {
    /// Where a member joins: its old place if it is the same process, else the next free one.
    pub(crate) fn join(&mut self, member: Member, process: Process) -> Result<Joined, Fault> {
        check_names(&member)?;
        if let Some(place) = self.members.get_mut(&member.name) {
            if place.process == process {
                place.member = member;
                return Ok(Joined::Again(place.clone()));
            }
            return Err(Fault::Refused(format!("member `{}` exists already", member.name)));
        }
        if self.members.len() >= MEMBERS_MAX {
            return Err(Fault::Refused(format!("there are {MEMBERS_MAX} members already")));
        }
        let taken = |host| self.members.values().any(|place| place.host == host);
        let host = next_member(self.last_member, taken)
            .ok_or_else(|| Fault::Refused("no address is free".to_owned()))?;
        self.last_member = host;
        let place = Place { host, process, member };
        self.members.insert(place.member.name.clone(), place.clone());
        Ok(Joined::New(place))
    }

    /// Sets what a service stands for. Its address is the same as long as the network lives.
    pub(crate) fn set_service(&mut self, name: &str, target: Target) -> Result<Ipv4Addr, Fault> {
        let name = checked(name)?;
        if let Some(service) = self.services.get_mut(&name) {
            service.target = Some(target);
            return Ok(self.plan.inner.address(service.host));
        }
        if self.services.len() >= SERVICES_MAX {
            return Err(Fault::Refused(format!("there were {SERVICES_MAX} services already")));
        }
        let taken = |host| self.services.values().any(|service| service.host == host);
        let last = self.services.values().map(|service| service.host).max().unwrap_or(0);
        let host = next_service(last, taken)
            .ok_or_else(|| Fault::Refused("no address is free".to_owned()))?;
        self.services.insert(name, Service { host, target: Some(target) });
        Ok(self.plan.inner.address(host))
    }

    /// Forgets what a service stands for.
    pub(crate) fn remove_service(&mut self, name: &str) {
        if let Some(service) = self.services.get_mut(&canonical(name)) {
            service.target = None;
        }
    }

    /// Records a published port.
    pub(crate) fn publish(&mut self, published: Published) -> Result<(), Fault> {
        if self.published.len() >= PUBLISHED_MAX {
            return Err(Fault::Refused(format!("{PUBLISHED_MAX} ports are published already")));
        }
        self.published.push(published);
        Ok(())
    }

    /// The names of the network as they are now.
    pub(crate) fn zone(&self) -> Zone {
        let mut zone = Zone::default();
        for place in self.members.values() {
            let address = self.plan.inner.address(place.host);
            for own in &place.member.own {
                zone.add_address(own, address);
            }
            zone.set_private(address, &place.member.private);
        }
        for (name, service) in &self.services {
            match &service.target {
                Some(Target::Endpoints(_)) => {
                    let address = self.plan.inner.address(service.host);
                    zone.set(name, Entry::Addresses(vec![address]));
                }
                Some(Target::Host(host)) => zone.set(name, Entry::Outside(host.clone())),
                None => {}
            }
        }
        zone
    }

    /// All rules inside the network.
    pub(crate) fn rules(&self) -> String {
        let inner = self.plan.inner;
        let services = self.services.values().map(|service| service.rules(inner));
        crate::inner_rules::base(inner) + &services.collect::<String>()
    }
}

/// How a member joined.
pub(crate) enum Joined {
    /// It has a new place.
    New(Place),
    /// It had this place already.
    Again(Place),
}

impl Service {
    /// The rules of this service.
    pub(crate) fn rules(&self, inner: Block) -> String {
        let none: &[Endpoint] = &[];
        let endpoints = match &self.target {
            Some(Target::Endpoints(endpoints)) => endpoints,
            Some(Target::Host(_)) | None => none,
        };
        crate::inner_rules::service(inner.address(self.host), endpoints)
    }
}

fn check_names(member: &Member) -> Result<(), Fault> {
    if member.own.len().max(member.private.len()) > NAMES_MAX {
        return Err(Fault::Refused(format!("a member has at most {NAMES_MAX} names")));
    }
    let mut names = member.own.iter().chain(member.private.keys()).chain(member.private.values());
    names.try_for_each(|name| checked(name).map(drop))
}

/// A name as it is kept, if it can be asked for.
fn checked(name: &str) -> Result<String, Fault> {
    let name = canonical(name);
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(good) {
        Ok(name)
    } else {
        Err(Fault::Refused(format!("`{}` is not a name", name.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Found;

    fn state() -> State {
        State {
            version: crate::protocol::VERSION,
            boot: String::new(),
            id: "run-1".parse().unwrap(),
            owner: None,
            plan: Plan::beside(&[]),
            mtu: 1500,
            uplink: None,
            firewall: Firewall::Open,
            members: BTreeMap::new(),
            last_member: 0,
            services: BTreeMap::new(),
            published: Vec::new(),
        }
    }

    fn member(name: &str, private: &[(&str, &str)]) -> Member {
        let private = private.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Member { name: name.to_owned(), pid: 1, own: vec![name.to_owned()], private }
    }

    const PROCESS: Process = Process { pid: 1, start: 1 };

    #[test]
    fn joining_twice_gives_the_same_place_but_not_to_another_process() {
        let mut state = state();
        let Ok(Joined::New(first)) = state.join(member("a", &[]), PROCESS) else { panic!() };
        let Ok(Joined::Again(again)) = state.join(member("a", &[]), PROCESS) else { panic!() };
        assert_eq!(first.host, again.host);
        assert!(state.join(member("a", &[]), Process { pid: 1, start: 2 }).is_err());
        assert!(state.join(member("no name", &[]), PROCESS).is_err());
    }

    #[test]
    fn a_service_keeps_its_address_also_when_it_was_removed() {
        let mut state = state();
        let first = state.set_service("catalog", Target::Endpoints(vec![])).unwrap();
        assert_ne!(state.set_service("orders", Target::Endpoints(vec![])).unwrap(), first);
        state.remove_service("Catalog");
        assert_eq!(state.zone().find(first, "catalog"), Found::Nothing);
        assert_eq!(state.set_service("CATALOG.", Target::Endpoints(vec![])).unwrap(), first);
    }

    #[test]
    fn a_private_name_is_seen_by_its_owner_only() {
        let mut state = state();
        state.join(member("db.orders", &[]), PROCESS).unwrap();
        let private = [("db", "db.orders"), ("mail", "smtp.example.com"), ("old", "192.0.2.7")];
        let Ok(Joined::New(place)) = state.join(member("orders", &private), PROCESS) else {
            panic!()
        };
        let asker = state.plan.inner.address(place.host);
        let zone = state.zone();
        let db = Found::Addresses(vec![state.plan.inner.address(2)]);
        assert_eq!(zone.find(asker, "db"), db);
        assert_eq!(zone.find(asker, "mail"), Found::Outside("smtp.example.com".to_owned()));
        assert_eq!(zone.find(asker, "old"), Found::Addresses(vec!["192.0.2.7".parse().unwrap()]));
        assert_eq!(zone.find(state.plan.inner.gateway(), "db"), Found::Nothing);
        assert_eq!(zone.find(state.plan.inner.gateway(), "DB.orders."), db);
    }
}
