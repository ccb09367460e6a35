//! Tries a declaration's SQL on tables that are made for that alone.

use super::file::limit;
use crate::{
    plan::Plan,
    read,
    sql::{Dialect, SqlFault, TokenKind, is_create_trigger, tokens},
};
use fairway_model::config::{ReadModel, Sql};
use rusqlite::{Connection, Error};

/// Checks that the tables can be made and all statements can be prepared; says what is wrong.
pub(crate) fn check(model: &ReadModel, plan: &Plan) -> Vec<SqlFault> {
    let nothing = Sql { text: String::new(), span: fairway_model::Span::START };
    let tables = model.tables.as_ref().unwrap_or(&nothing);
    let opened =
        Connection::open_in_memory().and_then(|connection| limit(&connection).map(|()| connection));
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => return vec![fault(tables, &error)],
    };
    if let Err(fault) = make(&connection, tables) {
        return vec![fault];
    }
    let mut faults = Vec::new();
    for statement in plan.handlers().iter().flat_map(|handler| &handler.statements) {
        let sql = &statement.sql;
        faults.extend(connection.prepare(&sql.text).err().map(|error| fault(sql, &error)));
    }
    for sql in model.queries.values() {
        match connection.prepare(&sql.text) {
            Ok(query) if query.readonly() => {
                let wrong = read::columns(query.column_names()).err();
                faults.extend(wrong.map(|wrong| SqlFault::at(sql, (0, 1), wrong)));
            }
            Ok(_) => faults.push(SqlFault::at(sql, (0, 1), "a query changes nothing".to_owned())),
            Err(error) => faults.push(fault(sql, &error)),
        }
    }
    faults
}

/// Makes tables one by one, so that the place of a fault is known.
fn make(connection: &Connection, tables: &Sql) -> Result<(), SqlFault> {
    let mut rest = tables.text.as_str();
    while !rest.is_empty() {
        let at = tables.text.len() - rest.len();
        let length = statement_length(rest);
        let one = &rest[..length];
        connection.execute_batch(one).map_err(|error| {
            let mut fault = fault(tables, &error);
            fault.offset +=
                at + (one.len() - one.trim_start().len()) * usize::from(fault.offset == 0);
            fault
        })?;
        rest = &rest[length..];
    }
    Ok(())
}

/// The length of the first statement with what ends it, as SQLite's shell finds it.
fn statement_length(sql: &str) -> usize {
    let mut tokens = tokens(sql, Dialect::Sqlite).into_iter();
    let mut head = Vec::new();
    let mut is_trigger = false;
    while let Some(token) = tokens.next() {
        if head.len() < 3 {
            head.push(token);
            is_trigger |= is_create_trigger(&head);
        }
        if token.kind != TokenKind::End {
            continue;
        }
        if !is_trigger {
            return token.offset + 1;
        }
        let closing = tokens.clone().next();
        if closing.is_some_and(|next| next.text.eq_ignore_ascii_case("end")) {
            is_trigger = false;
        }
    }
    sql.len()
}

fn fault(sql: &Sql, error: &Error) -> SqlFault {
    match error {
        Error::SqlInputError { msg, offset, .. } => {
            let offset = usize::try_from(*offset).unwrap_or(0);
            let message = format!("SQLite says: {msg}");
            SqlFault::at(sql, (offset, word_at(&sql.text, offset)), message)
        }
        error => {
            let message = error.to_string();
            let offset = named(&sql.text, &message);
            let message = format!("SQLite says: {message}");
            SqlFault::at(sql, (offset, word_at(&sql.text, offset)), message)
        }
    }
}

/// Where the name stands that a message ends with, as SQLite does not always say.
fn named(text: &str, message: &str) -> usize {
    let name = message.rsplit(": ").next().unwrap_or_default();
    let name = name.rsplit('.').next().unwrap_or_default();
    let tokens = tokens(text, Dialect::Sqlite);
    tokens.iter().find(|token| token.text == name).map_or(0, |token| token.offset)
}

/// How many characters the word at a place has.
fn word_at(text: &str, offset: usize) -> usize {
    let rest = &text[text.floor_char_boundary(offset)..];
    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_model::Span;
    use proptest::prelude::*;

    #[test]
    fn a_trigger_is_one_statement() {
        let text = "CREATE TABLE a (b); CREATE TRIGGER t AFTER INSERT ON a BEGIN
            DELETE FROM a; UPDATE a SET b = CASE b WHEN 1 THEN 2 END; END; CREATE TABLE c (d)";
        let tables = Sql { text: text.to_owned(), span: Span::START };
        make(&Connection::open_in_memory().unwrap(), &tables).unwrap();
        let wrong = Sql { text: format!("{text}; CREATE TABLE (e)"), span: Span::START };
        let fault = make(&Connection::open_in_memory().unwrap(), &wrong).unwrap_err();
        assert_eq!(&wrong.text[fault.offset..], "(e)");
    }

    proptest! {
        #[test]
        fn any_text_makes_tables_or_is_refused_at_a_place(
            text in "\\PC{0,40}|(CREATE |TABLE |TRIGGER |END|;|a |\\(b\\)|'|--|\n){0,12}",
        ) {
            let tables = Sql { text, span: Span::START };
            if let Err(fault) = make(&Connection::open_in_memory().unwrap(), &tables) {
                prop_assert!(fault.offset <= tables.text.len());
            }
        }
    }
}
