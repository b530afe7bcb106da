//! What others say, for a terminal.

use std::error::Error;

/// The longest text of somebody else's that is repeated, in characters.
const LONGEST: usize = 300;

/// `text` on one line, and without anything by which a terminal could be told to do something.
pub(super) fn spoken(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// What `error` says, and what it says of its causes.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    spoken(&said)
}

/// The innermost reason of `error`, which is what the system said; those around it say that a request failed.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    spoken(&innermost.to_string())
}
