//! Variables and quotes in the words of a Dockerfile, by Docker's rules (Dockerfile reference,
//! "Environment replacement").

use std::{iter::Peekable, str::Chars};

/// Longest value in bytes: a variable of a process is not longer either (`execve(2)`).
pub(crate) const VALUE_MAX: usize = 128 << 10;
/// Deepest `${a:-${b:-..}}`.
const DEPTH_MAX: usize = 16;

/// Why a word could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpandError {
    #[error("a quote is not closed")]
    Quote,
    #[error("`${{` is not closed")]
    Brace,
    #[error("`${{{0}}}` is not a variable")]
    Name(String),
    #[error("`{0}` in `${{..}}` is not supported; use `:-`, `:+`, `-`, `+`, `:?` or `?`")]
    Modifier(char),
    #[error("`{name}` {message}")]
    Required { name: String, message: String },
    #[error("the value has more than {VALUE_MAX} bytes")]
    TooLong,
    #[error("variables are nested more than {DEPTH_MAX} deep")]
    TooDeep,
}

/// Fills in variables and takes quotes and escapes away. An unknown variable is empty.
pub(crate) fn expand(
    word: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ExpandError> {
    let mut expander = Expander { rest: word.chars().peekable(), escape, lookup, depth: 0 };
    expander.until(None)
}

struct Expander<'a> {
    rest: Peekable<Chars<'a>>,
    escape: char,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    depth: usize,
}

impl Expander<'_> {
    /// Reads to a closing character, or to the end.
    fn until(&mut self, close: Option<char>) -> Result<String, ExpandError> {
        let mut out = String::new();
        while let Some(character) = self.rest.next() {
            match character {
                _ if Some(character) == close => return Ok(out),
                '\'' => self.single_quoted(&mut out)?,
                '"' => self.double_quoted(&mut out)?,
                '$' => out.push_str(&self.variable()?),
                _ if character == self.escape => out.extend(self.rest.next()),
                _ => out.push(character),
            }
            if out.len() > VALUE_MAX {
                return Err(ExpandError::TooLong);
            }
        }
        if close.is_some() { Err(ExpandError::Brace) } else { Ok(out) }
    }

    fn single_quoted(&mut self, out: &mut String) -> Result<(), ExpandError> {
        for character in self.rest.by_ref() {
            if character == '\'' {
                return Ok(());
            }
            out.push(character);
        }
        Err(ExpandError::Quote)
    }

    /// Between double quotes the escape counts before `"`, `$` and itself only.
    fn double_quoted(&mut self, out: &mut String) -> Result<(), ExpandError> {
        while let Some(character) = self.rest.next() {
            match character {
                '"' => return Ok(()),
                '$' => out.push_str(&self.variable()?),
                _ if character == self.escape => match self.rest.peek() {
                    Some(&next) if next == '"' || next == '$' || next == self.escape => {
                        out.extend(self.rest.next());
                    }
                    _ => out.push(character),
                },
                _ => out.push(character),
            }
            if out.len() > VALUE_MAX {
                return Err(ExpandError::TooLong);
            }
        }
        Err(ExpandError::Quote)
    }

    /// What stands after a `$`.
    fn variable(&mut self) -> Result<String, ExpandError> {
        if self.rest.next_if_eq(&'{').is_some() {
            return self.braced();
        }
        let name = self.name();
        if name.is_empty() {
            return Ok("$".to_owned());
        }
        Ok((self.lookup)(&name).unwrap_or_default())
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        // A number stands for an argument of a shell, and is one digit.
        if let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            return digit.to_string();
        }
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
        name
    }

    fn braced(&mut self) -> Result<String, ExpandError> {
        let name = self.name();
        if name.is_empty() {
            let text = self.rest.by_ref().take_while(|&c| c != '}').take(40).collect();
            return Err(ExpandError::Name(text));
        }
        let value = (self.lookup)(&name);
        match self.rest.next() {
            None => Err(ExpandError::Brace),
            Some('}') => Ok(value.unwrap_or_default()),
            Some(':') => {
                let modifier = self.rest.next().ok_or(ExpandError::Brace)?;
                self.modified(name, value.filter(|value| !value.is_empty()), modifier)
            }
            Some(modifier) => self.modified(name, value, modifier),
        }
    }

    fn modified(
        &mut self,
        name: String,
        value: Option<String>,
        modifier: char,
    ) -> Result<String, ExpandError> {
        if !matches!(modifier, '-' | '+' | '?') {
            return Err(ExpandError::Modifier(modifier));
        }
        if self.depth == DEPTH_MAX {
            return Err(ExpandError::TooDeep);
        }
        self.depth += 1;
        let word = self.until(Some('}'))?;
        self.depth -= 1;
        match (modifier, value) {
            ('-', value) => Ok(value.unwrap_or(word)),
            ('+', value) => Ok(value.map(|_| word).unwrap_or_default()),
            (_, Some(value)) => Ok(value),
            (_, None) => {
                let message = if word.is_empty() { "is not set".to_owned() } else { word };
                Err(ExpandError::Required { name, message })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "a" => Some("A".to_owned()),
            "empty" => Some(String::new()),
            "sp" => Some("x y".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn words_are_filled_in_as_docker_does() {
        for (word, expected) in [
            ("plain", "plain"),
            ("$a", "A"),
            ("${a}b", "Ab"),
            ("$ab", ""),
            ("$sp", "x y"),
            (r"\$a", "$a"),
            ("'$a'", "$a"),
            (r#""$a \" \n""#, r#"A " \n"#),
            ("${none:-d}", "d"),
            ("${empty:-d}", "d"),
            ("${empty-d}", ""),
            ("${a:+yes}", "yes"),
            ("${empty:+yes}", ""),
            ("${empty+yes}", "yes"),
            ("${none:-${a}$a}", "AA"),
            ("${a:?gone}", "A"),
            ("a$", "a$"),
            ("$-", "$-"),
            ("$1x", "x"),
            (r"a\ b", "a b"),
        ] {
            assert_eq!(expand(word, '\\', &lookup).as_deref(), Ok(expected), "{word}");
        }
    }

    #[test]
    fn broken_words_are_refused() {
        for word in ["'a", "\"a", "${a", "${", "${}", "${a:", "${a%b}", "${none:?gone}"] {
            assert!(expand(word, '\\', &lookup).is_err(), "{word}");
        }
        let deep = "${n:-".repeat(20) + &"}".repeat(20);
        assert_eq!(expand(&deep, '\\', &lookup), Err(ExpandError::TooDeep));
    }

    proptest! {
        #[test]
        fn any_word_gives_a_value_or_an_error(word in r#"[a$\\{}:'"?+\- -]{0,40}|\PC*"#) {
            drop(expand(&word, '\\', &lookup));
        }
    }
}
