//! Which statements a declaration may have. What begins or ends a transaction would part changes
//! from their checkpoint.

use super::{Dialect, SqlFault, Token, TokenKind, tokens};
use fairway_model::config::Sql;

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// It changes tables when an event comes.
    Change,
    /// It reads tables.
    Query,
}

const CHANGES: &[&str] = &["insert", "update", "delete", "replace", "merge", "with"];
const QUERIES: &[&str] = &["select", "values", "with"];
const NOT_IN_TABLES: &[&str] = &[
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint",
    "release",
    "prepare",
    "attach",
    "detach",
    "pragma",
    "vacuum",
    "set",
    "reset",
    "copy",
    "lock",
    "listen",
    "notify",
    "reindex",
    "cluster",
    "checkpoint",
    "load",
    "do",
    "call",
];

/// Checks that there is one statement of a use.
pub(crate) fn check_statement(sql: &Sql, dialect: Dialect, of: Use) -> Result<(), SqlFault> {
    let all = tokens(&sql.text, dialect);
    let known = if of == Use::Change { CHANGES } else { QUERIES };
    let first = all.first().ok_or_else(|| fault(sql, None, "there is no statement"))?;
    if !known.iter().any(|word| first.text.eq_ignore_ascii_case(word)) {
        let message = match of {
            Use::Change => "a statement for an event inserts, updates or deletes",
            Use::Query => "a query selects",
        };
        return Err(fault(sql, Some(first), message));
    }
    let end = all.iter().position(|token| token.kind == TokenKind::End).unwrap_or(all.len());
    if let Some(second) = all.get(end + 1..).and_then(<[_]>::first) {
        return Err(fault(sql, Some(second), "another statement begins; write them as a list"));
    }
    check_parameters(sql, &all)
}

/// Checks that the statements that make tables leave transactions alone.
pub(crate) fn check_tables(sql: &Sql, dialect: Dialect) -> Result<(), SqlFault> {
    let all = tokens(&sql.text, dialect);
    let mut is_trigger = false;
    for statement in all.split(|token| token.kind == TokenKind::End) {
        let Some(first) = statement.first() else { continue };
        let is = |token: &Token, word: &str| token.text.eq_ignore_ascii_case(word);
        if is_trigger {
            is_trigger = !is(first, "end");
            continue;
        }
        if let Some(word) = NOT_IN_TABLES.iter().find(|word| is(first, word)) {
            return Err(fault(sql, Some(first), &format!("`{word}` cannot be used here")));
        }
        let is_sqlite = dialect == Dialect::Sqlite;
        let head = || statement.iter().take(3).any(|token| is(token, "trigger"));
        is_trigger = is_sqlite && is(first, "create") && head();
    }
    match all.iter().find(|token| token.kind == TokenKind::Parameter) {
        Some(token) => Err(fault(sql, Some(token), "tables are made before there is an event")),
        None => Ok(()),
    }
}

fn check_parameters(sql: &Sql, all: &[Token]) -> Result<(), SqlFault> {
    match all.iter().find(|token| token.kind == TokenKind::Foreign) {
        Some(token) => Err(fault(sql, Some(token), "write parameters as `:name`")),
        None => Ok(()),
    }
}

fn fault(sql: &Sql, token: Option<&Token>, message: &str) -> SqlFault {
    let place = token.map_or((0, 1), |token| (token.offset, token.text.chars().count()));
    SqlFault::at(sql, place, message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_model::Span;

    fn sql(text: &str) -> Sql {
        Sql { text: text.to_owned(), span: Span::START }
    }

    #[test]
    fn what_would_end_a_transaction_is_refused() {
        let of = |text: &str| check_statement(&sql(text), Dialect::Sqlite, Use::Change);
        assert!(of("INSERT INTO a VALUES (':x; COMMIT');").is_ok());
        for bad in [
            "COMMIT",
            "INSERT INTO a VALUES (1); COMMIT",
            "UPDATE a SET b = ?",
            " -- x",
            "PRAGMA x",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
        let tables = |text: &str| check_tables(&sql(text), Dialect::Sqlite);
        let trigger =
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END; CREATE TABLE c (d)";
        assert!(tables(trigger).is_ok());
        assert!(tables("CREATE TABLE a (b); -- x\n end").is_err());
        assert!(tables(&format!("{trigger}; COMMIT")).is_err());
    }
}
