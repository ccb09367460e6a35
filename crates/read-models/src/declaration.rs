//! A declaration as it is kept: its text, and what it says.

use crate::sql::Dialect;
use fairway_model::{
    Diagnostic, ReadModelName, SourceText, Span,
    config::{ReadModel, ReadModelTarget, Sql},
};

/// A declaration of a read model that is right as far as can be known without a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    path: String,
    text: String,
    model: ReadModel,
}

impl Declaration {
    /// Reads a declaration; all that is wrong comes at once.
    pub fn read(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let model = ReadModel::decode(path, text)?;
        Ok(Self { path: path.to_owned(), text: text.to_owned(), model })
    }

    /// The path that the text was read from.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says.
    pub fn model(&self) -> &ReadModel {
        &self.model
    }

    /// The read model's name.
    pub fn name(&self) -> &ReadModelName {
        &self.model.name
    }

    /// The text with its path, to show what is wrong in it.
    pub fn source(&self) -> SourceText<'_> {
        SourceText::new(&self.path, &self.text)
    }

    /// Whose SQL it has; none if it has none.
    pub fn dialect(&self) -> Option<Dialect> {
        match self.model.target {
            ReadModelTarget::Sqlite => Some(Dialect::Sqlite),
            ReadModelTarget::Postgres(_) => Some(Dialect::Postgres),
            ReadModelTarget::Callback(_) => None,
        }
    }

    /// Whether what is kept of it is in a file on the machine that drives.
    pub(crate) fn is_in_file(&self) -> bool {
        match self.model.target {
            ReadModelTarget::Sqlite | ReadModelTarget::Callback(_) => true,
            ReadModelTarget::Postgres(_) => false,
        }
    }

    /// Whether another one says the same, wherever it stands and whatever it remarks.
    pub fn says_the_same(&self, other: &Self) -> bool {
        placeless(&self.model) == placeless(&other.model)
    }
}

/// The same without the places of its SQL.
fn placeless(model: &ReadModel) -> ReadModel {
    let mut model = model.clone();
    let forget = |sql: &mut Sql| sql.span = Span::START;
    model.tables.iter_mut().for_each(forget);
    model.on.values_mut().flatten().for_each(forget);
    model.queries.values_mut().for_each(forget);
    model
}
