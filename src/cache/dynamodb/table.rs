//! Requests to the table, each within the deadline of the call.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    types::{KeysAndAttributes, Put, TransactWriteItem, error::TransactionCanceledException},
};

use super::{
    failure::{Failure, Reason},
    rows::{DELETED, Item, RowKey, seconds},
};
use crate::context::Context;

/// Keys of one BatchGetItem ("Service, account, and table quotas in Amazon DynamoDB").
const BATCH: usize = 100;

/// Requests for what a batch left unread. DynamoDB leaves keys when it is short of capacity.
const BATCH_ATTEMPTS: u32 = 4;

/// Attempts at a row that must be written.
const OVERWRITE_ATTEMPTS: u32 = 4;

/// The pause before the second of them; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(25);

/// Set what no tombstone keeps out.
const NO_TOMBSTONE: &str = "attribute_not_exists(#deleted) OR #deleted <= :now";
const DELETED_NAME: &str = "#deleted";
const NOW: &str = ":now";

/// A table, by name.
pub(super) struct Table {
    client: Client,
    name: String,
}

/// What came of rows that were to be set.
#[derive(Debug)]
pub(super) enum Written {
    /// They are set.
    All,
    /// None is set, for these reasons: one for each row, `None` where that row was not the cause.
    Cancelled(Vec<Option<Reason>>),
}

impl Table {
    pub(super) fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// The row at `key`, if there is one.
    pub(super) async fn get(&self, ctx: &Context, key: &RowKey) -> Result<Option<Item>, Failure> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key.item())).consistent_read(true);
        let output = async { request.send().await.map_err(|error| Failure::of(&error)) };
        Ok(self.request(ctx, "GetItem", 1, output).await?.item)
    }

    /// The rows at `keys`, which differ from each other, by key.
    pub(super) async fn get_many(&self, ctx: &Context, keys: &[RowKey]) -> Result<Rows, Failure> {
        let mut rows = Rows::default();
        for keys in keys.chunks(BATCH) {
            self.get_batch(ctx, keys.iter().map(RowKey::item).collect(), &mut rows).await?;
        }
        Ok(rows)
    }

    async fn get_batch(&self, ctx: &Context, mut keys: Vec<Item>, rows: &mut Rows) -> Result<(), Failure> {
        for attempt in 0..BATCH_ATTEMPTS {
            if attempt > 0 {
                pause(attempt).await;
            }
            let asked = keys.len();
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|error| self.failure("BatchGetItem", Reason::Failed, &error.to_string()))?;
            let request = self.client.batch_get_item().request_items(&self.name, wanted);
            let output = async { request.send().await.map_err(|error| Failure::of(&error)) };
            let mut output = self.request(ctx, "BatchGetItem", asked, output).await?;
            let found = output.responses.as_mut().and_then(|responses| responses.remove(&self.name));
            rows.add(found.unwrap_or_default());
            let left = output.unprocessed_keys.as_mut().and_then(|tables| tables.remove(&self.name));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(());
            }
        }
        Err(self.failure("BatchGetItem", Reason::Throttled, "keys were left unread again and again"))
    }

    /// Sets `rows`, which differ in their keys, all or none; not while one of them is a tombstone. The time is `now`.
    pub(super) async fn set(&self, ctx: &Context, rows: Vec<Item>, now: Duration) -> Result<Written, Failure> {
        match <[Item; 1]>::try_from(rows) {
            Ok([row]) => self.set_one(ctx, row, now).await,
            Err(rows) if rows.is_empty() => Ok(Written::All),
            Err(rows) => self.set_all(ctx, rows, now).await,
        }
    }

    async fn set_one(&self, ctx: &Context, row: Item, now: Duration) -> Result<Written, Failure> {
        let request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(row))
            .condition_expression(NO_TOMBSTONE)
            .expression_attribute_names(DELETED_NAME, DELETED)
            .expression_attribute_values(NOW, seconds(now));
        let output = async {
            match request.send().await.map_err(|error| Failure::of(&error)) {
                Ok(_) => Ok(Written::All),
                Err(Failure { reason: reason @ (Reason::Refused | Reason::Conflict), .. }) => {
                    Ok(Written::Cancelled(vec![Some(reason)]))
                }
                Err(failure) => Err(failure),
            }
        };
        self.request(ctx, "PutItem", 1, output).await
    }

    async fn set_all(&self, ctx: &Context, rows: Vec<Item>, now: Duration) -> Result<Written, Failure> {
        let asked = rows.len();
        let mut request = self.client.transact_write_items();
        for row in rows {
            let put = Put::builder()
                .table_name(&self.name)
                .set_item(Some(row))
                .condition_expression(NO_TOMBSTONE)
                .expression_attribute_names(DELETED_NAME, DELETED)
                .expression_attribute_values(NOW, seconds(now))
                .build();
            let put = put.map_err(|error| self.failure("TransactWriteItems", Reason::Failed, &error.to_string()))?;
            request = request.transact_items(TransactWriteItem::builder().put(put).build());
        }
        let output = async {
            match request.send().await {
                Ok(_) => Ok(Written::All),
                Err(error) => match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => reasons(cancelled),
                    _ => Err(Failure::of(&error)),
                },
            }
        };
        self.request(ctx, "TransactWriteItems", asked, output).await
    }

    /// Writes `row`, whatever is there, and tries for as long as the deadline allows.
    pub(super) async fn overwrite(&self, ctx: &Context, row: Item) -> Result<(), Failure> {
        let mut attempt = 1;
        loop {
            let request = self.client.put_item().table_name(&self.name).set_item(Some(row.clone()));
            let output = async { request.send().await.map(drop).map_err(|error| Failure::of(&error)) };
            match self.request(ctx, "PutItem", 1, output).await {
                Err(failure) if failure.reason.passes() && attempt < OVERWRITE_ATTEMPTS => pause(attempt).await,
                outcome => return outcome,
            }
            attempt += 1;
        }
    }

    /// Waits for a request, but no longer than the call lives, and says in the log what came of it.
    async fn request<T>(
        &self,
        ctx: &Context,
        operation: &'static str,
        rows: usize,
        output: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let started = Instant::now();
        let late = |error: &dyn std::fmt::Display| Failure { reason: Reason::Timeout, message: error.to_string() };
        let outcome = match ctx.remaining() {
            Ok(None) => output.await,
            Ok(Some(left)) => tokio::time::timeout(left, output).await.unwrap_or_else(|error| Err(late(&error))),
            Err(passed) => Err(late(&passed)),
        };
        let elapsed = started.elapsed();
        tracing::debug!(operation, table = self.name, rows, ?elapsed, ok = outcome.is_ok(), "asked DynamoDB");
        outcome.map_err(|failure| self.failure(operation, failure.reason, &failure.message))
    }

    fn failure(&self, operation: &str, reason: Reason, what: &str) -> Failure {
        let table = &self.name;
        let said = match reason {
            Reason::Refused => "a tombstone is there",
            Reason::Conflict => "somebody else is writing the row",
            Reason::NoTable => "the table does not exist",
            Reason::Throttled => "DynamoDB throttles",
            Reason::Denied => "DynamoDB denies access",
            Reason::Timeout => "DynamoDB did not answer in time",
            Reason::Failed => "DynamoDB failed",
        };
        Failure { reason, message: format!("{said}: {operation} on table {table} ({what})") }
    }
}

