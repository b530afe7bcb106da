//! A query, read strictly: every name once, and one way to write each value.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What SigV4 leaves as it is ("Create a signed AWS API request", URI encoding): RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parameters that have not been taken yet.
pub(super) struct Pairs<'a>(HashMap<&'a str, String>);

/// The parameters of `query`; `None` when a name is there twice, or a value could be written otherwise.
pub(super) fn pairs(query: &str) -> Option<Pairs<'_>> {
    let mut pairs = HashMap::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=')?;
        if pairs.insert(name, decode(value)?).is_some() {
            return None;
        }
    }
    Some(Pairs(pairs))
}

impl Pairs<'_> {
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `value` as a query has it.
pub(super) fn encode(value: &str) -> String {
    utf8_percent_encode(value, ESCAPED).to_string()
}

fn decode(text: &str) -> Option<String> {
    let value = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
    (encode(&value) == text).then(|| value.into_owned())
}
