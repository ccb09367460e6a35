//! Lists and mappings with free keys.

use super::{Definitions, Form, Record, Schema};
use crate::config::reporter::Reporter;
use crate::config::yaml::{Entry, Kind, Node, Scalar, Style};
use std::{
    collections::{BTreeMap, HashSet},
    marker::PhantomData,
};

/// A list.
pub(crate) struct List<F>(PhantomData<F>);

/// A list with at least one item.
pub(crate) struct NonEmpty<F>(PhantomData<F>);

/// A list in which no text is there twice.
pub(crate) struct Unique<F>(PhantomData<F>);

/// A list with at least one item; a single one can stand without the list.
pub(crate) struct OneOrMore<F>(PhantomData<F>);

/// A mapping from names of a kind to values.
pub(crate) struct Map<K, F>(PhantomData<(K, F)>);

/// A mapping from names of a kind to records that know their name, in the order of the file.
pub(crate) struct Named<K, R>(PhantomData<(K, R)>);

impl<F: Form> Form for List<F> {
    type Value = Vec<F::Value>;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema::list(F::schema(definitions))
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Self::Value> {
        let Kind::Sequence(items) = &node.kind else {
            expected(node, log, "a list", "write it like `[a, b]`");
            return None;
        };
        // Every item is read even after one has failed.
        let read: Vec<_> = items.iter().map(|item| F::read(item, log)).collect();
        read.into_iter().collect()
    }
}

impl<F: Form> Form for NonEmpty<F> {
    type Value = Vec<F::Value>;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema { min_items: Some(1), ..List::<F>::schema(definitions) }
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Self::Value> {
        let items = List::<F>::read(node, log)?;
        if items.is_empty() {
            log.error(node.span, "the list is empty");
            return None;
        }
        Some(items)
    }
}

impl<F: Form> Form for Unique<F> {
    type Value = Vec<F::Value>;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema { unique_items: true, ..List::<F>::schema(definitions) }
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Self::Value> {
        let items = List::<F>::read(node, log)?;
        let mut seen = HashSet::new();
        for item in node.items() {
            if let Some(text) = item.text().filter(|text| !seen.insert(*text)) {
                log.error(item.span, format!("`{text}` is there twice"));
            }
        }
        Some(items)
    }
}

impl<F: Form> Form for OneOrMore<F> {
    type Value = Vec<F::Value>;

    fn schema(definitions: &mut Definitions) -> Schema {
        let one = F::schema(definitions);
        Schema::any(vec![one, NonEmpty::<F>::schema(definitions)])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Self::Value> {
        match &node.kind {
            Kind::Scalar(_) => F::read(node, log).map(|one| vec![one]),
            Kind::Sequence(_) | Kind::Mapping(_) => NonEmpty::<F>::read(node, log),
        }
    }
}

impl<K: Form<Value: Ord>, F: Form> Form for Map<K, F> {
    type Value = BTreeMap<K::Value, F::Value>;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema::map(K::schema(definitions), F::schema(definitions))
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Self::Value> {
        let mut map = BTreeMap::new();
        for entry in mapping(node, log)? {
            let key = read_key::<K>(entry, log);
            let value = F::read(&entry.value, log);
            // What could not be read was reported; the rest can still be checked.
            let (Some(key), Some(value)) = (key, value) else { continue };
            if map.insert(key, value).is_some() {
                let message = format!("`{}` means the same as another key here", entry.key);
                log.error(entry.key_span, message);
            }
        }
        Some(map)
    }
}

impl<K: Form, R: Record<Given = K::Value>> Form for Named<K, R> {
    type Value = Vec<R>;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema::map(K::schema(definitions), R::reference(definitions))
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Vec<R>> {
        let entries = mapping(node, log)?;
        let read = |entry: &Entry| {
            let key = read_key::<K>(entry, log)?;
            R::read_given(key, &entry.value, log)
        };
        Some(entries.iter().filter_map(read).collect())
    }
}

fn mapping<'n>(node: &'n Node, log: &mut Reporter) -> Option<&'n [Entry]> {
    match &node.kind {
        Kind::Mapping(entries) => Some(entries),
        Kind::Scalar(_) | Kind::Sequence(_) => {
            expected(node, log, "a mapping", "write it like `name: …`, indented");
            None
        }
    }
}

fn expected(node: &Node, log: &mut Reporter, what: &str, label: &str) {
    let place = if node.is_nothing() { node.owner } else { node.span };
    let found = node.describe();
    log.report(log.diagnose(place, format!("expected {what}, found {found}")).label(label));
}

/// Reads a key by a form, as if it was a value.
pub(crate) fn read_key<K: Form>(entry: &Entry, log: &mut Reporter) -> Option<K::Value> {
    let scalar = Scalar { text: entry.key.clone(), style: Style::Quoted };
    let node = Node {
        span: entry.key_span,
        owner: entry.key_span,
        kind: Kind::Scalar(scalar),
        weight: 1,
        depth: 0,
    };
    K::read(&node, log)
}
