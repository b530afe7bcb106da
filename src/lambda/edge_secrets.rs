//! A custom resource of CloudFormation: the secrets that an edge before the registry shares with it.
//!
//! | property | |
//! |---|---|
//! | `Version` | a new one has new secrets; those before it remain good until yet another |
//! | `Downloads` | `true`: a key that signs URLs of CloudFront, too |
//!
//! Data: `OriginSecret`, `OriginSecrets`, `UploadKeys`, `KeysArn`, and with `Downloads` `PublicKey` and `PrivateKey`.

use std::{sync::Arc, time::Duration};

use lambda_http::LambdaEvent;
use serde_json::{Value, json};

use super::{Task, deadline};
use crate::{
    auth::Fetch,
    aws::cloudfront::UrlKey,
    config::{Config, Driver},
    context::{Caller, Context},
    storage::{EdgeSecrets, Issued},
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
    let adapters = Adapters::open(config).await.map_err(|error| error.to_string())?;
    let secrets = EdgeSecrets::new(adapters.driver().clone());
    match kind {
        "Create" | "Update" => {
            let properties = event.get("ResourceProperties").unwrap_or(&Value::Null);
            let version = text(properties, "Version").ok_or("the property Version is missing, or no text")?;
            // CloudFormation makes texts of truth values.
            let downloads = match properties.get("Downloads") {
                None => false,
                Some(Value::Bool(on)) => *on,
                Some(Value::String(text)) if text == "true" => true,
                Some(Value::String(text)) if text == "false" => false,
                Some(_) => return Err("the property Downloads is neither true nor false".to_owned()),
            };
            let issued = secrets.issue(ctx, version, downloads).await.map_err(|error| error.to_string())?;
            let partition = text(event, "StackId").and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
            let place = format!("arn:{partition}:s3:::{}/{}{}", bucket.bucket, bucket.root, issued.keys.relative());
            data(issued, place).ok_or_else(|| "the key of downloads, as it is stored, cannot be read".to_owned())
        }
        "Delete" => secrets.remove(ctx).await.map(|()| json!({})).map_err(|error| error.to_string()),
        _ => Err("the event's RequestType is none of Create, Update and Delete".to_owned()),
    }
}

fn data(issued: Issued, keys_arn: String) -> Option<Value> {
    let mut data = json!({
        "OriginSecret": issued.origin.first()?,
        "OriginSecrets": issued.origin.join(","),
        "UploadKeys": issued.upload.join(","),
        "KeysArn": keys_arn,
    });
    if let Some(private) = issued.downloads {
        data["PublicKey"] = UrlKey::read(&private)?.public_pem().into();
        data["PrivateKey"] = private.into();
    }
    Some(data)
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
