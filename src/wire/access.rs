//! Who is let in, built from configuration.

use std::{fs, path::PathBuf, sync::Arc};

use crate::{
    auth::{
        AccessController, Anyone, Fetch, Rules, RulesError,
        htpasswd::{Htpasswd, HtpasswdError, Users},
        jws::PublicKeys,
        proof::{
            Verifier,
            aws::{AwsVerifier, Options as AwsOptions, Partition},
            keys::KeyVerifier,
            oidc::{OidcVerifier, TrustError, Trusted},
        },
        token::{Bearer, External, ExternalOptions, SigningKeys, TokenService, keys_of_certificates},
    },
    aws,
    config::{Auth, Berth, Controller, ExternalKeys, ExternalToken, HtpasswdUsers},
    context::Clock,
    driver::StorageDriver,
    storage::{ApiKeys, StoredKeys},
};

/// Who is let in cannot be told from configuration.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The users.
    #[error(transparent)]
    Users(#[from] HtpasswdError),
    /// The rules.
    #[error("auth.rules: {0}")]
    Rules(#[from] RulesError),
    /// The issuers.
    #[error("auth.berth.oidc: {0}")]
    Trust(#[from] TrustError),
    /// The keys of another token service.
    #[error("{path}: {reason}", path = path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The names of another token service.
    #[error("auth.token: realm and service cannot hold quotes, backslashes and control characters")]
    Names,
}

/// What stands before the registry.
pub(super) struct Door {
    pub(super) access: Arc<dyn AccessController>,
    pub(super) tokens: Option<Arc<TokenService>>,
}

/// The door that `auth` wants. What it keeps lies in `driver`.
pub(super) fn door(auth: &Auth, driver: &Arc<dyn StorageDriver>) -> Result<Door, AuthError> {
    let rules: Option<Arc<Rules>> = auth.rules.as_ref().map(|rules| rules.parse().map(Arc::new)).transpose()?;
    let alone = |access| Door { access, tokens: None };
    match &auth.controller {
        Controller::None => Ok(alone(Arc::new(Anyone))),
        Controller::Htpasswd { realm, users } => {
            let controller = htpasswd(realm, users)?;
            Ok(alone(Arc::new(match rules {
                Some(rules) => controller.with_rules(rules),
                None => controller,
            })))
        }
        Controller::Token(token) => Ok(alone(Arc::new(external(token)?))),
        Controller::Berth(berth) => {
            let keys = Arc::new(SigningKeys::new(Arc::new(StoredKeys::signing(driver.clone())), Clock::default()));
            let tokens =
                TokenService::new(keys.clone(), rules.clone(), verifiers(berth, driver)?).with_life(berth.life);
            let tokens = Arc::new(tokens);
            let access = Bearer::new(keys, rules).with_passwords(tokens.clone());
            Ok(Door { access: Arc::new(access), tokens: Some(tokens) })
        }
    }
}

/// Who may say that somebody is who they say: passwords last, for anything may be one.
fn verifiers(berth: &Berth, driver: &Arc<dyn StorageDriver>) -> Result<Vec<Arc<dyn Verifier>>, AuthError> {
    let (fetch, mut verifiers) = (Fetch::default(), Vec::<Arc<dyn Verifier>>::new());
    if berth.aws {
        let options = AwsOptions {
            partition: aws::region().and_then(|region| Partition::of_region(&region)).unwrap_or_default(),
            endpoint: aws::sts_endpoint(),
            clock: Clock::default(),
        };
        verifiers.push(Arc::new(AwsVerifier::new(options, fetch.clone())));
    }
    if !berth.oidc.is_empty() {
        let trusted = berth.oidc.iter().map(|issuer| Trusted {
            issuer: issuer.url.clone(),
            audience: issuer.audience.clone(),
            insecure: issuer.url.starts_with("http://"),
        });
        verifiers.push(Arc::new(OidcVerifier::new(trusted.collect(), &fetch, Clock::default())?));
    }
    if berth.keys {
        verifiers.push(Arc::new(KeyVerifier::new(Arc::new(ApiKeys::new(driver.clone())), Clock::default())));
    }
    if let Some(users) = &berth.users {
        verifiers.push(Arc::new(htpasswd("", users)?));
    }
    Ok(verifiers)
}

fn htpasswd(realm: &str, users: &HtpasswdUsers) -> Result<Htpasswd, HtpasswdError> {
    match users {
        HtpasswdUsers::File(path) => Htpasswd::open(realm, path),
        HtpasswdUsers::Given(users) => {
            let place = "auth.htpasswd.users".to_owned();
            let users = Users::parse_value(users.expose()).map_err(|cause| HtpasswdError::Users { place, cause })?;
            Ok(Htpasswd::new(realm, users))
        }
    }
}

fn external(token: &ExternalToken) -> Result<External, AuthError> {
    let (ExternalKeys::Certificates(path) | ExternalKeys::Jwks(path)) = &token.keys;
    let failed = |reason: String| AuthError::Keys { path: path.clone(), reason };
    let text = fs::read(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    let keys = match &token.keys {
        ExternalKeys::Certificates(_) => keys_of_certificates(&text).map_err(|error| failed(error.to_string()))?,
        ExternalKeys::Jwks(_) => PublicKeys::from_jwks(&text).map_err(|error| failed(error.to_string()))?,
    };
    External::new(ExternalOptions {
        realm: token.realm.clone(),
        service: token.service.clone(),
        issuer: token.issuer.clone(),
        keys,
        clock: Clock::default(),
    })
    .ok_or(AuthError::Names)
}
