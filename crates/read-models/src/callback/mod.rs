//! Read models that somebody else keeps, who is told over HTTP. How far that is stands in a SQLite
//! file, so an event may be told twice, in order and with the position that tells.

mod body;
mod post;
mod target;

pub(crate) use target::CallbackTarget;
