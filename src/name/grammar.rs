//! The grammars, by hand: two small automata need no regular-expression engine.

use super::{RepositoryName, Tag};

/// Whether `text` is a repository's name.
pub(super) fn is_repository(text: &str) -> bool {
    text.len() <= RepositoryName::LONGEST && text.split('/').all(is_component)
}

/// Whether `text` is a tag.
pub(super) fn is_tag(text: &str) -> bool {
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    match text.as_bytes() {
        [first, rest @ ..] => {
            rest.len() < Tag::LONGEST && word(first) && rest.iter().all(|b| word(b) || matches!(b, b'.' | b'-'))
        }
        [] => false,
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`: alphanumeric runs, with one separator between two of them.
fn is_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut rest = text.as_bytes();
    loop {
        let run = rest.iter().take_while(|b| alphanumeric(**b)).count();
        if run == 0 {
            return false;
        }
        rest = &rest[run..];
        if rest.is_empty() {
            return true;
        }
        let separator = rest.iter().take_while(|b| !alphanumeric(**b)).count();
        let (between, after) = rest.split_at(separator);
        if !matches!(between, b"." | b"_" | b"__") && !between.iter().all(|b| *b == b'-') {
            return false;
        }
        rest = after;
    }
}
