//! Tokens: who may call, kept in a file without what would let its reader call.
//!
//! A line is a token: its name, the SHA-256 of its secret and its rights; `#` begins a remark.
//!
//! ```text
//! orders sha256=9f86d0.. expires=2027-01-01T00:00:00Z read=order-,cart- append=order-
//! ops sha256=60303a.. admin
//! ```

use crate::{
    access::{Access, Grants, Right},
    json_out, params,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use fairway_ledger::STREAM_NAME_MAX;
use fairway_model::Timestamp;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr, sync::Arc};

/// Most tokens of a file.
pub const TOKENS_MAX: usize = 1_000;
/// Longest name of a token.
const NAME_MAX: usize = 64;
/// Most prefixes of one right.
const PREFIXES_MAX: usize = 100;
/// Longest secret that is looked at.
const SECRET_MAX: usize = 256;
/// How secrets begin, so that they are found where they do not belong.
const SECRET_PREFIX: &str = "fairway_";
/// Stands for all streams but the ledger's own.
const ALL: &str = "*";

/// The tokens of a file.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Vec<Token>);

/// One token, without its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub name: TokenName,
    /// Until when it is valid; without one, for ever.
    pub expires: Option<Timestamp>,
    /// What it allows.
    pub access: Access,
    hash: [u8; 32],
}

/// Names a token: letters, digits and `-_.@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenName(String);

/// Why a line of the file is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A name with other characters, none at all, or too many.
    #[error("the name of a token is of 1 to {NAME_MAX} letters, digits and `-_.@`")]
    Name,
    /// No hash, or something else in its place.
    #[error("token `{0}` needs `sha256=` and 64 hexadecimal digits")]
    Hash(String),
    /// A moment that is none.
    #[error("`expires` of token `{0}` has to be a time of RFC 3339")]
    Expires(String),
    /// A prefix with which no name of a stream begins, or too many of them.
    #[error("`{1}` of token `{0}` has to be `*` or beginnings of names of streams")]
    Prefix(String, &'static str),
    /// A word that is not known, or is there twice.
    #[error("`{1}` of token `{0}` is not known, or is there twice")]
    Word(String, String),
    /// A token that allows nothing.
    #[error("token `{0}` has no right; use `read=`, `append=`, `manage=` or `admin`")]
    NoRight(String),
    /// Two tokens of one name.
    #[error("token `{0}` is there twice")]
    Twice(String),
    /// Too many.
    #[error("a file has at most {TOKENS_MAX} tokens")]
    TooMany,
    /// No random bytes could be had.
    #[error("the system has no random bytes")]
    Random,
}

impl Tokens {
    /// Reads a file; all that is wrong is told, each with its line.
    pub fn parse(text: &str) -> Result<Self, Vec<(usize, TokenError)>> {
        let (mut tokens, mut wrong): (Vec<Token>, Vec<(usize, TokenError)>) = Default::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.parse::<Token>() {
                Err(error) => wrong.push((at + 1, error)),
                Ok(token) if tokens.iter().any(|known| known.name == token.name) => {
                    wrong.push((at + 1, TokenError::Twice(token.name.0)));
                }
                Ok(_) if tokens.len() >= TOKENS_MAX => {
                    return Err(vec![(at + 1, TokenError::TooMany)]);
                }
                Ok(token) => tokens.push(token),
            }
        }
        if wrong.is_empty() { Ok(Self(tokens)) } else { Err(wrong) }
    }

    /// Whether there is a token of a name.
    pub fn has(&self, name: &TokenName) -> bool {
        self.0.iter().any(|token| token.name == *name)
    }

    /// What the sender of an `Authorization` header may do: the token is that of `Bearer`, or the
    /// password of `Basic`, whatever the user's name is. None if there is no valid token.
    pub fn access(&self, authorization: Option<&HeaderValue>, now: Timestamp) -> Option<Access> {
        let secret = secret(authorization?.to_str().ok()?)?;
        let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        // All are looked at, each to its end: the time it takes tells nothing.
        let mut found = None;
        for token in &self.0 {
            if is_same(&token.hash, &hash) {
                found = Some(token);
            }
        }
        let token = found?;
        let is_valid = token.expires.is_none_or(|expires| now < expires);
        is_valid.then(|| token.access.clone())
    }
}

fn secret(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    let rest = rest.trim();
    if rest.len() > SECRET_MAX * 2 {
        return None;
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let both = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        return both.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other));
    std::hint::black_box(differs) == 0
}

impl Token {
    /// Makes a token with a random secret, which is told now and never again.
    pub fn new(
        name: TokenName,
        access: Access,
        expires: Option<Timestamp>,
    ) -> Result<(Self, String), TokenError> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|_| TokenError::Random)?;
        let secret = format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
        let hash = Sha256::digest(secret.as_bytes()).into();
        let token = Self { name, expires, access, hash };
        // What is written has to be read again.
        token.to_string().parse::<Self>()?;
        Ok((token, secret))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name.0).finish_non_exhaustive()
    }
}

/// The line of a file.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sha256=", self.name)?;
        for byte in self.hash {
            write!(f, "{byte:02x}")?;
        }
        if let Some(expires) = self.expires {
            write!(f, " expires={}", json_out::moment(expires))?;
        }
        let Access::Granted(grants) = &self.access else { return write!(f, " admin") };
        for right in Right::ALL {
            let prefixes = grants.of(right).iter();
            let prefixes = prefixes.map(|it| if it.is_empty() { ALL } else { it });
            let prefixes: Vec<&str> = prefixes.collect();
            if !prefixes.is_empty() {
                write!(f, " {}={}", right.name(), prefixes.join(","))?;
            }
        }
        Ok(())
    }
}

