//! JSON as it is taken in, which readers have to be able to read.

use crate::Seed;
use fairway_ledger::{JSON_DEPTH_MAX, Json};
use serde_json::Value;

/// Takes a text for JSON if readers can read it and if it is not too deep, and else refuses it.
pub fn run(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let read = serde_json::from_str::<Value>(text);
    let taken = Json::parse(text.to_owned());
    let is_good = read.as_ref().is_ok_and(|value| depth(value) <= JSON_DEPTH_MAX);
    assert_eq!(taken.is_ok(), is_good, "{taken:?} {read:?}");
}

/// Arrays and objects around the innermost value.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Values of every sort.
pub fn seeds() -> Vec<Seed> {
    let every =
        r#"{"a":[null,true,false,-1,1.10,1e9,"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"],"b":{}}"#;
    vec![("every", every.into()), ("lone", br#""\ud800""#.into()), ("large", b"[1e999]".into())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_run() {
        for (_, seed) in seeds() {
            run(&seed);
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        for depth in [JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1, 1 << 16] {
            run(nested(depth).as_bytes());
        }
    }
}
