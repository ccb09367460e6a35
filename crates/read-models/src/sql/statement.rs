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

/// How the names of Fairway's own tables begin.
const OWN: &str = "fairway_";

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
        is_trigger = dialect == Dialect::Sqlite && is_create_trigger(statement);
    }
    match all.iter().find(|token| token.kind == TokenKind::Parameter) {
        Some(token) => Err(fault(sql, Some(token), "tables are made before there is an event")),
        None => Ok(()),
    }
}

/// Whether a statement of SQLite makes a trigger, which has statements within.
pub(crate) fn is_create_trigger(statement: &[Token]) -> bool {
    let is = |token: &Token, word: &str| token.text.eq_ignore_ascii_case(word);
    match statement {
        [create, trigger, ..] if is(create, "create") && is(trigger, "trigger") => true,
        [create, temporary, trigger, ..] => {
            let is_temporary = is(temporary, "temp") || is(temporary, "temporary");
            is(create, "create") && is_temporary && is(trigger, "trigger")
        }
        _ => false,
    }
}

/// Refuses what names tables that Fairway keeps beside those of a declaration.
pub(crate) fn check_names(sql: &Sql, dialect: Dialect) -> Result<(), SqlFault> {
    let all = tokens(&sql.text, dialect);
    let is_own = |token: &&Token| {
        let name = token.text.trim_start_matches(['"', '`', '[']);
        let is_name = token.kind == TokenKind::Word || !token.text.starts_with('\'');
        is_name && name.get(..OWN.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN))
    };
    match all.iter().find(is_own) {
        Some(token) => Err(fault(sql, Some(token), "names that begin so are Fairway's own")),
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
        assert!(tables("CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END").is_ok());
        assert!(tables("CREATE TABLE trigger (a); ATTACH 'x' AS y").is_err());
        assert!(tables("CREATE TABLE a (b); ATTACH 'x' AS y").is_err());
    }

    #[test]
    fn names_of_fairway_are_refused_and_texts_are_not() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let of = |text: &str| check_names(&sql(text), dialect);
            for bad in ["fairway_standing", "Fairway_Parked", "\"fairway_x\"", "main.fairway_x"] {
                assert!(of(&format!("UPDATE {bad} SET position = 0")).is_err(), "{bad}");
            }
            assert!(of("UPDATE a SET b = 'fairway_x' WHERE my_fairway_x = :fairway_y").is_ok());
        }
    }
}
