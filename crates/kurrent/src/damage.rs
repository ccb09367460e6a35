//! Valid messages, damaged in their structure: fields left out, doubled, renumbered, nested and filled
//! with something else. For tests that any message is taken or refused.

use proptest::{collection::vec, prelude::*, sample::Index};

/// Deepest messages that are looked into.
const DEPTH_MAX: usize = 8;

#[derive(Debug, Clone)]
struct Field {
    tag: u64,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Number(u64),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

/// What is done to a field.
#[derive(Debug, Clone)]
enum Change {
    Drop,
    Double(usize),
    Renumber(u64),
    Number(u64),
    Bytes(Vec<u8>),
    Nest(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Drop),
        (2..40_usize).prop_map(Change::Double),
        (1..17_u64).prop_map(Change::Renumber),
        prop_oneof![any::<u64>(), 0..9_u64, Just(u64::MAX)].prop_map(Change::Number),
        prop_oneof![
            vec(any::<u8>(), 0..40),
            Just(Vec::new()),
            Just(b"\xff\xfe".to_vec()),
            Just(b"../a".to_vec()),
            Just(b"$$order-1".to_vec()),
            Just(b"$streamDeleted".to_vec()),
            Just(b"(a*)*\\1$".to_vec()),
            Just(vec![b'['; 300]),
        ]
        .prop_map(Change::Bytes),
        (1..120_usize).prop_map(Change::Nest),
    ]
}

/// One of some messages, damaged in a few places.
pub(crate) fn damaged(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let bytes = vec((any::<Index>(), any::<u8>()), 0..3);
    let bytes = prop_oneof![3 => Just(Vec::new()), 1 => bytes];
    (prop::sample::select(valid), vec((any::<Index>(), change()), 0..4), bytes).prop_map(
        |(message, changes, bytes)| {
            let mut fields = parse(&message, 0).expect("it is a message");
            for (at, change) in changes {
                let count = count(&fields);
                if count > 0 {
                    apply(&mut fields, at.index(count), &change);
                }
            }
            let mut message = encode(&fields);
            for (at, byte) in bytes {
                if !message.is_empty() {
                    let at = at.index(message.len());
                    message[at] = byte;
                }
            }
            message
        },
    )
}

fn count(fields: &[Field]) -> usize {
    let of = |field: &Field| match &field.value {
        Value::Message(inner) => 1 + count(inner),
        Value::Number(_) | Value::Bytes(_) => 1,
    };
    fields.iter().map(of).sum()
}

/// Changes one field, by its place among all; gives how many were before it if it is not here.
fn apply(fields: &mut Vec<Field>, mut at: usize, change: &Change) -> usize {
    for place in 0..fields.len() {
        if at == 0 {
            perform(fields, place, change);
            return 0;
        }
        at -= 1;
        if let Value::Message(inner) = &mut fields[place].value {
            let inside = count(inner);
            if at < inside {
                return apply(inner, at, change);
            }
            at -= inside;
        }
    }
    at
}

fn perform(fields: &mut Vec<Field>, place: usize, change: &Change) {
    match change {
        Change::Drop => drop(fields.remove(place)),
        Change::Double(times) => {
            let field = fields[place].clone();
            fields.extend(vec![field; *times]);
        }
        Change::Renumber(tag) => fields[place].tag = *tag,
        Change::Number(number) => fields[place].value = Value::Number(*number),
        Change::Bytes(bytes) => fields[place].value = Value::Bytes(bytes.clone()),
        Change::Nest(depth) => {
            for _ in 0..*depth {
                let inner = fields[place].clone();
                fields[place].value = Value::Message(vec![inner]);
            }
        }
    }
}

fn parse(mut bytes: &[u8], depth: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = take_number(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Number(take_number(&mut bytes)?),
            2 => {
                let length = usize::try_from(take_number(&mut bytes)?).ok()?;
                let inner = bytes.get(..length)?;
                bytes = &bytes[length..];
                let inside = parse(inner, depth + 1).filter(|_| depth < DEPTH_MAX);
                inside.map_or_else(|| Value::Bytes(inner.to_vec()), Value::Message)
            }
            _ => return None,
        };
        fields.push(Field { tag: key >> 3, value });
    }
    Some(fields)
}

fn encode(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for Field { tag, value } in fields {
        match value {
            Value::Number(number) => {
                put_number(&mut out, tag << 3);
                put_number(&mut out, *number);
            }
            Value::Bytes(bytes) => put_bytes(&mut out, *tag, bytes),
            Value::Message(inner) => put_bytes(&mut out, *tag, &encode(inner)),
        }
    }
    out
}

fn put_bytes(out: &mut Vec<u8>, tag: u64, bytes: &[u8]) {
    put_number(out, tag << 3 | 2);
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..10 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << (7 * at);
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[test]
fn a_message_that_is_not_damaged_is_the_same() {
    let message = [0x0a, 0x03, 0x08, 0xac, 0x02, 0x12, 0x01, 0xff, 0x18, 0x01];
    let fields = parse(&message, 0).unwrap();
    assert_eq!((encode(&fields).as_slice(), count(&fields)), (message.as_slice(), 4));
}
