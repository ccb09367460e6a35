//! Lines of one stream with their secrets masked, also where a secret reaches over lines.

use fairway_secrets::Masker;

/// A line of this length is a piece of a longer one.
const PIECE: usize = 16 << 10;
/// A longer line is broken into several.
const LINE_MAX: usize = 64 << 10;

/// Masks one stream.
pub(crate) struct MaskedLines {
    masker: Masker,
    /// The end of the stream so far, without a line feed.
    open: Vec<u8>,
}

impl MaskedLines {
    pub(crate) fn new(masker: Masker) -> Self {
        Self { masker, open: Vec::new() }
    }

    /// Takes the next line, or piece of a line; gives the lines that can be shown by now.
    pub(crate) fn line(&mut self, text: &[u8]) -> Vec<Vec<u8>> {
        let mut shown = self.masker.mask(text);
        if text.len() != PIECE {
            shown.extend(self.masker.mask(b"\n"));
        }
        self.open.extend(shown);
        self.complete()
    }

    /// Gives what is left at the end of the stream.
    pub(crate) fn finish(&mut self) -> Vec<Vec<u8>> {
        let rest = self.masker.finish();
        self.open.extend(rest);
        let mut lines = self.complete();
        if !self.open.is_empty() {
            lines.push(std::mem::take(&mut self.open));
        }
        lines
    }

    fn complete(&mut self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut start = 0;
        while let Some(length) = self.open[start..].iter().position(|&byte| byte == b'\n') {
            lines.push(self.open[start..start + length].to_vec());
            start += length + 1;
        }
        self.open.drain(..start);
        if self.open.len() >= LINE_MAX {
            lines.push(std::mem::take(&mut self.open));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_secrets::SecretValue;

    fn check(secret: &str, lines: &[&[u8]]) -> String {
        let secret: SecretValue = secret.parse().unwrap();
        let mut masked = MaskedLines::new(Masker::new([&secret]));
        let mut shown: Vec<_> = lines.iter().flat_map(|line| masked.line(line)).collect();
        shown.extend(masked.finish());
        shown.iter().map(|line| String::from_utf8_lossy(line).into_owned() + "|").collect()
    }

    #[test]
    fn a_secret_is_masked_within_and_across_lines() {
        assert_eq!(check("hunter22", &[b"a hunter22 b", b"", b"c"]), "a *** b||c|");
        assert_eq!(
            check("line one\nline two", &[b"x", b"line one", b"line two", b"y"]),
            "x|***|y|"
        );
    }

    #[test]
    fn a_secret_is_masked_across_pieces_of_a_long_line() {
        let mut piece = vec![b'x'; PIECE];
        piece[PIECE - 4..].copy_from_slice(b"hunt");
        let shown = check("hunter22", &[&piece, b"er22 end"]);
        assert!(shown.ends_with("x*** end|"), "{}", &shown[shown.len() - 20..]);
    }
}
