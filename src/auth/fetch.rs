//! One request to another service: no redirect followed, bounded in size and time.

use std::{sync::OnceLock, time::Duration};

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::{
    client::http::{HttpConnector as _, SharedHttpConnector},
    http::Request,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::{
    context::Context,
    distribution::{BackendError, BackendErrorKind},
};

/// How long a service may take for its whole answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest body, in bytes: far more than any answer needs that is asked for here.
const LARGEST: usize = 64 << 10;

/// An HTTP client with the TLS stack that the AWS clients have. Clones share its connections; the certificates are read
/// when it is first used.
#[derive(Debug, Clone, Default)]
pub struct Fetch(std::sync::Arc<OnceLock<SharedHttpConnector>>);

/// What came back: any status, redirects included.
pub(super) struct Fetched {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Fetch {
    /// The answer to a GET of `url`.
    ///
    /// # Errors
    /// [`BackendError`] when there is none, in time, of an acceptable size. Says nothing of `url` but its host, because
    /// a query may be secret.
    pub(super) async fn get(&self, ctx: &Context, url: &str, headers: HeaderMap) -> Result<Fetched, BackendError> {
        let mut request = http::Request::builder().uri(url).body(SdkBody::empty());
        if let Ok(request) = &mut request {
            *request.headers_mut() = headers;
        }
        self.send(ctx, url, request).await
    }

    /// The status of the answer to a PUT of `body` to `url`, without headers that say anything of it but its length.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn put(&self, ctx: &Context, url: &str, body: Vec<u8>) -> Result<StatusCode, BackendError> {
        let request = http::Request::put(url).body(SdkBody::from(body));
        Ok(self.send(ctx, url, request).await?.status)
    }

    async fn send(
        &self,
        ctx: &Context,
        url: &str,
        request: Result<http::Request<SdkBody>, http::Error>,
    ) -> Result<Fetched, BackendError> {
        let patience = ctx.remaining()?.map_or(PATIENCE, |left| left.min(PATIENCE));
        let host = host(url);
        let request = request.ok().and_then(|request| Request::try_from(request).ok());
        let request = request.ok_or_else(|| unanswered(format!("{host}: not a request that can be sent")))?;
        let answer = async {
            let response = self.connector().call(request).await;
            // The cause alone: a URL in it would hold the query.
            let response = response.map_err(|error| {
                unanswered(format!(
                    "{host} cannot be reached ({})",
                    if error.is_timeout() { "timeout" } else { "connection failed" }
                ))
            })?;
            let status = StatusCode::from_u16(response.status().as_u16())
                .map_err(|_| unanswered(format!("{host} answers with no HTTP status")))?;
            let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(|error| {
                let is_long = error.downcast_ref::<LengthLimitError>().is_some();
                let what = if is_long { "answers at too great a length" } else { "breaks off its answer" };
                unanswered(format!("{host} {what}"))
            })?;
            Ok(Fetched { status, body: body.to_bytes() })
        };
        let late = |_| unanswered(format!("{host} does not answer within {} ms", patience.as_millis()));
        tokio::time::timeout(patience, answer).await.map_err(late)?
    }

    fn connector(&self) -> &SharedHttpConnector {
        self.0.get_or_init(|| {
            let tls = Provider::Rustls(CryptoMode::Ring);
            SharedHttpConnector::new(Connector::builder().tls_provider(tls).build())
        })
    }
}

/// Whoever does not answer may do so later: the client is told to try again.
pub(super) fn unanswered(message: String) -> BackendError {
    BackendError::new(BackendErrorKind::Timeout, message)
}

fn host(url: &str) -> String {
    let authority = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    authority.unwrap_or_else(|| "a service".to_owned())
}
