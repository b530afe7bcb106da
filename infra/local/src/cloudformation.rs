//! AWS CloudFormation, of which one part is played: it asks a function to make a custom resource ("Custom resource request
//! objects", "Custom resource response objects").

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::front::{Dropped, ResponseBody};
use crate::host::Host;
use crate::lambda::{Function, InvokeError};
use crate::{Error, Names};

/// Bytes of a response, which CloudFormation takes no more of.
const LARGEST_RESPONSE: usize = 4096;

/// A custom resource of a stack.
#[derive(Clone, Debug)]
pub struct CustomResource {
    logical_id: String,
    kind: String,
    properties: Value,
    stack_id: String,
    physical_id: Option<String>,
}

/// What a function made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// What `Ref` answers.
    pub physical_id: String,
    /// What `Fn::GetAtt` answers, by attribute.
    pub data: BTreeMap<String, String>,
    /// Whether CloudFormation shows none of it.
    pub no_echo: bool,
}

/// Why a function made nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustomResourceError {
    /// There is no place for its response.
    #[error(transparent)]
    Start(#[from] Error),
    /// It was not invoked, or failed.
    #[error("the function of the custom resource: {0}")]
    Invoke(#[from] InvokeError),
    /// It ended without a response: at AWS the stack waits for its timeout.
    #[error("the function ended without a response")]
    Silent,
    /// Its response is none that CloudFormation takes.
    #[error("the function's response: {0}")]
    Response(String),
    /// It says `FAILED`.
    #[error("the function failed: {0}")]
    Failed(String),
}

/// What was posted, or why it is not taken.
type Posting = Result<Bytes, String>;

/// Stands for the signature of a presigned URL.
const SIGNED: &str = "X-Amz-Signature=local";

/// A response, as it is posted.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Posted {
    status: String,
    #[serde(default)]
    reason: Option<String>,
    physical_resource_id: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    #[serde(default)]
    no_echo: bool,
    #[serde(default)]
    data: Map<String, Value>,
}

/// Has a function make a resource of these properties: the answers of `Fn::GetAtt`.
///
/// # Errors
/// [`CustomResourceError`].
pub async fn custom_resource(
    function: &Function,
    properties: &Value,
) -> Result<BTreeMap<String, String>, CustomResourceError> {
    Ok(CustomResource::new("Resource", "Custom::Resource", properties.clone()).create(function).await?.data)
}

impl CustomResource {
    /// One that is not made yet. `properties` has a `ServiceToken`, by which the function is called at AWS.
    pub fn new(logical_id: impl Into<String>, kind: impl Into<String>, properties: Value) -> Self {
        let stack_id = Names::default().stack_id();
        Self { logical_id: logical_id.into(), kind: kind.into(), properties, stack_id, physical_id: None }
    }

    /// Puts it into the stack with this id, in place of that of [`Names::default`].
    #[must_use]
    pub fn stack(mut self, id: impl Into<String>) -> Self {
        self.stack_id = id.into();
        self
    }

    /// Has it made.
    ///
    /// # Errors
    /// [`CustomResourceError`].
    pub async fn create(&mut self, function: &Function) -> Result<Made, CustomResourceError> {
        self.ask(function, "Create", None).await
    }

    /// Has it changed to other properties.
    ///
    /// # Errors
    /// [`CustomResourceError`].
    pub async fn update(&mut self, function: &Function, properties: Value) -> Result<Made, CustomResourceError> {
        let old = std::mem::replace(&mut self.properties, properties);
        self.ask(function, "Update", Some(old)).await
    }

    /// Has it removed.
    ///
    /// # Errors
    /// [`CustomResourceError`].
    pub async fn delete(&mut self, function: &Function) -> Result<(), CustomResourceError> {
        self.ask(function, "Delete", None).await.map(drop)
    }

