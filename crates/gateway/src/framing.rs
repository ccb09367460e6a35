//! Looks for requests whose length is stated twice (RFC 9112, section 6.3), as request smuggling
//! needs. `hyper` reads these safely but silently; the gateway refuses them, so it watches the heads
//! as they come off the socket.

/// The longest field name of interest, with its colon.
const START_MAX: usize = "transfer-encoding:".len();

/// Watches the heads of the requests on one connection.
#[derive(Debug, Default)]
pub(crate) struct FramingWatch {
    start: [u8; START_MAX],
    filled: usize,
    lengths: u32,
    encodings: u32,
    is_in_body: bool,
}

/// What the heads so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Clear,
    /// A head states its length in more than one way.
    Ambiguous,
}

impl FramingWatch {
    /// Expects a head next, if a body was expected.
    pub(crate) fn end_body(&mut self) {
        if self.is_in_body {
            *self = Self::default();
        }
    }

    /// Whether what comes next is a body, which is not watched.
    pub(crate) fn is_in_body(&self) -> bool {
        self.is_in_body
    }

    /// Reads on. After a head that announces a body it reads nothing until told that the body ended.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Framing {
        let mut framing = Framing::Clear;
        let mut rest = bytes;
        while !self.is_in_body && !rest.is_empty() {
            let end = rest.iter().position(|&byte| byte == b'\n');
            self.keep(&rest[..end.unwrap_or(rest.len())]);
            let Some(end) = end else { break };
            rest = &rest[end + 1..];
            if self.end_line() == Framing::Ambiguous {
                framing = Framing::Ambiguous;
            }
        }
        framing
    }

    fn keep(&mut self, line: &[u8]) {
        let count = line.len().min(START_MAX - self.filled);
        self.start[self.filled..self.filled + count].copy_from_slice(&line[..count]);
        self.filled += count;
    }

    fn end_line(&mut self) -> Framing {
        let start = &self.start[..std::mem::take(&mut self.filled)];
        match start.first() {
            None => return self.end_head(),
            Some(b'\r') if start.len() == 1 => return self.end_head(),
            Some(b'c' | b'C') if begins(start, b"content-length:") => self.lengths += 1,
            Some(b't' | b'T') if begins(start, b"transfer-encoding:") => self.encodings += 1,
            Some(_) => {}
        }
        Framing::Clear
    }

    fn end_head(&mut self) -> Framing {
        let stated = self.lengths + self.encodings;
        self.is_in_body = stated > 0;
        if stated > 1 { Framing::Ambiguous } else { Framing::Clear }
    }
}

fn begins(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LENGTH: &str = "Content-Length: 3\r\n";
    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

    fn request(fields: &[&str]) -> String {
        format!("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n", fields.concat())
    }

    #[test]
    fn a_length_stated_twice_is_found() {
        for (fields, framing) in [
            (&[][..], Framing::Clear),
            (&[LENGTH], Framing::Clear),
            (&[CHUNKED], Framing::Clear),
            (&["X-Content-Length: 3\r\n", LENGTH], Framing::Clear),
            (&[LENGTH, CHUNKED], Framing::Ambiguous),
            (&[CHUNKED, LENGTH], Framing::Ambiguous),
            (&[LENGTH, "cOnTent-lENgth:3\n"], Framing::Ambiguous),
            (&[CHUNKED, "A: b\r\n", CHUNKED], Framing::Ambiguous),
        ] {
            let found = FramingWatch::default().read(request(fields).as_bytes());
            assert_eq!(found, framing, "{fields:?}");
        }
    }

    #[test]
    fn bodies_are_not_read_as_heads() {
        let mut watch = FramingWatch::default();
        let body = format!("{LENGTH}{CHUNKED}\r\n");
        assert_eq!(watch.read((request(&[LENGTH]) + &body).as_bytes()), Framing::Clear);
        watch.end_body();
        assert_eq!(watch.read(request(&[LENGTH, CHUNKED]).as_bytes()), Framing::Ambiguous);
    }

    #[test]
    fn a_pipelined_head_is_read_too() {
        let both = request(&[]) + &request(&[LENGTH, CHUNKED]);
        assert_eq!(FramingWatch::default().read(both.as_bytes()), Framing::Ambiguous);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_a_head_arrives(at in 0..60_usize, twice in any::<bool>()) {
            let text = request(if twice { &[CHUNKED, LENGTH] } else { &[CHUNKED] });
            let (one, two) = text.split_at(at.min(text.len()));
            let mut watch = FramingWatch::default();
            let found = [watch.read(one.as_bytes()), watch.read(two.as_bytes())];
            prop_assert_eq!(found.contains(&Framing::Ambiguous), twice);
        }
    }
}
