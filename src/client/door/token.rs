//! Tokens from the service that a registry names ("Token Authentication Specification" and "OAuth2 Token
//! Authentication", distribution).

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::Url;
use serde::Deserialize;

use super::{Scopes, basic, sensitive};
use crate::{
    api::Query,
    client::{
        Credential, Host,
        challenge::realm_url,
        transport::{Exchange, Failure, Payload},
    },
};

/// The longest answer of a service, in bytes.
const LONGEST: usize = 256 << 10;
/// How long a token is good for whose service does not say (the specification's default).
const LIFE: Duration = Duration::from_secs(60);
/// The longest life that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// A token service, to which the registry's credentials may go.
#[derive(Clone)]
pub(super) struct Service {
    url: Url,
    name: Option<String>,
}

/// A token.
pub(super) struct Token {
    pub(super) scopes: Scopes,
    /// The whole `Authorization`.
    pub(super) value: HeaderValue,
    /// When to have another.
    pub(super) until: Instant,
}

impl Service {
    /// The service at `realm`, which the registry `host` at `base` calls `name`.
    ///
    /// # Errors
    /// Credentials must not go there: it is without TLS, and not on the registry's own host without TLS.
    pub(super) fn of(host: &Host, base: &Url, realm: &str, name: Option<String>) -> Result<Self, Failure> {
        let refused = |reason: String| Failure::Refused { host: host.to_string(), reason };
        let url = realm_url(base, realm).map_err(refused)?;
        Ok(Self { url, name })
    }
}

/// The answer of a service; newer ones say the token twice.
#[derive(Deserialize)]
struct Issued {
    token: Option<String>,
    access_token: Option<String>,
    /// Seconds.
    expires_in: Option<f64>,
}

/// A token of `service` for `scopes`, for whoever has `credential`.
pub(super) async fn fetch(
    exchange: &Exchange<'_>,
    host: &Host,
    service: &Service,
    credential: &Credential,
    scopes: &Scopes,
) -> Result<Token, Failure> {
    if let Credential::RegistryToken(token) = credential {
        let value = sensitive(host, &format!("Bearer {}", token.expose()))?;
        return Ok(Token { scopes: scopes.clone(), value, until: Instant::now() + LIFE });
    }
    let asked = Instant::now();
    let answer = match credential {
        Credential::IdentityToken(token) => {
            let form = form(service, scopes).with("grant_type", "refresh_token");
            let form = form.with("refresh_token", token.expose()).to_string();
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
            let payload = Payload::Bytes(Bytes::from(form));
            exchange.run(&Method::POST, &service.url, &headers, Some(&payload), None).await?
        }
        Credential::Password { name, password } => {
            let url = url(service, scopes, Some(name));
            let login = basic(host, name, password.expose())?;
            exchange.run(&Method::GET, &url, &HeaderMap::new(), None, Some(&login)).await?
        }
        Credential::Anonymous | Credential::RegistryToken(_) => {
            exchange.run(&Method::GET, &url(service, scopes, None), &HeaderMap::new(), None, None).await?
        }
    };
    if answer.status != StatusCode::OK {
        return Err(refused(host, credential, answer.into_failure("the request for a token").await));
    }
    let place = answer.host();
    let body = answer.read(LONGEST).await?;
    let nothing = || Failure::wrong(&place, "answers with no token, so it is no token service that clients can use");
    let issued: Issued = serde_json::from_slice(&body).map_err(|_| nothing())?;
    let token = issued.token.or(issued.access_token).filter(|token| !token.is_empty()).ok_or_else(nothing)?;
    let value = sensitive(host, &format!("Bearer {token}")).map_err(|_| nothing())?;
    let life = issued.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(LIFE);
    // Before its time, for it is some time on the way.
    let until = asked + life.min(LONGEST_LIFE).mul_f64(0.9);
    Ok(Token { scopes: scopes.clone(), value, until })
}

fn form(service: &Service, scopes: &Scopes) -> Query {
    let scopes: Vec<String> = scopes.texts().collect();
    let form = Query::default().with("client_id", "berth").with("scope", scopes.join(" "));
    service.name.iter().fold(form, |form, name| form.with("service", name.as_str()))
}

fn url(service: &Service, scopes: &Scopes, account: Option<&str>) -> Url {
    let mut query = service.url.query().map(Query::parse).unwrap_or_default();
    if let Some(name) = &service.name {
        query = query.with("service", name.as_str());
    }
    for scope in scopes.texts() {
        query = query.with("scope", scope);
    }
    if let Some(account) = account {
        query = query.with("account", account);
    }
    let mut url = service.url.clone();
    url.set_query(Some(&query.with("client_id", "berth").to_string()));
    url
}

/// Why there is no token, for people.
fn refused(host: &Host, credential: &Credential, failure: Failure) -> Failure {
    let Some((status, said)) = failure.answer() else { return failure };
    if !status.is_client_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT {
        return failure;
    }
    let who = match credential {
        Credential::Anonymous => "nobody is logged in",
        _ => "the login is refused",
    };
    let reason = said.reason();
    // A service may repeat what it was shown.
    let repeats = match credential {
        Credential::Password { password: secret, .. }
        | Credential::IdentityToken(secret)
        | Credential::RegistryToken(secret) => reason.contains(secret.expose()),
        Credential::Anonymous => false,
    };
    let reason = if reason.is_empty() || repeats { status.to_string() } else { reason };
    Failure::Refused { host: host.to_string(), reason: format!("{who}: {reason}; try `berth login {host}`") }
}
