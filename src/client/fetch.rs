//! One GET, with limits. Redirects are not followed: a login goes nowhere but where it was meant for.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::Url;

use super::{
    Patience,
    transport::{Connections, Exchange, Failure},
};
use crate::context::Context;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer, in bytes.
const LONGEST: usize = 256 << 10;

/// Asks servers by HTTP, through a proxy where the environment names one.
pub(super) struct Fetch(Connections);

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
        let agent = HeaderValue::from_static(concat!("berth/", env!("CARGO_PKG_VERSION")));
        Self(Connections::new(agent, Patience { connect: PATIENCE, stall: PATIENCE, answer: PATIENCE }))
    }

    pub(super) async fn get(&self, url: &str, authorization: Option<HeaderValue>) -> Result<Answer, FetchError> {
        let url = Url::parse(url).map_err(|fault| FetchError(fault.to_string()))?;
        tokio::time::timeout(PATIENCE, self.ask(&url, authorization))
            .await
            .unwrap_or_else(|_| Err(FetchError(format!("no answer within {} seconds", PATIENCE.as_secs()))))
    }

    async fn ask(&self, url: &Url, authorization: Option<HeaderValue>) -> Result<Answer, FetchError> {
        let ctx = Context::background("login");
        let exchange = Exchange::new(&self.0, &ctx);
        let answer = exchange.run(&Method::GET, url, &HeaderMap::new(), None, authorization.as_ref()).await;
        let mut answer = answer.map_err(reason)?;
        let (status, headers) = (answer.status, std::mem::take(&mut answer.headers));
        let body = answer.read(LONGEST).await.map_err(reason)?;
        Ok(Answer { status, headers, body })
    }
}

/// Why, without the host, which whoever asks says.
fn reason(failure: Failure) -> FetchError {
    FetchError(match failure {
        Failure::Unreachable { cause, .. } | Failure::BrokenOff { cause, .. } => cause,
        other => other.to_string(),
    })
}
