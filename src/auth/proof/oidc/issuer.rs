//! An issuer's keys.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::{TrustError, Trusted};
use crate::{
    auth::{Fetch, fetch::unanswered, jws::PublicKeys},
    context::Context,
    distribution::BackendError,
};

/// How long keys are good: as long may one work that the issuer took back.
const FRESH: Duration = Duration::hours(1);

/// How long an issuer is not asked again because of a key that it did not name.
const PAUSE: Duration = Duration::minutes(1);

/// How long a request waits for another that asks the issuer already.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Where the keys of an issuer are said to be (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

pub(super) struct Issuer {
    pub(super) trusted: Trusted,
    fetch: Fetch,
    known: Mutex<Option<Known>>,
    /// Of several requests that need its keys at once, one asks; those that can do without never wait.
    asking: tokio::sync::Mutex<()>,
}

struct Known {
    keys: Arc<PublicKeys>,
    since: OffsetDateTime,
    /// When it was last asked for them, with or without success.
    asked: OffsetDateTime,
}

impl Issuer {
    pub(super) fn new(trusted: Trusted, fetch: Fetch) -> Result<Self, TrustError> {
        let Trusted { issuer, audience, .. } = &trusted;
        let is_url = issuer.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some() && uri.query().is_none());
        if !is_url || !trusted.allows(issuer) || issuer.contains(['#', '@']) {
            return Err(TrustError::Issuer(issuer.clone()));
        }
        if audience.is_empty() {
            return Err(TrustError::Audience(issuer.clone()));
        }
        Ok(Self { trusted, fetch, known: Mutex::new(None), asking: tokio::sync::Mutex::new(()) })
    }

    /// Its keys: with the one named `kid`, if it publishes that, and has not been asked within the last minute.
    pub(super) async fn keys(
        &self,
        ctx: &Context,
        kid: &str,
        now: OffsetDateTime,
    ) -> Result<Arc<PublicKeys>, BackendError> {
        if let Some(keys) = self.good(kid, now) {
            return Ok(keys);
        }
        let busy = |_| unanswered(format!("issuer {} does not answer others either", self.trusted.issuer));
        let _turn = tokio::time::timeout(PATIENCE, self.asking.lock()).await.map_err(busy)?;
        if let Some(keys) = self.good(kid, now) {
            return Ok(keys);
        }
        if let Some(known) = &mut *self.known() {
            known.asked = now;
        }
        let keys = Arc::new(self.ask(ctx).await?);
        *self.known() = Some(Known { keys: keys.clone(), since: now, asked: now });
        Ok(keys)
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys that are known, if there is no reason to ask.
    fn good(&self, kid: &str, now: OffsetDateTime) -> Option<Arc<PublicKeys>> {
        let known = self.known();
        let Known { keys, since, asked } = known.as_ref()?;
        let is_good = now - *since < FRESH && (keys.get(kid).is_some() || now - *asked < PAUSE);
        is_good.then(|| keys.clone())
    }

    async fn ask(&self, ctx: &Context) -> Result<PublicKeys, BackendError> {
        let issuer = &self.trusted.issuer;
        let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let discovery: Discovery = serde_json::from_slice(&self.get(ctx, &place).await?)
            .map_err(|error| unanswered(format!("issuer {issuer} does not say where its keys are ({error})")))?;
        // Section 4.3: else it speaks for somebody else.
        if discovery.issuer != *issuer {
            return Err(unanswered(format!("issuer {issuer} says that it is another one, {:?}", discovery.issuer)));
        }
        if !self.trusted.allows(&discovery.jwks_uri) {
            return Err(unanswered(format!("issuer {issuer} has its keys where nobody vouches for them (no https)")));
        }
        let keys = PublicKeys::from_jwks(&self.get(ctx, &discovery.jwks_uri).await?)
            .map_err(|error| unanswered(format!("issuer {issuer}: {error}")))?;
        if keys.is_empty() { Err(unanswered(format!("issuer {issuer} has no key of use here"))) } else { Ok(keys) }
    }

    async fn get(&self, ctx: &Context, url: &str) -> Result<Bytes, BackendError> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
        let fetched = self.fetch.get(ctx, url, headers).await?;
        match fetched.status {
            StatusCode::OK => Ok(fetched.body),
            status => Err(unanswered(format!("issuer {} answers with status {status}", self.trusted.issuer))),
        }
    }
}

impl Trusted {
    /// Whether what `url` says is the issuer's own word.
    fn allows(&self, url: &str) -> bool {
        url.starts_with("https://") || (self.insecure && url.starts_with("http://"))
    }
}
