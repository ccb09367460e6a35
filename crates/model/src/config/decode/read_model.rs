//! Declarations of read models.

use crate::ReadModelName;
use crate::config::form::{
    Definitions, Form, Integer, List, Map, OneOrMore, Record, Schema, Text, read_text, record,
    refuse, short,
};
use crate::config::reporter::Reporter;
use crate::config::yaml::{Kind, Node};
use crate::config::{
    EventKey, EventSource, READ_MODEL_NAME_MAX, ReadModel, ReadModelTarget, Sql, Template,
};

/// Most texts of one list of a source of events.
const EVENT_TEXTS_MAX: usize = 100;

record! {
    /// Tables that follow a ledger, so that it can be asked.
    ReadModel {
        /// The read model's name, unique per ledger.
        name as "read-model": Name, required;
        /// To be raised whenever this file changes: the read model is then built anew beside the
        /// one that is there, and takes its place.
        version: Integer<u32, 1, 1_000_000>, required;
        /// Where it is kept.
        target as "into": ReadModelTarget, default "sqlite";
        /// Which events it takes in; without it, all of services.
        from: EventSource, default "{}";
        /// What waits behind an event that fails: the rest of its `stream`, or all events with the
        /// same value of a field.
        key: EventKey, default "stream";
        /// SQL that makes its tables.
        tables: Sql, optional;
        /// The SQL statements for an event of a kind.
        on: Map<Text, OneOrMore<Sql>>, default "{}";
        /// SQL queries that can be asked by name.
        queries: Map<QueryName, Sql>, default "{}";
    }
}

record! {
    /// Which events; all of what is given has to fit.
    EventSource {
        /// Names of categories.
        categories as "category": Texts, default "[]";
        /// How names of streams start.
        streams: Texts, default "[]";
        /// How kinds start.
        kinds: Texts, default "[]";
    }
}

/// Texts; a single one can stand without the list.
struct Texts;

impl Form for Texts {
    type Value = Vec<String>;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema::any(vec![Text::schema(definitions), List::<Text>::schema(definitions)])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Vec<String>> {
        let texts = match &node.kind {
            Kind::Scalar(_) => Text::read(node, log).map(|text| vec![text]),
            Kind::Sequence(_) | Kind::Mapping(_) => List::<Text>::read(node, log),
        }?;
        if texts.len() > EVENT_TEXTS_MAX {
            log.error(node.span, format!("the list has more than {EVENT_TEXTS_MAX} items"));
            return None;
        }
        Some(texts)
    }
}

/// The name of a read model.
struct Name;

impl Form for Name {
    type Value = ReadModelName;

    fn schema(definitions: &mut Definitions) -> Schema {
        Schema { max_length: Some(READ_MODEL_NAME_MAX), ..ReadModelName::schema(definitions) }
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<ReadModelName> {
        let name = ReadModelName::read(node, log)?;
        if name.as_str().len() > READ_MODEL_NAME_MAX {
            let message =
                format!("the name of a read model has at most {READ_MODEL_NAME_MAX} bytes");
            log.error(node.span, message);
            return None;
        }
        Some(name)
    }
}

/// The name of a query.
struct QueryName;

impl Form for QueryName {
    type Value = String;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::text("^[a-z][a-z0-9_-]{0,62}$")
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<String> {
        let text = read_text(node, log)?;
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        let is_name = text.starts_with(|c: char| c.is_ascii_lowercase());
        if is_name && text.len() < 64 && text.chars().all(is_part) {
            return Some(text.to_owned());
        }
        let rule = "use up to 63 lower-case letters, digits, `_` and `-`, starting with a letter";
        refuse(node, log, &format!("`{}` is not the name of a query; {rule}", short(text)));
        None
    }
}

impl Form for Sql {
    type Value = Sql;

    fn schema(_: &mut Definitions) -> Schema {
        Schema::of("string")
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<Sql> {
        let text = read_text(node, log)?;
        if text.trim().is_empty() {
            log.error(node.span, "the SQL is empty");
            return None;
        }
        Some(Sql { text: text.to_owned(), span: node.span })
    }
}

/// The keys of `key` where it is not a word.
struct KeyField {
    field: String,
}

record! {
    /// A field of events' data.
    KeyField {
        /// Its name, at the top of the data.
        field: Text, required;
    }
}

impl Form for EventKey {
    type Value = EventKey;

    fn schema(definitions: &mut Definitions) -> Schema {
        let word = Schema { constant: Some("stream".into()), ..Schema::default() };
        Schema::any(vec![word, KeyField::reference(definitions)])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<EventKey> {
        if matches!(node.kind, Kind::Mapping(_)) {
            let KeyField { field } = KeyField::read_given((), node, log)?;
            return Some(EventKey::Field(field));
        }
        let text = read_text(node, log)?;
        if text == "stream" {
            return Some(EventKey::Stream);
        }
        let advice = "write `stream` or `{ field: name }`";
        refuse(
            node,
            log,
            &format!("`{}` is not what events have in common; {advice}", short(text)),
        );
        None
    }
}

/// The keys of `into` where it is not a word.
struct TargetKeys {
    postgres: Option<Template>,
    callback: Option<Template>,
}

record! {
    /// Where a read model is kept: exactly one of `postgres` and `callback`.
    TargetKeys as "ReadModelTarget", one of ["postgres", "callback"] {
        /// The address of a database, `postgres://user:${secret:password}@host/database`.
        postgres: Template, optional;
        /// The address that events are posted to, `http://host/path`.
        callback: Template, optional;
    }
}

impl Form for ReadModelTarget {
    type Value = ReadModelTarget;

    fn schema(definitions: &mut Definitions) -> Schema {
        let word = Schema { constant: Some("sqlite".into()), ..Schema::default() };
        Schema::any(vec![word, TargetKeys::reference(definitions)])
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<ReadModelTarget> {
        if matches!(node.kind, Kind::Mapping(_)) {
            let TargetKeys { postgres, callback } = TargetKeys::read_given((), node, log)?;
            return postgres.map(Self::Postgres).or(callback.map(Self::Callback));
        }
        let text = read_text(node, log)?;
        if text == "sqlite" {
            return Some(Self::Sqlite);
        }
        let advice = "write `sqlite`, `{ postgres: … }` or `{ callback: … }`";
        refuse(node, log, &format!("`{}` is no place of a read model; {advice}", short(text)));
        None
    }
}
