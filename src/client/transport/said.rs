//! What a registry says of an error (OCI distribution specification, "Error Codes"): read leniently, for anybody may
//! have written it.

use serde::Deserialize;
use serde_json::Value;

use crate::client::spoken::spoken;

/// Bytes of an error's body that are read at most.
pub(super) const LONGEST: usize = 64 << 10;
/// Errors of one answer that are repeated.
const REPEATED: usize = 3;

/// The errors of an answer.
#[derive(Debug, Clone, Default)]
pub(in crate::client) struct Said(Vec<Entry>);

/// One of them. What is missing is empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::client) struct Entry {
    /// For programs, as the specification spells it; others may be there.
    pub(in crate::client) code: String,
    /// For people, as it came.
    pub(in crate::client) message: String,
    /// On what.
    pub(in crate::client) detail: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    errors: Vec<Value>,
    /// What AWS's own doors say, and OAuth's services.
    #[serde(alias = "Message", alias = "error_description", alias = "details")]
    message: Option<String>,
}

impl Said {
    /// The errors that `body` says; none when it is something else.
    pub(super) fn read(body: &[u8]) -> Self {
        if body.trim_ascii_start().starts_with(b"<") {
            return Self::read_xml(&String::from_utf8_lossy(body));
        }
        let Body { errors, message } = serde_json::from_slice(body).unwrap_or_default();
        let mut entries: Vec<Entry> =
            errors.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect();
        if entries.is_empty() {
            entries.extend(message.map(|message| Entry { message, ..Entry::default() }));
        }
        Self(entries)
    }

    /// The error of S3 and its like ("Error responses", Amazon S3 API Reference).
    fn read_xml(body: &str) -> Self {
        let element = |name: &str| {
            let (_, rest) = body.split_once(&format!("<{name}>"))?;
            Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
        };
        let error = element("Code").map(|code| {
            let message = element("Message").unwrap_or_default();
            let message = if message.is_empty() { message } else { format!("{code}: {message}") };
            Entry { code, message, ..Entry::default() }
        });
        Self(error.into_iter().collect())
    }

    /// All of them.
    pub(in crate::client) fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Whether one of them has `code`.
    pub(in crate::client) fn has(&self, code: &str) -> bool {
        self.0.iter().any(|entry| entry.code == code)
    }

    /// The first few of them, for people.
    pub(in crate::client) fn reason(&self) -> String {
        let sentences: Vec<&str> = self
            .0
            .iter()
            .map(|entry| if entry.message.is_empty() { entry.code.as_str() } else { entry.message.as_str() })
            .take(REPEATED)
            .collect();
        spoken(&sentences.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_it_is_it_can_be_repeated() {
        for (body, reason) in [
            (r#"{"errors":[{"code":"DENIED","message":"not\u001b[2J for \u0007you"}]}"#, "not [2J for you"),
            (r#"{"errors":[{"code":"DENIED"},{"message":"so"},7,null]}"#, "DENIED; so"),
            (r#"{"message":"Request Entity Too Large"}"#, "Request Entity Too Large"),
            (r#"{"Type":"User","message":"no"}"#, "no"),
            (r#"{"errors":"none"}"#, ""),
            ("<html>", ""),
            ("<Error><Code>SlowDown</Code></Error>", "SlowDown"),
            (
                "<?xml version=\"1.0\"?>\n<Error><Code>BadDigest</Code><Message>not\u{7} so</Message><Key>k</Key></Error>",
                "BadDigest: not so",
            ),
            ("", ""),
        ] {
            assert_eq!(Said::read(body.as_bytes()).reason(), reason, "{body}");
        }
    }
}
