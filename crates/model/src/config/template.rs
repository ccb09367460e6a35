//! Text with references to secrets: `postgres://orders:${secret:db_password}@db/orders`.

use crate::SecretName;
use std::{fmt, str::FromStr};

/// Text with references to secrets, which are filled in where a container is started and nowhere
/// else. `$${` stands for a literal `${`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Template {
    /// The parts in order; their concatenation is the value.
    pub parts: Vec<TemplatePart>,
}

/// One part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TemplatePart {
    /// Literal text.
    Text(String),
    /// The value of a secret.
    Secret(SecretName),
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `${` without its `}`.
    #[error("`${{` is never closed; write `$${{` for a literal one")]
    Unclosed,
    /// Something else than `secret:NAME` in braces.
    #[error("`${{{0}}}` is not known; only `${{secret:NAME}}` is filled in")]
    Unknown(String),
    /// The name of the secret is not a name.
    #[error("`{0}` is not the name of a secret")]
    Name(String, #[source] crate::NameError),
}

impl Template {
    /// A template without references.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![TemplatePart::Text(text.into())] }
    }

    /// The secrets it refers to, in order, with repetitions.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Secret(name) => Some(name),
            TemplatePart::Text(_) => None,
        })
    }

    /// Fills in the secrets; the first one that `value` does not know is the error.
    pub fn fill(
        &self,
        mut value: impl FnMut(&SecretName) -> Option<String>,
    ) -> Result<String, &SecretName> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                TemplatePart::Text(part) => text.push_str(part),
                TemplatePart::Secret(name) => text.push_str(&value(name).ok_or(name)?),
            }
        }
        Ok(text)
    }
}

impl FromStr for Template {
    type Err = TemplateError;
    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            if rest[..start].ends_with('$') {
                literal.push_str(&rest[..start - 1]);
                literal.push_str("${");
                rest = &rest[start + 2..];
                continue;
            }
            literal.push_str(&rest[..start]);
            let end = rest[start..].find('}').ok_or(TemplateError::Unclosed)? + start;
            let reference = &rest[start + 2..end];
            let name = reference
                .strip_prefix("secret:")
                .ok_or_else(|| TemplateError::Unknown(reference.chars().take(80).collect()))?;
            if !literal.is_empty() {
                parts.push(TemplatePart::Text(std::mem::take(&mut literal)));
            }
            let name = name.parse().map_err(|error| TemplateError::Name(name.to_owned(), error))?;
            parts.push(TemplatePart::Secret(name));
            rest = &rest[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(TemplatePart::Text(literal));
        }
        Ok(Self { parts })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            TemplatePart::Text(text) => f.write_str(&text.replace("${", "$${")),
            TemplatePart::Secret(name) => write!(f, "${{secret:{name}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_filled_in() {
        let template: Template = "postgres://o:${secret:db_password}@db/o".parse().unwrap();
        assert_eq!(template.secrets().map(SecretName::as_str).collect::<Vec<_>>(), ["db_password"]);
        assert_eq!(template.fill(|_| Some("x".into())), Ok("postgres://o:x@db/o".into()));
        assert!(template.fill(|_| None).is_err());
    }

    #[test]
    fn a_literal_reference_survives_its_text_form() {
        let template: Template = "$${HOME} ${secret:a}$".parse().unwrap();
        assert_eq!(template.fill(|_| Some("1".into())), Ok("${HOME} 1$".into()));
        assert_eq!(template.to_string().parse(), Ok(template));
    }

    #[test]
    fn anything_else_in_braces_is_an_error() {
        assert!(matches!("${HOME}".parse::<Template>(), Err(TemplateError::Unknown(_))));
        assert!(matches!("${secret:a".parse::<Template>(), Err(TemplateError::Unclosed)));
        assert!(matches!("${secret:A}".parse::<Template>(), Err(TemplateError::Name(..))));
    }
}
