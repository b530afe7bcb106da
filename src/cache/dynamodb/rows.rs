//! Rows: what is in them, and where they are.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;

use super::{CONTENT_LIFE, NAME_LIFE};
use crate::{
    cache::{TOMBSTONE_LIFE, scope::Scope},
    descriptor::{Descriptor, OCTET_STREAM},
    digest::Digest,
};

/// A row as DynamoDB has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The attribute that a tombstone has, and only a tombstone.
pub(super) const DELETED: &str = "deleted";

const PK: &str = "pk";
const SK: &str = "sk";
const SIZE: &str = "size";
const TYPE: &str = "type";
const CANONICAL: &str = "canonical";
const EXPIRES: &str = "expires";

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct RowKey {
    pk: String,
    sk: &'static str,
}

/// What a row says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// The content is known.
    Content(Descriptor),
    /// The digest is another name of the content with this canonical digest.
    Name(Digest),
}

impl RowKey {
    pub(super) fn new(scope: &Scope, digest: &Digest) -> Self {
        match scope {
            Scope::Global => Self { pk: format!("blob#{digest}"), sk: "descriptor" },
            Scope::Repository(name, links) => Self { pk: format!("repository#{name}#{digest}"), sk: links.as_str() },
        }
    }

    /// The key of a row that DynamoDB gave.
    pub(super) fn of(item: &Item) -> Option<(&str, &str)> {
        Some((text(item, PK)?, text(item, SK)?))
    }

    /// As [`Self::of`] has it.
    pub(super) fn parts(&self) -> (&str, &str) {
        (&self.pk, self.sk)
    }

    /// The key's attributes.
    pub(super) fn item(&self) -> Item {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        HashMap::from([(PK.to_owned(), text(&self.pk)), (SK.to_owned(), text(self.sk))])
    }

    /// A row that remembers `descriptor`.
    pub(super) fn content(&self, descriptor: &Descriptor, now: Duration) -> Item {
        let mut item = self.item();
        item.insert(SIZE.to_owned(), AttributeValue::N(descriptor.size.to_string()));
        if descriptor.media_type != OCTET_STREAM {
            item.insert(TYPE.to_owned(), AttributeValue::S(descriptor.media_type.clone()));
        }
        item.insert(EXPIRES.to_owned(), seconds(now + CONTENT_LIFE));
        item
    }

    /// A row that says that its digest names the content `canonical`.
    pub(super) fn name(&self, scope: &Scope, canonical: &Digest, now: Duration) -> Item {
        let life = match scope {
            Scope::Global => CONTENT_LIFE,
            Scope::Repository(..) => NAME_LIFE,
        };
        let mut item = self.item();
        item.insert(CANONICAL.to_owned(), AttributeValue::S(canonical.to_string()));
        item.insert(EXPIRES.to_owned(), seconds(now + life));
        item
    }

    /// A tombstone.
    pub(super) fn tombstone(&self, now: Duration) -> Item {
        let until = seconds(now + TOMBSTONE_LIFE);
        let mut item = self.item();
        item.insert(DELETED.to_owned(), until.clone());
        item.insert(EXPIRES.to_owned(), until);
        item
    }
}

impl Row {
    /// What the row of `digest` says; `None` when it is past its time, a tombstone, or none that Berth wrote.
    pub(super) fn read(digest: &Digest, item: &Item, now: Duration) -> Option<Self> {
        if number(item, EXPIRES)? <= now.as_secs() || item.contains_key(DELETED) {
            return None;
        }
        if let Some(canonical) = text(item, CANONICAL) {
            let canonical = canonical.parse::<Digest>().ok()?;
            return (!digest.is_canonical() && canonical.is_canonical()).then_some(Self::Name(canonical));
        }
        let media_type = text(item, TYPE).unwrap_or(OCTET_STREAM).to_owned();
        Some(Self::Content(Descriptor { media_type, size: number(item, SIZE)?, digest: *digest }))
    }
}

/// Seconds since 1970, as TTL attributes are ("Using time to live (TTL) in DynamoDB").
pub(super) fn seconds(time: Duration) -> AttributeValue {
    AttributeValue::N(time.as_secs().to_string())
}

fn text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

fn number(item: &Item, attribute: &str) -> Option<u64> {
    item.get(attribute)?.as_n().ok()?.parse().ok()
}
