//! Which names a network has, for whom.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv4Addr,
};

/// The names of a network at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Zone {
    names: HashMap<String, Entry>,
    private: HashMap<Ipv4Addr, HashMap<String, String>>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Addresses in the network.
    Addresses(Vec<Ipv4Addr>),
    /// A host outside.
    Outside(String),
}

/// What a name is to who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// These addresses.
    Addresses(Vec<Ipv4Addr>),
    /// Another name for a host outside.
    Outside(String),
    /// Not a name of this network.
    Nothing,
}

/// A name as it is compared: lower case, without the dot at its end.
pub(crate) fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

impl Zone {
    /// One more address for a name.
    pub(crate) fn add_address(&mut self, name: &str, address: Ipv4Addr) {
        match self.names.entry(canonical(name)).or_insert(Entry::Addresses(Vec::new())) {
            Entry::Addresses(addresses) => addresses.push(address),
            Entry::Outside(_) => {}
        }
    }

    /// Sets what a name stands for, whatever it was.
    pub(crate) fn set(&mut self, name: &str, entry: Entry) {
        self.names.insert(canonical(name), entry);
    }

    /// Sets the names that only one member knows.
    pub(crate) fn set_private(&mut self, member: Ipv4Addr, names: &BTreeMap<String, String>) {
        let names = names.iter().map(|(name, target)| (canonical(name), canonical(target)));
        self.private.insert(member, names.collect());
    }

    /// What a name is to who asks.
    pub(crate) fn find(&self, asker: Ipv4Addr, name: &str) -> Found {
        let name = canonical(name);
        let private = self.private.get(&asker).and_then(|names| names.get(&name));
        match (self.names.get(private.unwrap_or(&name)), private) {
            (Some(Entry::Addresses(addresses)), _) => Found::Addresses(addresses.clone()),
            (Some(Entry::Outside(host)), _) => outside(host),
            (None, Some(target)) => outside(target),
            (None, None) => Found::Nothing,
        }
    }
}

fn outside(host: &str) -> Found {
    match host.parse() {
        Ok(address) => Found::Addresses(vec![address]),
        Err(_) => Found::Outside(host.to_owned()),
    }
}
