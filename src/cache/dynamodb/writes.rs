//! What is to be set, as rows that differ, in batches that fit a transaction.

use std::{collections::HashMap, time::Duration};

use super::{
    failure::Reason,
    rows::{Item, RowKey},
};
use crate::{cache::scope::Scope, descriptor::Descriptor, digest::Digest, distribution::BlobError};

/// Actions of one TransactWriteItems ("Service, account, and table quotas in Amazon DynamoDB").
const LARGEST: usize = 100;

/// Rows that go together, and which of them each entry needs. A transaction takes a row once only, while a manifest
/// may name a blob many times.
#[derive(Debug, Default)]
pub(super) struct Batch {
    rows: Vec<Item>,
    places: HashMap<RowKey, usize>,
    entries: Vec<Vec<usize>>,
}

impl Batch {
    /// The rows of `entries` in `scope`.
    ///
    /// # Errors
    /// [`BlobError::Contradiction`].
    pub(super) fn of(scope: &Scope, entries: &[(Digest, Descriptor)], now: Duration) -> Result<Vec<Self>, BlobError> {
        let mut batches = vec![Self::default()];
        for (digest, descriptor) in entries {
            let Some(descriptor) = scope.admit(digest, descriptor)? else { continue };
            let key = RowKey::new(scope, &descriptor.digest);
            let content = key.content(&descriptor, now);
            let mut rows = vec![(key, content)];
            if *digest != descriptor.digest {
                let key = RowKey::new(scope, digest);
                let name = key.name(scope, &descriptor.digest, now);
                rows.push((key, name));
            }
            match batches.last_mut() {
                Some(batch) if batch.rows.len() + rows.len() <= LARGEST => batch.add(rows),
                _ => {
                    let mut batch = Self::default();
                    batch.add(rows);
                    batches.push(batch);
                }
            }
        }
        Ok(batches)
    }

    fn add(&mut self, rows: Vec<(RowKey, Item)>) {
        let mut places = Vec::with_capacity(rows.len());
        for (key, item) in rows {
            let place = *self.places.entry(key).or_insert_with(|| {
                self.rows.push(item.clone());
                self.rows.len() - 1
            });
            // Told twice, the later word counts.
            self.rows[place] = item;
            places.push(place);
        }
        self.entries.push(places);
    }

    /// All rows.
    pub(super) fn rows(&self) -> &[Item] {
        &self.rows
    }

    /// The rows of the entries of which no row is refused, given the reasons by row.
    pub(super) fn without(&self, refused: &[Option<Reason>]) -> Vec<Item> {
        let stays = |place: &usize| refused.get(*place).is_none_or(Option::is_none);
        let mut kept = vec![false; self.rows.len()];
        for entry in self.entries.iter().filter(|entry| entry.iter().all(stays)) {
            entry.iter().for_each(|place| kept[*place] = true);
        }
        self.rows.iter().zip(kept).filter(|(_, kept)| *kept).map(|(row, _)| row.clone()).collect()
    }
}
