//! Which keys a page of a list holds ("ListObjectsV2", S3 API reference).

use std::collections::BTreeMap;
use std::ops::Bound;

/// What a page is asked to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'p> {
    pub(super) prefix: &'p str,
    /// Keys that have it after the prefix are rolled up into one common prefix.
    pub(super) delimiter: Option<&'p str>,
    /// The list begins behind this key; behind all of its common prefix, when it lies in or is one.
    pub(super) after: &'p str,
    pub(super) most: usize,
}

/// One line of a list.
#[derive(Debug)]
pub(super) enum Line<'k, V> {
    Key(&'k str, &'k V),
    CommonPrefix(&'k str),
}

impl<V> Line<'_, V> {
    /// What the next page begins behind.
    pub(super) fn name(&self) -> &str {
        match self {
            Line::Key(name, _) | Line::CommonPrefix(name) => name,
        }
    }
}

impl Page<'_> {
    /// The lines of the page, in order, and whether others follow.
    pub(super) fn of<'k, V>(&self, objects: &'k BTreeMap<String, V>) -> (Vec<Line<'k, V>>, bool) {
        let mut lines = Vec::new();
        let mut from = if self.after < self.prefix {
            Bound::Included(self.prefix.to_owned())
        } else {
            self.common_prefix(self.after).map_or_else(|| Bound::Excluded(self.after.to_owned()), beyond)
        };
        loop {
            let mut rest = objects.range((from.clone(), Bound::Unbounded));
            let rolled_up = loop {
                let Some((key, object)) = rest.next() else { return (lines, false) };
                if !key.starts_with(self.prefix) {
                    return (lines, false);
                }
                if lines.len() == self.most {
                    return (lines, self.most > 0);
                }
                match self.common_prefix(key) {
                    Some(common) => break common,
                    None => lines.push(Line::Key(key, object)),
                }
            };
            lines.push(Line::CommonPrefix(rolled_up));
            from = beyond(rolled_up);
        }
    }

    /// The key up to and with the first delimiter behind the prefix.
    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let at = key.strip_prefix(self.prefix)?.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }
}

/// The first position behind every key that begins with `prefix`.
fn beyond(prefix: &str) -> Bound<String> {
    // No key of S3 contains the highest code point, which is no character.
    Bound::Excluded(format!("{prefix}\u{10ffff}"))
}
