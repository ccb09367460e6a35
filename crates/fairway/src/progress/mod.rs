//! How the progress of pipelines is shown: live at a terminal, else as lines, or as JSON.

mod board;
mod command;
mod lines;
mod live;
mod paint;
mod stage_line;
mod summary;
mod terminal;
mod view;

pub use paint::{Paint, cut, pad, width};
pub use summary::{announce, summary};
pub use view::View;
