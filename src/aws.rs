//! What the clients of AWS share: one HTTP client, credentials, region and endpoint; and URLs that CloudFront takes.

pub mod cloudfront;

use aws_config::{
    BehaviorVersion, SdkConfig, environment::EnvironmentVariableRegionProvider, meta::region::RegionProviderChain,
    profile::ProfileFileRegionProvider,
};
use aws_sdk_s3::config::{Credentials, Region, SharedHttpClient};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// Where a service is, and who calls it. What is not said comes from the standard environment variables and the
/// shared configuration files ("Settings reference", AWS SDKs and Tools Reference Guide): `AWS_REGION`,
/// `AWS_ENDPOINT_URL_S3`, `AWS_PROFILE` and their like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The region. Where nobody says one it is us-east-1, as for the AWS services' own global endpoints.
    pub region: Option<String>,
    /// The URL of the service, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// Keys that never expire; without them the usual chain: environment, profile, web identity, container, instance.
    pub keys: Option<Keys>,
}

/// An access key and its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The key's id.
    pub access: String,
    /// Its secret.
    pub secret: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret stays out of logs.
        f.debug_struct("Keys").field("access", &self.access).finish_non_exhaustive()
    }
}

/// An HTTP client for any number of services: clones share its connections and its certificates.
pub fn http_client() -> SharedHttpClient {
    // Ring, because AWS-LC gathers entropy for up to a second in a cold start.
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// The configuration of the clients of one account. Nothing is asked over the network: credentials are fetched by
/// the first request that needs them, and a region is never looked up at the instance's metadata service.
pub async fn sdk_config(http: &SharedHttpClient, account: &Account) -> SdkConfig {
    let region = RegionProviderChain::first_try(account.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else("us-east-1");
    // Pinned, so that an update of the SDK does not change how requests are retried.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http.clone()).region(region);
    if let Some(endpoint) = &account.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(keys) = &account.keys {
        loader = loader.credentials_provider(Credentials::new(&keys.access, &keys.secret, None, None, "configuration"));
    }
    loader.load().await
}

/// The region that the environment names.
pub fn region() -> Option<String> {
    ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|name| !name.is_empty())
}

/// Where STS is, where it is not AWS's own.
pub fn sts_endpoint() -> Option<String> {
    std::env::var("AWS_ENDPOINT_URL_STS").ok().filter(|url| !url.is_empty())
}
