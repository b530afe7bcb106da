//! What is wrong with a configuration.

/// Why a configuration is refused: one line that names the place (file and line, variable, or flag), the key, and
/// what is allowed. It never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// At `origin`, `key` (dotted; empty for the whole) is refused for `reason`.
    pub(super) fn new(origin: &str, key: &str, reason: &str) -> Self {
        let key = if key.is_empty() { String::new() } else { format!("{}: ", one_line(key)) };
        let reason: String = reason.chars().flat_map(visible).collect();
        Self(format!("{}: {key}{reason}", one_line(origin)))
    }
}

/// `text` as an error shows it: one line, of bounded length.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut line: String = text.chars().take(LONGEST).flat_map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push_str("...");
    }
    line
}

/// `value` in quotes, as an error shows it.
pub(super) fn quoted(value: &str) -> String {
    format!("\"{}\"", one_line(value))
}

fn visible(character: char) -> impl Iterator<Item = char> {
    let (escaped, plain) = match character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
        true => (Some(character.escape_default()), None),
        false => (None, Some(character)),
    };
    escaped.into_iter().flatten().chain(plain)
}
