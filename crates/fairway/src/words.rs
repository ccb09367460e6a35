//! Numbers with their nouns.

/// So many of something: `1 event`, `2 events`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        let events = |number| counted(number, "event");
        assert_eq!([events(0), events(1), events(2)], ["0 events", "1 event", "2 events"]);
    }
}
