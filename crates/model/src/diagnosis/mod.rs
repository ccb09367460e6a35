//! What is wrong with a text that a user wrote, where, and what to write instead.

mod diagnostic;
mod excerpt;
mod render;
mod source;
mod span;
mod suggest;

pub use diagnostic::Diagnostic;
pub use excerpt::{EXCERPT_MAX, Excerpt};
pub use render::{Colour, render_all};
pub use source::SourceText;
pub use span::Span;
pub use suggest::closest;
