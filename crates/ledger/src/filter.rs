//! Which events a subscription hands on.

use crate::event::Event;

/// Most texts of one filter.
pub const FILTER_TEXTS_MAX: usize = 100;

/// Chooses events. Within a list one text has to fit; an empty list lets everything through; all
/// lists have to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of categories.
    pub categories: Vec<String>,
    /// How names of streams start.
    pub streams: Vec<String>,
    /// How kinds start.
    pub kinds: Vec<String>,
    /// Whether the ledger's own streams and those of metadata are handed on as well.
    pub system: System,
}

/// Whether a filter lets the ledger's own streams through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum System {
    /// It does.
    #[default]
    Included,
    /// It does not.
    Left,
}

impl Filter {
    /// Lets everything through.
    pub fn all() -> Self {
        Self::default()
    }

    /// Lets the events of one category through.
    pub fn category(name: &str) -> Self {
        Self { categories: vec![name.to_owned()], ..Self::default() }
    }

    /// The category, if only events of one can pass: they can be read by its index.
    pub(crate) fn only_category(&self) -> Option<&str> {
        match self.categories.as_slice() {
            [category] => Some(category),
            _ => None,
        }
    }

    /// Whether an event passes.
    pub fn passes(&self, event: &Event) -> bool {
        let is_in = |list: &[String], fits: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|text| fits(text))
        };
        let Event { stream, kind, .. } = event;
        (self.system == System::Included || !stream.is_system())
            && is_in(&self.categories, &|category| stream.category() == category)
            && is_in(&self.streams, &|prefix| stream.as_str().starts_with(prefix))
            && is_in(&self.kinds, &|prefix| kind.as_str().starts_with(prefix))
    }
}
