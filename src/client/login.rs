//! Trying a name and a password at a registry, as its clients will.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use serde::Deserialize;

use super::{
    Host, Scheme,
    challenge::{Challenge, realm_url},
    fetch::{Answer, Fetch, FetchError},
    spoken::spoken,
};
use crate::config::Secret;

/// How a login went that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// The registry knows who it is, and says so where it can.
    Known(Option<String>),
    /// The registry asks nobody to log in.
    NotNeeded,
}

/// A login that failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No answer.
    #[error("{url} cannot be reached: {cause}{hint}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why there was no answer.
        cause: FetchError,
        /// What to try.
        hint: &'static str,
    },
    /// The server is something else.
    #[error("{url} answers {status}, as no registry does; is the name right?")]
    NoRegistry {
        /// What was asked.
        url: String,
        /// What came back.
        status: StatusCode,
    },
    /// It has users only.
    #[error(
        "{0} takes user names and passwords and speaks no tokens, so it takes no AWS credentials; use --username NAME \
         --password-stdin"
    )]
    NoTokens(Host),
    /// The password would be read by others.
    #[error("{host} does not let this in: {reason}")]
    Unsafe {
        /// The registry.
        host: Host,
        /// Why the password must not be sent to the realm of its challenge.
        reason: String,
    },
    /// It knows nobody of that name, or the password is wrong.
    #[error("{host} refuses this login: {reason}")]
    Refused {
        /// The registry.
        host: Host,
        /// What it says.
        reason: String,
    },
    /// It cannot say.
    #[error("{host} cannot check a login now ({status}: {reason}); try again")]
    Busy {
        /// The registry.
        host: Host,
        /// How it answers.
        status: StatusCode,
        /// What it says.
        reason: String,
    },
    /// Its answer says nothing.
    #[error("{host} answers with no token, so it is no token service that clients can use")]
    NoToken {
        /// The registry.
        host: Host,
    },
}

/// Tries `name` and `password` at `host`, by `scheme`. With `tokens`, the registry must have a token service: what is
/// no password of a user is not sent elsewhere.
///
/// # Errors
/// [`LoginError`]; it never holds the password.
pub async fn login(
    host: &Host,
    scheme: Scheme,
    name: &str,
    password: &Secret,
    tokens: bool,
) -> Result<Login, LoginError> {
    let attempt = Attempt { fetch: Fetch::new(), host, base: format!("{scheme}://{host}/v2/"), name, password };
    attempt.run(tokens).await
}

struct Attempt<'a> {
    fetch: Fetch,
    host: &'a Host,
    base: String,
    name: &'a str,
    password: &'a Secret,
}

impl Attempt<'_> {
    async fn run(&self, tokens: bool) -> Result<Login, LoginError> {
        let answer = self.get(&self.base, None).await?;
        match (answer.status, Challenge::of(&answer.headers)) {
            (StatusCode::OK, _) => Ok(Login::NotNeeded),
            (StatusCode::UNAUTHORIZED, Some(Challenge::Bearer { realm, service, .. })) => {
                let refused = |reason| LoginError::Unsafe { host: self.host.clone(), reason };
                let base = Url::parse(&self.base).map_err(|fault| refused(fault.to_string()))?;
                let realm = realm_url(&base, &realm).map_err(refused)?;
                let token = self.token(realm.as_str(), service.as_deref()).await?;
                self.accepted(&self.get(&self.base, header(&format!("Bearer {token}"))).await?)?;
                Ok(Login::Known(subject(&token)))
            }
            (StatusCode::UNAUTHORIZED, Some(Challenge::Basic)) if !tokens => {
                self.accepted(&self.get(&self.base, self.basic()).await?)?;
                Ok(Login::Known(None))
            }
            (StatusCode::UNAUTHORIZED, Some(Challenge::Basic)) => Err(LoginError::NoTokens(self.host.clone())),
            (status, _) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                self.accepted(&answer).map(|()| Login::NotNeeded)
            }
            (status, _) => Err(LoginError::NoRegistry { url: self.base.clone(), status }),
        }
    }

    /// A token for nothing in particular: the service gives it to whomever it knows.
    async fn token(&self, realm: &str, service: Option<&str>) -> Result<String, LoginError> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let mark = if realm.contains('?') { '&' } else { '?' };
        let mut url = format!("{realm}{mark}account={}&client_id=berth", encode(self.name));
        if let Some(service) = service {
            url = format!("{url}&service={}", encode(service));
        }
        let answer = self.get(&url, self.basic()).await?;
        self.accepted(&answer)?;
        let tokens: Tokens = serde_json::from_slice(&answer.body).unwrap_or_default();
        tokens.token.or(tokens.access_token).ok_or_else(|| LoginError::NoToken { host: self.host.clone() })
    }

    fn basic(&self) -> Option<HeaderValue> {
        header(&format!("Basic {}", STANDARD.encode(format!("{}:{}", self.name, self.password.expose()))))
    }

    async fn get(&self, url: &str, authorization: Option<HeaderValue>) -> Result<Answer, LoginError> {
        self.fetch.get(url, authorization).await.map_err(|cause| {
            let url = url.split('?').next().unwrap_or_default();
            let hint = match url.strip_prefix("https://") {
                Some(_) => "; is the name right, and the network there? A registry without TLS needs --plain-http",
                None => "; is the name right, and does it run?",
            };
            LoginError::Unreachable { url: spoken(url), cause, hint }
        })
    }

    fn accepted(&self, answer: &Answer) -> Result<(), LoginError> {
        let host = self.host.clone();
        match answer.status {
            StatusCode::OK => Ok(()),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(LoginError::Busy { host, status, reason: self.reason(answer) })
            }
            _ => Err(LoginError::Refused { host, reason: self.reason(answer) }),
        }
    }

    /// What the registry says for people; the status where it says nothing, or repeats the password.
    fn reason(&self, answer: &Answer) -> String {
        let errors: Errors = serde_json::from_slice(&answer.body).unwrap_or_default();
        let said = errors.errors.into_iter().next().map(|error| spoken(&error.message));
        said.filter(|said| !said.is_empty() && !said.contains(self.password.expose()))
            .unwrap_or_else(|| answer.status.to_string())
    }
}

/// The answer of a token service; newer ones say both.
#[derive(Default, Deserialize)]
struct Tokens {
    token: Option<String>,
    access_token: Option<String>,
}

/// Errors as the OCI Distribution Specification has them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Errors {
    errors: Vec<Reason>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    message: String,
}

/// A password or a token is never shown, also where headers are.
fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whom a token is for, where it is a JWT. It is the registry's own token, shown to whom it was given: nothing depends
/// on it.
fn subject(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Some(spoken(&claims.sub)).filter(|subject| !subject.is_empty())
}
