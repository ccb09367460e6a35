//! Masks secrets in a stream of bytes, whatever its chunks.

use crate::{
    patterns::{MASK, Patterns, merge},
    value::SecretValue,
};
use std::{fmt, mem, sync::Arc};

/// Replaces each occurrence of a secret in a stream by `***`, also in base64 that is not broken into
/// lines. Values shorter than [`crate::MASKED_MIN`] bytes are not masked. What may be the start of
/// a secret is held back until the next chunk, or [`Masker::finish`], tells.
pub struct Masker {
    patterns: Arc<Patterns>,
    /// The end of the stream so far, which may be the start of a secret.
    held: Vec<u8>,
    /// How much of what is held belongs to a secret for which `***` is written already.
    covered: usize,
}

impl Masker {
    /// Makes a masker for secrets.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a SecretValue>) -> Self {
        Self { patterns: Arc::new(Patterns::new(values)), held: Vec::new(), covered: 0 }
    }

    /// A masker of the same secrets for another stream.
    #[must_use]
    pub fn for_another_stream(&self) -> Self {
        Self { patterns: Arc::clone(&self.patterns), held: Vec::new(), covered: 0 }
    }

    /// Takes the next chunk, and gives what can be shown by now.
    pub fn mask(&mut self, chunk: &[u8]) -> Vec<u8> {
        if self.patterns.is_empty() {
            return chunk.to_vec();
        }
        let mut text = mem::take(&mut self.held);
        text.extend_from_slice(chunk);
        let end = self.patterns.open_end(&text);
        let shown = self.show(&text, end);
        self.held = text.split_off(end);
        shown
    }

    /// Gives what is held back, at the end of the stream. Another stream may begin then.
    pub fn finish(&mut self) -> Vec<u8> {
        let text = mem::take(&mut self.held);
        let shown = self.show(&text, text.len());
        self.covered = 0;
        shown
    }

    /// Masks a whole text.
    pub fn mask_text(&self, text: &str) -> String {
        let mut masker = self.for_another_stream();
        let mut shown = masker.mask(text.as_bytes());
        shown.extend(masker.finish());
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Masks the text up to `end`, and notes how far a secret reaches beyond it.
    fn show(&mut self, text: &[u8], end: usize) -> Vec<u8> {
        let mut shown = Vec::with_capacity(end);
        let mut at = 0;
        for (start, stop) in self.spans(text) {
            let is_continued = start == 0 && self.covered > 0;
            if !is_continued {
                if start >= end {
                    break;
                }
                shown.extend_from_slice(&text[at..start]);
                shown.extend_from_slice(MASK.as_bytes());
            }
            at = stop;
        }
        if at < end {
            shown.extend_from_slice(&text[at..end]);
        }
        self.covered = at.saturating_sub(end);
        shown
    }

    fn spans(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let mut spans = self.patterns.find(text);
        if self.covered > 0 {
            spans.insert(0, (0, self.covered));
        }
        merge(spans)
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masker").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use proptest::{prelude::*, sample::Index};

    fn masker(values: &[&str]) -> Masker {
        let values: Vec<SecretValue> = values.iter().map(|value| value.parse().unwrap()).collect();
        Masker::new(&values)
    }

    fn mask_chunks<'a>(masker: &mut Masker, chunks: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut shown: Vec<u8> = chunks.into_iter().flat_map(|chunk| masker.mask(chunk)).collect();
        shown.extend(masker.finish());
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn secrets_are_masked_and_the_rest_is_kept() {
        let masker = masker(&["hunter2", "hunter22", "abcd", "cdefgh", "ab", "line one\nline two"]);
        for (text, shown) in [
            ("", ""),
            ("nothing here", "nothing here"),
            ("password=hunter2;", "password=***;"),
            ("hunter22 hunter2hunter2", "*** ******"),
            ("hunter hunter1", "hunter hunter1"),
            ("abcdefgh", "***"),
            ("ab is too short", "ab is too short"),
            ("> line two", "> ***"),
            ("Basic dXNlcjpodW50ZXIy", "Basic dXNlcjp***"),
        ] {
            assert_eq!(masker.mask_text(text), shown, "{text}");
        }
        assert!(!format!("{masker:?}").contains("hunter"));
    }

    #[test]
    fn only_what_may_be_a_secret_is_held_back() {
        let mut masker = masker(&["hunter2"]);
        assert_eq!(masker.mask(b"a line\n"), b"a line\n");
        assert_eq!(masker.mask(b"see hun"), b"see ");
        assert_eq!(masker.mask(b"t"), b"");
        assert_eq!(masker.mask(b"er2"), b"***");
        assert_eq!(masker.mask(b"!hunter"), b"!");
        assert_eq!(masker.finish(), b"hunter");
    }

    #[test]
    fn an_endless_secret_is_not_kept_in_memory() {
        let mut masker = masker(&["aaaa"]);
        let mut shown = Vec::new();
        for _ in 0..1000 {
            shown.extend(masker.mask(&[b'a'; 100]));
            assert!(masker.held.len() < 100);
        }
        shown.extend(masker.finish());
        assert_eq!(shown, b"***");
    }

    /// Pieces of a log: ordinary text, a secret as it is, or in base64 behind some bytes.
    #[derive(Debug, Clone)]
    enum Piece {
        Text(String),
        Plain(Index),
        Base64 { before: String, secret: Index, after: String },
    }

    fn piece() -> impl Strategy<Value = Piece> {
        prop_oneof![
            "[a-c \n]{0,6}".prop_map(Piece::Text),
            any::<Index>().prop_map(Piece::Plain),
            ("[x-z]{0,3}", any::<Index>(), "[x-z]{0,3}")
                .prop_map(|(before, secret, after)| Piece::Base64 { before, secret, after }),
        ]
    }

    fn text(piece: &Piece, secrets: &[String]) -> String {
        match piece {
            Piece::Text(text) => text.clone(),
            Piece::Plain(secret) => secret.get(secrets).clone(),
            Piece::Base64 { before, secret, after } => {
                BASE64_STANDARD.encode(format!("{before}{}{after}", secret.get(secrets)))
            }
        }
    }

    proptest! {
        #[test]
        fn no_secret_shows_whatever_the_chunks(
            secrets in prop::collection::vec("[a-c]{4,9}|[a-z]{4,20}", 1..4),
            pieces in prop::collection::vec(piece(), 0..8),
            cuts in prop::collection::vec(any::<Index>(), 0..8),
        ) {
            let log: String = pieces.iter().map(|piece| text(piece, &secrets)).collect();
            let values: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let mut masker = masker(&values);
            let whole = masker.mask_text(&log);

            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(log.len() + 1)).collect();
            cuts.extend([0, log.len()]);
            cuts.sort_unstable();
            let chunks = cuts.windows(2).map(|cut| &log.as_bytes()[cut[0]..cut[1]]);
            prop_assert_eq!(&mask_chunks(&mut masker, chunks), &whole);
            let bytes = log.as_bytes().chunks(1);
            prop_assert_eq!(&mask_chunks(&mut masker, bytes), &whole);

            for secret in &secrets {
                prop_assert!(!whole.contains(secret.as_str()), "{}", whole);
            }
            prop_assert!(masker.patterns.find(whole.as_bytes()).is_empty(), "{}", whole);
        }
    }
}
