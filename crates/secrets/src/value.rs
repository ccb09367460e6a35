//! The value of a secret, which shows itself only when asked by name.

use crate::error::{SecretError, ValueError};
use std::{fmt, hint, mem, str::FromStr};

/// Most bytes of a secret's value.
pub const SECRET_BYTES_MAX: usize = 64 << 10;

const GENERATED_LENGTH: usize = 32;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Text that is kept out of logs: `Debug` and `Display` show `***`, and its memory is cleared when it
/// is dropped. Not empty, without NUL, at most [`SECRET_BYTES_MAX`] bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(String);

impl SecretValue {
    /// Makes a random value of 32 letters and digits (190 bits).
    pub fn generate() -> Result<Self, SecretError> {
        let mut text = String::with_capacity(GENERATED_LENGTH);
        let mut bytes = [0; GENERATED_LENGTH];
        while text.len() < GENERATED_LENGTH {
            getrandom::fill(&mut bytes).map_err(SecretError::Random)?;
            let missing = GENERATED_LENGTH - text.len();
            text.extend(bytes.into_iter().filter_map(letter).take(missing));
        }
        Ok(Self(text))
    }

    /// Takes the bytes of a value, which have to be text.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ValueError> {
        String::from_utf8(bytes).map_err(|_| ValueError::NotText)?.try_into()
    }

    /// The value itself, for where it is needed and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A letter or digit for a random byte; none for a byte that would favour some of them.
fn letter(byte: u8) -> Option<char> {
    let (byte, letters) = (usize::from(byte), ALPHABET.len());
    (byte < 256 / letters * letters).then(|| char::from(ALPHABET[byte % letters]))
}

impl TryFrom<String> for SecretValue {
    type Error = ValueError;
    fn try_from(text: String) -> Result<Self, ValueError> {
        match text {
            text if text.is_empty() => Err(ValueError::Empty),
            text if text.len() > SECRET_BYTES_MAX => Err(ValueError::TooLong),
            text if text.contains('\0') => Err(ValueError::Nul),
            text => Ok(Self(text)),
        }
    }
}

impl FromStr for SecretValue {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        text.to_owned().try_into()
    }
}

impl Drop for SecretValue {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        hint::black_box(&bytes);
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_does_not_show_itself() {
        let value: SecretValue = "hunter2".parse().unwrap();
        assert_eq!(format!("{value} {value:?} {:?}", Some(&value)), "*** *** Some(***)");
        assert_eq!(value.expose(), "hunter2");
    }

    #[test]
    fn a_value_is_text_of_bounded_length() {
        assert_eq!("".parse::<SecretValue>(), Err(ValueError::Empty));
        assert_eq!("a\0b".parse::<SecretValue>(), Err(ValueError::Nul));
        assert_eq!(SecretValue::from_bytes(vec![0xff]), Err(ValueError::NotText));
        let long = "a".repeat(SECRET_BYTES_MAX + 1);
        assert_eq!(long.parse::<SecretValue>(), Err(ValueError::TooLong));
    }

    #[test]
    fn generated_values_are_long_plain_and_different() {
        let (one, two) = (SecretValue::generate().unwrap(), SecretValue::generate().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.expose().len(), GENERATED_LENGTH);
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
