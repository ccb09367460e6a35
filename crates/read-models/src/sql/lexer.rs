//! Splits SQL into tokens, so that what stands in texts, names in quotes and comments is left alone.

use super::Dialect;

/// A piece of SQL that is no comment and no space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    /// Where it begins, in bytes.
    pub(crate) offset: usize,
    /// How it is written.
    pub(crate) text: &'t str,
    pub(crate) kind: TokenKind,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword, a name or a number.
    Word,
    /// `:name`.
    Parameter,
    /// `?`, `$1`, `@name`: a parameter that is not written as it should be.
    Foreign,
    /// A text or a name in quotes.
    Quoted,
    /// `;`.
    End,
    /// Anything else.
    Sign,
}

/// The tokens of SQL. Whatever the text is, they come in order and do not overlap.
pub(crate) fn tokens(sql: &str, dialect: Dialect) -> Vec<Token<'_>> {
    let mut lexer = Lexer { sql, at: 0, dialect };
    std::iter::from_fn(|| lexer.next()).collect()
}

struct Lexer<'t> {
    sql: &'t str,
    at: usize,
    dialect: Dialect,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl<'t> Lexer<'t> {
    fn next(&mut self) -> Option<Token<'t>> {
        self.skip();
        let rest = &self.sql[self.at..];
        let first = rest.chars().next()?;
        let (kind, length) = self.token(rest, first);
        let token = Token { offset: self.at, text: &rest[..length], kind };
        self.at += length;
        Some(token)
    }

    fn token(&self, rest: &str, first: char) -> (TokenKind, usize) {
        let second = rest[first.len_utf8()..].chars().next();
        let is_sqlite = self.dialect == Dialect::Sqlite;
        let name = || first.len_utf8() + word(&rest[first.len_utf8()..]);
        match first {
            ';' => (TokenKind::End, 1),
            '\'' | '"' => (TokenKind::Quoted, quoted(rest, first, false)),
            '`' if is_sqlite => (TokenKind::Quoted, quoted(rest, '`', false)),
            '[' if is_sqlite => (TokenKind::Quoted, until(rest, 1, "]")),
            'e' | 'E' if !is_sqlite && second == Some('\'') => {
                (TokenKind::Quoted, 1 + quoted(&rest[1..], '\'', true))
            }
            ':' if second == Some(':') => (TokenKind::Sign, 2),
            ':' if second.is_some_and(|c| c.is_ascii_alphabetic() || c == '_') => {
                (TokenKind::Parameter, name())
            }
            '$' if !is_sqlite && dollar_tag(rest).is_some() => {
                let tag = dollar_tag(rest).unwrap_or_default();
                (TokenKind::Quoted, until(rest, tag.len(), tag))
            }
            '$' if second.is_some_and(is_word) => (TokenKind::Foreign, name()),
            '?' | '@' if is_sqlite => (TokenKind::Foreign, name()),
            c if is_word(c) => (TokenKind::Word, word(rest)),
            c => (TokenKind::Sign, c.len_utf8()),
        }
    }

    /// Passes over spaces and comments.
    fn skip(&mut self) {
        loop {
            let rest = &self.sql[self.at..];
            let spaces = rest.len() - rest.trim_start().len();
            let rest = &rest[spaces..];
            let comment = if rest.starts_with("--") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                self.comment(rest)
            } else {
                self.at += spaces;
                return;
            };
            self.at += spaces + comment;
        }
    }

    /// The length of a comment; those of PostgreSQL may hold others.
    fn comment(&self, rest: &str) -> usize {
        if self.dialect == Dialect::Sqlite {
            return until(rest, 2, "*/");
        }
        let (mut depth, mut at) = (0, 0);
        while at < rest.len() {
            if rest[at..].starts_with("/*") {
                (depth, at) = (depth + 1, at + 2);
            } else if rest[at..].starts_with("*/") {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            } else {
                at += rest[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        rest.len()
    }
}

fn word(rest: &str) -> usize {
    rest.find(|c| !is_word(c)).unwrap_or(rest.len())
}

/// The length up to the end of a text, or all.
fn until(rest: &str, from: usize, end: &str) -> usize {
    rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
}

/// The length of what is in quotes; two of them stand for one.
fn quoted(rest: &str, quote: char, with_escapes: bool) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if with_escapes && c == '\\' {
            characters.next();
        } else if c == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    rest.len()
}

/// `$$` or `$tag$`, with which a text of PostgreSQL begins and ends.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 2;
    let tag = &rest[1..end - 1];
    let is_tag = tag.chars().all(is_word) && !tag.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameters(sql: &str, dialect: Dialect) -> Vec<&str> {
        let all = tokens(sql, dialect).into_iter();
        all.filter(|token| token.kind == TokenKind::Parameter).map(|token| token.text).collect()
    }

    #[test]
    fn only_what_is_a_parameter_is_one() {
        let both = "SELECT :a, ':b', \":c\", '''':d -- :e\n, /* :f */ x::text, :g_1";
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            assert_eq!(parameters(both, dialect), [":a", ":d", ":g_1"]);
        }
        let postgres = "SELECT $$ :a $$, $x$ :b $$ $x$, E'\\' :c', :d, /* /* */ :e */ a[1:2]";
        assert_eq!(parameters(postgres, Dialect::Postgres), [":d"]);
        assert_eq!(parameters("SELECT `:a`, [:b], :c", Dialect::Sqlite), [":c"]);
    }

    proptest! {
        #[test]
        fn any_text_is_split_in_order(sql in "\\PC{0,60}|[ :;'\"$?a/*\\[\\]`\\\\\n-]{0,40}") {
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                let mut end = 0;
                for token in tokens(&sql, dialect) {
                    prop_assert!(token.offset >= end && !token.text.is_empty());
                    prop_assert_eq!(&sql[token.offset..][..token.text.len()], token.text);
                    end = token.offset + token.text.len();
                }
            }
        }
    }
}
