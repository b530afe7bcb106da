//! Who holds AWS credentials proves it without showing them: they sign the question who they are
//! (`GetCallerIdentity` of the Security Token Service) for this registry alone, and this registry asks it.
//!
//! The form of a proof, for who makes them elsewhere, is in `docs/authentication.md`, "The AWS proof".

mod answer;
mod partition;
mod presigned;
mod query;
mod sign;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Offer, ProofError, Verifier, now, remembered::Remembered};
use crate::{
    auth::{Fetch, Identity},
    context::{Clock, Context},
};
pub use partition::Partition;
use presigned::{BIND, PREFIX, Presigned, registry_host};
pub use sign::{SignError, sign};

/// Takes AWS proofs, and asks STS about each once.
///
/// A proof that STS confirmed is good in this process until its life ends, 15 minutes at most: credentials that are
/// revoked meanwhile work that long.
pub struct AwsVerifier {
    options: Options,
    fetch: Fetch,
    verified: Remembered<Identity>,
}

/// Which AWS.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The partition whose accounts are meant. A number may be another account's elsewhere.
    pub partition: Partition,
    /// Where to connect instead of to the host that the proof names, which has to be AWS's all the same:
    /// `AWS_ENDPOINT_URL_STS`.
    pub endpoint: Option<String>,
    /// What time it is.
    pub clock: Clock,
}

impl AwsVerifier {
    /// Asks by `fetch`.
    pub fn new(options: Options, fetch: Fetch) -> Self {
        Self { options, fetch, verified: Remembered::new() }
    }

    async fn ask(&self, ctx: &Context, presigned: &Presigned, registry: &str) -> Result<Identity, ProofError> {
        let mut headers = HeaderMap::new();
        let value = |text: &str| HeaderValue::from_str(text).map_err(ProofError::wrong);
        headers.insert(HeaderName::from_static(BIND), value(registry)?);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let base = match &self.options.endpoint {
            None => format!("https://{}", presigned.host()),
            Some(endpoint) => {
                headers.insert(header::HOST, value(presigned.host())?);
                endpoint.trim_end_matches('/').to_owned()
            }
        };
        let fetched = self.fetch.get(ctx, &presigned.url(&base), headers).await?;
        answer::identity(&fetched, self.options.partition)
    }
}

#[async_trait::async_trait]
impl Verifier for AwsVerifier {
    async fn verify(&self, ctx: &Context, offer: &Offer<'_>) -> Result<Option<Identity>, ProofError> {
        if !offer.password.starts_with(PREFIX) {
            return Ok(None);
        }
        let now = now(&self.options.clock);
        let registry = registry_host(offer.host);
        if registry.is_empty() {
            return Err(ProofError::wrong(
                "this registry does not know by which name it is reached, so that no AWS proof can be bound to it; \
                 whoever runs it can set http.host",
            ));
        }
        let presigned = Presigned::parse(offer.password).map_err(ProofError::wrong)?;
        presigned.check(&registry, self.options.partition, now).map_err(ProofError::wrong)?;
        let mark = self.verified.mark(&[&registry, offer.password]);
        let ask = async { Ok((self.ask(ctx, &presigned, &registry).await?, presigned.expires())) };
        self.verified.get_or_ask(mark, now, ask).await.map(Some)
    }
}
