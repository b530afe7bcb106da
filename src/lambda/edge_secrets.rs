//! A custom resource of CloudFormation: the secrets that CloudFront and the registry behind it share.
//!
//! | property | |
//! |---|---|
//! | `Version` | a new one has new secrets; those of the version before it stay valid until the next |
//! | `Rules` | the access rules in force; none when it is missing |
//! | `Bucket`, `RootDirectory` | where the registry is. They cannot change. What the function is configured with when missing |
//!
//! Data: `OriginSecret`, which CloudFront sends, and `OriginSecrets`, which the registry takes; `UploadKeys`, the first of which
//! signs; `KeysArn`, the file that CloudFront imports; `PublicKey` and `PrivateKey` of the key that signs URLs, which stays for
//! the life of the stack, since CloudFront ignores a change of it (`UpdatePublicKey` changes the comment alone); `Anonymous`:
//! `true` where the rules grant anything to `anonymous`, else `false`.
//!
//! They are kept below `berth/edge/ID/`, where ID is the last part of the stack's ARN. `Delete` removes that folder.

mod patience;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lambda_http::LambdaEvent;
use serde_json::{Value, json};

use self::patience::{PROPAGATION, while_denied};
use super::{Task, deadline};
use crate::{
    auth::{Fetch, Rules},
    aws::cloudfront::UrlKey,
    config::{Config, Driver},
    context::{Caller, Context},
    storage::{EdgeSecrets, EdgeSecretsError, Issued, Location},
    wire::Adapters,
};

/// What must remain of a function's time when the work stops, to say so.
const MARGIN: Duration = Duration::from_secs(5);

/// What must remain when nothing more is said.
const LAST: Duration = Duration::from_millis(500);

/// How often an answer is sent, until it is taken. Lambda sends an event whose answer is not taken again.
const TRIES: u32 = 3;

/// The longest answer that CloudFormation takes, in bytes ("Custom resource response objects").
const LONGEST: usize = 4096;

/// The longest reason that is given, in characters: within the longest answer, whatever they are.
const LONGEST_REASON: usize = 300;

/// Nothing is made that could have another name: a change never replaces anything.
const PHYSICAL_ID: &str = "berth-edge";

/// Answers each event to where it says. It is an error of the event's own, so that Lambda sends it again, only when there
/// its answer is not taken; CloudFormation waits an hour for it.
pub(super) fn task(config: Result<Config, String>) -> Task {
    let (config, fetch) = (Arc::new(config), Fetch::default());
    Box::new(move |event| {
        let (config, fetch) = (config.clone(), fetch.clone());
        Box::pin(async move {
            let LambdaEvent { payload, context } = event;
            let span = tracing::info_span!("edge-secrets", id = context.request_id);
            let until = |margin| {
                let id = context.request_id.clone();
                Context::new(id, Caller::Registry, Some(deadline(&context, margin)), span.clone())
            };
            let said = match respond(&until(MARGIN), &config, &payload).await {
                Ok((url, answer)) => say(&until(LAST), &fetch, url, answer).await,
                Err(reason) => Err(reason),
            };
            said.map(|()| json!({})).map_err(|reason| {
                tracing::error!(request_id = context.request_id, reason, "CloudFormation was not answered");
                reason.into()
            })
        })
    })
}

/// The answer to `event`, and the URL to PUT it to.
///
/// # Errors
/// Nobody can be answered: why.
async fn respond<'a>(
    ctx: &Context,
    config: &Result<Config, String>,
    event: &'a Value,
) -> Result<(&'a str, Vec<u8>), String> {
    let url = text(event, "ResponseURL").ok_or("the event has no ResponseURL; is it CloudFormation's?")?;
    if !is_taken(url) {
        return Err("the event's ResponseURL is neither https:// nor of this machine".to_owned());
    }
    // The work holds to the deadline by itself; whatever does not is given up all the same.
    let left = ctx.remaining().ok().flatten().unwrap_or_default();
    let done = tokio::time::timeout(left, done(ctx, config, event)).await;
    let done = done.unwrap_or_else(|_| Err("the function's time was over".to_owned()));
    let taken = match done {
        Ok(data) => {
            let taken = answer(event, json!({ "Status": "SUCCESS", "NoEcho": true, "Data": data }));
            if taken.len() > LONGEST { Err(format!("the answer has more than {LONGEST} bytes")) } else { Ok(taken) }
        }
        // What cannot be removed must not keep a stack from being deleted.
        Err(reason) if text(event, "RequestType") == Some("Delete") => {
            tracing::warn!(request_id = ctx.request_id(), reason, "the edge's secrets may still be in the bucket");
            Ok(answer(event, json!({ "Status": "SUCCESS" })))
        }
        Err(reason) => Err(reason),
    };
    let answer = taken.unwrap_or_else(|reason| {
        tracing::error!(request_id = ctx.request_id(), reason, "the edge's secrets could not be dealt with");
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        answer(event, json!({ "Status": "FAILED", "Reason": reason }))
    });
    Ok((url, answer))
}

