//! SQL as text: enough of its shape to find parameters and to refuse what breaks a transaction.

mod dialect;
mod fault;
mod lexer;
mod rewrite;
mod statement;

pub use dialect::Dialect;
pub use fault::SqlFault;
pub(crate) use lexer::{Token, TokenKind, tokens};
pub use rewrite::{Numbered, number_parameters};
pub(crate) use statement::{Use, check_names, check_statement, check_tables, is_create_trigger};