/// Rows by their keys.
#[derive(Debug, Default)]
pub(super) struct Rows(HashMap<(String, String), Item>);

impl Rows {
    fn add(&mut self, items: Vec<Item>) {
        for item in items {
            if let Some((pk, sk)) = RowKey::of(&item) {
                self.0.insert((pk.to_owned(), sk.to_owned()), item);
            }
        }
    }

    pub(super) fn get(&self, key: &RowKey) -> Option<&Item> {
        let (pk, sk) = key.parts();
        self.0.get(&(pk.to_owned(), sk.to_owned()))
    }
}

/// Why a transaction was cancelled. Reasons that say nothing of a row, such as throttling, fail it as a whole.
fn reasons(cancelled: &TransactionCanceledException) -> Result<Written, Failure> {
    let reasons = cancelled.cancellation_reasons().iter().map(|reason| match reason.code() {
        None | Some("None") => Ok(None),
        Some(code) => match Reason::of(code) {
            reason @ (Reason::Refused | Reason::Conflict) => Ok(Some(reason)),
            reason => Err(Failure { reason, message: format!("transaction cancelled: {code}") }),
        },
    });
    reasons.collect::<Result<_, _>>().map(Written::Cancelled)
}

async fn pause(attempt: u32) {
    tokio::time::sleep(PAUSE * 2_u32.saturating_pow(attempt - 1)).await;
}
