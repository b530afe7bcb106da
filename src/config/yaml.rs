//! YAML text as a tree whose scalars are the text that was written, and whose keys know their line.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{MessageFormatter as _, NonFiniteFloatPolicy, Spanned, UserMessageFormatter};

/// The longest text that is read, in bytes. Real configurations have some 2 KB.
pub(super) const LONGEST: usize = 256 * 1024;

/// How deep lists and maps may lie in one another. The deepest key has 4 names.
const DEEPEST: usize = 16;

/// How many scalars, lists and maps there may be, those that aliases repeat included.
const MOST_NODES: usize = 20_000;

/// A value.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Nothing, or `null`.
    Null,
    /// Text as it was written, without quotes around it.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order it was written.
    Map(Vec<Entry>),
}

/// An entry of a map.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// The line that the key stands in, counted from 1.
    pub(super) line: u64,
    pub(super) value: Node,
}

/// Why a text is not read. Repeats no value, which may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line that is at fault, counted from 1, if it is one line.
    pub(super) line: Option<u64>,
    /// What is wrong.
    pub(super) message: String,
}

/// Reads `text`, which is one YAML document. Duplicate keys, several documents, and whatever would take more than
/// bounded time or memory are refused.
///
/// # Errors
/// The first fault.
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    if text.len() > LONGEST {
        return Err(Fault { line: None, message: format!("longer than {} KiB", LONGEST / 1024) });
    }
    let options = serde_saphyr::options! {
        with_snippet: false,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_nodes: MOST_NODES,
            max_recorded_anchor_events: MOST_NODES,
            max_recorded_anchor_bytes: LONGEST,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST_NODES },
    };
    let parsed: Result<Spanned<Parsed>, _> = serde_saphyr::from_str_with_options(text, options);
    parsed.map(|parsed| as_written(parsed, text)).map_err(|error| {
        let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
        let message = UserMessageFormatter.format_message(error.without_snippet());
        // The numbers that follow mean nothing to who wrote the file, and inside an alias the kind of error is lost.
        let is_limit = message.starts_with("YAML document too large");
        let message = if is_limit { "larger or deeper than is read".to_owned() } else { message.into_owned() };
        Fault { line, message }
    })
}

/// A value as the parser understands it.
enum Parsed {
    Null,
    Text(String),
    /// A truth value or a number, whose spelling (`0123`, `1e5`, `yes`) only the text still has.
    Typed(String),
    List(Vec<Spanned<Parsed>>),
    Map(Vec<(Spanned<String>, Spanned<Parsed>)>),
}

fn as_written(parsed: Spanned<Parsed>, text: &str) -> Node {
    match parsed.value {
        Parsed::Null => Node::Null,
        Parsed::Text(scalar) => Node::Scalar(scalar),
        Parsed::Typed(understood) => {
            let span = parsed.defined.span();
            let written = span.byte_offset().zip(span.byte_len()).and_then(|(start, length)| {
                let start = usize::try_from(start).ok()?;
                text.get(start..start.checked_add(usize::try_from(length).ok()?)?)
            });
            Node::Scalar(written.map_or(understood, |written| written.trim().to_owned()))
        }
        Parsed::List(items) => Node::List(items.into_iter().map(|item| as_written(item, text)).collect()),
        Parsed::Map(entries) => Node::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    line: key.referenced.line(),
                    key: key.value,
                    value: as_written(value, text),
                })
                .collect(),
        ),
    }
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Parsed, E> {
        Ok(Parsed::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Parsed, E> {
        Ok(Parsed::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Parsed, E> {
        Ok(Parsed::Typed(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Parsed, E> {
        Ok(Parsed::Typed(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Parsed, E> {
        Ok(Parsed::Typed(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Parsed, E> {
        Ok(Parsed::Typed(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Parsed, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Parsed::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Parsed::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in one line, as a reader would sketch it.
    fn sketch(node: &Node) -> String {
        match node {
            Node::Null => "-".to_owned(),
            Node::Scalar(text) => format!("{text:?}"),
            Node::List(items) => format!("[{}]", items.iter().map(sketch).collect::<Vec<_>>().join(" ")),
            Node::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|e| format!("{}@{} {}", e.key, e.line, sketch(&e.value))).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn sketched(text: &str) -> String {
        parse(text).map_or_else(|fault| format!("{:?}: {}", fault.line, fault.message), |node| sketch(&node))
    }

    #[test]
    fn scalars_keep_their_spelling_and_keys_their_line() {
        for (text, tree) in [
            ("", "-"),
            ("a: 0123\nb: 1e5 # five\n\nc: 'yes'", r#"{a@1 "0123", b@2 "1e5", c@4 "yes"}"#),
            ("é: [0x10, 5_0, ~, 0.10, .nan, yes]", r#"{é@1 ["0x10" "5_0" - "0.10" ".nan" "yes"]}"#),
            ("a: &x 007\nb: *x", r#"{a@1 "007", b@2 "007"}"#),
            ("a: &m {x: 01, y: 02}\nb:\n  <<: *m\n  y: 3", r#"{a@1 {x@1 "01", y@1 "02"}, b@2 {y@4 "3", x@3 "01"}}"#),
            ("5: a", r#"{5@1 "a"}"#),
        ] {
            assert_eq!(sketched(text), tree, "{text:?}");
        }
    }

    #[test]
    fn faults_have_their_line_and_no_value() {
        for (text, line, message) in [
            ("a: 1\nb: 2\na: 3", 3, "duplicate mapping key `a` is not allowed here"),
            ("a: 1\nb: *hunter2", 2, "reference to unknown value"),
            ("a: 1\n---\nb: 2", 3, "only single YAML document expected but multiple found"),
            ("a: [hunter2", 1, "unclosed bracket '['"),
            ("a: hunter2: x", 1, "mapping values are not allowed in this context"),
            ("a: !!int hunter2", 1, "invalid u64"),
            ("a: &a [*a]", 1, "Recursive reference not allowed here"),
        ] {
            assert_eq!(parse(text).err(), Some(Fault { line: Some(line), message: message.to_owned() }), "{text:?}");
        }
    }
}