    async fn ask(
        &mut self,
        function: &Function,
        request_type: &str,
        old: Option<Value>,
    ) -> Result<Made, CustomResourceError> {
        let host = Host::start().map_err(Error::Thread)?;
        let (sender, mut responses) = mpsc::channel::<Posting>(1);
        let service = move |request| receive(sender.clone(), request);
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let address = host.serve(address, service).map_err(|source| Error::Address(address, source))?;
        let request_id = uuid::Uuid::new_v4().to_string();
        let mut event = json!({
            "RequestType": request_type,
            "ResponseURL": format!("http://{address}/{request_id}?{SIGNED}"),
            "StackId": self.stack_id,
            "RequestId": request_id,
            "ResourceType": self.kind,
            "LogicalResourceId": self.logical_id,
            "ServiceToken": self.properties.get("ServiceToken"),
            "ResourceProperties": self.properties,
        });
        if let Some(id) = &self.physical_id {
            event["PhysicalResourceId"] = json!(id);
        }
        if let Some(old) = old {
            event["OldResourceProperties"] = old;
        }
        function.invoke(event.to_string()).await?;
        // Posted before the function ended, unless something goes on behind its back.
        let posted = match responses.try_recv() {
            Ok(posted) => posted,
            Err(_) => return Err(CustomResourceError::Silent),
        };
        let posted = posted.map_err(CustomResourceError::Response)?;
        let made = self.read(&posted, &event)?;
        self.physical_id = Some(made.physical_id.clone());
        Ok(made)
    }

    fn read(&self, posted: &Bytes, event: &Value) -> Result<Made, CustomResourceError> {
        let wrong = |fault: String| CustomResourceError::Response(fault);
        let posted: Posted = serde_json::from_slice(posted).map_err(|error| wrong(error.to_string()))?;
        for (name, said) in [
            ("StackId", &posted.stack_id),
            ("RequestId", &posted.request_id),
            ("LogicalResourceId", &posted.logical_resource_id),
        ] {
            if event.get(name).and_then(Value::as_str) != Some(said) {
                return Err(wrong(format!("{name} is not that of the request")));
            }
        }
        match posted.status.as_str() {
            "SUCCESS" => {}
            "FAILED" => {
                let reason = posted.reason.filter(|reason| !reason.is_empty());
                return Err(
                    reason.map_or_else(|| wrong("FAILED without a Reason".to_owned()), CustomResourceError::Failed)
                );
            }
            other => return Err(wrong(format!("the Status {other}"))),
        }
        if posted.physical_resource_id.is_empty() || posted.physical_resource_id.len() > 1024 {
            return Err(wrong("PhysicalResourceId has not 1 to 1,024 bytes".to_owned()));
        }
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let data = posted.data.into_iter().map(|(name, value)| (name, text(value))).collect();
        Ok(Made { physical_id: posted.physical_resource_id, data, no_echo: posted.no_echo })
    }
}

/// Takes a response as the presigned URL of S3 takes it: by PUT, of a length that is said, without a Content-Type, as none is
/// signed.
async fn receive(sender: mpsc::Sender<Posting>, request: Request<Incoming>) -> Result<Response<ResponseBody>, Dropped> {
    let (parts, body) = request.into_parts();
    let has = |name| parts.headers.get(name).is_some_and(|value: &http::HeaderValue| !value.is_empty());
    let (status, posting) = if parts.method != Method::PUT || parts.uri.query() != Some(SIGNED) {
        (StatusCode::FORBIDDEN, Err("it was not put to the ResponseURL".to_owned()))
    } else if has(http::header::CONTENT_TYPE) {
        (StatusCode::FORBIDDEN, Err("it has a Content-Type, which S3 refuses".to_owned()))
    } else if !has(http::header::CONTENT_LENGTH) {
        (StatusCode::LENGTH_REQUIRED, Err("it has no Content-Length, which S3 refuses".to_owned()))
    } else {
        match Limited::new(body, LARGEST_RESPONSE).collect().await {
            Ok(body) => (StatusCode::OK, Ok(body.to_bytes())),
            // S3 takes it, and CloudFormation does not.
            Err(_) => (StatusCode::OK, Err(format!("it has more than {LARGEST_RESPONSE} bytes"))),
        }
    };
    // Nobody waits for a second one.
    let _ = sender.try_send(posting);
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    Ok(response)
}