/// Does what `event` asks for; returns the data of its answer.
async fn done(ctx: &Context, config: &Result<Config, String>, event: &Value) -> Result<Value, String> {
    let kind = text(event, "RequestType").ok_or("the event has no RequestType")?;
    let config = config.as_ref().map_err(Clone::clone)?;
    let Driver::S3(bucket) = &config.storage.driver else {
        return Err("no bucket: set REGISTRY_STORAGE_S3_BUCKET".to_owned());
    };
    let arn = text(event, "StackId").ok_or("the event has no StackId")?;
    let adapters = Adapters::open(config).await.map_err(|error| error.to_string())?;
    let stack = arn.rsplit('/').next().unwrap_or_default();
    let secrets = EdgeSecrets::new(adapters.driver().clone(), stack).map_err(|error| error.to_string())?;
    let (secrets, properties) = (&secrets, event.get("ResourceProperties").unwrap_or(&Value::Null));
    let location = |properties: &Value| {
        let name = text(properties, "Bucket").unwrap_or(&bucket.bucket);
        Location::new(name, properties.get("RootDirectory").and_then(Value::as_str).unwrap_or(&bucket.root))
    };
    let now = &location(properties);
    let version = || text(properties, "Version").ok_or("the property Version is missing, or no text");
    let issued = match kind {
        "Create" => {
            let (version, _) = (version()?, anonymous(properties)?);
            patiently(ctx, || secrets.create(ctx, version, now)).await
        }
        "Update" => {
            let (version, _) = (version()?, anonymous(properties)?);
            let before = event.get("OldResourceProperties").map_or_else(|| now.clone(), location);
            patiently(ctx, || secrets.update(ctx, version, now)).await.map_err(|error| match error {
                // An update that is taken back has other properties before it, too, and finds what was.
                EdgeSecretsError::Missing(_) if before != *now => EdgeSecretsError::Moved(before, now.clone()),
                error => error,
            })
        }
        "Delete" => {
            let removed = patiently(ctx, || async { Ok(secrets.remove(ctx).await?) }).await;
            return removed.map(|()| json!({})).map_err(|error| error.to_string());
        }
        other => return Err(format!("the RequestType is {other}, none of Create, Update and Delete")),
    };
    let issued = issued.map_err(|error| error.to_string())?;
    let partition = arn.split(':').nth(1).unwrap_or("aws");
    let place = format!("arn:{partition}:s3:::{}/{}{}", bucket.bucket, bucket.root, issued.keys.relative());
    let mut data = data(issued, place).ok_or("the download key, as it is stored, cannot be read")?;
    data["Anonymous"] = anonymous(properties)?.to_string().into();
    Ok(data)
}

/// What `work` comes to, for as long as a denial may be one of a permission that is on its way.
async fn patiently<T, W>(ctx: &Context, work: impl FnMut() -> W) -> Result<T, EdgeSecretsError>
where
    W: Future<Output = Result<T, EdgeSecretsError>>,
{
    let patience = Instant::now() + PROPAGATION;
    let until = ctx.deadline().map_or(patience, |deadline| deadline.min(patience));
    while_denied(until, Instant::now, tokio::time::sleep, work).await
}

/// Whether the rules of `properties` grant anything to those who are not logged in.
fn anonymous(properties: &Value) -> Result<bool, String> {
    let rules = text(properties, "Rules").unwrap_or_default().parse::<Rules>();
    rules.map(|rules| rules.allow_anonymous()).map_err(|error| format!("Rules: {error}"))
}

/// What CloudFormation's `Fn::GetAtt` finds.
fn data(issued: Issued, keys_arn: String) -> Option<Value> {
    Some(json!({
        "OriginSecret": issued.origin.first()?,
        "OriginSecrets": issued.origin.join(","),
        "UploadKeys": issued.upload.join(","),
        "KeysArn": keys_arn,
        "PublicKey": UrlKey::read(&issued.download)?.public_pem(),
        "PrivateKey": issued.download,
    }))
}

/// `said`, with what CloudFormation knows the event by ("Custom resource response objects").
fn answer(event: &Value, mut said: Value) -> Vec<u8> {
    said["PhysicalResourceId"] = PHYSICAL_ID.into();
    for name in ["StackId", "RequestId", "LogicalResourceId"] {
        said[name] = text(event, name).unwrap_or_default().into();
    }
    said.to_string().into_bytes()
}

/// PUTs `answer` to `url`, which S3 has presigned without a Content-Type.
async fn say(ctx: &Context, fetch: &Fetch, url: &str, answer: Vec<u8>) -> Result<(), String> {
    let mut tries = 1;
    loop {
        let failure = match fetch.put(ctx, url, answer.clone()).await {
            Ok(status) if status.is_success() => return Ok(()),
            Ok(status) => format!("the event's ResponseURL answers {}", status.as_u16()),
            Err(error) => error.message,
        };
        if tries == TRIES {
            return Err(failure);
        }
        tokio::time::sleep(Duration::from_millis(200) * tries).await;
        tries += 1;
    }
}

/// Whether secrets may be sent to `url`.
fn is_taken(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let is_local = || matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_local(),
        _ => false,
    }
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str().filter(|text| !text.is_empty())
}
