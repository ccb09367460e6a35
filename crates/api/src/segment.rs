//! Percent-encoding, of parts of paths and of header values (RFC 3986, section 2.1).

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// A text as one part of a path.
pub(crate) fn encode(text: &str) -> String {
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~@:$".contains(&byte);
    encode_unless(text, is_kept)
}

/// A text as a header value, in the way of CloudEvents (HTTP protocol binding, section 3.1.3.2).
pub(crate) fn encode_header(text: &str) -> String {
    encode_unless(text, |byte| byte.is_ascii_graphic() && !b"\"%".contains(&byte))
}

fn encode_unless(text: &str, is_kept: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_kept(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// The text that was encoded; none if that is not UTF-8. A `%` that begins nothing stands for itself.
pub(crate) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let is_hex = |pair: &&str| pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = pair.filter(is_hex).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match byte {
            Some(byte) if bytes[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_streams_become_one_part_of_a_path() {
        assert_eq!(encode("shop/order-7@a"), "shop%2Forder-7@a");
        assert_eq!(decode("100%").as_deref(), Some("100%"));
        assert_eq!(decode("%ff"), None);
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(text in "\\PC{0,60}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text.clone()));
            prop_assert_eq!(decode(&encode_header(&text)), Some(text));
        }
    }
}
