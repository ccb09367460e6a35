//! One of a few words.

use super::text::{read_text, refuse_word, short};
use super::{Definitions, Form, Schema};
use crate::config::reporter::Reporter;
use crate::config::yaml::Node;
use std::marker::PhantomData;

/// A value that is written as one of a few words.
pub(crate) trait Word: Copy + 'static {
    /// What it is, for messages.
    const WHAT: &'static str;

    /// Its words with what they mean.
    const WORDS: &'static [(&'static str, Self)];
}

/// One of the words of `W`.
pub(crate) struct Choice<W>(PhantomData<W>);

impl<W: Word> Form for Choice<W> {
    type Value = W;

    fn schema(_: &mut Definitions) -> Schema {
        Schema { words: words::<W>(), ..Schema::default() }
    }

    fn read(node: &Node, log: &mut Reporter) -> Option<W> {
        let text = read_text(node, log)?;
        let found = W::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let message = format!("there is no {} `{}`", W::WHAT, short(text));
            refuse_word(node, log, message, &words::<W>());
        }
        found
    }
}

fn words<W: Word>() -> Vec<&'static str> {
    W::WORDS.iter().map(|(word, _)| *word).collect()
}
