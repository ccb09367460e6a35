//! What is wrong in SQL, and where.

use fairway_model::{Diagnostic, SourceText, config::Sql};

/// What is wrong in SQL of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFault {
    /// The SQL.
    pub sql: Sql,
    /// Where in it, in bytes.
    pub offset: usize,
    /// How many characters.
    pub length: u32,
    /// What is wrong.
    pub message: String,
}

impl SqlFault {
    /// A fault at a place in SQL.
    pub(crate) fn at(sql: &Sql, (offset, length): (usize, usize), message: String) -> Self {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Self { sql: sql.clone(), offset, length, message }
    }

    /// The fault as it is shown, in the text of the declaration.
    pub fn diagnose(&self, source: &SourceText) -> Diagnostic {
        source.diagnose(self.sql.place(source, self.offset, self.length), &self.message)
    }
}
