//! The client's half: making a proof of AWS credentials, without asking anybody.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign as sign_request},
    sign::v4,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Partition,
    presigned::{BIND, LONGEST, LONGEST_LIFE, PREFIX, is_registry, registry_host},
};

/// Why there is no proof. Shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is no such region.
    #[error("{0:?} is no region of AWS; set AWS_REGION")]
    Region(String),
    /// The registry's host is none.
    #[error("{0:?} is no registry's host; write it as in an image's name: registry.example.com")]
    Registry(String),
    /// The credentials have expired.
    #[error("the AWS credentials have expired; get new ones")]
    Expired,
    /// The credentials cannot be signed with, or make a proof that no registry takes.
    #[error("a proof cannot be made of these AWS credentials")]
    Credentials,
}

/// The password by which whoever holds `credentials` is known to the registry at `registry` (its host, with the port if
/// it has one), good for 15 minutes from `now`, or as long as the credentials when that is less. Signs for the STS of
/// `region`, which may be any region of the account's partition that is enabled.
///
/// # Errors
/// [`SignError`].
pub fn sign(credentials: &Credentials, region: &str, registry: &str, now: SystemTime) -> Result<String, SignError> {
    let partition = Partition::of_region(region).ok_or_else(|| SignError::Region(region.to_owned()))?;
    let registry = registry_host(registry);
    if !is_registry(&registry) {
        return Err(SignError::Registry(registry));
    }
    let longest = Duration::from_secs(LONGEST_LIFE.into());
    let life = match credentials.expiry() {
        None => longest,
        Some(expiry) => expiry.duration_since(now).map_or(Duration::ZERO, |left| left.min(longest)),
    };
    if life.as_secs() == 0 {
        return Err(SignError::Expired);
    }
    let [suffix, _] = partition.suffixes();
    let url = format!("https://sts.{region}.{suffix}/?Action=GetCallerIdentity&Version=2011-06-15");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(life.as_secs()));
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|_| SignError::Credentials)?;
    let headers = [(BIND, registry.as_str())].into_iter();
    let request = SignableRequest::new("GET", &url, headers, SignableBody::Bytes(&[]));
    let signed = sign_request(request.map_err(|_| SignError::Credentials)?, &params.into());
    let (instructions, _) = signed.map_err(|_| SignError::Credentials)?.into_parts();
    let mut request = http::Request::get(&url).body(()).map_err(|_| SignError::Credentials)?;
    instructions.apply_to_request_http1x(&mut request);
    let proof = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(format!("{}#{registry}", request.uri())));
    if proof.len() > LONGEST { Err(SignError::Credentials) } else { Ok(proof) }
}
