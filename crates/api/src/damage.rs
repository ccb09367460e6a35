//! Valid texts, damaged: bytes changed, cut off and put in, among them what readers of JSON stumble
//! over. For tests that any input is taken or refused.

use proptest::{collection::vec, prelude::*, sample::select};

/// What is put in.
const WORDS: &[&[u8]] = &[
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b",",
    b":",
    b"\\",
    b"\n",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\\ud800",
    b"\\u0000",
    b"\xff",
    b"\xed\xa0\x80",
    b"\0",
    b"\"kind\":",
    b"\"events\":[",
    b"\"data_base64\":\"",
    b"\"specversion\":\"1.0\",",
    b"$$$",
    b"%2F..%2F",
    b"\xf0\x9f\x98\x80",
];

/// One change: what is taken out at a place, and what is put there.
fn change() -> impl Strategy<Value = (prop::sample::Index, usize, Vec<u8>)> {
    let put = prop_oneof![
        3 => select(WORDS).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..4),
        1 => (select(WORDS), 1..300_usize).prop_map(|(word, count)| word.repeat(count)),
    ];
    (any::<prop::sample::Index>(), prop_oneof![Just(0), 0..4_usize, 0..40_usize], put)
}

/// One of some texts, damaged in a few places, and sometimes cut off.
pub(crate) fn damaged(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let cut = proptest::option::weighted(0.2, any::<prop::sample::Index>());
    (select(valid), vec(change(), 0..5), cut).prop_map(|(mut bytes, changes, cut)| {
        for (at, taken, put) in changes {
            let from = at.index(bytes.len() + 1);
            let to = bytes.len().min(from + taken);
            bytes.splice(from..to, put);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        bytes
    })
}
