//! One GET, with limits. Redirects are not followed: a login goes nowhere but where it was meant for.

use std::{error::Error, time::Duration};

use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};

use super::spoken::innermost;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer, in bytes.
const LONGEST: usize = 256 << 10;

/// Asks servers by HTTP, through a proxy where the environment names one.
pub(super) struct Fetch(Connector);

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Nothing came back: why, for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(String);

impl Fetch {
    pub(super) fn new() -> Self {
        let connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        Self(connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build())
    }

    pub(super) async fn get(&self, url: &str, authorization: Option<HeaderValue>) -> Result<Answer, FetchError> {
        tokio::time::timeout(PATIENCE, self.ask(url, authorization))
            .await
            .unwrap_or_else(|_| Err(FetchError(format!("no answer within {} seconds", PATIENCE.as_secs()))))
    }

    async fn ask(&self, url: &str, authorization: Option<HeaderValue>) -> Result<Answer, FetchError> {
        let agent = concat!("berth/", env!("CARGO_PKG_VERSION"));
        let mut request = Request::get(url).header(header::USER_AGENT, agent);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(SdkBody::empty()).map_err(|error| FetchError(error.to_string()))?;
        let request = request.try_into().map_err(|error| cause(&error))?;
        let answer = self.0.call(request).await.map_err(|error| cause(&error))?;
        let (parts, body) = answer.try_into_http1x().map_err(|error| cause(&error))?.into_parts();
        let body = Limited::new(body, LONGEST).collect().await.map_err(|error| cause(&*error))?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

fn cause(error: &(dyn Error + 'static)) -> FetchError {
    FetchError(innermost(error))
}
