//! Deleting.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::{
    attempt::{Pauses, Question, SHORT},
    bucket::Bucket,
    error::S3Error,
    list::Listing,
};
use crate::{
    context::Context,
    driver::{DriverError, DriverErrorKind, Path},
};

/// The most keys of one request ("DeleteObjects").
const MOST_KEYS: usize = 1000;

impl Bucket {
    pub(super) async fn delete(&self, ctx: &Context, paths: &[Path]) -> Result<(), DriverError> {
        for batch in paths.chunks(MOST_KEYS) {
            let keys = batch.iter().map(|path| self.key(path)).collect();
            self.delete_keys(ctx, keys).await.map_err(|(key, error)| {
                let path = batch.iter().find(|path| self.key(path) == key).unwrap_or(&batch[0]);
                error.on(path, self)
            })?;
        }
        Ok(())
    }

    pub(super) async fn delete_tree(&self, ctx: &Context, path: &Path) -> Result<(), DriverError> {
        let prefix = self.prefix(path);
        let itself = (!path.relative().is_empty()).then(|| self.key(path));
        let failed = |error: S3Error| error.on(path, self);
        let mut found = false;
        let mut token = None;
        loop {
            // One key less than a request deletes leaves room for the path's own.
            let listing = Listing { prefix: &prefix, flat: false, limit: Some(MOST_KEYS as i32 - 1), token };
            let page = self.page(ctx, &listing).await.map_err(failed)?;
            let mut keys: Vec<String> = page.contents().iter().filter_map(|object| object.key.clone()).collect();
            if keys.is_empty() && !found {
                break;
            }
            if !found {
                keys.extend(itself.clone());
            }
            found = true;
            self.delete_keys(ctx, keys).await.map_err(|(_, error)| failed(error))?;
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(());
            }
        }
        // Nothing below it: whether it is a file decides.
        match itself {
            Some(key) if self.exists(ctx, &key).await.map_err(failed)? => {
                self.delete_keys(ctx, vec![key]).await.map_err(|(_, error)| failed(error))
            }
            _ => Err(DriverError::new(DriverErrorKind::NotFound, path, "nothing to delete")),
        }
    }

    /// Deletes up to [`MOST_KEYS`] keys. The error is of the key beside it.
    async fn delete_keys(&self, ctx: &Context, mut keys: Vec<String>) -> Result<(), (String, S3Error)> {
        let Some(first) = keys.first().cloned() else { return Ok(()) };
        if keys.len() == 1 {
            let question = Question { operation: "DeleteObject", key: &first, patience: SHORT };
            let deleted = self.ask(ctx, question, || self.client.delete_object().bucket(&self.name).key(&first).send());
            return match deleted.await {
                Ok(_) => Ok(()),
                Err(error) if error.is_not_found() => Ok(()),
                Err(error) => Err((first.clone(), error)),
            };
        }
        let question = Question { operation: "DeleteObjects", key: &first, patience: SHORT };
        let mut pauses = Pauses::default();
        loop {
            let failed = self.delete_batch(ctx, question, &keys).await.map_err(|error| (first.clone(), error))?;
            let Some((key, error)) = failed.iter().find(|(_, error)| !error.is_transient()).or(failed.first()) else {
                return Ok(());
            };
            match pauses.before_another(ctx, error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err((key.clone(), error.clone())),
            }
            keys = failed.into_iter().map(|(key, _)| key).collect();
        }
    }

    /// The keys that could not be deleted, each with its error.
    async fn delete_batch(
        &self,
        ctx: &Context,
        question: Question<'_>,
        keys: &[String],
    ) -> Result<Vec<(String, S3Error)>, S3Error> {
        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect::<Result<_, _>>();
        let objects = objects.and_then(|objects| Delete::builder().quiet(true).set_objects(Some(objects)).build());
        let delete = objects.map_err(|error| S3Error::senseless(error.to_string()))?;
        let answer =
            self.ask(ctx, question, || self.client.delete_objects().bucket(&self.name).delete(delete.clone()).send());
        let errors = answer.await?.errors.unwrap_or_default().into_iter();
        let of_key = |error: aws_sdk_s3::types::Error| {
            let said = S3Error::of_key(error.code().unwrap_or_default(), error.message().unwrap_or_default());
            (error.key.unwrap_or_default(), said.during(question.operation))
        };
        Ok(errors.map(of_key).filter(|(_, error)| !error.is_not_found()).collect())
    }
}
