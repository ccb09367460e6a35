//! Words and lines for people.

/// So many of something: `1 event`, `2 events`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Text on one line, without anything that moves a cursor.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        let events = |number| counted(number, "event");
        assert_eq!([events(0), events(1), events(2)], ["0 events", "1 event", "2 events"]);
    }

    #[test]
    fn a_line_moves_no_cursor() {
        assert_eq!(one_line("a\u{1b}[2J\r\nb"), "a [2J  b");
    }
}
