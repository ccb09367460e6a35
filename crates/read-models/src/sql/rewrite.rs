//! Parameters by name become parameters by number, for PostgreSQL.

use super::{Dialect, TokenKind, tokens};

/// SQL whose parameters are numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// The SQL, with `$1` for the first name.
    pub sql: String,
    /// The names by number, without `:`, each once.
    pub names: Vec<String>,
    /// Where in the new SQL something was put, how long it is there, and where it stood before.
    places: Vec<(usize, usize, usize)>,
}

/// Numbers the parameters of SQL of PostgreSQL.
pub fn number_parameters(sql: &str) -> Numbered {
    let mut numbered = Numbered { sql: String::new(), names: Vec::new(), places: Vec::new() };
    let mut end = 0;
    for token in tokens(sql, Dialect::Postgres) {
        if token.kind != TokenKind::Parameter {
            continue;
        }
        numbered.sql.push_str(&sql[end..token.offset]);
        end = token.offset + token.text.len();
        let number = numbered.number(&token.text[1..]);
        let text = format!("${number}");
        numbered.places.push((numbered.sql.len(), text.len(), token.offset));
        numbered.sql.push_str(&text);
    }
    numbered.sql.push_str(&sql[end..]);
    numbered
}

impl Numbered {
    fn number(&mut self, name: &str) -> usize {
        if let Some(at) = self.names.iter().position(|known| known == name) {
            return at + 1;
        }
        self.names.push(name.to_owned());
        self.names.len()
    }

    /// Where a place of the numbered SQL is in the original one, in bytes.
    pub fn original(&self, offset: usize) -> usize {
        let before = self.places.iter().rev().find(|(at, _, _)| *at <= offset);
        let Some((at, length, original)) = before else { return offset };
        if offset < at + length {
            return *original;
        }
        let number: usize = self.sql[at + 1..at + length].parse().unwrap_or(1);
        let name = self.names.get(number - 1).map_or(0, |name| name.len() + 1);
        original + name + (offset - at - length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_numbers_and_nothing_else_changes() {
        let numbered = number_parameters("INSERT :total::int, ':a', :id, \":b\", :total");
        assert_eq!(numbered.sql, "INSERT $1::int, ':a', $2, \":b\", $1");
        assert_eq!(numbered.names, ["total", "id"]);
        assert_eq!(numbered.original(numbered.sql.find("\":b").unwrap()), 31);
        assert_eq!(numbered.original(8), 7, "within a parameter: its start");
    }

    proptest! {
        #[test]
        fn the_way_back_is_right(sql in "([ab ,]|:[ab]{1,3}|'[:a]{0,3}'|::a|--:a\n){0,12}") {
            let numbered = number_parameters(&sql);
            let mut back = String::new();
            for (offset, c) in numbered.sql.char_indices() {
                let original = numbered.original(offset);
                prop_assert!(original <= sql.len());
                if c != '$' && !c.is_ascii_digit() {
                    prop_assert!(sql[original..].starts_with(c), "{c} at {offset} of {sql}");
                }
                back.push(c);
            }
            prop_assert_eq!(back, numbered.sql.clone());
            for (number, name) in numbered.names.iter().enumerate() {
                let sign = format!("${}", number + 1);
                prop_assert!(numbered.sql.contains(&sign), "{name}");
            }
        }
    }
}
