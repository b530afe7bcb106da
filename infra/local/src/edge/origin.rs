//! Where requests go on to.

use std::time::Duration;

use http::uri::{Authority, Scheme, Uri};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::EdgeError;
use super::sigv4::Signer;
use crate::{Emulators, Identity, Policy, PolicyError};

/// An origin of a distribution.
#[derive(Clone, Debug)]
pub struct Origin {
    pub(super) id: String,
    pub(super) authority: Authority,
    /// Goes before every path: `OriginPath`; of a bucket its name.
    pub(super) path: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) timeout: Duration,
    /// Of a bucket, who signs.
    pub(super) signer: Option<Signer>,
}

impl Origin {
    /// Any HTTP server: `http://127.0.0.1:5001`.
    ///
    /// # Errors
    /// [`EdgeError::Url`].
    pub fn url(id: impl Into<String>, url: &str) -> Result<Self, EdgeError> {
        let wrong = || EdgeError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|_| uri.scheme() == Some(&Scheme::HTTP)).ok_or_else(wrong)?;
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self::new(id.into(), authority.clone(), path))
    }

    /// The bucket of `emulators`, with origin access control that signs always. What S3 lets CloudFront do there, `policy` says,
    /// such as that of [`bucket_policy`]: it is somebody named `cloudfront.amazonaws.com` to S3.
    ///
    /// # Errors
    /// [`EdgeError::Url`] when the emulator's address is none.
    pub fn bucket(id: impl Into<String>, emulators: &Emulators, policy: Policy) -> Result<Self, EdgeError> {
        let identity = Identity::named("cloudfront.amazonaws.com", Some(policy));
        emulators.add_identity(identity.clone());
        let mut origin = Self::url(id, &emulators.s3().endpoint())?;
        origin.path = format!("/{}", emulators.s3().bucket());
        origin.signer = Some(Signer::new(identity, emulators.options().region.clone()));
        Ok(origin)
    }

    fn new(id: String, authority: Authority, path: String) -> Self {
        Self { id, authority, path, headers: Vec::new(), timeout: Duration::from_secs(60), signer: None }
    }

    /// Adds a header to every request, in place of those of its name ("Add custom headers to origin requests"). One that is no
    /// header is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse(), value.parse()) {
            self.headers.push((name, value));
        }
        self
    }

    /// How long it may be silent after it was sent a request, 60 s unless told otherwise ("Response timeout").
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// What a bucket's policy lets CloudFront do for a distribution: the statements for the service and for everybody, of those with
/// a condition on `aws:SourceArn` the ones that it meets ("Restrict access to an Amazon S3 origin").
///
/// # Errors
/// [`PolicyError`] for what else they say that is not understood.
pub fn bucket_policy(document: &Value, distribution_arn: &str) -> Result<Policy, PolicyError> {
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let statements: Vec<_> = statements.iter().filter_map(|one| for_cloudfront(one, distribution_arn)).collect();
    if statements.is_empty() {
        return Ok(Policy::default());
    }
    Policy::parse(&json!({ "Version": document.get("Version"), "Statement": statements }))
}

/// The statement without its principal and its source; none when it is not about CloudFront and this distribution.
fn for_cloudfront(statement: &Value, distribution_arn: &str) -> Option<Value> {
    let is = |value: &Value, wanted: &str| match value {
        Value::Array(many) => many.iter().any(|one| one == wanted),
        one => one == wanted,
    };
    let mut statement = statement.as_object()?.clone();
    let principal = statement.remove("Principal")?;
    let service = principal.get("Service").is_some_and(|service| is(service, "cloudfront.amazonaws.com"));
    if !service && principal != "*" && principal.get("AWS").is_none_or(|aws| !is(aws, "*")) {
        return None;
    }
    if let Some(conditions) = statement.get_mut("Condition").and_then(Value::as_object_mut) {
        for operator in ["StringEquals", "ArnEquals"] {
            let Some(keys) = conditions.get_mut(operator).and_then(Value::as_object_mut) else { continue };
            let name = keys.keys().find(|key| key.eq_ignore_ascii_case("aws:SourceArn")).cloned();
            let source = name.and_then(|name| keys.remove(&name));
            if source.is_some_and(|source| !is(&source, distribution_arn)) {
                return None;
            }
            if keys.is_empty() {
                conditions.remove(operator);
            }
        }
        if conditions.is_empty() {
            statement.remove("Condition");
        }
    }
    Some(Value::Object(statement))
}
