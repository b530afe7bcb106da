//! How the client is let in: it learns from the registry's challenge what is wanted, and keeps the tokens that it got.

mod scopes;
mod token;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue};
use reqwest::Url;
use tokio::sync::Mutex;

pub(super) use self::scopes::Scopes;
use self::token::{Service, Token};
use super::{
    Credential, Credentials, Host,
    challenge::Challenge,
    transport::{Exchange, Failure},
};

/// How long credentials count before they are asked for again: some are good for minutes.
const FRESH: Duration = Duration::from_secs(60);
/// Tokens that are kept.
const TOKENS: usize = 256;

/// The door of one registry.
pub(super) struct Door {
    host: Host,
    base: Url,
    credentials: Arc<dyn Credentials>,
    /// Held while a token is fetched, so that it is fetched once.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    wants: Option<Wants>,
    credential: Option<(Credential, Instant)>,
    tokens: Vec<Token>,
}

/// What the registry wants to see.
#[derive(Clone)]
enum Wants {
    Basic,
    Bearer(Service),
}

/// What one request has tried.
pub(super) struct Tried {
    began: Instant,
    /// What it needs, as far as is known.
    scopes: Scopes,
    /// What was shown last.
    shown: Option<Shown>,
}

enum Shown {
    Login { is_fresh: bool },
    Token { value: HeaderValue, is_fresh: bool },
}

impl Tried {
    /// A request that needs `scopes`.
    pub(super) fn new(scopes: Scopes) -> Self {
        Self { began: Instant::now(), scopes, shown: None }
    }
}

impl Door {
    pub(super) fn new(host: Host, base: Url, credentials: Arc<dyn Credentials>) -> Self {
        Self { host, base, credentials, state: Mutex::default() }
    }

    /// The `Authorization` for what `tried` needs: none while the registry asked for none.
    pub(super) async fn authorization(
        &self,
        exchange: &Exchange<'_>,
        tried: &mut Tried,
    ) -> Result<Option<HeaderValue>, Failure> {
        let mut state = self.state.lock().await;
        match state.wants.clone() {
            None => Ok(None),
            Some(Wants::Basic) => {
                let (credential, since) = self.credential(&mut state).await?;
                let Credential::Password { name, password } = credential else { return Ok(None) };
                tried.shown = Some(Shown::Login { is_fresh: since >= tried.began });
                Ok(Some(basic(&self.host, &name, password.expose())?))
            }
            Some(Wants::Bearer(service)) => {
                let now = Instant::now();
                state.tokens.retain(|token| token.until > now);
                let known = state.tokens.iter().find(|token| token.scopes.cover(&tried.scopes));
                let (value, is_fresh) = match known {
                    Some(token) => (token.value.clone(), false),
                    None => (self.fetch(exchange, &mut state, &service, &tried.scopes).await?, true),
                };
                tried.shown = Some(Shown::Token { value: value.clone(), is_fresh });
                Ok(Some(value))
            }
        }
    }

    async fn fetch(
        &self,
        exchange: &Exchange<'_>,
        state: &mut State,
        service: &Service,
        scopes: &Scopes,
    ) -> Result<HeaderValue, Failure> {
        let (credential, _) = self.credential(state).await?;
        let token = token::fetch(exchange, &self.host, service, &credential, scopes).await?;
        if state.tokens.len() == TOKENS {
            state.tokens.remove(0);
        }
        let value = token.value.clone();
        state.tokens.push(token);
        Ok(value)
    }

    /// The credentials, and when they were asked for.
    async fn credential(&self, state: &mut State) -> Result<(Credential, Instant), Failure> {
        if let Some((credential, since)) = &state.credential
            && since.elapsed() < FRESH
        {
            return Ok((credential.clone(), *since));
        }
        let credential = self
            .credentials
            .credential(&self.host)
            .await
            .map_err(|error| Failure::Refused { host: self.host.to_string(), reason: error.to_string() })?;
        let now = Instant::now();
        state.credential = Some((credential.clone(), now));
        Ok((credential, now))
    }

    /// Learns from `headers` of a 401 what the registry wants. Whether another try of the same request may go better.
    pub(super) async fn learn(&self, headers: &HeaderMap, tried: &mut Tried) -> Result<bool, Failure> {
        let Some(challenge) = Challenge::of(headers) else { return Ok(false) };
        let mut state = self.state.lock().await;
        match challenge {
            Challenge::Basic => {
                state.wants = Some(Wants::Basic);
                match tried.shown.take() {
                    Some(Shown::Login { is_fresh: true }) => return Ok(false),
                    Some(Shown::Login { is_fresh: false }) => state.credential = None,
                    _ => {}
                }
                Ok(matches!(self.credential(&mut state).await?.0, Credential::Password { .. }))
            }
            Challenge::Bearer { realm, service, scope } => {
                state.wants = Some(Wants::Bearer(Service::of(&self.host, &self.base, &realm, service)?));
                let wider = scope.map(|scope| Scopes::read(&scope)).unwrap_or_default();
                let is_wider = !tried.scopes.cover(&wider);
                tried.scopes = std::mem::take(&mut tried.scopes).and(wider);
                match tried.shown.take() {
                    Some(Shown::Token { value, is_fresh }) => {
                        state.tokens.retain(|token| token.value != value);
                        // A helper's password may have ended with the token.
                        state.credential = None;
                        Ok(is_wider || !is_fresh)
                    }
                    _ => Ok(true),
                }
            }
        }
    }
}

/// `Authorization` of a user of `host` (RFC 7617), never shown where headers are.
fn basic(host: &Host, name: &str, password: &str) -> Result<HeaderValue, Failure> {
    sensitive(host, &format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
}

fn sensitive(host: &Host, text: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Failure::Refused {
        host: host.to_string(),
        reason: "the token that is kept for it is none".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
