//! What is done with an event, prepared once per declaration: which statements, with which values.

use crate::{
    moment,
    sql::{self, Dialect, SqlFault, TokenKind, Use},
    value::{Value, fields},
};
use fairway_ledger::Event;
use fairway_model::config::{EventKey, ReadModel, Sql};
use std::collections::HashMap;

/// Longest key in bytes that is kept as it is.
pub(crate) const KEY_MAX: usize = 512;

/// What a declaration does with events.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    kinds: HashMap<Box<str>, usize>,
    handlers: Vec<Handler>,
    key: EventKey,
}

/// What is done with events of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Handler {
    /// The statements in order.
    pub(crate) statements: Vec<Statement>,
    /// The fields of the data that are needed, each once.
    fields: Vec<Box<str>>,
    /// Whether it is one statement that leaves no trace when it fails.
    pub(crate) is_atomic: bool,
}

/// One statement.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: Sql,
    /// What its parameters get, by the order in which their names first appear.
    pub(crate) parameters: Vec<(Box<str>, Parameter)>,
}

/// What a parameter gets of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameter {
    Stream,
    StreamId,
    Category,
    Version,
    Position,
    Recorded,
    Kind,
    EventId,
    Data,
    Metadata,
    /// A field of the data, by its place.
    Field(usize),
}

/// The names of parameters that are not fields.
const ENVELOPE: &[(&str, Parameter)] = &[
    ("stream", Parameter::Stream),
    ("stream_id", Parameter::StreamId),
    ("category", Parameter::Category),
    ("version", Parameter::Version),
    ("position", Parameter::Position),
    ("recorded", Parameter::Recorded),
    ("kind", Parameter::Kind),
    ("event_id", Parameter::EventId),
    ("data", Parameter::Data),
    ("metadata", Parameter::Metadata),
];

impl Plan {
    /// Prepares a declaration; all that is wrong with its SQL comes at once.
    pub(crate) fn new(model: &ReadModel, dialect: Dialect) -> Result<Self, Vec<SqlFault>> {
        let mut faults = Vec::new();
        faults.extend(model.tables.iter().filter_map(|sql| sql::check_tables(sql, dialect).err()));
        let changes = model.on.values().flatten();
        let all = model.tables.iter().chain(changes).chain(model.queries.values());
        faults.extend(all.filter_map(|sql| sql::check_names(sql, dialect).err()));
        for query in model.queries.values() {
            faults.extend(sql::check_statement(query, dialect, Use::Query).err());
        }
        // `OR FAIL` and `RAISE (FAIL)` of SQLite keep what a statement did before.
        let is_fail = |token: &sql::Token| token.text.eq_ignore_ascii_case("fail");
        let fails = |sql: &Sql| sql::tokens(&sql.text, dialect).iter().any(is_fail);
        let may_fail_midway = model.tables.iter().chain(model.on.values().flatten()).any(fails);
        let (mut kinds, mut handlers) = (HashMap::new(), Vec::new());
        for (kind, statements) in &model.on {
            for sql in statements {
                faults.extend(sql::check_statement(sql, dialect, Use::Change).err());
            }
            kinds.insert(kind.as_str().into(), handlers.len());
            let is_atomic = statements.len() == 1 && !may_fail_midway;
            handlers.push(Handler { is_atomic, ..Handler::new(statements, &model.key, dialect) });
        }
        if faults.is_empty() {
            Ok(Self { kinds, handlers, key: model.key.clone() })
        } else {
            Err(faults)
        }
    }

    /// The place of what is done with an event, if anything is.
    pub(crate) fn handler_of(&self, event: &Event) -> Option<usize> {
        self.kinds.get(event.kind.as_str()).copied()
    }

    pub(crate) fn handlers(&self) -> &[Handler] {
        &self.handlers
    }

    /// What an event has in common with those that wait for it. One without the field has its own.
    pub(crate) fn key(&self, event: &Event) -> String {
        let EventKey::Field(field) = &self.key else { return event.stream.to_string() };
        let (json, mut found) = (event.data.as_json().unwrap_or_default(), Vec::new());
        fields::find(json, &[field.as_str().into()], &mut found);
        let value = found.first().copied().flatten().map(Value::of_json);
        let text = value.as_ref().and_then(Value::to_text);
        let key = text.unwrap_or_else(|| format!("position {}", event.position).into());
        key[..key.floor_char_boundary(KEY_MAX)].to_owned()
    }
}

impl Handler {
    fn new(statements: &[Sql], key: &EventKey, dialect: Dialect) -> Self {
        let mut fields = Vec::new();
        if let EventKey::Field(field) = key {
            fields.push(field.as_str().into());
        }
        let statements =
            statements.iter().map(|sql| Statement::new(sql, &mut fields, dialect)).collect();
        Self { statements, fields, is_atomic: false }
    }

    /// The values of the fields of an event, by their places.
    pub(crate) fn find<'e>(&self, event: &'e Event, found: &mut Vec<Option<&'e str>>) {
        fields::find(event.data.as_json().unwrap_or_default(), &self.fields, found);
    }

    /// The field at a place that an event lacks, in words.
    pub(crate) fn missing(&self, place: usize) -> String {
        format!("the data have no field `{}`", self.fields[place])
    }
}

impl Statement {
    fn new(sql: &Sql, fields: &mut Vec<Box<str>>, dialect: Dialect) -> Self {
        let mut parameters: Vec<(Box<str>, Parameter)> = Vec::new();
        for token in sql::tokens(&sql.text, dialect) {
            let name = &token.text[1.min(token.text.len())..];
            let is_new = parameters.iter().all(|(known, _)| &**known != name);
            if token.kind == TokenKind::Parameter && is_new {
                parameters.push((name.into(), parameter(name, fields)));
            }
        }
        Self { sql: sql.clone(), parameters }
    }
}

fn parameter(name: &str, fields: &mut Vec<Box<str>>) -> Parameter {
    if let Some((_, known)) = ENVELOPE.iter().find(|(known, _)| *known == name) {
        return *known;
    }
    let place = fields.iter().position(|field| &**field == name).unwrap_or_else(|| {
        fields.push(name.into());
        fields.len() - 1
    });
    Parameter::Field(place)
}

impl Parameter {
    /// What it gets of an event, whose fields were found; or the place of the field that is not
    /// there.
    pub(crate) fn value<'e>(
        self,
        event: &'e Event,
        found: &[Option<&'e str>],
    ) -> Result<Value<'e>, usize> {
        let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        Ok(match self {
            Self::Stream => Value::Text(event.stream.as_str().into()),
            Self::StreamId => event.stream.id().map_or(Value::Null, |id| Value::Text(id.into())),
            Self::Category => Value::Text(event.stream.category().into()),
            Self::Version => number(event.version.0),
            Self::Position => number(event.position.0),
            Self::Recorded => Value::Text(moment::iso(event.recorded).into()),
            Self::Kind => Value::Text(event.kind.as_str().into()),
            Self::EventId => Value::Text(event.id.to_string().into()),
            Self::Data => bytes(&event.data),
            Self::Metadata => bytes(&event.metadata),
            Self::Field(place) => Value::of_json(found[place].ok_or(place)?),
        })
    }
}

fn bytes(data: &fairway_ledger::Data) -> Value<'_> {
    match data.as_json() {
        Some(json) => Value::Text(json.into()),
        None => Value::Bytes(data.as_bytes()),
    }
}