impl FromStr for Token {
    type Err = TokenError;
    fn from_str(line: &str) -> Result<Self, TokenError> {
        let mut words = line.split_whitespace();
        let name: TokenName = words.next().unwrap_or_default().parse()?;
        let (mut hash, mut expires, mut is_admin) = (None, None, false);
        let mut grants = Grants::default();
        for word in words {
            let unknown = || TokenError::Word(name.0.clone(), word.chars().take(40).collect());
            match word.split_once('=') {
                None if word == "admin" && !is_admin => is_admin = true,
                Some(("sha256", hex)) if hash.is_none() => {
                    hash = Some(unhex(hex).ok_or_else(|| TokenError::Hash(name.0.clone()))?);
                }
                Some(("expires", text)) if expires.is_none() => {
                    let moment = params::moment(text);
                    expires = Some(moment.ok_or_else(|| TokenError::Expires(name.0.clone()))?);
                }
                Some((right, list)) => {
                    let right = Right::ALL.into_iter().find(|known| known.name() == right);
                    let right = right.ok_or_else(unknown)?;
                    let found = prefixes(list);
                    let wrong = || TokenError::Prefix(name.0.clone(), right.name());
                    if !grants.of(right).is_empty() {
                        return Err(unknown());
                    }
                    *grants.of_mut(right) = found.ok_or_else(wrong)?;
                }
                None => return Err(unknown()),
            }
        }
        let hash = hash.ok_or_else(|| TokenError::Hash(name.0.clone()))?;
        let has_right =
            is_admin || Right::ALL.into_iter().any(|right| !grants.of(right).is_empty());
        if !has_right {
            return Err(TokenError::NoRight(name.0));
        }
        let access = if is_admin { Access::All } else { Access::Granted(Arc::new(grants)) };
        Ok(Self { name, expires, access, hash })
    }
}

fn unhex(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

fn prefixes(list: &str) -> Option<Vec<String>> {
    let prefix = |text: &str| match text {
        ALL => Some(String::new()),
        text => is_prefix(text).then(|| text.to_owned()),
    };
    let prefixes: Option<Vec<String>> = list.split(',').map(prefix).collect();
    prefixes.filter(|prefixes| prefixes.len() <= PREFIXES_MAX)
}

/// Whether names of streams can begin so.
pub fn is_prefix(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:@/$".contains(c);
    (1..=STREAM_NAME_MAX).contains(&text.len()) && text.chars().all(is_allowed)
}

impl FromStr for TokenName {
    type Err = TokenError;
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
        let is_name = (1..=NAME_MAX).contains(&text.len()) && text.chars().all(is_allowed);
        if is_name { Ok(Self(text.to_owned())) } else { Err(TokenError::Name) }
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bearer(secret: &str) -> HeaderValue {
        HeaderValue::try_from(format!("Bearer {secret}")).unwrap()
    }

    #[test]
    fn a_token_is_known_by_its_secret_until_it_expires() {
        let grants = Grants { read: vec![String::new()], ..Grants::default() };
        let access = Access::Granted(Arc::new(grants));
        let name = "orders".parse().unwrap();
        let (token, secret) = Token::new(name, access.clone(), Some(Timestamp(5000))).unwrap();
        assert!(!token.to_string().contains(&secret) && !format!("{token:?}").contains(&secret));
        let tokens = Tokens::parse(&format!("# ours\n\n{token}\n")).unwrap();
        let found = |header: HeaderValue, now| tokens.access(Some(&header), Timestamp(now));
        assert_eq!(found(bearer(&secret), 4999), Some(access.clone()));
        assert_eq!(found(bearer(&secret), 5000), None);
        assert_eq!(found(bearer(&format!("{secret}x")), 0), None);
        assert_eq!(found(bearer(""), 0), None);
        let basic = format!("Basic {}", STANDARD.encode(format!("anybody:{secret}")));
        assert_eq!(found(HeaderValue::try_from(basic).unwrap(), 0), Some(access));
        assert_eq!(tokens.access(None, Timestamp(0)), None);
    }

    #[test]
    fn all_that_is_wrong_in_a_file_is_told() {
        let hash = "0".repeat(64);
        let text = format!(
            "a b c\nd sha256={hash}\ne sha256={hash} read=ä\nf sha256={hash} admin\n\
             f sha256={hash} admin\ng sha256={hash} admin expires=soon\nh! admin\ni admin\n\
             j sha256={hash} read=a read=b\n"
        );
        let wrong = Tokens::parse(&text).unwrap_err();
        let lines: Vec<usize> = wrong.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 3, 5, 6, 7, 8, 9]);
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(text in "([a-z0-9=,*$ \n#]|sha256=|\\PC){0,200}") {
            if let Ok(tokens) = Tokens::parse(&text) {
                for token in tokens.0 {
                    prop_assert_eq!(token.to_string().parse::<Token>(), Ok(token));
                }
            }
        }

        #[test]
        fn no_forged_header_is_a_token(header in "[ -~]{0,100}") {
            let access = Access::All;
            let (token, _) = Token::new("a".parse().unwrap(), access, None).unwrap();
            let header = HeaderValue::try_from(header).unwrap();
            prop_assert_eq!(Tokens(vec![token]).access(Some(&header), Timestamp(0)), None);
        }
    }
}
