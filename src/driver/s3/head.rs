//! Whether something is there.

use super::{
    attempt::{Question, SHORT},
    bucket::Bucket,
    error::S3Error,
};
use crate::{
    context::Context,
    driver::{DriverError, Path},
};

impl Bucket {
    pub(super) async fn stat(&self, ctx: &Context, path: &Path) -> Result<u64, DriverError> {
        self.head(ctx, &self.key(path)).await.map_err(|error| error.on(path, self))
    }

    /// The size of the object at `key`.
    pub(super) async fn head(&self, ctx: &Context, key: &str) -> Result<u64, S3Error> {
        let question = Question { operation: "HeadObject", key, patience: SHORT };
        let answer = self.ask(ctx, question, || self.client.head_object().bucket(&self.name).key(key).send()).await?;
        let size = answer.content_length().and_then(|size| u64::try_from(size).ok());
        size.ok_or_else(|| S3Error::senseless("the answer has no Content-Length").during(question.operation))
    }

    /// Whether there is an object at `key`.
    pub(super) async fn exists(&self, ctx: &Context, key: &str) -> Result<bool, S3Error> {
        match self.head(ctx, key).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
